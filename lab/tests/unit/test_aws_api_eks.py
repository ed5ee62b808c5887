"""EKS as the lab plays it: what moto lacks or forgets."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws_api.stand_ins.eks_clusters import environment_of
from lab.daemons.authenticator import admit, entry_of
from lab.eks_token import RefusedError
from lab.tests.unit import aws_in_process
from lab.tests.unit.aws_in_process import ACCOUNT, REGION, LabAws, cluster, two_subnets

WITHIN: dict[str, Any] = {"clusterName": "acme-dev"}
GROUP: dict[str, Any] = {**WITHIN, "nodegroupName": "general"}
ADDON: dict[str, Any] = {**WITHIN, "addonName": "vpc-cni"}
GAMING = f"arn:aws:iam::{ACCOUNT}:role/teams/gaming"
ENTRY: dict[str, Any] = {**WITHIN, "principalArn": GAMING}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/node"
OWN = f"arn:aws:eks:{REGION}:{ACCOUNT}"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@pytest.fixture
def aws(tmp_path: Path) -> LabAws:
    return aws_in_process.begin(tmp_path)


@pytest.fixture
def eks(aws: LabAws) -> Any:
    return aws.client("eks")


def group(aws: LabAws, **changes: Any) -> Any:
    eks = aws.client("eks")
    made = cluster(aws)
    wanted = {**GROUP, "subnets": made["resourcesVpcConfig"]["subnetIds"], "nodeRole": ROLE}
    return eks.create_nodegroup(**{**wanted, **changes})["nodegroup"]


# --- clusters


def test_a_cluster_is_active_at_the_next_look_and_answers_at_the_labs_api_server(
    aws: LabAws, eks: Any
) -> None:
    authority = aws.site.certificate_authority("dev")
    authority.parent.mkdir(parents=True)
    authority.write_text("the authority")

    assert cluster(aws)["status"] == "CREATING"

    found = eks.describe_cluster(name="acme-dev")["cluster"]
    assert found["status"] == "ACTIVE"
    assert found["endpoint"] == aws.site.url("apiserver", "dev", scheme="https")
    assert base64.b64decode(found["certificateAuthority"]["data"]) == b"the authority"
    assert found["identity"]["oidc"]["issuer"].startswith("https://oidc.eks.")
    assert found["resourcesVpcConfig"]["clusterSecurityGroupId"].startswith("sg-")
    assert found["resourcesVpcConfig"]["publicAccessCidrs"] == ["0.0.0.0/0"]
    assert environment_of("acme-two-speed-dev") == "dev"


def test_a_cluster_keeps_what_moto_forgets(aws: LabAws, eks: Any) -> None:
    cluster(aws, upgradePolicy={"supportType": "STANDARD"}, deletionProtection=True)
    for change in (
        {"resourcesVpcConfig": {"endpointPrivateAccess": True}},
        {"logging": {"clusterLogging": [{"types": ["audit", "api"], "enabled": True}]}},
        {"accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"}},
    ):
        eks.update_cluster_config(name="acme-dev", **change)
    eks.update_cluster_version(name="acme-dev", version="1.36")

    found = eks.describe_cluster(name="acme-dev")["cluster"]

    assert found["version"] == "1.36"
    assert found["upgradePolicy"] == {"supportType": "STANDARD"}
    assert found["accessConfig"] == {
        "authenticationMode": "API_AND_CONFIG_MAP",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    assert found["resourcesVpcConfig"]["endpointPrivateAccess"] is True
    assert found["resourcesVpcConfig"]["endpointPublicAccess"] is True
    logging = {one["enabled"]: one["types"] for one in found["logging"]["clusterLogging"]}
    assert logging[True] == ["api", "audit"]
    with pytest.raises(ClientError, match="protected from deletion"):
        eks.delete_cluster(name="acme-dev")


AUTO = {
    "computeConfig": {"enabled": True},
    "storageConfig": {"blockStorage": {"enabled": True}},
    "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
}


def test_a_cluster_goes_into_auto_mode_and_keeps_the_range_of_its_services(
    aws: LabAws, eks: Any
) -> None:
    cluster(aws, kubernetesNetworkConfig={"serviceIpv4Cidr": "172.20.0.0/16"})

    update = eks.update_cluster_config(name="acme-dev", **AUTO)["update"]

    found = eks.describe_cluster(name="acme-dev")["cluster"]
    assert update["type"] == "AutoModeUpdate"
    assert found["computeConfig"] == {"enabled": True}
    assert found["storageConfig"] == {"blockStorage": {"enabled": True}}
    assert found["kubernetesNetworkConfig"] == {
        "serviceIpv4Cidr": "172.20.0.0/16",
        "elasticLoadBalancing": {"enabled": True},
    }


@pytest.mark.parametrize("missing", AUTO)
def test_auto_mode_is_on_or_off_as_a_whole(aws: LabAws, eks: Any, missing: str) -> None:
    partly = {key: value for key, value in AUTO.items() if key != missing}
    with pytest.raises(ClientError, match="fully enabled or fully disabled"):
        cluster(aws, **partly)
    cluster(aws)
    with pytest.raises(ClientError, match="fully enabled or fully disabled"):
        eks.update_cluster_config(name="acme-dev", **partly)


@pytest.mark.parametrize("version", ["1.34", "1.37"])
def test_a_cluster_goes_one_minor_version_up_at_a_time(aws: LabAws, eks: Any, version: str) -> None:
    cluster(aws)
    with pytest.raises(ClientError, match=f"from 1.35 to {version}"):
        eks.update_cluster_version(name="acme-dev", version=version)


@pytest.mark.parametrize(
    ("subnets", "complaint"),
    [
        (lambda aws: two_subnets(aws)[:1], "two different AZs"),
        (
            lambda aws: [two_subnets(aws)[0], two_subnets(aws, "10.1.0.0/16")[1]],
            "the same VPC",
        ),
        (lambda _: ["subnet-0123456789abcdef0"], "does not exist"),
    ],
)
def test_a_cluster_needs_subnets_in_two_zones_of_one_vpc(
    aws: LabAws, subnets: Any, complaint: str
) -> None:
    with pytest.raises(ClientError, match=complaint):
        cluster(aws, resourcesVpcConfig={"subnetIds": subnets(aws)})


def test_a_deleted_cluster_takes_along_what_lives_inside(aws: LabAws, eks: Any) -> None:
    made = cluster(aws)
    eks.create_addon(**ADDON)
    eks.create_access_entry(**ENTRY)

    assert eks.delete_cluster(name="acme-dev")["cluster"]["status"] == "DELETING"

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        eks.describe_cluster(name="acme-dev")
    cluster(aws, resourcesVpcConfig={"subnetIds": made["resourcesVpcConfig"]["subnetIds"]})
    assert eks.list_addons(**WITHIN)["addons"] == []
    assert eks.list_access_entries(**WITHIN)["accessEntries"] == []


def test_an_update_is_in_progress_first_and_successful_at_the_next_look(
    aws: LabAws, eks: Any
) -> None:
    group(aws)
    eks.create_addon(**ADDON)
    started = {
        "VersionUpdate": (eks.update_cluster_version(name="acme-dev", version="1.36"), {}),
        "ConfigUpdate": (
            eks.update_nodegroup_config(**GROUP, labels={"addOrUpdateLabels": {"a": "b"}}),
            {"nodegroupName": "general"},
        ),
        "AddonUpdate": (
            eks.update_addon(**ADDON, addonVersion="v1.22.5-eksbuild.1"),
            {"addonName": "vpc-cni"},
        ),
    }

    for kind, (answer, concerned) in started.items():
        update = answer["update"]
        assert (update["status"], update["type"]) == ("InProgress", kind)
        found = eks.describe_update(name="acme-dev", updateId=update["id"], **concerned)["update"]
        assert (found["status"], found["errors"]) == ("Successful", [])
        assert eks.list_updates(name="acme-dev", **concerned)["updateIds"] == [update["id"]]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        eks.describe_update(name="acme-dev", updateId="1")


# --- node groups


def test_a_node_group_keeps_what_moto_forgets(aws: LabAws, eks: Any) -> None:
    taint = {"key": "only", "value": "games", "effect": "NO_SCHEDULE"}
    made = group(aws, taints=[taint], labels={"a": "1", "b": "2"})
    assert made["status"] == "CREATING"

    eks.update_nodegroup_config(
        **GROUP,
        labels={"addOrUpdateLabels": {"c": "3"}, "removeLabels": ["a"]},
        taints={
            "addOrUpdateTaints": [{**taint, "value": "tv"}],
            "removeTaints": [{**taint, "effect": "NO_EXECUTE"}],
        },
        scalingConfig={"maxSize": 5},
        updateConfig={"maxUnavailable": 2},
    )

    found = eks.describe_nodegroup(**GROUP)["nodegroup"]
    assert (found["status"], found["version"], found["diskSize"]) == ("ACTIVE", "1.35", 20)
    assert found["labels"] == {"b": "2", "c": "3"}
    assert found["taints"] == [{**taint, "value": "tv"}]
    assert found["scalingConfig"]["maxSize"] == 5
    assert found["updateConfig"] == {"maxUnavailable": 2}
    assert "remoteAccess" not in found


def test_a_node_group_follows_its_cluster_to_a_new_version(aws: LabAws, eks: Any) -> None:
    group(aws)
    eks.update_cluster_version(name="acme-dev", version="1.36")
    assert eks.describe_nodegroup(**GROUP)["nodegroup"]["version"] == "1.35"

    eks.update_nodegroup_version(**GROUP)

    found = eks.describe_nodegroup(**GROUP)["nodegroup"]
    assert (found["version"], found["releaseVersion"]) == ("1.36", "1.36.0-20260101")
    assert eks.delete_nodegroup(**GROUP)["nodegroup"]["status"] == "DELETING"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        eks.describe_nodegroup(**GROUP)


# --- access entries


def test_an_access_entry_has_awss_defaults_and_its_parts_in_its_arn(aws: LabAws, eks: Any) -> None:
    cluster(aws)
    made = eks.create_access_entry(**ENTRY)["accessEntry"]

    assert made["type"] == "STANDARD"
    assert made["username"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/gaming/{{{{SessionName}}}}"
    assert made["accessEntryArn"].startswith(f"{OWN}:access-entry/acme-dev/role/{ACCOUNT}/gaming/")
    assert len(made["accessEntryArn"].split("/")) == 6
    with pytest.raises(ClientError, match="ResourceInUseException"):
        eks.create_access_entry(**ENTRY)
    changed = eks.update_access_entry(**ENTRY, kubernetesGroups=["team:gaming"])["accessEntry"]
    assert changed["kubernetesGroups"] == ["team:gaming"]
    eks.tag_resource(resourceArn=made["accessEntryArn"], tags={"Team": "x", "Old": "1"})
    eks.untag_resource(resourceArn=made["accessEntryArn"], tagKeys=["Old"])
    assert eks.describe_access_entry(**ENTRY)["accessEntry"]["tags"] == {"Team": "x"}


def test_nodes_of_auto_mode_join_by_the_one_policy_that_their_entry_takes(
    aws: LabAws, eks: Any
) -> None:
    cluster(aws)
    eks.create_access_entry(**ENTRY, type="EC2")
    policy = "arn:aws:eks::aws:cluster-access-policy/"
    scope = {"type": "cluster"}

    eks.associate_access_policy(
        **ENTRY, policyArn=f"{policy}AmazonEKSAutoNodePolicy", accessScope=scope
    )

    with pytest.raises(ClientError, match="type EC2 takes no access policy"):
        eks.associate_access_policy(
            **ENTRY, policyArn=f"{policy}AmazonEKSClusterAdminPolicy", accessScope=scope
        )


def test_a_cluster_without_the_api_mode_takes_no_access_entry(aws: LabAws, eks: Any) -> None:
    cluster(aws, accessConfig={"authenticationMode": "CONFIG_MAP"})
    with pytest.raises(ClientError, match="authentication mode"):
        eks.create_access_entry(**ENTRY)


def test_a_policy_is_bound_to_an_entry_and_goes_with_it(aws: LabAws, eks: Any) -> None:
    cluster(aws)
    scope = {"type": "namespace", "namespaces": ["games"]}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        eks.associate_access_policy(**ENTRY, policyArn=VIEW, accessScope=scope)
    eks.create_access_entry(**ENTRY)
    bound = eks.associate_access_policy(**ENTRY, policyArn=VIEW, accessScope=scope)

    assert bound["principalArn"] == GAMING
    assert bound["associatedAccessPolicy"]["accessScope"] == scope
    listed = eks.list_associated_access_policies(**ENTRY)["associatedAccessPolicies"]
    assert [one["policyArn"] for one in listed] == [VIEW]
    found = eks.list_access_entries(**WITHIN, associatedPolicyArn=VIEW)["accessEntries"]
    assert found == [GAMING]
    eks.delete_access_entry(**ENTRY)
    eks.create_access_entry(**ENTRY)
    assert eks.list_associated_access_policies(**ENTRY)["associatedAccessPolicies"] == []


def test_lists_come_in_pages(aws: LabAws, eks: Any) -> None:
    cluster(aws)
    for number in range(3):
        eks.create_access_entry(**WITHIN, principalArn=f"arn:aws:iam::{ACCOUNT}:role/r{number}")

    first = eks.list_access_entries(**WITHIN, maxResults=2)
    rest = eks.list_access_entries(**WITHIN, maxResults=2, nextToken=first["nextToken"])

    assert [len(one["accessEntries"]) for one in (first, rest)] == [2, 1]
    assert "nextToken" not in rest


def test_the_authenticator_asks_eks_for_the_callers_entry(aws: LabAws, eks: Any) -> None:
    cluster(aws)
    eks.create_access_entry(**ENTRY, kubernetesGroups=["team:gaming"])
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/gaming/gale"

    assert admit(caller, *entry_of(eks, caller, "acme-dev"))["groups"] == ["team:gaming"]
    for stranger, where in ((caller.replace("gaming", "ci"), "acme-dev"), (caller, "acme-prod")):
        with pytest.raises(RefusedError):
            entry_of(eks, stranger, where)


# --- add-ons and pod identities


def test_an_addon_owns_its_associations(aws: LabAws, eks: Any) -> None:
    cluster(aws)
    wanted = [{"serviceAccount": "aws-node", "roleArn": ROLE}]
    made = eks.create_addon(**ADDON, podIdentityAssociations=wanted)["addon"]
    assert made["status"] == "CREATING"
    assert made["addonVersion"] == "v1.22.4-eksbuild.3"
    assert made["addonArn"].startswith(f"{OWN}:addon/acme-dev/vpc-cni/")

    (association,) = eks.list_pod_identity_associations(**WITHIN)["associations"]

    assert association["ownerArn"] == made["addonArn"]
    assert association["namespace"] == "kube-system"
    assert made["podIdentityAssociations"] == [association["associationArn"]]
    assert set(eks.update_addon(**ADDON, configurationValues="{}")) >= {"update"}
    kept = eks.describe_addon(**ADDON)["addon"]
    assert (kept["status"], kept["configurationValues"]) == ("ACTIVE", "{}")
    assert kept["podIdentityAssociations"] == [association["associationArn"]]
    eks.update_addon(**ADDON, podIdentityAssociations=[])
    assert eks.describe_addon(**ADDON)["addon"]["podIdentityAssociations"] == []
    assert eks.list_pod_identity_associations(**WITHIN)["associations"] == []
    assert eks.delete_addon(**ADDON)["addon"]["status"] == "DELETING"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        eks.describe_addon(**ADDON)


def test_nothing_lives_in_a_cluster_that_does_not_exist(eks: Any) -> None:
    account = {"namespace": "keel", "serviceAccount": "keel", "roleArn": ROLE}
    for call, parameters in (
        (eks.create_addon, ADDON),
        (eks.create_access_entry, ENTRY),
        (eks.create_pod_identity_association, {**WITHIN, **account}),
        (eks.list_addons, WITHIN),
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            call(**parameters)


def test_the_versions_of_an_addon_are_those_that_the_settings_know(eks: Any) -> None:
    (listed,) = eks.describe_addon_versions(addonName="coredns", kubernetesVersion="1.36")["addons"]

    (version,) = listed["addonVersions"]
    assert version["addonVersion"] == "v1.14.3-eksbuild.3"
    assert [one["clusterVersion"] for one in version["compatibilities"]] == ["1.36"]


def test_an_association_is_named_by_cluster_and_id(aws: LabAws, eks: Any) -> None:
    cluster(aws)
    account = {"namespace": "keel", "serviceAccount": "keel"}
    made = eks.create_pod_identity_association(**WITHIN, **account, roleArn=ROLE)["association"]

    identifier = made["associationId"]
    assert made["associationArn"] == f"{OWN}:podidentityassociation/acme-dev/{identifier}"
    with pytest.raises(ClientError, match="ResourceInUseException"):
        eks.create_pod_identity_association(**WITHIN, **account, roleArn=ROLE)
    (found,) = eks.list_pod_identity_associations(**WITHIN, namespace="keel")["associations"]
    assert found["associationId"] == identifier
    assert eks.list_pod_identity_associations(**WITHIN, namespace="argocd")["associations"] == []
    deleted = eks.delete_pod_identity_association(**WITHIN, associationId=identifier)
    assert deleted["association"]["associationId"] == identifier


# --- the rest that moto does by halves


def test_a_changed_gateway_endpoint_has_its_routes_and_can_be_deleted(aws: LabAws) -> None:
    ec2 = aws.client("ec2")
    subnet, _ = two_subnets(aws)
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway"
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=made, AddRouteTableIds=[table])

    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [one["GatewayId"] for one in routes if one.get("GatewayId") != "local"] == [made]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made])


def test_a_nat_gateway_is_of_one_zone(aws: LabAws) -> None:
    ec2 = aws.client("ec2")
    subnet, _ = two_subnets(aws)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]

    (found,) = ec2.describe_nat_gateways(NatGatewayIds=[made["NatGatewayId"]])["NatGateways"]
    assert found["AvailabilityMode"] == "zonal"
    assert found["NatGatewayAddresses"][0]["AllocationId"] == address


def test_a_deleted_nat_gateway_frees_its_address(aws: LabAws) -> None:
    ec2 = aws.client("ec2")
    subnet, _ = two_subnets(aws)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])

    (left,) = ec2.describe_addresses(AllocationIds=[address])["Addresses"]
    assert not left.get("AssociationId")
    ec2.release_address(AllocationId=address)
