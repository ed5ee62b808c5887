"""EKS Auto Mode: rights, pools, order, and the way there and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components import wiring
from components.argocd.applications import Applications
from components.argocd.argocd import ArgoCd
from components.cluster.auto_mode import node_class, node_pool
from components.cluster.cluster import Cluster
from components.network.network import Network
from settings.environment import Settings
from settings.loading import load, load_files
from settings.nodes import NodePool
from settings.problems import SettingsError
from settings.rules import immutable
from tests.committed import committed
from tests.unit.clusters import a_cluster
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.recording import Recording, record

CLUSTER = "aws:eks/cluster:Cluster"
ADDON = "aws:eks/addon:Addon"
ENTRY = "aws:eks/accessEntry:AccessEntry"
ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE = "aws:iam/role:Role"
POOL = "kubernetes:karpenter.sh/v1:NodePool"
CLASS = "kubernetes:eks.amazonaws.com/v1:NodeClass"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
STORAGE = "kubernetes:storage.k8s.io/v1:StorageClass"
PROVIDER = "pulumi:providers:kubernetes"
DRIVER = {"aws-ebs-csi-driver": "v1.63.1-eksbuild.1"}
TAINT = {"key": "gpu", "effect": "NO_SCHEDULE"}


def compute(config: dict[str, Any], value: str = "auto", **more: object) -> None:
    """`compute` of a stack's cluster, which keeps its node groups unless that is auto."""
    cluster = config["platform:cluster"]
    cluster.update(compute=value, **more)
    if value == "auto" and "nodeGroups" not in more:
        cluster.pop("nodeGroups", None)


def build(settings: Settings) -> Recording:
    def program() -> None:
        Cluster("cluster", wiring.cluster(settings, Network("network", wiring.network(settings))))

    return record(program)


def deployed(settings: Settings) -> Recording:
    def program() -> None:
        argocd = ArgoCd("argocd", wiring.argocd(settings, a_cluster(), {}))
        Applications("apps", wiring.applications(settings, argocd))

    return record(program)


def refusal(configuration: Path) -> list[str]:
    """Every problem, without its line."""
    with pytest.raises(SettingsError) as refused:
        load_files("prod", configuration)
    return [str(replace(problem, line=None)) for problem in refused.value.problems]


