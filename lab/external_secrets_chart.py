"""The chart of External Secrets as its makers pack it, from what its Go module has of it.

The module has the chart without the kinds (CRDs), which are put into it when it is released, each
behind the values that ask for it. The lab's module is older than the chart that the program pins,
and is served under that chart's version.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_CHART = Path("deploy/charts/external-secrets")
_KINDS = Path("deploy/crds/bundle.yaml")


def draft(module: Path, version: str, target: Path) -> None:
    """Write the chart to `target`, as `version`."""
    shutil.copytree(module / _CHART, target)
    (target / "Chart.lock").unlink()
    chart = yaml.safe_load((target / "Chart.yaml").read_text(encoding="utf-8"))
    del chart["dependencies"]  # of another secret store, which is off
    chart["version"] = version
    (target / "Chart.yaml").write_text(yaml.safe_dump(chart), encoding="utf-8")
    for name, text in _kinds(module / _KINDS):
        (target / "templates" / "crds" / f"{name}.yaml").write_text(text, encoding="utf-8")


def _kinds(bundle: Path) -> Iterator[tuple[str, str]]:
    """Each kind's name, and its template."""
    for kind in yaml.load_all(bundle.read_text(encoding="utf-8"), yaml.CSafeLoader):
        text = yaml.dump(kind, Dumper=yaml.CSafeDumper)
        yield (
            kind["spec"]["names"]["singular"],
            f"{{{{- if {_asked(kind)} }}}}\n{text}{{{{- end }}}}\n",
        )


def _asked(kind: dict[str, Any]) -> str:
    """The condition under which the chart installs a kind."""
    name = kind["spec"]["names"]["kind"]
    if name.startswith("Cluster") or name == "PushSecret":
        return f'and .Values.installCRDs (index .Values.crds "create{name}")'
    return ".Values.installCRDs"
