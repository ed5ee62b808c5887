"""The lives of resources in the AWS of the lab, with moto inside the process."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import struct_pb2
from moto import mock_aws
from pulumi.runtime.proto import provider_pb2

from lab.aws import plugin
from lab.aws.api import Aws, account_of_credentials
from lab.aws.configuration import configuration
from lab.aws.differences import Difference, differences
from lab.aws.errors import (
    AccountNotAllowedError,
    ConfigurationError,
    HalfCreatedError,
    InvalidParametersError,
    LabAwsError,
    RefusedError,
    UnknownTokenError,
)
from lab.aws.kept import Kept
from lab.aws.kinds import KINDS
from lab.aws.lookups import look_up
from lab.aws.wire import UNKNOWN, decoded, encoded
from tests.unit import aws_in_memory
from tests.unit.aws_in_memory import (
    ACCESS_ENTRY,
    ACCOUNT,
    ADDON,
    CLUSTER,
    LAUNCH_TEMPLATE,
    NODE_GROUP,
    REGION,
    REPOSITORY,
    ROLE,
    SUBNET,
    TRUST,
    VPC,
    Memory,
    cluster,
    two_subnets,
    urn,
)


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # half a second for each test
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield aws_in_memory.memory(tmp_path)


# --- one life


def test_a_vpc_is_created_as_declared_and_read_back_without_a_difference(account: Memory) -> None:
    vpc = account.create(VPC, cidrBlock="10.0.0.0/16", enableDnsHostnames=True, tags={"Team": "x"})
    assert vpc.id.startswith("vpc-")
    assert vpc.state["arn"] == f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{vpc.id}"
    assert vpc.state["defaultSecurityGroupId"].startswith("sg-")
    assert vpc.state["tagsAll"] == {"Team": "x"}
    again = account.refreshed(vpc)
    assert again is not None
    assert again.inputs == vpc.inputs
    assert again.state == vpc.state


def test_a_change_reaches_aws_and_only_what_changed_is_a_difference(account: Memory) -> None:
    vpc = account.create(VPC, cidrBlock="10.0.0.0/16", tags={"Team": "x", "Old": "1"})
    wish: dict[str, Any] = {"enableDnsHostnames": True, "tags": {"Team": "y", "New": "1"}}
    assert account.differences(vpc, **wish) == {
        "enableDnsHostnames": "update",
        "tags.New": "add",
        "tags.Old": "delete",
        "tags.Team": "update",
    }
    changed = account.update(vpc, **wish)
    assert changed.state["enableDnsHostnames"] is True
    seen = account.aws.call("ec2", "describe_vpcs", VpcIds=[vpc.id])["Vpcs"][0]
    assert {tag["Key"]: tag["Value"] for tag in seen["Tags"]} == {"Team": "y", "New": "1"}
    assert account.differences(changed) == {}


def test_what_is_gone_reads_as_nothing_and_deletes_without_complaint(account: Memory) -> None:
    vpc = account.create(VPC, cidrBlock="10.0.0.0/16")
    account.delete(vpc)
    assert account.refreshed(vpc) is None
    account.delete(vpc)


def test_an_import_yields_inputs_that_declare_the_resource_as_it_is(account: Memory) -> None:
    role = account.create(ROLE, name="ci", assumeRolePolicy=TRUST, tags={"Team": "x"})
    found = account.resources.read(ROLE, role.urn, "ci", {}, {})
    assert found is not None
    _, state, inputs = found
    assert state["arn"] == f"arn:aws:iam::{ACCOUNT}:role/ci"
    assert account.resources.diff(ROLE, role.urn, inputs, role.inputs) == []


def test_drift_shows_at_a_refresh(account: Memory) -> None:
    role = account.create(ROLE, name="ci", assumeRolePolicy=TRUST, description="as declared")
    account.aws.call("iam", "update_role", RoleName="ci", Description="by hand")
    account.aws.call("iam", "tag_role", RoleName="ci", Tags=[{"Key": "Hand", "Value": "1"}])
    drifted = account.refreshed(role)
    assert drifted is not None
    assert drifted.inputs["description"] == "by hand"
    assert drifted.inputs["tags"] == {"Hand": "1"}


def test_a_launch_template_gets_a_version_for_each_change(account: Memory) -> None:
    template = account.create(
        LAUNCH_TEMPLATE,
        name="nodes",
        updateDefaultVersion=True,
        metadataOptions={"httpTokens": "required"},
        blockDeviceMappings=[
            {"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "volumeSize": 50}}
        ],
    )
    assert template.state["latestVersion"] == 1
    bigger = [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "volumeSize": 60}}]
    changed = account.update(template, blockDeviceMappings=bigger)
    assert (changed.state["latestVersion"], changed.state["defaultVersion"]) == (2, 2)
    assert changed.state["metadataOptions"]["httpTokens"] == "required"


# --- what replaces and what does not

CLUSTER_NETWORK = {"subnetIds": ["subnet-1", "subnet-2"], "endpointPublicAccess": False}
API = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}


@pytest.mark.parametrize(
    ("kind", "old", "new", "replaces"),
    [
        (VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.1.0.0/16"}, True),
        (VPC, {"enableDnsSupport": True}, {"enableDnsSupport": False}, False),
        (SUBNET, {"availabilityZone": "a"}, {"availabilityZone": "b"}, True),
        (SUBNET, {"mapPublicIpOnLaunch": False}, {"mapPublicIpOnLaunch": True}, False),
        (ROLE, {"name": "a"}, {"name": "b"}, True),
        (ROLE, {"assumeRolePolicy": TRUST}, {"assumeRolePolicy": "{}"}, False),
        (REPOSITORY, {"name": "a"}, {"name": "b"}, True),
        (
            REPOSITORY,
            {"encryptionConfigurations": [{"encryptionType": "AES256"}]},
            {"encryptionConfigurations": [{"encryptionType": "KMS"}]},
            True,
        ),
        (REPOSITORY, {"imageTagMutability": "MUTABLE"}, {"imageTagMutability": "IMMUTABLE"}, False),
        (CLUSTER, {"version": "1.34"}, {"version": "1.35"}, False),
        (CLUSTER, {"roleArn": "a"}, {"roleArn": "b"}, True),
        (
            CLUSTER,
            {"vpcConfig": CLUSTER_NETWORK},
            {"vpcConfig": {**CLUSTER_NETWORK, "endpointPublicAccess": True}},
            False,
        ),
        (
            CLUSTER,
            {"accessConfig": API},
            {"accessConfig": {**API, "bootstrapClusterCreatorAdminPermissions": True}},
            True,
        ),
        (
            CLUSTER,
            {"accessConfig": {**API, "authenticationMode": "API_AND_CONFIG_MAP"}},
            {"accessConfig": API},
            False,
        ),
        (CLUSTER, {}, {"encryptionConfig": {"resources": ["secrets"]}}, False),
        (CLUSTER, {"encryptionConfig": {"resources": ["secrets"]}}, {}, True),
        (NODE_GROUP, {"instanceTypes": ["a"]}, {"instanceTypes": ["b"]}, True),
        (NODE_GROUP, {"capacityType": "SPOT"}, {"capacityType": "ON_DEMAND"}, True),
        (NODE_GROUP, {"scalingConfig": {"minSize": 1}}, {"scalingConfig": {"minSize": 2}}, False),
        (
            NODE_GROUP,
            {"launchTemplate": {"id": "lt-1", "version": "1"}},
            {"launchTemplate": {"id": "lt-1", "version": "2"}},
            False,
        ),
        (NODE_GROUP, {"launchTemplate": {"id": "lt-1"}}, {"launchTemplate": {"id": "lt-2"}}, True),
    ],
)
def test_a_change_replaces_exactly_where_aws_cannot_update(
    kind: Any, old: dict[str, Any], new: dict[str, Any], replaces: bool
) -> None:
    found = differences(kind, old, new)
    assert found, "the change must be seen"
    assert any(one.replaces for one in found) is replaces


def test_a_replacement_deletes_first_where_two_of_a_name_would_clash() -> None:
    renamed = plugin._diff_response(ROLE, changed_name())
    assert renamed.deleteBeforeReplace
    assert list(renamed.replaces) == ["name"]
    assert not plugin._diff_response(VPC, changed_name()).deleteBeforeReplace


def changed_name() -> list[Difference]:
    return [Difference(path="name", change="update", replaces=True)]


def test_another_notation_of_the_same_policy_is_no_difference(account: Memory) -> None:
    role = account.create(ROLE, name="ci", assumeRolePolicy=TRUST)
    spread = json.loads(TRUST)
    spread["Statement"][0]["Action"] = ["sts:AssumeRole"]
    assert account.differences(role, assumeRolePolicy=json.dumps(spread, indent=2)) == {}
    spread["Statement"][0]["Effect"] = "Deny"
    assert account.differences(role, assumeRolePolicy=json.dumps(spread)) == {
        "assumeRolePolicy": "update"
    }


def test_the_order_of_subnets_is_no_difference() -> None:
    assert differences(NODE_GROUP, {"subnetIds": ["a", "b"]}, {"subnetIds": ["b", "a"]}) == []


# --- unknowns


def test_a_preview_tells_inputs_and_leaves_open_what_aws_will_answer(account: Memory) -> None:
    inputs = account.checked(VPC, cidrBlock="10.0.0.0/16")
    state = account.resources.preview(VPC, inputs)
    assert state["cidrBlock"] == "10.0.0.0/16"
    assert state["arn"] == UNKNOWN
    assert state["defaultSecurityGroupId"] == UNKNOWN


def test_inputs_that_are_not_known_yet_pass_the_check(account: Memory) -> None:
    inputs = account.checked(
        NODE_GROUP,
        clusterName="acme-dev",
        nodeRoleArn=UNKNOWN,
        subnetIds=[UNKNOWN, "subnet-1"],
        scalingConfig={"minSize": 1, "maxSize": 2, "desiredSize": 1},
    )
    assert inputs["nodeRoleArn"] == UNKNOWN


def test_a_fixed_property_that_becomes_unknown_announces_a_replacement() -> None:
    found = differences(SUBNET, {"vpcId": "vpc-1"}, {"vpcId": UNKNOWN})
    assert [(one.path, one.replaces) for one in found] == [("vpcId", True)]


def test_a_preview_of_an_update_keeps_what_it_cannot_change(account: Memory) -> None:
    old = {"arn": "arn:1", "latestVersion": 3, "name": "nodes"}
    state = account.resources.preview(LAUNCH_TEMPLATE, {"name": "nodes", "imageId": "ami-1"}, old)
    assert state["arn"] == "arn:1"
    assert state["latestVersion"] == UNKNOWN


def test_property_maps_survive_the_wire_with_whole_numbers_and_unknowns() -> None:
    values = {"ports": [443, 0.5], "tags": {"a": "1"}, "on": True, "arn": UNKNOWN, "none": None}
    del values["none"]
    assert decoded(encoded(values)) == values
    struct = struct_pb2.Struct()
    struct.update({"size": 2.0})
    assert isinstance(decoded(struct)["size"], int)


# --- refusals


def test_unknown_and_missing_properties_are_reported_together_and_by_name(account: Memory) -> None:
    refusals = account.refusals(ROLE, polices="x", nmae="y")
    assert [refusal.split(":")[0] for refusal in refusals] == [
        "nmae",
        "polices",
        "assumeRolePolicy",
    ]
    assert "it plays assumeRolePolicy" in refusals[0]


@pytest.mark.parametrize(
    ("kind", "inputs", "complaint"),
    [
        (VPC, {"cidrBlock": ["10.0.0.0/16"]}, "Invalid type for parameter CidrBlock"),
        (REPOSITORY, {"name": "Upper/Case"}, "does not match"),
        (REPOSITORY, {"name": "a/b", "imageTagMutability": "SOMETIMES"}, "is none of IMMUTABLE"),
        (ROLE, {"name": "x" * 65, "assumeRolePolicy": "{}"}, "above the maximum 64"),
        (
            NODE_GROUP,
            {
                "clusterName": "c",
                "nodeRoleArn": "r",
                "subnetIds": ["s"],
                "scalingConfig": {"minSize": 1, "wishedSize": 2},
            },
            'Unknown parameter in scalingConfig: "wishedSize"',
        ),
    ],
)
def test_what_botocores_model_refuses_fails_before_anything_is_created(
    account: Memory, kind: Any, inputs: dict[str, Any], complaint: str
) -> None:
    assert complaint in " ".join(account.refusals(kind, **inputs))


def test_a_call_with_a_wrong_parameter_never_leaves(account: Memory) -> None:
    with pytest.raises(InvalidParametersError, match="CidrBlok"):
        account.aws.call("ec2", "create_vpc", CidrBlok="10.0.0.0/16")


def test_an_older_kubernetes_version_is_refused(account: Memory) -> None:
    (refusal,) = account.refusals(
        CLUSTER,
        {"name": "acme-dev", "version": "1.35"},
        name="acme-dev",
        version="1.34",
        roleArn="arn",
        vpcConfig={"subnetIds": ["subnet-1"]},
    )
    assert refusal.startswith("version: 1.34 is older than 1.35")


def test_an_unknown_type_fails_by_name_and_tells_what_to_do() -> None:
    with pytest.raises(UnknownTokenError, match=r"aws:s3/bucket:Bucket.*aws:ec2/vpc:Vpc.*declare"):
        plugin._kind("urn:pulumi:dev::p::my:component$aws:s3/bucket:Bucket::logs")


def test_an_unknown_function_fails_by_name(account: Memory) -> None:
    with pytest.raises(UnknownTokenError, match="aws:ec2/getAmi:getAmi"):
        look_up(account.resources, "aws:ec2/getAmi:getAmi", {})


@pytest.mark.usefixtures("account")
def test_credentials_of_another_account_are_refused() -> None:
    with pytest.raises(AccountNotAllowedError, match=f"account {ACCOUNT}.*only 999999999999"):
        account_of_credentials(REGION, None, ["999999999999"])


def test_configuration_that_would_be_ignored_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="aws:assumeRoles"):
        configuration({"region": REGION, "assumeRoles": "[]"})
    with pytest.raises(ConfigurationError, match="aws:region"):
        configuration({})


def test_endpoints_are_read_as_pulumi_hands_them_over() -> None:
    given = '[{"cloudwatchlogs": "http://here", "ec2": "http://there"}]'
    found = configuration({"region": REGION, "endpoints": given, "allowedAccountIds": '["1"]'})
    assert found.endpoints == {"logs": "http://here", "ec2": "http://there"}
    assert found.allowed_accounts == ["1"]


# --- crashes


def test_a_creation_that_a_crash_cut_off_is_taken_up_and_not_repeated(account: Memory) -> None:
    """Killed after AWS's answer and before Pulumi's: the VPC exists, nobody knows its id."""
    inputs = account.checked(VPC, cidrBlock="10.0.0.0/16", tags={"Name": "acme-dev"})
    account.resources.journal.begin(urn(VPC), inputs)
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "acme-dev"}]}]
    made = account.aws.call("ec2", "create_vpc", CidrBlock="10.0.0.0/16", TagSpecifications=tags)
    identifier, _ = account.resources.create(VPC, urn(VPC), inputs)
    assert identifier == made["Vpc"]["VpcId"]


def test_a_creation_cut_off_before_it_reached_aws_is_made(account: Memory) -> None:
    inputs = account.checked(ROLE, name="ci", assumeRolePolicy=TRUST)
    account.resources.journal.begin(urn(ROLE), inputs)
    assert account.resources.create(ROLE, urn(ROLE), inputs)[0] == "ci"


def test_a_strangers_resource_of_the_same_name_is_never_taken_over(account: Memory) -> None:
    account.create(ROLE, "theirs", name="ci", assumeRolePolicy=TRUST)
    with pytest.raises(RefusedError, match="EntityAlreadyExists"):
        account.create(ROLE, "ours", name="ci", assumeRolePolicy=TRUST)
    assert not list(account.aws.site.home.glob("aws/creations/*.json"))


def test_a_replacement_is_never_the_resource_that_it_replaces(account: Memory) -> None:
    """Once Pulumi spoke of a resource, creating the same inputs again means another one."""
    first = account.create(VPC, cidrBlock="10.0.0.0/16")
    assert account.create(VPC, cidrBlock="10.0.0.0/16").id != first.id


def test_a_creation_that_fails_half_way_leaves_its_id_with_pulumi(account: Memory) -> None:
    def refuse(aws: Aws, send: Any, given: Any) -> Any:
        raise RefusedError("ec2", "modify_vpc_attribute", "UnauthorizedOperation", "no")

    standins = {**account.aws.standins, ("ec2", "modify_vpc_attribute"): refuse}
    object.__setattr__(account.aws, "standins", standins)
    with pytest.raises(HalfCreatedError) as failure:
        account.create(VPC, cidrBlock="10.0.0.0/16")
    inputs = account.checked(VPC, cidrBlock="10.0.0.0/16")
    state = account.resources.half_created(VPC, failure.value.identifier, inputs)
    detail = plugin.errors_detail(failure.value, state, inputs)
    remembered = provider_pb2.ErrorResourceInitFailed()
    assert detail.details[0].Unpack(remembered)
    assert remembered.id == failure.value.identifier
    assert "UnauthorizedOperation" in remembered.reasons[0]


# --- services


def test_a_repository_lives_in_the_labs_registry(account: Memory) -> None:
    repository = account.create(REPOSITORY, name="shop/api")
    assert repository.state["repositoryUrl"] == f"{account.aws.site.registry_host}/shop/api"


@pytest.mark.parametrize("force", [False, True])
def test_a_repository_with_images_is_deleted_only_by_force(account: Memory, force: bool) -> None:
    repository = account.create(REPOSITORY, name="shop/api", forceDelete=force)
    manifest = json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:0", "size": 1}})
    account.aws.call(
        "ecr",
        "put_image",
        repositoryName="shop/api",
        imageManifest=manifest,
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
    )
    if force:
        account.delete(repository)
        assert account.refreshed(repository) is None
    else:
        with pytest.raises(RefusedError, match="RepositoryNotEmptyException"):
            account.delete(repository)


def test_a_cluster_answers_at_the_labs_api_server(account: Memory) -> None:
    site = account.aws.site
    authority = site.certificate_authority("dev")
    authority.parent.mkdir(parents=True)
    authority.write_text("the authority")
    made = cluster(account)
    assert made.state["endpoint"] == site.url("apiserver", "dev", scheme="https")
    assert base64.b64decode(made.state["certificateAuthority"]["data"]) == b"the authority"
    assert made.state["identities"][0]["oidcs"][0]["issuer"].startswith("https://oidc.eks.")
    assert made.state["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")


def test_a_cluster_keeps_what_moto_forgets(account: Memory) -> None:
    made = cluster(account, upgradePolicy={"supportType": "STANDARD"}, deletionProtection=True)
    newer = account.update(made, version="1.36", enabledClusterLogTypes=["audit", "api"])
    refreshed = account.refreshed(newer)
    assert refreshed is not None
    assert refreshed.inputs == newer.inputs
    assert refreshed.state["version"] == "1.36"
    assert refreshed.state["accessConfig"]["authenticationMode"] == "API"
    with pytest.raises(RefusedError, match="protected from deletion"):
        account.delete(newer)


def test_a_cluster_in_one_zone_is_refused(account: Memory) -> None:
    subnets = two_subnets(account, "10.9.0.0/16")
    with pytest.raises(RefusedError, match="two different AZs"):
        cluster(account, vpcConfig={"subnetIds": subnets[:1]})


def test_access_entries_are_kept_where_the_door_reads_them(account: Memory) -> None:
    cluster(account)
    principal = f"arn:aws:iam::{ACCOUNT}:role/gaming"
    wanted = {"clusterName": "acme-dev", "principalArn": principal}
    entry = account.create(ACCESS_ENTRY, kubernetesGroups=["team:gaming"], **wanted)
    kept = Kept(account.aws.site.kept).get("eks/AccessEntry", f"acme-dev/{principal}")
    assert kept is not None
    assert kept["principalArn"] == principal
    assert kept["kubernetesGroups"] == ["team:gaming"]
    with pytest.raises(RefusedError, match="ResourceInUseException"):
        account.create(ACCESS_ENTRY, "again", **wanted)
    account.update(entry, kubernetesGroups=["team:gaming", "readers"], tags={"Team": "x"})
    assert account.aws.kept.all("eks/AccessEntry")[f"acme-dev/{principal}"]["tags"] == {"Team": "x"}
    account.delete(entry)
    assert account.aws.kept.all("eks/AccessEntry") == {}


def test_nothing_lives_in_a_cluster_that_does_not_exist(account: Memory) -> None:
    with pytest.raises(RefusedError, match="acme-dev"):
        account.create(ADDON, clusterName="acme-dev", addonName="coredns")


def test_deleting_a_cluster_takes_what_was_kept_inside(account: Memory) -> None:
    made = cluster(account)
    account.create(ADDON, clusterName="acme-dev", addonName="coredns")
    account.delete(made)
    assert account.aws.kept.all("eks/Addon") == {}


def test_what_is_kept_survives_many_writers(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Kept(file).put("kind", str(n), {"n": n}), range(40)))
    assert len(Kept(file).all("kind")) == 40


# --- functions


def test_an_existing_network_is_found_by_its_id_and_a_missing_one_is_not(account: Memory) -> None:
    vpc = account.create(VPC, cidrBlock="10.0.0.0/16", tags={"Name": "theirs"})

    def found(identifier: str) -> Any:
        named = {"name": "vpc-id", "values": [identifier]}
        return look_up(account.resources, "aws:ec2/getVpcs:getVpcs", {"filters": [named]})["ids"]

    assert found(vpc.id) == [vpc.id]
    assert found("vpc-0ffffffffffffffff") == []


def test_what_a_vpc_is_like_is_read(account: Memory) -> None:
    vpc = account.create(VPC, cidrBlock="10.0.0.0/16", enableDnsHostnames=True)
    found = look_up(account.resources, "aws:ec2/getVpc:getVpc", {"id": vpc.id})
    assert [one["cidrBlock"] for one in found["cidrBlockAssociations"]] == ["10.0.0.0/16"]
    assert (found["enableDnsSupport"], found["enableDnsHostnames"]) == (True, True)


def test_a_search_for_one_that_matches_nothing_says_so(account: Memory) -> None:
    with pytest.raises(LabAwsError, match="no subnets match"):
        look_up(account.resources, "aws:ec2/getSubnet:getSubnet", {"tags": {"Name": "nobody"}})


def test_zones_come_in_alphabetical_order(account: Memory) -> None:
    found = look_up(account.resources, "aws:index/getAvailabilityZones:getAvailabilityZones", {})
    assert found["names"] == [f"{REGION}{zone}" for zone in "abc"]


def test_every_type_of_the_program_is_declared() -> None:
    assert len(KINDS) == 32