@pytest.fixture(scope="module")
def auto(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The committed safe environment, which has three zones, in Auto Mode."""
    config = committed("prod")
    compute(config)
    return build(load("prod", config, CHECKOUT, {}))


def policies_of(recording: Recording, role: str) -> set[str]:
    return {
        attachment.inputs["policyArn"].rsplit("/", 1)[1]
        for attachment in recording.of(ATTACHED)
        if attachment.inputs["role"] == role
    }


# The control plane


def test_compute_disks_and_load_balancers_are_switched_together(auto: Recording) -> None:
    cluster = auto.one(CLUSTER).inputs

    assert cluster["computeConfig"] == {"enabled": True}
    assert cluster["storageConfig"] == {"blockStorage": {"enabled": True}}
    assert cluster["kubernetesNetworkConfig"]["elasticLoadBalancing"] == {"enabled": True}
    assert cluster["bootstrapSelfManagedAddons"] is False


def test_the_control_plane_may_do_what_auto_mode_does_and_tag_it(auto: Recording) -> None:
    role = auto.one(ROLE, "cluster-control-plane-role")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]

    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert policies_of(auto, "acme-prod-control-plane") == {
        "AmazonEKSClusterPolicy",
        "AmazonEKSComputePolicy",
        "AmazonEKSBlockStoragePolicy",
        "AmazonEKSLoadBalancingPolicy",
        "AmazonEKSNetworkingPolicy",
    }
    for attachment in auto.of(ATTACHED):
        if attachment.inputs["role"] == "acme-prod-control-plane":
            assert auto.waits_for(auto.one(CLUSTER), attachment)


def test_a_cluster_that_never_was_in_auto_mode_says_nothing_of_it(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.prod.yaml", lambda c: c["platform:cluster"].pop("compute", None))
    silent = build(load_files("prod", configuration)).one(CLUSTER).inputs

    assert "computeConfig" not in silent
    assert "storageConfig" not in silent
    assert "elasticLoadBalancing" not in silent["kubernetesNetworkConfig"]


def test_a_cluster_leaves_auto_mode_by_being_told(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", lambda c: compute(c, "nodeGroups"))
    left = build(load_files("prod", configuration)).one(CLUSTER).inputs

    assert left["computeConfig"] == {"enabled": False}
    assert left["storageConfig"] == {"blockStorage": {"enabled": False}}
    assert left["kubernetesNetworkConfig"]["elasticLoadBalancing"] == {"enabled": False}


# Nodes


def test_the_nodes_join_by_an_access_entry_of_their_own(auto: Recording) -> None:
    entry = auto.one(ENTRY, "cluster-auto-access").inputs
    policy = auto.one(ASSOCIATION, "cluster-auto-access-policy").inputs

    assert (entry["type"], entry["principalArn"]) == (
        "EC2",
        "arn:aws:iam::123456789012:role/acme-prod-auto-nodes",
    )
    assert policy["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAutoNodePolicy"
    assert policies_of(auto, "acme-prod-auto-nodes") == {
        "AmazonEKSWorkerNodeMinimalPolicy",
        "AmazonEC2ContainerRegistryPullOnly",
    }


def test_nodes_are_in_every_zone_of_the_network(auto: Recording) -> None:
    spec = auto.one(CLASS).inputs["spec"]

    assert spec["role"] == "acme-prod-auto-nodes"
    assert spec["subnetSelectorTerms"] == [
        {"id": f"network-private-{zone}-id"} for zone in "abc"
    ], "AWS's own pools know the two zones of the control plane alone"
    assert spec["securityGroupSelectorTerms"] == [{"id": "sg-0c1a2b3c4d5e6f708"}]


def test_a_pool_has_a_limit_and_a_processor() -> None:
    pool = NodePool.model_validate({"name": "general"})

    spec = node_pool(pool)

    assert spec["limits"] == {"cpu": "32"}
    assert spec["template"]["spec"]["nodeClassRef"] == {
        "group": "eks.amazonaws.com",
        "kind": "NodeClass",
        "name": "general",
    }
    assert requirements(spec)["kubernetes.io/arch"] == ["amd64"]
    assert requirements(spec)["karpenter.sh/capacity-type"] == ["on-demand"]
    assert spec["template"]["spec"]["taints"] == []


def test_a_pool_follows_its_settings() -> None:
    pool = NodePool.model_validate(
        {
            "name": "batch",
            "capacity": "spot",
            "processor": "arm64",
            "maxCpus": 200,
            "diskGib": 120,
            "labels": {"work": "batch"},
            "taints": [
                {"key": "work", "value": "batch", "effect": "NO_EXECUTE"},
                {"key": "spare", "effect": "NO_SCHEDULE"},
            ],
        }
    )

    spec = node_pool(pool)

    assert spec["limits"] == {"cpu": "200"}
    assert requirements(spec)["karpenter.sh/capacity-type"] == ["spot", "on-demand"]
    assert requirements(spec)["kubernetes.io/arch"] == ["arm64"]
    assert spec["template"]["metadata"]["labels"] == {"node-group": "batch", "work": "batch"}
    assert spec["template"]["spec"]["taints"] == [
        {"key": "work", "value": "batch", "effect": "NoExecute"},
        {"key": "spare", "effect": "NoSchedule"},
    ]
    described = node_class(pool, role="nodes", subnets=["subnet-1"], security_group="sg-1")
    assert described["ephemeralStorage"] == {"size": "120Gi"}


def requirements(spec: Mapping[str, Any]) -> dict[str, list[str]]:
    return {one["key"]: one["values"] for one in spec["template"]["spec"]["requirements"]}


def test_auto_mode_brings_its_addons_except_for_metrics(auto: Recording) -> None:
    metrics = auto.one(ADDON)

    assert metrics.inputs["addonName"] == "metrics-server"
    assert "addonVersion" not in metrics.inputs, "EKS chooses by the version of Kubernetes"
    auto.assert_none("aws:eks/nodeGroup:NodeGroup")


def test_network_policies_are_enforced_in_auto_mode_too(auto: Recording) -> None:
    switch = auto.one(CONFIG_MAP).inputs

    assert switch["metadata"] == {"name": "amazon-vpc-cni", "namespace": "kube-system"}
    assert switch["data"] == {"enable-network-policy-controller": "true"}
    assert auto.waits_for(auto.one(POOL), auto.one(CONFIG_MAP))


def test_everything_in_the_cluster_waits_for_pools_and_goes_before_them(auto: Recording) -> None:
    pool, metrics = auto.one(POOL), auto.one(ADDON)
    first, main = (
        auto.one(PROVIDER, "cluster-before-nodes"),
        auto.one(PROVIDER, "cluster-kubernetes"),
    )
    administrator = auto.one(ASSOCIATION, "cluster-administrator-210987654321-role-platform")

    for later, earlier in [
        (first, administrator),
        (auto.one(CLASS), auto.one(ASSOCIATION, "cluster-auto-access-policy")),
        (pool, auto.one(CLASS)),
        (metrics, pool),
        (main, pool),
        (main, metrics),
    ]:
        assert auto.waits_for(later, earlier), f"{later.name} must wait for {earlier.name}"
    assert pool.provider.startswith(first.urn)


# Disks

AUTO_CLASS = ("gp3-auto", "ebs.csi.eks.amazonaws.com")
CLASSES: Mapping[str, tuple[Any, tuple[str, str]]] = {
    "Auto Mode": (compute, AUTO_CLASS),
    "the driver": (
        lambda c: c["platform:cluster"].update(addons=DRIVER),
        ("gp3", "ebs.csi.aws.com"),
    ),
}


@pytest.mark.parametrize(("change", "expected"), CLASSES.values(), ids=CLASSES.keys())
def test_volumes_are_encrypted_unless_they_name_another_class(
    configuration: Path, bend: Bend, change: Any, expected: tuple[str, str]
) -> None:
    bend("Pulumi.prod.yaml", change)

    found = deployed(load_files("prod", configuration)).one(STORAGE).inputs

    assert (found["metadata"]["name"], found["provisioner"]) == expected
    assert found["metadata"]["annotations"] == {
        "storageclass.kubernetes.io/is-default-class": "true"
    }
    assert found["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert found["volumeBindingMode"] == "WaitForFirstConsumer"


def test_there_is_no_class_where_no_driver_is(prod: Settings) -> None:
    deployed(prod).assert_none(STORAGE)


# There and back


def test_names_and_network_plug_in_serve_old_nodes_until_they_are_gone(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.prod.yaml", lambda c: c["platform:cluster"].update(addons=DRIVER))

    addons = build(load_files("prod", configuration)).of(ADDON)

    kept = {addon.inputs["addonName"]: addon.inputs.get("preserve") for addon in addons}
    assert kept == {
        "aws-ebs-csi-driver": None,
        "coredns": True,
        "eks-pod-identity-agent": None,
        "kube-proxy": None,
        "metrics-server": None,
        "vpc-cni": True,
    }


def test_the_switch_replaces_neither_cluster_nor_provider(
    configuration: Path, bend: Bend, prod: Settings, auto: Recording
) -> None:
    before, after = build(prod).one(CLUSTER), auto.one(CLUSTER)

    changed = {key for key in after.inputs if after.inputs[key] != before.inputs.get(key)}
    assert before.name == after.name
    assert changed == {"computeConfig", "storageConfig", "kubernetesNetworkConfig"}
    assert (
        after.inputs["kubernetesNetworkConfig"].items()
        >= {
            "ipFamily": "ipv4",
            "serviceIpv4Cidr": "172.20.0.0/16",
        }.items()
    )


def test_leaving_auto_mode_unsaid_is_refused() -> None:
    config = committed("prod")
    config["platform:cluster"].pop("compute", None)
    applied = {immutable.COMPUTE: "auto"}

    with pytest.raises(SettingsError) as refused:
        load("prod", config, CHECKOUT, applied)

    assert str(refused.value).endswith(
        "  - Pulumi.prod.yaml:12: platform:cluster.compute: the cluster runs in Auto Mode, and AWS "
        "leaves it so where nothing is said; write auto; or nodeGroups: docs/operate.md"
    )
    compute(config, "nodeGroups")
    load("prod", config, CHECKOUT, applied)


def test_what_a_cluster_runs_on_is_remembered() -> None:
    config = committed("prod")
    compute(config)

    assert immutable.values(load("prod", config, CHECKOUT, {}))[immutable.COMPUTE] == "auto"


# Refused

CASES: Mapping[str, tuple[dict[str, object], str]] = {
    "node groups beside Auto Mode": (
        {"nodeGroups": [{"name": "g", "instanceTypes": ["m7i.large"], "minSize": 1, "maxSize": 2}]},
        "platform:cluster: has nodeGroups beside compute: auto, whose nodes come from pools; "
        "remove one of the two",
    ),
    "an add-on that Auto Mode brings": (
        {"addons": {"coredns": "v1.14.3-eksbuild.3", **DRIVER}},
        "platform:cluster: has aws-ebs-csi-driver, coredns in addons beside compute: auto, which "
        "brings its own; remove them",
    ),
    "no pool for just any pod": (
        {"pools": [{"name": "gpu", "taints": [TAINT]}]},
        "platform:cluster: has no pool without taints, and DNS and Argo CD need one; take the "
        "taints off one",
    ),
    "two pools of one name": (
        {"pools": [{"name": "general"}, {"name": "general", "capacity": "spot"}]},
        "platform:cluster: has two pools named general; give each a name of its own",
    ),
    **{
        f"a pool named {name}": (
            {"pools": [{"name": name}]},
            "platform:cluster.pools[0].name: is the name of a pool or class of AWS's own (given: "
            f"{name}); choose another",
        )
        for name in ("default", "general-purpose", "system")
    },
    "no pool at all": (
        {"pools": []},
        "platform:cluster.pools: must name 1 at least (given: []); add what is missing",
    ),
    "a label that Karpenter keeps": (
        {"pools": [{"name": "general", "labels": {"karpenter.sh/capacity-type": "spot"}}]},
        "platform:cluster.pools[0].labels.karpenter.sh/capacity-type: has karpenter.sh/, which EKS "
        "keeps to itself (given: karpenter.sh/capacity-type); take a prefix of your own",
    ),
}


@pytest.mark.parametrize(("keys", "expected"), CASES.values(), ids=CASES.keys())
def test_what_auto_mode_cannot_have_is_refused(
    configuration: Path, bend: Bend, keys: dict[str, Any], expected: str
) -> None:
    bend("Pulumi.prod.yaml", lambda c: compute(c, **keys))

    assert refusal(configuration) == [f"Pulumi.prod.yaml: {expected}"]


def test_pools_without_auto_mode_are_refused(configuration: Path, bend: Bend) -> None:
    bend(
        "Pulumi.prod.yaml",
        lambda c: c["platform:cluster"].update(pools=[{"name": "general"}]),
    )

    assert refusal(configuration) == [
        "Pulumi.prod.yaml: platform:cluster: has pools without compute: auto, and only Auto Mode "
        "has pools; remove them or write compute: auto"
    ]


def test_pools_of_another_processor_are_refused(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", lambda c: compute(c, pools=[{"name": "big", "processor": "arm64"}]))

    (problem,) = refusal(configuration)
    assert problem.startswith(
        "Pulumi.prod.yaml: platform:cluster.pools: has arm64 nodes, while general of "
        "Pulumi.dev.yaml has x86_64 ones"
    )
