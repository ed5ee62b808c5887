"""The chart repository: the lab's charts, packed, with Argo CD's own CRDs in the argo-cd chart."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

from lab.http_server import serve
from lab.part import Part
from lab.readiness import http_ok
from lab.site import CHECKOUT, Site
from lab.toolchain import Toolchain

SOURCES = CHECKOUT / "lab" / "charts"
ARGO_CD_MODULE = "github.com/argoproj/argo-cd/v3"


def part(site: Site, tools: Toolchain) -> Part:
    helm = tools.path("helm")
    crds = tools.module_dir(ARGO_CD_MODULE) / "manifests" / "crds"
    return Part(
        name="charts",
        port=site.port("charts"),
        prepare=lambda: pack(helm, SOURCES, crds, folder(site), site.url("charts")),
        ready=http_ok(f"{site.url('charts')}/index.yaml"),
        command=(sys.executable, "-m", "lab.daemons.charts"),
    )


def folder(site: Site) -> Path:
    """What is served."""
    return site.home / "charts"


def pack(helm: Path, sources: Path, crds: Path, target: Path, url: str) -> None:
    """Packs every chart of `sources` into `target` and indexes them under `url`.

    Nothing is written when what is there was made from the same files.
    """
    mark = target / "made-from"
    state = f"{_fingerprint(sources)} {_fingerprint(crds)} {url}\n"
    if mark.exists() and mark.read_text(encoding="ascii") == state:
        return
    shutil.rmtree(target, ignore_errors=True)
    drafts = target / "drafts"
    for chart in sorted(path.parent for path in sources.glob("*/Chart.yaml")):
        draft = drafts / chart.name
        shutil.copytree(chart, draft)
        if chart.name == "argo-cd":
            (draft / "crds").mkdir(exist_ok=True)
            for crd in sorted(crds.glob("*-crd.yaml")):
                shutil.copy(crd, draft / "crds")
        _run(helm, "package", str(draft), "--destination", str(target))
    shutil.rmtree(drafts)
    _run(helm, "repo", "index", str(target), "--url", url)
    mark.write_text(state, encoding="ascii")


class PackingError(Exception):
    """helm cannot pack a chart; the message is helm's."""


def _run(helm: Path, *arguments: str) -> None:
    done = subprocess.run([helm, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackingError(f"helm {' '.join(arguments)}: {done.stderr.strip()}")


def _fingerprint(tree: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in tree.rglob("*") if path.is_file()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(tree)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def main() -> None:
    site = Site.from_environment()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder(site)))
    serve(site.port("charts"), handler)


if __name__ == "__main__":
    main()
