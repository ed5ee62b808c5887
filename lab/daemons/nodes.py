"""The nodes of a cluster, simulated by KWOK: pods become Ready and no image is pulled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lab.daemon import Daemon, title
from lab.kubernetes_api import KubernetesApi, cluster_pki, write_kubeconfig
from lab.readiness import Condition, all_of, http_ok
from lab.site import CHECKOUT, HOST, Site
from lab.state import write_atomically
from lab.toolchain import Toolchain
from settings.environment import Environment
from settings.loading import load_files

COUNT = 3
ANNOTATION = "kwok.x-k8s.io/node"
AUTO_MODE = Path(__file__).with_name("auto_mode.yaml")
"""The kinds with which EKS Auto Mode describes nodes."""
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-delete.yaml",
)
"""What KWOK does with nodes and pods, in files of its module; it has no default."""
READY = "pod/fast/pod-ready.yaml"
"""Reports a pod as Ready; for the lab, not one whose containers have to end."""


def daemon(site: Site, environment: str, tools: Toolchain) -> Daemon:
    """KWOK, with nodes in each of the cluster's zones."""
    api = KubernetesApi(site, environment)
    place = load_files(environment, CHECKOUT).environment
    pki = cluster_pki(site, environment)
    kubeconfig = site.cluster_dir(environment) / "kwok.kubeconfig"
    stages = tools.module_dir("sigs.k8s.io/kwok") / "kustomize" / "stage"

    ready = site.cluster_dir(environment) / "pod-ready.yaml"

    def prepare() -> None:
        stage = yaml.safe_load((stages / READY).read_text())
        write_atomically(ready, yaml.safe_dump(without_endings(stage)))
        write_kubeconfig(site, environment, path=kubeconfig, user={"token": pki.token("kwok")})
        create_kinds(api)
        create_nodes(api, place)

    return Daemon(
        name="kwok",
        environment=environment,
        port=site.port("kwok", environment),
        needs=frozenset({title("apiserver", environment)}),
        prepare=prepare,
        ready=all_of(http_ok(f"{site.url('kwok', environment)}/healthz"), nodes_ready(api)),
        command=(
            tools.path("kwok"),
            f"--kubeconfig={kubeconfig}",
            *(f"--config={stages / file}" for file in STAGES),
            f"--config={ready}",
            f"--server-address={HOST}:{site.port('kwok', environment)}",
            "--manage-all-nodes=false",
            f"--manage-nodes-with-annotation-selector={ANNOTATION}=fake",
            "--cidr=10.244.0.0/16",
            f"--node-ip={HOST}",
            "--node-lease-duration-seconds=40",
        ),
    )


def without_endings(stage: dict[str, Any]) -> dict[str, Any]:
    """A stage of pods that leaves alone those that `lab.pod_workers` runs."""
    others = [
        {"key": ".spec.initContainers.[].name", "operator": "DoesNotExist"},
        {"key": ".metadata.ownerReferences.[].kind", "operator": "NotIn", "values": ["Job"]},
    ]
    selector = stage["spec"]["selector"]
    expressions = [*selector["matchExpressions"], *others]
    return stage | {
        "spec": stage["spec"] | {"selector": selector | {"matchExpressions": expressions}}
    }


def create_nodes(api: KubernetesApi, environment: Environment) -> None:
    """Create the nodes that do not exist."""
    for body in nodes(environment):
        api.create("/api/v1/nodes", body)


def create_kinds(api: KubernetesApi) -> None:
    """Create the kinds of Auto Mode that do not exist; EKS brings them with the mode."""
    for body in yaml.safe_load_all(AUTO_MODE.read_text(encoding="utf-8")):
        api.create(DEFINITIONS, body)


def nodes(environment: Environment) -> list[dict[str, Any]]:
    """The Node objects, spread over the environment's zones and labelled as EKS labels them."""
    zones = [f"{environment.region}{letter}" for letter in environment.config.network.zones]
    cluster = environment.config.cluster
    groups = cluster.node_groups
    instance = groups[0].instance_types[0] if groups else "m7i.large"
    if cluster.auto:
        origin = {
            "eks.amazonaws.com/compute-type": "auto",
            "karpenter.sh/nodepool": cluster.pools[0].name,
        }
    else:
        origin = {"eks.amazonaws.com/nodegroup": groups[0].name if groups else "existing"}
    return [
        _node(
            f"node-{number + 1}",
            {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": f"node-{number + 1}",
                "topology.kubernetes.io/region": environment.region,
                "topology.kubernetes.io/zone": zones[number % len(zones)],
                "node.kubernetes.io/instance-type": instance,
                **origin,
            },
        )
        for number in range(COUNT)
    ]


def nodes_ready(api: KubernetesApi) -> Condition:
    """All nodes report Ready."""

    def check() -> str | None:
        found = (api.get("/api/v1/nodes") or {}).get("items", [])
        ready = [node["metadata"]["name"] for node in found if _is_ready(node)]
        return None if len(ready) >= COUNT else f"{len(ready)} of {COUNT} nodes are Ready"

    return check


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _node(name: str, labels: dict[str, str]) -> dict[str, Any]:
    room = {"cpu": "32", "memory": "128Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {ANNOTATION: "fake"}},
        "status": {"allocatable": room, "capacity": room},
    }
