"""A kubelet whose containers are processes: `python -m lab.process_kubelet ENVIRONMENT`.

KWOK shows every pod as Ready; for the pods of Argo CD and Keel this runs the real programs, with
the variables and arguments of the pod template and the rights of the pod's ServiceAccount. Like a
kubelet it starts a process anew when the pod template changes or when the process dies, and not
when a ConfigMap that it has read changes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace

import requests

from lab import pod, state
from lab.kubernetes_api import KubernetesApi, write_kubeconfig
from lab.part import title
from lab.pod import UnresolvedError, Workload
from lab.process import Identity, describe_exit, start, stop, tail
from lab.programs import NAMESPACES, Program, addresses, programs, surroundings
from lab.site import Site
from lab.state import PartStatus, Report
from lab.toolchain import Toolchain

TICK = 0.5
GRACE = 8.0
LONGEST_PAUSE = 30.0
TOKEN_SECONDS = 24 * 3600


class Container:
    """The process of one workload's pods."""

    def __init__(self, kubelet: ProcessKubelet, workload: Workload, program: Program) -> None:
        self.kubelet = kubelet
        self.workload = workload
        self.program = program
        self.folder = kubelet.site.cluster_dir(kubelet.environment) / "pods" / workload.name
        name = title(workload.name, kubelet.environment)
        self.log = kubelet.site.logs() / f"{name.replace('/', '-')}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.since = 0.0
        self.not_before = 0.0
        self.renew_token_at = 0.0
        self.status = PartStatus(
            part=name, state="waiting", port=program.port, log=str(self.log)
        )

    def step(self, workload: Workload) -> None:
        """One look: starts, restarts, or asks whether it is ready."""
        if self.process is not None and workload.revision != self.workload.revision:
            print(f"{self.status.part}: the pod template changed", flush=True)
            self.end()
        self.workload = workload
        if self.process is None:
            if time.monotonic() >= self.not_before:
                self._begin()
            return
        code = self.process.poll()
        if code is not None:
            self._died(code)
            return
        if time.monotonic() >= self.renew_token_at:
            self._write_token()
        if self.status.state == "starting":
            self._check()

    def end(self) -> None:
        if self.process is not None and self.status.process is not None:
            stop([self.status.process], GRACE)
            self.process.wait()
        self.process = None
        self.status = replace(self.status, state="stopped", process=None)

    def _begin(self) -> None:
        try:
            environment = pod.variables(self.workload, self.kubelet.lookup(self.workload))
        except UnresolvedError as missing:
            self.status = replace(self.status, state="waiting", note=f"waits: {missing}")
            return
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        for name in ("tmp", *self.program.folders):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write_token()
        write_kubeconfig(
            self.kubelet.site,
            self.kubelet.environment,
            path=self.folder / "kubeconfig",
            user={"tokenFile": str(self.folder / "token")},
            namespace=self.workload.namespace,
        )
        words = pod.arguments(self.workload, environment)
        self.since = time.monotonic()
        self.process = start(
            [
                self.kubelet.tools.path(self.program.tool),
                *map(self.kubelet.reachable, words),
                *self.program.flags,
            ],
            log=self.log,
            variables={
                **{name: self.kubelet.reachable(text) for name, text in environment.items()},
                **surroundings(self.kubelet.tools, self.folder),
                **self.program.variables,
            },
            folder=self.folder,
        )
        self.status = replace(
            self.status, state="starting", process=Identity.of(self.process.pid), note=""
        )

    def _check(self) -> None:
        missing = self.program.ready()
        if missing is None:
            took = round(time.monotonic() - self.since, 1)
            self.status = replace(self.status, state="ready", seconds=took, note="")
            print(f"{self.status.part} is ready after {took} s", flush=True)
        else:
            self.status = replace(self.status, note=missing)

    def _died(self, code: int) -> None:
        restarts = self.status.restarts + 1
        pause = 0.0 if restarts == 1 else min(2.0 ** (restarts - 2), LONGEST_PAUSE)
        self.not_before = time.monotonic() + pause
        self.process = None
        moment = time.strftime("%H:%M:%S")
        note = (
            f"at {moment} it {describe_exit(code)}. The end of {self.log}:\n{tail(self.log)}"
        )
        print(f"{self.status.part}: {note}", flush=True)
        self.status = replace(
            self.status, state="died", process=None, restarts=restarts, note=note
        )

    def _write_token(self) -> None:
        """A token of the pod's ServiceAccount, renewed long before it ends."""
        token = self.kubelet.token(self.workload)
        state.write_atomically(self.folder / "token", token, mode=0o600)
        self.renew_token_at = time.monotonic() + TOKEN_SECONDS / 2


class ProcessKubelet:
    """All processes that stand for pods of one environment's cluster."""

    def __init__(self, site: Site, environment: str, tools: Toolchain) -> None:
        self.site = site
        self.environment = environment
        self.tools = tools
        self.api = KubernetesApi(site, environment)
        self.programs = programs(site, environment)
        self.containers: dict[str, Container] = {}
        self.told_to_stop = False
        self._addresses = addresses(site, environment)
        self._reported: Report | None = None

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "told_to_stop", True))
        while not self.told_to_stop:
            try:
                self.reconcile(self.workloads())
            except requests.RequestException as error:
                print(f"the API server does not answer: {error}", flush=True)
            self.report()
            time.sleep(TICK)
        for container in self.containers.values():
            if container.status.process:
                container.status.process.signal(signal.SIGTERM)
        for container in self.containers.values():
            container.end()

    def workloads(self) -> list[Workload]:
        """The workloads whose programs are run here, as they are now."""
        found = []
        for namespace in NAMESPACES:
            for kind in ("deployments", "statefulsets"):
                listed = self.api.get(f"/apis/apps/v1/namespaces/{namespace}/{kind}") or {}
                for body in listed.get("items", ()):
                    workload = Workload.of(body)
                    if workload.container["name"] in self.programs:
                        found.append(workload)
        return found

    def reconcile(self, workloads: Iterable[Workload]) -> None:
        """Runs what is wanted and stops what is not."""
        wanted = {workload.name: workload for workload in workloads if workload.replicas > 0}
        for name in self.containers.keys() - wanted.keys():
            self.containers.pop(name).end()
        for name, workload in sorted(wanted.items()):
            if name not in self.containers:
                program = self.programs[workload.container["name"]]
                self.containers[name] = Container(self, workload, program)
            self.containers[name].step(workload)

    def lookup(self, workload: Workload) -> pod.Lookup:
        """Reads maps and secrets of the workload's namespace."""
        prefix = f"/api/v1/namespaces/{workload.namespace}"
        return lambda kind, name: self.api.get(f"{prefix}/{kind}/{name}")

    def token(self, workload: Workload) -> str:
        """A fresh token of the workload's ServiceAccount."""
        answer = self.api.create(
            f"/api/v1/namespaces/{workload.namespace}/serviceaccounts/"
            f"{workload.service_account}/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": TOKEN_SECONDS},
            },
        )
        return str((answer or {})["status"]["token"])

    def reachable(self, text: str) -> str:
        """`text` with cluster addresses replaced by where the processes listen."""
        for address, real in self._addresses.items():
            text = text.replace(address, real)
        return text

    def report(self) -> None:
        report = Report(
            phase="up",
            owner=Identity.of(os.getpid()),
            parts=tuple(container.status for _, container in sorted(self.containers.items())),
        )
        if report != self._reported:
            state.write(state.processes_report(self.site, self.environment), report)
            self._reported = report


if __name__ == "__main__":
    ProcessKubelet(Site.from_environment(), sys.argv[1], Toolchain()).run()
