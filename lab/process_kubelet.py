"""A kubelet whose containers are processes: `python -m lab.process_kubelet ENVIRONMENT`.

KWOK reports every pod as Ready without running it. For the pods of Argo CD and Keel, this runs the
real programs with the variables and arguments of the pod template and the rights of the pod's
ServiceAccount. Like a kubelet, it restarts a process when the pod template changes or the process
exits, and not when a ConfigMap changes. Pods of Jobs, and init containers, run too: pod_workers.py.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import requests

from lab import pod, pod_identity, state
from lab.child import Child, stop_all
from lab.daemon import title
from lab.kubernetes_api import TOKEN_SECONDS, KubernetesApi, write_kubeconfig
from lab.pod import UnresolvedError, Workload
from lab.pod_workers import PodWorkers
from lab.process import Identity
from lab.programs import NAMESPACES, PYTHON, Program, addresses, base_environment, programs
from lab.site import Site
from lab.state import Report
from lab.toolchain import Toolchain

TICK = 0.5
GRACE = 8.0


class Container:
    """The process of one workload's pods."""

    def __init__(self, kubelet: ProcessKubelet, workload: Workload, program: Program) -> None:
        self.kubelet = kubelet
        self.workload = workload
        self.program = program
        self.folder = kubelet.site.cluster_dir(kubelet.environment) / "pods" / workload.name
        name = title(workload.name, kubelet.environment)
        log = kubelet.site.logs() / f"{name.replace('/', '-')}.log"
        self.child = Child(name, log=log, port=program.port)
        self.renew_token_at = 0.0

    def reconcile(self, workload: Workload) -> None:
        """Start the process, restart it, or check whether it is ready."""
        if self.child.runs and workload.revision != self.workload.revision:
            print(f"{self.child.status.name}: the pod template changed", flush=True)
            self.child.stop(GRACE)
        self.workload = workload
        how = self.child.exit()
        if how is not None:
            print(f"{self.child.status.name} {self.child.record_failure(how)}", flush=True)
        if not self.child.runs:
            if self.child.may_start:
                self._start()
            return
        if time.monotonic() >= self.renew_token_at:
            self._write_token()
        if self.child.status.state == "starting":
            self.child.check(self.program.ready)

    def _start(self) -> None:
        kubelet = self.kubelet
        try:
            environment = pod.variables(self.workload, kubelet.lookup(self.workload))
            if self.program.identity:
                environment |= pod_identity.variables(
                    kubelet.site, kubelet.environment, self.workload
                )
            self._write_token()
        except (UnresolvedError, requests.HTTPError) as missing:
            self.child.wait_for(str(missing))
            return
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        for name in ("tmp", *self.program.folders):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        write_kubeconfig(
            kubelet.site,
            kubelet.environment,
            path=self.folder / "kubeconfig",
            # Clients read the file again after the token was renewed.
            user={"tokenFile": str(self.folder / "token")},
            namespace=self.workload.namespace,
        )
        shutil.copy(kubelet.site.certificate_authority(kubelet.environment), self.folder / "ca.crt")
        words = map(kubelet.reachable, pod.arguments(self.workload, environment))
        self.child.start(
            [self._tool(), *words, *self.program.flags],
            variables={
                **{name: kubelet.reachable(text) for name, text in environment.items()},
                **base_environment(kubelet.site, kubelet.tools, self.folder),
                **self.program.variables,
            },
            folder=self.folder,
        )

    def _tool(self) -> Path:
        tool = self.program.tool
        return Path(sys.executable) if tool == PYTHON else self.kubelet.tools.path(tool)

    def _write_token(self) -> None:
        """Write a token of the pod's ServiceAccount; it is renewed after half of its lifetime."""
        token = self.kubelet.token(self.workload)
        state.write_atomically(self.folder / "token", token, mode=0o600)
        self.renew_token_at = time.monotonic() + TOKEN_SECONDS / 2


class ProcessKubelet:
    """The processes that run for pods of one environment's cluster."""

    def __init__(self, site: Site, environment: str, tools: Toolchain) -> None:
        self.site = site
        self.environment = environment
        self.tools = tools
        self.api = KubernetesApi(site, environment)
        self.programs = programs(site, environment)
        self.containers: dict[str, Container] = {}
        self.pods = PodWorkers(site, environment, self.api)
        self.stop_requested = False
        self._addresses = addresses(site, environment)
        self._reported: Report | None = None

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "stop_requested", True))
        while not self.stop_requested:
            try:
                self.reconcile(self.workloads())
                self.pods.reconcile()
            except requests.RequestException as error:
                print(f"the API server does not answer: {error}", flush=True)
            self.report()
            time.sleep(TICK)
        self.pods.stop()
        stop_all([container.child for container in self.containers.values()], GRACE)

    def workloads(self) -> list[Workload]:
        """The workloads whose programs this kubelet runs, as the API server has them now."""
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
        """Run the processes of these workloads, and stop those of others."""
        wanted = {workload.name: workload for workload in workloads if workload.replicas > 0}
        for name in self.containers.keys() - wanted.keys():
            self.containers.pop(name).child.stop(GRACE)
        for name, workload in sorted(wanted.items()):
            if name not in self.containers:
                program = self.programs[workload.container["name"]]
                self.containers[name] = Container(self, workload, program)
            self.containers[name].reconcile(workload)

    def lookup(self, workload: Workload) -> pod.Lookup:
        """Read ConfigMaps and Secrets of the workload's namespace."""
        prefix = f"/api/v1/namespaces/{workload.namespace}"
        return lambda kind, name: self.api.get(f"{prefix}/{kind}/{name}")

    def token(self, workload: Workload) -> str:
        """A new token of the workload's ServiceAccount."""
        return self.api.token(workload.namespace, workload.service_account)

    def reachable(self, text: str) -> str:
        """`text` with cluster addresses replaced by the addresses of the processes."""
        for address, real in self._addresses.items():
            text = text.replace(address, real)
        return text

    def report(self) -> None:
        report = Report(
            phase="up",
            owner=Identity.of(os.getpid()),
            daemons=tuple(self.containers[name].child.status for name in sorted(self.containers)),
        )
        if report != self._reported:
            state.write(state.processes_report(self.site, self.environment), report)
            self._reported = report


if __name__ == "__main__":
    ProcessKubelet(Site.from_environment(), sys.argv[1], Toolchain()).run()
