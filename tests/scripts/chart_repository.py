"""A chart repository on this machine, with charts that are made here."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import yaml

STATEFUL_SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas }}
  serviceName: {{ .Release.Name }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: {{ .Chart.Name }}
          image: docker.io/library/{{ .Chart.Name }}:{{ .Chart.AppVersion }}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
          env:
            - {name: VERSION, value: {{ .Chart.Version | quote }}}
            - {name: KUBERNETES, value: {{ .Capabilities.KubeVersion.Version | quote }}}
            - {name: LABEL, value: {{ include "common.label" . | quote }}}
"""
"""It names a template of its dependency."""
_COMMON = '{{ define "common.label" }}{{ .Release.Name }} by common{{ end }}\n'


class ChartRepository:
    """The files of a repository, and what it answers at `url`."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self._entries: dict[str, list[dict[str, object]]] = {}

    def publish(self, name: str, version: str, templates: Mapping[str, str] | None = None) -> str:
        """Adds a version of a chart, or puts another archive in its place; the digest."""
        made = templates or {"statefulset.yaml": STATEFUL_SET}
        common: dict[str, object] = {
            "apiVersion": "v2",
            "name": "common",
            "version": "1.0.0",
            "type": "library",
        }
        chart: dict[str, object] = {
            "apiVersion": "v2",
            "name": name,
            "version": version,
            "appVersion": version.partition(".")[0],
            "dependencies": [{"name": "common", "version": "1.0.0", "repository": ""}],
        }
        files = {
            "Chart.yaml": yaml.safe_dump(chart),
            "values.yaml": "replicas: 1\n",
            "charts/common/Chart.yaml": yaml.safe_dump(common),
            "charts/common/templates/_common.tpl": _COMMON,
            **{f"templates/{file}": text for file, text in made.items()},
        }
        archive = _packed({f"{name}/{path}": text for path, text in files.items()})
        (self.folder / f"{name}-{version}.tgz").write_bytes(archive)
        digest = hashlib.sha256(archive).hexdigest()
        entry = {**chart, "urls": [f"{self.url}/{name}-{version}.tgz"], "digest": digest}
        others = [e for e in self._entries.get(name, []) if e["version"] != version]
        self._entries[name] = [*others, entry]
        index = {"apiVersion": "v1", "entries": self._entries}
        (self.folder / "index.yaml").write_text(yaml.safe_dump(index), encoding="utf-8")
        return f"sha256:{digest}"

    def withdraw(self, name: str, version: str) -> None:
        (self.folder / f"{name}-{version}.tgz").unlink()


@contextmanager
def serving(folder: Path) -> Iterator[ChartRepository]:
    """A repository with what is published into it, for as long as the block lasts."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield ChartRepository(folder, f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


def _packed(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)
