"""Pods that end or wait, up to the moment at which a process would start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab import images
from lab.daemons import nodes
from lab.pod import Object, UnresolvedError
from lab.pod_images import Node, PullError
from lab.pod_status import ContainerState, address, status
from lab.pod_volumes import Volumes, translated
from lab.pod_worker import PodWorker, Surroundings
from lab.pod_workers import played_here

REGISTRY = "127.0.0.1:21001"
OURS = f"{REGISTRY}/shop/web"
FOREIGN = "ghcr.io/else/where:1"


def lookup(kind: str, name: str) -> Object | None:
    found = {
        ("configmaps", "gate"): {"data": {"gate.py": "open('/var/run/account/token')"}},
        ("configmaps", "ca"): {"data": {"ca.crt": "trusted", "other": "x"}},
    }
    return found.get((kind, name))


def a_pod(*, job: bool = False, init: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    owner = {"ownerReferences": [{"kind": "Job"}]} if job else {}
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "u", **owner},
        "spec": {
            "nodeName": "node-1",
            "restartPolicy": "Never" if job else "Always",
            "initContainers": [{"name": f"i{n}", "image": i} for n, i in enumerate(init)],
            "containers": [{"name": "web", "image": FOREIGN}],
            **more,
        },
        "status": {"conditions": [{"type": "PodScheduled", "status": "True"}]},
    }


def a_worker(pod: dict[str, Any], folder: Path) -> PodWorker:
    around = Surroundings(
        folder=folder / "pod",
        log=folder / "log",
        variables={},
        node=Node(REGISTRY),
        lookup=lookup,
        token=lambda: "a-token",
    )
    return PodWorker(pod, around)


# --- who plays a pod


def test_kwok_plays_no_pod_that_a_process_runs() -> None:
    stage = {
        "kind": "Stage",
        "spec": {"next": {}, "selector": {"matchExpressions": [{"key": "a"}]}},
    }
    changed = nodes.without_endings(stage)
    assert changed["spec"]["selector"]["matchExpressions"] == [
        {"key": "a"},
        {"key": ".spec.initContainers.[].name", "operator": "DoesNotExist"},
        {"key": ".metadata.ownerReferences.[].kind", "operator": "NotIn", "values": ["Job"]},
    ]
    assert changed["spec"]["next"] == {}


@pytest.mark.parametrize(
    ("pod", "here"),
    [
        (a_pod(), False),
        (a_pod(job=True), True),
        (a_pod(init=(FOREIGN,)), True),
        (a_pod(job=True) | {"spec": {"containers": []}}, False),
    ],
    ids=["a server", "a Job's", "with an init container", "on no node yet"],
)
def test_pods_of_jobs_and_those_with_init_containers_are_run(
    pod: dict[str, Any], here: bool
) -> None:
    assert played_here(pod) is here


def test_a_pod_that_is_being_deleted_is_left_to_kwok() -> None:
    pod = a_pod(job=True)
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not played_here(pod)


# --- how far a pod is


def test_a_server_is_ready_once_its_init_containers_have_ended(tmp_path: Path) -> None:
    worker = a_worker(a_pod(init=(FOREIGN, FOREIGN)), tmp_path)
    phases = []
    for _ in range(3):
        worker.step()
        phases.append(worker.phase)
    assert phases == ["Pending", "Pending", "Running"]
    conditions = {one["type"]: one["status"] for one in worker.status()["conditions"]}
    assert conditions == {
        "PodScheduled": "True",
        "Initialized": "True",
        "ContainersReady": "True",
        "Ready": "True",
    }


def test_a_pod_whose_init_container_waits_is_not_ready(tmp_path: Path) -> None:
    waits = {"name": "gate", "image": "docker.io/library/python:3", "command": ["python3"]}
    pod = a_pod(initContainers=[{**waits, "envFrom": [{"configMapRef": {"name": "absent"}}]}])
    worker = a_worker(pod, tmp_path)
    worker.step()
    assert worker.phase == "Pending"
    (gate,) = worker.status()["initContainerStatuses"]
    assert gate["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": "configmap absent does not exist",
    }
    conditions = {one["type"]: one["status"] for one in worker.status()["conditions"]}
    assert conditions["Ready"] == conditions["Initialized"] == "False"


def test_a_jobs_pod_of_an_image_that_cannot_be_run_succeeds(tmp_path: Path) -> None:
    worker = a_worker(a_pod(job=True), tmp_path)
    worker.step()
    assert worker.phase == "Succeeded"


def test_a_program_that_is_not_there_fails_a_jobs_pod_for_good(tmp_path: Path) -> None:
    lost = {"name": "web", "image": "docker.io/library/busybox", "command": ["/no/such"]}
    worker = a_worker(a_pod(job=True, containers=[lost]), tmp_path)
    worker.step()
    assert worker.phase == "Failed"
    (container,) = worker.status()["containerStatuses"]
    assert container["state"]["terminated"]["exitCode"] == 128
    assert "/no/such cannot be started" in (tmp_path / "log").read_text()


def test_an_init_container_that_fails_is_tried_again(tmp_path: Path) -> None:
    lost = {"name": "gate", "image": "docker.io/library/busybox", "command": ["/no/such"]}
    worker = a_worker(a_pod(initContainers=[lost]), tmp_path)
    worker.step()
    assert worker.phase == "Pending"
    (gate,) = worker.status()["initContainerStatuses"]
    assert gate["restartCount"] == 1
    assert gate["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    worker.step()
    assert worker.status()["initContainerStatuses"][0]["restartCount"] == 1, "it does not pause"


def test_a_condition_that_does_not_change_keeps_its_time() -> None:
    old = {"type": "Ready", "status": "False", "lastTransitionTime": "2020-01-01T00:00:00Z"}
    pod = a_pod() | {"status": {"conditions": [old]}}
    waiting = ContainerState({"name": "web", "image": FOREIGN})
    new = status(pod, "Pending", [], [waiting])
    assert old in new["conditions"]
    waiting.serve()
    new = status(pod, "Running", [], [waiting])
    (ready,) = (one for one in new["conditions"] if one["type"] == "Ready")
    assert ready["status"] == "True"
    assert ready["lastTransitionTime"] > "2026"


def test_addresses_of_pods_are_outside_those_of_kwok() -> None:
    assert address("a") != address("b")
    assert address("a").startswith("10.245.")


# --- images


def test_a_tag_means_what_the_node_has_until_it_pulls(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = ["sha256:" + "1" * 64, "sha256:" + "2" * 64]
    monkeypatch.setattr(images, "digest_of", lambda *_: digests[0])
    node = Node(REGISTRY)
    plain = {"image": f"{OURS}:dev", "imagePullPolicy": "IfNotPresent"}
    assert node.image_id(plain) == f"{OURS}@sha256:{'1' * 64}"
    del digests[0]
    assert node.image_id(plain) == f"{OURS}@sha256:{'1' * 64}"
    assert node.image_id({**plain, "imagePullPolicy": "Always"}) == f"{OURS}@sha256:{'2' * 64}"
    assert node.image_id(plain) == f"{OURS}@sha256:{'2' * 64}"


def test_a_digest_needs_no_registry_to_be_told() -> None:
    held = f"{OURS}:v1@sha256:{'3' * 64}"
    assert Node(REGISTRY).image_id({"image": held}) == f"{OURS}@sha256:{'3' * 64}"


def test_an_image_that_the_registry_lacks_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "digest_of", lambda *_: None)
    with pytest.raises(PullError, match="shop/web:dev is not in the registry"):
        Node(REGISTRY).image_id({"image": f"{OURS}:dev"})


def test_an_image_is_written_as_files_that_can_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "pull", lambda *_: {"bin/migrate": "#!/bin/sh\n"})
    root = Node(REGISTRY).root(f"{OURS}@sha256:{'3' * 64}", tmp_path / "root")
    assert root == tmp_path / "root"
    assert (tmp_path / "root/bin/migrate").stat().st_mode & 0o111 == 0o111
    assert Node(REGISTRY).root(FOREIGN, tmp_path / "other") is None


# --- volumes


def test_a_mount_path_is_replaced_where_it_is_a_path_of_its_own() -> None:
    places = {"/tmp": "/lab/tmp/x", "/tmp/deep": "/lab/deep"}  # noqa: S108
    assert translated("cp /tmp/a /tmp/deep/b", places) == "cp /lab/tmp/x/a /lab/deep/b"
    assert translated("/var/tmp /tmpfs a/tmp", places) == "/var/tmp /tmpfs a/tmp"  # noqa: S108


def test_volumes_have_what_kubernetes_puts_into_them(tmp_path: Path) -> None:
    projected = {
        "sources": [
            {"serviceAccountToken": {"path": "token"}},
            {"configMap": {"name": "ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        ]
    }
    pod = a_pod(
        volumes=[
            {"name": "gate", "configMap": {"name": "gate"}},
            {"name": "account", "projected": projected},
            {"name": "tmp", "emptyDir": {}},
        ]
    )
    mounts = {"gate": "/gate", "account": "/var/run/account", "tmp": "/tmp"}  # noqa: S108
    container = {"volumeMounts": [{"name": n, "mountPath": p} for n, p in mounts.items()]}
    places = Volumes(tmp_path, pod, lookup, lambda: "a-token").mount(container)
    assert places == {path: str(tmp_path / name) for name, path in mounts.items()}
    assert (tmp_path / "gate/gate.py").read_text() == f"open('{tmp_path}/account/token')"
    assert sorted(file.name for file in (tmp_path / "account").iterdir()) == ["ca.crt", "token"]
    assert (tmp_path / "account/token").read_text() == "a-token"
    assert (tmp_path / "tmp").is_dir()


def test_a_volume_that_the_lab_lacks_is_never_left_out_silently(tmp_path: Path) -> None:
    pod = a_pod(volumes=[{"name": "disk", "nfs": {}}])
    container = {"volumeMounts": [{"name": "disk", "mountPath": "/disk"}]}
    with pytest.raises(UnresolvedError, match="the volume disk"):
        Volumes(tmp_path, pod, lookup, lambda: "").mount(container)
