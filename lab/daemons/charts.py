"""The chart repository: the lab's charts, packed, with Argo CD's own CRDs in the argo-cd chart, and
the real charts of External Secrets and external-dns."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from werkzeug.exceptions import NotFound
from werkzeug.middleware.shared_data import SharedDataMiddleware

from components.secrets.external_secrets import CHART_VERSION
from lab import external_secrets_chart
from lab.daemon import Daemon
from lab.http_server import serve_wsgi
from lab.readiness import http_ok
from lab.site import CHECKOUT, Site
from lab.toolchain import Toolchain
from settings.problems import UserError

SOURCES = CHECKOUT / "lab" / "charts"
ARGO_CD_MODULE = "github.com/argoproj/argo-cd/v3"
EXTERNAL_SECRETS_MODULE = "github.com/external-secrets/external-secrets"
EXTERNAL_DNS_MODULE = "sigs.k8s.io/external-dns"
EXTERNAL_DNS_CHART = Path("charts/external-dns")


def daemon(site: Site, tools: Toolchain) -> Daemon:
    helm = tools.path("helm")
    crds = tools.module_dir(ARGO_CD_MODULE) / "manifests" / "crds"
    external_secrets = tools.module_dir(EXTERNAL_SECRETS_MODULE)
    external_dns = tools.module_dir(EXTERNAL_DNS_MODULE) / EXTERNAL_DNS_CHART
    return Daemon(
        name="charts",
        port=site.port("charts"),
        prepare=lambda: pack(
            helm,
            SOURCES,
            crds,
            folder(site),
            site.url("charts"),
            external_secrets=external_secrets,
            external_dns=external_dns,
        ),
        ready=http_ok(f"{site.url('charts')}/index.yaml"),
        command=(sys.executable, "-m", "lab.daemons.charts"),
    )


def folder(site: Site) -> Path:
    """The folder that is served."""
    return site.home / "charts"


def pack(
    helm: Path,
    sources: Path,
    crds: Path,
    target: Path,
    url: str,
    *,
    external_secrets: Path | None = None,
    external_dns: Path | None = None,
) -> None:
    """Pack every chart of `sources` into `target` and index them under `url`.

    external_secrets: what its Go module has of its chart, which is packed too.
    external_dns: its chart, which is packed as it is.

    Nothing is written if `target` was made from the same files.
    """
    stamp = target / "made-from"
    upstream = f"{external_secrets} {CHART_VERSION} {external_dns}" if external_secrets else ""
    state = f"{_fingerprint(sources)} {_fingerprint(crds)} {upstream} {url}\n"
    if stamp.exists() and stamp.read_text(encoding="ascii") == state:
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
    if external_secrets:
        draft = drafts / "external-secrets"
        external_secrets_chart.draft(external_secrets, CHART_VERSION, draft)
        _run(helm, "package", str(draft), "--destination", str(target))
    if external_dns:
        _run(helm, "package", str(external_dns), "--destination", str(target))
    shutil.rmtree(drafts)
    _run(helm, "repo", "index", str(target), "--url", url)
    stamp.write_text(state, encoding="ascii")


class PackingError(UserError):
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
    serve_wsgi(site.port("charts"), SharedDataMiddleware(NotFound(), {"/": str(folder(site))}))


if __name__ == "__main__":
    main()
