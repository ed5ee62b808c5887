"""The pods that KWOK leaves to processes: those of Jobs, and those with init containers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.kubernetes_api import KubernetesApi
from lab.pod import Lookup, Object, Workload
from lab.pod_images import Node
from lab.pod_worker import PodWorker, Surroundings, belongs_to_a_job
from lab.site import HOST, Site

WAITING = "/api/v1/pods?fieldSelector=status.phase%3DPending"
WORKING = (
    "/api/v1/pods?fieldSelector=status.phase%3DRunning&labelSelector=batch.kubernetes.io%2Fjob-name"
)


class PodWorkers:
    """Runs those pods of one cluster, and reports their status as a kubelet does."""

    def __init__(self, site: Site, environment: str, api: KubernetesApi) -> None:
        self.site = site
        self.environment = environment
        self.api = api
        self.nodes: dict[str, Node] = {}
        self.workers: dict[str, PodWorker] = {}
        self._reported: dict[str, Mapping[str, object]] = {}
        shutil.rmtree(self._folder(), ignore_errors=True)

    def reconcile(self) -> None:
        """Take every pod one step further; stop those that are gone."""
        found = {pod["metadata"]["uid"]: pod for pod in self._pods()}
        for uid in self.workers.keys() - found.keys():
            self._forget(uid)
        for uid, pod in found.items():
            if uid not in self.workers:
                self.workers[uid] = self._worker(pod)
            worker = self.workers[uid]
            worker.pod = pod
            worker.step()
            self._report(uid, worker)

    def stop(self) -> None:
        for uid in [*self.workers]:
            self._forget(uid)

    def _pods(self) -> Iterator[Object]:
        for path in (WAITING, WORKING):
            for pod in (self.api.get(path) or {}).get("items", ()):
                if played_here(pod):
                    yield pod

    def _worker(self, pod: Object) -> PodWorker:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        account = Workload.of_pod(pod, {})
        node = self.nodes.setdefault(pod["spec"]["nodeName"], Node(self.site.registry_host))
        worker = PodWorker(
            pod,
            Surroundings(
                folder=self._folder() / f"{namespace}-{name}",
                log=self.site.logs() / "pods" / f"{self.environment}-{namespace}-{name}.log",
                variables={
                    "KUBERNETES_SERVICE_HOST": HOST,
                    "KUBERNETES_SERVICE_PORT": str(self.site.port("apiserver", self.environment)),
                },
                node=node,
                lookup=self._lookup(namespace),
                token=lambda: self.api.token(account.namespace, account.service_account),
            ),
        )
        # Its processes ended with the kubelet that started them.
        worker.failed = pod["status"].get("phase") == "Running"
        return worker

    def _lookup(self, namespace: str) -> Lookup:
        return lambda kind, name: self.api.get(f"/api/v1/namespaces/{namespace}/{kind}/{name}")

    def _report(self, uid: str, worker: PodWorker) -> None:
        new = worker.status()
        told = {key: new[key] for key in ("phase", "initContainerStatuses", "containerStatuses")}
        if told == self._reported.get(uid):
            return
        metadata = worker.pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        if self.api.replace(path, {**worker.pod, "status": new}):
            self._reported[uid] = told

    def _forget(self, uid: str) -> None:
        self.workers.pop(uid).stop()
        self._reported.pop(uid, None)

    def _folder(self) -> Path:
        return self.site.cluster_dir(self.environment) / "containers"


def played_here(pod: Object) -> bool:
    """Whether a pod is on a node, stays, and is of a kind that KWOK leaves alone."""
    spec, metadata = pod["spec"], pod["metadata"]
    ours = bool(spec.get("initContainers")) or belongs_to_a_job(pod)
    return ours and "nodeName" in spec and "deletionTimestamp" not in metadata
