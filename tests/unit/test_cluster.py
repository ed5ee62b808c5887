"""The cluster: how it is opened, what it runs on, in what order it comes up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components import wiring
from components.cluster.access import Access, team_namespaces
from components.cluster.access_entries import access_entries
from components.cluster.addon_table import versions
from components.cluster.cluster import Cluster
from components.cluster.kubeconfig import kubeconfig
from components.cluster.nodes import still_groups
from components.network.network import Network
from settings.cluster import AccessConfig
from settings.eks_releases import RELEASES
from settings.environment import Settings
from settings.loading import load, load_files
from tests.committed import committed, on_node_groups
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.existing import another_teams_cluster, use_existing_cluster
from tests.unit.recording import Recorded, Recording, record

CLUSTER = "aws:eks/cluster:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
ASSOCIATED = "aws:ec2/routeTableAssociation:RouteTableAssociation"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
ADDON = "aws:eks/addon:Addon"
ENTRY = "aws:eks/accessEntry:AccessEntry"
ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
PROVIDER = "pulumi:providers:kubernetes"
ROLE = "arn:aws:iam::123456789012:role"
PROD_ROLE = "arn:aws:iam::210987654321:role"


def build(settings: Settings, **more: Any) -> Recording:
    def program() -> Any:
        network = Network("network", wiring.network(settings))
        cluster = Cluster("cluster", wiring.cluster(settings, network))
        return {"name": cluster.name, "arn": cluster.arn, "kubeconfig": cluster.kubeconfig}

    return record(program, **more)


@pytest.fixture(scope="module")
def dev_cluster() -> Recording:
    """The committed fast environment, on node groups."""
    config = committed("dev")
    on_node_groups(config)
    return build(load("dev", config, CHECKOUT, {}))


@pytest.fixture
def configuration(configuration: Path) -> Path:
    """The committed files, with every environment on node groups."""
    config = committed("dev")
    on_node_groups(config)
    (configuration / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}))
    return configuration


@pytest.fixture(scope="session")
def prod_cluster(prod: Settings) -> Recording:
    return build(prod)


# The control plane


def test_access_entries_are_the_only_way_in(dev_cluster: Recording) -> None:
    """Nobody is an administrator for having created the cluster."""
    assert dev_cluster.one(CLUSTER).inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }


def test_an_imported_cluster_is_not_replaced(dev_cluster: Recording) -> None:
    """EKS does not tell whether the creator became an administrator."""
    assert dev_cluster.one(CLUSTER).ignore_changes == (
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
    )


def test_the_endpoint_is_private_unless_somebody_is_listed(configuration: Path, bend: Bend) -> None:
    office = "203.0.113.0/24"
    inside = {"publicAccess": [], "privateAccess": ["10.99.0.0/16"]}

    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"].update(publicAccess=[office]))
    listed = build(load_files("dev", configuration)).one(CLUSTER).inputs["vpcConfig"]
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"].update(inside))
    closed = build(load_files("dev", configuration)).one(CLUSTER).inputs["vpcConfig"]

    assert (closed["endpointPrivateAccess"], closed["endpointPublicAccess"]) == (True, False)
    assert (listed["endpointPrivateAccess"], listed["endpointPublicAccess"]) == (True, True)
    assert listed["publicAccessCidrs"] == [office]


def test_a_connected_network_reaches_the_private_endpoint_where_it_is_listed(
    dev_cluster: Recording, configuration: Path, bend: Bend
) -> None:
    office = "192.168.10.0/24"
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"].update(privateAccess=[office]))

    listed = build(load_files("dev", configuration))

    rule = listed.one(INGRESS, "cluster-control-plane-from-192.168.10.0-24")
    assert rule.inputs["cidrIpv4"] == office
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)
    assert rule.inputs["securityGroupId"] == "sg-0c1a2b3c4d5e6f708", "EKS's own, of the endpoint"
    assert listed.waits_for(listed.one(PROVIDER), rule), "Pulumi may come from there"
    assert not [r for r in dev_cluster.of(INGRESS) if "control-plane" in r.name]


def test_machine_images_are_pinned_where_a_release_is_named(
    dev_cluster: Recording, configuration: Path, bend: Bend
) -> None:
    release = "1.35.2-20260710"
    bend(
        "Pulumi.dev.yaml",
        lambda c: c["platform:cluster"]["nodeGroups"][0].update(release=release),
    )

    pinned = build(load_files("dev", configuration))

    assert pinned.one(NODE_GROUP).inputs["releaseVersion"] == release
    assert "releaseVersion" not in dev_cluster.one(NODE_GROUP).inputs


def test_a_third_zone_is_none_of_the_control_planes_business(
    dev_cluster: Recording, configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda c: c["platform:network"].update(zones=["a", "b", "c"]))

    wider = build(load_files("dev", configuration))

    before, after = (r.one(CLUSTER).inputs["vpcConfig"] for r in (dev_cluster, wider))
    assert len(before["subnetIds"]) == 2
    assert after == before, "EKS refuses subnets in zones that it was not created with"
    assert len(wider.one(NODE_GROUP).inputs["subnetIds"]) == 3


def test_kubernetes_secrets_are_encrypted_with_a_key_of_our_own(dev_cluster: Recording) -> None:
    encryption = dev_cluster.one(CLUSTER).inputs["encryptionConfig"]

    assert encryption["resources"] == ["secrets"]
    assert encryption["provider"]["keyArn"].endswith("cluster-control-plane-key")
    assert dev_cluster.one("aws:kms/key:Key").inputs["enableKeyRotation"] is True


def test_control_plane_logs_go_to_a_group_that_forgets(
    dev_cluster: Recording, prod_cluster: Recording
) -> None:
    for recording, days in ((dev_cluster, 14), (prod_cluster, 365)):
        logs = recording.one("aws:cloudwatch/logGroup:LogGroup")
        cluster = recording.one(CLUSTER)
        assert logs.inputs["name"] == f"/aws/eks/{cluster.inputs['name']}/cluster"
        assert logs.inputs["retentionInDays"] == days
        assert recording.waits_for(cluster, logs), "EKS would create it without a retention"
        assert "audit" in cluster.inputs["enabledClusterLogTypes"]


def test_every_cluster_is_protected_until_a_person_names_it(
    dev_cluster: Recording, prod_cluster: Recording, configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.prod.yaml", lambda config: config.update({"platform:unprotected": ["cluster"]}))
    lifted = build(load_files("prod", configuration))

    for recording, protected in ((dev_cluster, True), (prod_cluster, True), (lifted, False)):
        cluster, key = recording.one(CLUSTER), recording.one("aws:kms/key:Key")
        assert (cluster.protect, key.protect) == (protected, protected)
        assert cluster.inputs["deletionProtection"] is protected


def test_aws_upgrades_dev_by_itself_and_prod_never(
    dev_cluster: Recording, prod_cluster: Recording
) -> None:
    support = [r.one(CLUSTER).inputs["upgradePolicy"] for r in (dev_cluster, prod_cluster)]

    assert support == [{"supportType": "STANDARD"}, {"supportType": "EXTENDED"}]


def test_an_upgrade_changes_versions_and_nothing_else(
    dev_cluster: Recording, configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config["platform:cluster"].update(version="1.36"))

    after = {r.name: r.inputs for r in build(load_files("dev", configuration)).resources}

    before = {r.name: r.inputs for r in dev_cluster.resources}
    assert before.keys() == after.keys()
    changes = {
        (name, key)
        for name in before
        for key in before[name].keys() | after[name].keys()
        if before[name].get(key) != after[name].get(key)
    }
    assert changes == {
        ("cluster-control-plane-eks", "version"),
        ("cluster-basics-kube-proxy", "addonVersion"),
        ("cluster-nodes-general", "version"),
    }


# Nodes


def test_pods_cannot_reach_the_credentials_of_their_node(prod_cluster: Recording) -> None:
    assert prod_cluster.one(TEMPLATE).inputs["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_every_disk_is_encrypted(prod_cluster: Recording) -> None:
    (disk,) = prod_cluster.one(TEMPLATE).inputs["blockDeviceMappings"]

    assert disk["ebs"]["encrypted"] == "true"
    assert disk["ebs"]["volumeType"] == "gp3"


def test_instances_and_disks_carry_the_tags_of_everything(prod_cluster: Recording) -> None:
    tagged = {
        specification["resourceType"]: specification["tags"]
        for specification in prod_cluster.one(TEMPLATE).inputs["tagSpecifications"]
    }

    assert tagged.keys() == {"instance", "volume", "network-interface"}
    assert all(tags["Environment"] == "prod" for tags in tagged.values())


def test_the_number_of_nodes_is_left_to_whoever_scales_them(dev_cluster: Recording) -> None:
    group = dev_cluster.one(NODE_GROUP)

    assert "scalingConfig.desiredSize" in group.ignore_changes
    assert group.inputs["scalingConfig"] == {"minSize": 2, "maxSize": 5, "desiredSize": 2}


def test_a_preview_says_that_node_groups_do_not_grow_by_themselves(prod: Settings) -> None:
    (group,) = prod.config.cluster.node_groups
    fixed = group.model_copy(update={"max_size": group.min_size})

    assert still_groups([group, fixed, group]) == (
        "the node groups general, general stay at the size that a person or an autoscaler of your "
        "own gives them; with compute: auto nodes come and go by themselves"
    )
    assert still_groups([fixed]) == ""


def test_a_preview_says_which_groups_stay_at_their_size(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []

    def tell(message: str, resource: pulumi.Resource) -> None:
        told.append((message[:39], resource._name))

    monkeypatch.setattr("pulumi.log.info", tell)
    build(load_files("dev", configuration))
    assert told == [("the node groups general stay at the siz", "cluster-nodes")]


def test_labels_taints_and_processors_follow_the_settings(configuration: Path, bend: Bend) -> None:
    batch = {
        "name": "batch",
        "instanceTypes": ["m7g.large", "c7g.large"],
        "minSize": 0,
        "maxSize": 4,
        "capacity": "spot",
        "labels": {"work": "batch"},
        "taints": [{"key": "work", "value": "batch", "effect": "NO_SCHEDULE"}],
    }
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"]["nodeGroups"].append(batch))

    group = build(load_files("dev", configuration)).one(NODE_GROUP, "cluster-nodes-batch").inputs

    assert group["amiType"] == "AL2023_ARM_64_STANDARD"
    assert group["capacityType"] == "SPOT"
    assert group["labels"] == {"node-group": "batch", "work": "batch"}
    assert group["taints"] == [{"key": "work", "value": "batch", "effect": "NO_SCHEDULE"}]


# Order


def test_the_cluster_comes_up_in_an_order_that_works(dev_cluster: Recording) -> None:
    addon = {
        name: dev_cluster.one(ADDON, f"cluster-basics-{name}")
        for name in ("eks-pod-identity-agent", "vpc-cni", "kube-proxy")
    }
    dns = dev_cluster.one(ADDON, "cluster-addons-coredns")
    nodes, provider = dev_cluster.one(NODE_GROUP), dev_cluster.one(PROVIDER)
    way_out = dev_cluster.one("aws:ec2/route:Route", "network-private-a-out")
    administrator = dev_cluster.one(ASSOCIATION)

    for later, earlier in [
        (addon["vpc-cni"], addon["eks-pod-identity-agent"]),
        (nodes, addon["vpc-cni"]),
        (nodes, addon["kube-proxy"]),
        (nodes, way_out),
        (nodes, dev_cluster.one(ASSOCIATED, "network-private-a-association")),
        (nodes, dev_cluster.one(ASSOCIATED, "network-public-a-association")),
        (dns, nodes),
        (provider, dns),
        (provider, administrator),
    ]:
        assert dev_cluster.waits_for(later, earlier), f"{later.name} must wait for {earlier.name}"


def test_the_control_plane_knows_nothing_of_the_third_zone(prod_cluster: Recording) -> None:
    cluster = prod_cluster.one(CLUSTER)
    for part in ("public", "private"):
        first, _, third = (
            prod_cluster.one(ASSOCIATED, f"network-{part}-{zone}-association") for zone in "abc"
        )
        assert not prod_cluster.waits_for(cluster, third), "a new zone would show as its update"
        assert prod_cluster.waits_for(cluster, first)


def test_what_can_be_chosen_only_at_the_start_is_chosen(
    dev_cluster: Recording, configuration: Path, bend: Bend
) -> None:
    assert dev_cluster.one(CLUSTER).inputs["bootstrapSelfManagedAddons"] is False
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"].update(serviceCidr="172.30.0.0/16"))
    other = build(load_files("dev", configuration)).one(CLUSTER).inputs
    assert other["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "172.30.0.0/16"


def test_network_policies_are_enforced(dev_cluster: Recording) -> None:
    plug_in = dev_cluster.one(ADDON, "cluster-basics-vpc-cni").inputs
    assert json.loads(plug_in["configurationValues"])["enableNetworkPolicy"] == "true"


def test_nodes_are_replaced_a_third_at_a_time(dev_cluster: Recording) -> None:
    group = dev_cluster.one(NODE_GROUP).inputs
    assert group["updateConfig"] == {"maxUnavailablePercentage": 33}
    assert group["amiType"] == "AL2023_x86_64_STANDARD"


def test_addons_are_pinned_and_belong_to_the_kubernetes_version(prod_cluster: Recording) -> None:
    installed = {
        a.inputs["addonName"]: a.inputs.get("addonVersion") for a in prod_cluster.of(ADDON)
    }

    assert installed == {
        "coredns": "v1.14.3-eksbuild.3",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
        "kube-proxy": "v1.35.3-eksbuild.13",
        "metrics-server": None,
        "vpc-cni": "v1.22.4-eksbuild.3",
    }


def test_an_addon_that_calls_aws_has_a_role_for_its_own_pods(dev_cluster: Recording) -> None:
    network = dev_cluster.one(ADDON, "cluster-basics-vpc-cni")
    (association,) = network.inputs["podIdentityAssociations"]
    role = dev_cluster.one("aws:iam/role:Role", "cluster-basics-vpc-cni-role")

    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]

    assert association == {"roleArn": f"{ROLE}/acme-dev-vpc-cni", "serviceAccount": "aws-node"}
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    tags = statement["Condition"]["StringEquals"]
    assert tags.pop("aws:RequestTag/eks-cluster-arn").endswith("cluster/acme-dev")
    assert tags == {
        "aws:RequestTag/kubernetes-namespace": "kube-system",
        "aws:RequestTag/kubernetes-service-account": "aws-node",
    }
    node_policies = {
        attachment.inputs["policyArn"].rsplit("/")[-1]
        for attachment in dev_cluster.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if attachment.name.startswith("cluster-nodes-")
    }
    assert node_policies == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}, (
        "nodes need no right of their plug-ins"
    )


def test_the_settings_pin_other_versions_and_ask_for_the_disk_driver(
    configuration: Path, bend: Bend
) -> None:
    pins = {"coredns": "v1.14.2-eksbuild.4", "aws-ebs-csi-driver": "v1.63.1-eksbuild.1"}
    bend("Pulumi.dev.yaml", lambda config: config["platform:cluster"].update(addons=pins))

    installed = {
        addon.inputs["addonName"]: addon.inputs.get("addonVersion")
        for addon in build(load_files("dev", configuration)).of(ADDON)
    }

    assert pins.items() <= installed.items()


def test_every_release_names_a_version_of_each_basic_addon(prod: Settings) -> None:
    basic = {"coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni"}
    for version, release in RELEASES.items():
        assert release.addons.keys() == basic
        assert release.addons["kube-proxy"].startswith(f"v{version}.")
    assert versions(prod.config.cluster).keys() == {*basic, "metrics-server"}


# Who may enter


def test_platform_administers_and_teams_and_readers_are_groups(
    dev_cluster: Recording, prod_cluster: Recording
) -> None:
    assert groups(dev_cluster) == {
        f"{ROLE}/platform": [],
        f"{ROLE}/gaming": ["team:gaming"],
        f"{ROLE}/tvhub": ["team:tvhub"],
    }
    assert groups(prod_cluster) == {
        f"{PROD_ROLE}/platform": [],
        f"{PROD_ROLE}/support": ["readers"],
    }
    for recording, role in ((dev_cluster, ROLE), (prod_cluster, PROD_ROLE)):
        association = recording.one(ASSOCIATION).inputs
        assert association["principalArn"] == f"{role}/platform"
        assert association["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")


def test_a_principal_in_two_lists_has_one_entry() -> None:
    """EKS refuses a second entry for the same principal."""
    access = AccessConfig.model_validate(
        {
            "platform": [f"{ROLE}/lead"],
            "teams": {"b": [f"{ROLE}/lead", f"{ROLE}/dev"], "a": [f"{ROLE}/dev"]},
            "readOnly": [f"{ROLE}/dev"],
        }
    )

    entries = [(e.principal, e.administrator, e.groups) for e in access_entries(access)]

    assert entries == [
        (f"{ROLE}/dev", False, ("readers", "team:a", "team:b")),
        (f"{ROLE}/lead", True, ("team:b",)),
    ]


def test_two_principals_have_two_names() -> None:
    access = AccessConfig.model_validate({"platform": [f"{ROLE}/a/b", f"{ROLE}/a-b"]})
    assert len({entry.slug for entry in access_entries(access)}) == 2


def test_teams_read_their_own_namespaces_and_nobody_reads_a_secret(dev: Settings) -> None:
    namespaces = {"community": "community", "streaming": "streaming"}

    inside = record(lambda: Access("access", wiring.access(dev, namespaces)) and None)

    bindings = inside.of("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding")
    assert {
        (b.inputs["metadata"]["namespace"], b.inputs["subjects"][0]["name"]) for b in bindings
    } == {("community", "team:gaming"), ("streaming", "team:tvhub")}
    assert {b.inputs["roleRef"]["name"] for b in bindings} == {"view"}, (
        "Kubernetes's own `view` holds no secrets"
    )
    inside.assert_none("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")


def test_readers_read_everywhere_and_an_absent_team_has_no_rights(prod: Settings) -> None:
    inside = record(lambda: Access("access", wiring.access(prod, {})) and None)

    binding = inside.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding").inputs
    assert binding["subjects"][0]["name"] == "readers"
    assert binding["roleRef"]["name"] == "view"
    assert list(team_namespaces(prod.config.cluster.access, prod.catalogue)) == []


# Kubeconfig


def test_the_kubeconfig_says_where_and_as_whom_and_holds_no_secret() -> None:
    config = json.loads(
        kubeconfig(
            cluster="acme-prod",
            endpoint="https://example",
            certificate_authority="Y2E=",
            region="eu-central-1",
            profile="prod",
            role=f"{ROLE}/platform",
        )
    )

    (user,) = config["users"]
    assert user["user"].keys() == {"exec"}
    assert user["user"]["exec"]["command"] == "aws"
    assert " ".join(user["user"]["exec"]["args"]) == (
        "--region eu-central-1 eks get-token --cluster-name acme-prod "
        f"--role-arn {ROLE}/platform --profile prod --output json"
    )


def test_the_role_that_pulumi_assumes_is_the_one_that_enters(
    configuration: Path, bend: Bend
) -> None:
    assumed = [{"roleArn": f"{ROLE}/platform", "sessionName": "pulumi"}]
    bend("Pulumi.dev.yaml", lambda config: config.update({"aws:assumeRoles": assumed}))
    bend("Pulumi.dev.yaml", lambda config: config.update({"aws:profile": "platform"}))

    built = build(load_files("dev", configuration))

    (user,) = json.loads(built.result["kubeconfig"])["users"]
    assert user["user"]["exec"]["args"][-6:] == [
        *("--role-arn", f"{ROLE}/platform"),
        *("--profile", "platform"),
        *("--output", "json"),
    ]


def test_a_new_profile_does_not_replace_what_runs_in_the_cluster(dev_cluster: Recording) -> None:
    provider = dev_cluster.one(PROVIDER).inputs

    assert provider["clusterIdentifier"].startswith("https://")
    assert provider["enableServerSideApply"] in (True, "true")


# A cluster that exists

VPC = "vpc-0a1b2c3d4e5f60718"


def use_existing(
    configuration: Path,
    bend: Bend,
    clusters: Sequence[str] = ("legacy",),
    zones: str = "ab",
    **found: Any,
) -> Recording:
    subnets = {f"subnet-0000000{n}": f"eu-central-1{zone}" for n, zone in enumerate(zones)}
    existing = {"vpc": VPC, "privateSubnets": list(subnets)}
    bend("Pulumi.dev.yaml", lambda config: use_existing_cluster(config, existing))
    return build(
        load_files("dev", configuration),
        answers={
            **another_teams_cluster(VPC, subnets, **found),
            "aws:eks/getClusters:getClusters": {"names": list(clusters)},
        },
    )


def test_an_existing_cluster_is_used_and_left_as_it_is(configuration: Path, bend: Bend) -> None:
    used = use_existing(configuration, bend)

    assert {resource.type.partition(":")[0] for resource in used.resources} == {
        "pulumi",
        "twospeed",
    }
    assert used.result["name"] == "legacy"
    assert used.result["arn"] == "arn:aws:eks:eu-central-1:123456789012:cluster/legacy"
    asked = [call.inputs for call in used.calls if call.token == "aws:eks/getCluster:getCluster"]
    assert asked == [{"name": "legacy"}] * 2
    assert "https://legacy.example" in used.one(PROVIDER).inputs["kubeconfig"]


def test_a_cluster_that_cannot_be_used_says_everything_that_is_wrong(
    configuration: Path, bend: Bend
) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        use_existing(configuration, bend, status="DELETING", vpcConfig={"vpcId": "vpc-0fffffff"})

    assert [line.partition(": ")[2] for line in str(refused.value).splitlines()[1:]] == [
        "platform:cluster.existing: is DELETING, not ACTIVE (given: legacy); wait for it, or ask "
        "who looks after it",
        f"platform:cluster.existing: lives in vpc-0fffffff and not in {VPC} of "
        "platform:network.existing (given: legacy); name the cluster's own VPC there",
    ]


def test_a_cluster_that_is_not_there_is_reported_together_with_its_network(
    configuration: Path, bend: Bend
) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        use_existing(configuration, bend, clusters=["modern", "other"], zones="aa")

    assert [line.partition(": ")[2] for line in str(refused.value).splitlines()[1:]] == [
        "platform:cluster.existing: is no cluster in the account and region of this stack "
        "(given: legacy); name one of modern, other",
        "platform:network.existing.privateSubnets: are all in eu-central-1a, and EKS and load "
        "balancers want 2 zones (given: subnet-00000000, subnet-00000001); add a subnet in another "
        "zone",
    ]


def test_a_region_without_clusters_is_told(configuration: Path, bend: Bend) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        use_existing(configuration, bend, clusters=[])

    assert [line.partition(": ")[2] for line in str(refused.value).splitlines()[1:]] == [
        "platform:cluster.existing: is no cluster in the account and region of this stack "
        "(given: legacy); correct aws:region",
    ]


def groups(recording: Recording) -> dict[str, list[str]]:
    entries: list[Recorded] = recording.of(ENTRY)
    return {e.inputs["principalArn"]: e.inputs["kubernetesGroups"] for e in entries}
