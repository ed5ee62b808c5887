"""The lab's AWS over HTTP: what is refused, what is answered by whom, what is written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws_api.record import nobody_answered
from lab.aws_api.stand_ins import STAND_INS
from lab.aws_journal import JournaledApp
from lab.tests.unit import aws_in_process
from lab.tests.unit.aws_in_process import ACCOUNT, REGION, TRUST, LabAws, cluster, two_subnets

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def aws(tmp_path: Path) -> LabAws:
    return aws_in_process.begin(tmp_path)


def refused(call: Any, **parameters: Any) -> tuple[str, int, str]:
    """Code, HTTP status and sentence of AWS's refusal."""
    with pytest.raises(ClientError) as failure:
        call(**parameters)
    response: Any = failure.value.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return response["Error"]["Code"], status, response["Error"]["Message"]


# --- what AWS would refuse


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "complaint"),
    [
        (
            "eks",
            "create_addon",
            {"clusterName": "acme-dev"},
            "InvalidParameterException",
            'Missing required parameter in input: "addonName"',
        ),
        (
            "ecr",
            "create_repository",
            {"repositoryName": "Upper/Case"},
            "InvalidParameterException",
            "repositoryName: 'Upper/Case' does not match",
        ),
        (
            "ecr",
            "create_repository",
            {"repositoryName": "a/b", "imageTagMutability": "SOMETIMES"},
            "InvalidParameterException",
            "imageTagMutability: 'SOMETIMES' is none of IMMUTABLE",
        ),
        (
            "iam",
            "create_role",
            {"RoleName": "x" * 65, "AssumeRolePolicyDocument": "{}"},
            "InvalidInput",
            "RoleName: length 65 of",
        ),
        (
            "ec2",
            "create_subnet",
            {"CidrBlock": "10.0.0.0/24"},
            "InvalidParameterValue",
            'Missing required parameter in input: "VpcId"',
        ),
        ("kms", "create_key", {"KeyUsage": "x"}, "ValidationException", "KeyUsage: 'x' is none"),
        (
            "sts",
            "assume_role",
            {"RoleArn": "arn:aws:iam::123456789012:role/x", "RoleSessionName": "with blanks"},
            "ValidationError",
            "RoleSessionName: 'with blanks' does not match",
        ),
    ],
)
def test_what_awss_models_refuse_is_refused_in_the_services_own_words(  # noqa: PLR0917 - one row of the table
    aws: LabAws, service: str, operation: str, parameters: dict[str, Any], code: str, complaint: str
) -> None:
    call = getattr(aws.client(service), operation)
    told, status, message = refused(call, **parameters)

    assert (told, status) == (code, 400)
    assert complaint in message
    assert aws.calls()[-1]["answered"] == "refused"
    assert not (aws.site.home / "aws" / "journal.jsonl").exists(), "it must change nothing"


def test_every_problem_of_a_call_is_told_at_once(aws: LabAws) -> None:
    _, _, message = refused(
        aws.client("ecr").create_repository,
        repositoryName="Upper",
        imageTagMutability="SOMETIMES",
        tags=[{"Key": 5}],
    )
    for complaint in ("'Upper' does not match", "'SOMETIMES' is none of", "tags[0]"):
        assert complaint in message


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("service", "path", "data", "kind", "complaint"),
    [
        ("eks", "/clusters", '{"name": ', "application/json", "the request cannot be read"),
        (
            "eks",
            "/clusters/a/access-entries",
            '{"principalArn": "b", "kubernetesGroups": "readers"}',
            "application/json",
            "Invalid type for parameter kubernetesGroups, value: 'readers', valid type: list",
        ),
        (
            "ec2",
            "/",
            "Action=DescribeVpcs&MaxResults=many&Version=2016-11-15",
            FORM,
            "the request cannot be read",
        ),
    ],
)
def test_a_call_that_cannot_be_read_is_refused(  # noqa: PLR0917 - one row of the table
    aws: LabAws, service: str, path: str, data: str, kind: str, complaint: str
) -> None:
    status, _, content = aws.http(
        method="POST", path=path, data=data, content_type=kind, headers=signed_for(service)
    )

    assert status == 400
    assert complaint in content.decode()


def signed_for(service: str) -> dict[str, str]:
    scope = f"lab/20260101/{REGION}/{service}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    }


# --- who answers


def test_moto_answers_what_it_knows(aws: LabAws) -> None:
    aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")

    call = aws.calls()[-1]
    assert (call["service"], call["operation"], call["answered"]) == ("ec2", "CreateVpc", "moto")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("eks", "list_capabilities", {"clusterName": "acme-dev"}),
        ("ecr", "get_account_setting", {"name": "BASIC_SCAN_TYPE_VERSION"}),
        ("ec2", "describe_route_servers", {}),
        ("codeartifact", "list_domains", {}),
    ],
)
def test_what_nobody_plays_is_said_and_written_down(
    aws: LabAws, service: str, operation: str, parameters: dict[str, str]
) -> None:
    code, status, message = refused(getattr(aws.client(service), operation), **parameters)

    assert (code, status) == ("NotImplemented", 501)
    assert f"does not have {service}:" in message
    (unanswered,) = nobody_answered(aws.calls())
    assert unanswered.replace("_", "").lower() == f"{service}:{operation}".replace("_", "")


def test_a_call_that_awss_models_do_not_know_is_written_down(aws: LabAws) -> None:
    status, _, _ = aws.http(path="/wishes", headers=signed_for("eks"))

    assert status == 501
    assert nobody_answered(aws.calls()) == ["eks:GET /wishes"]


def test_a_missing_thing_is_no_missing_operation(aws: LabAws) -> None:
    assert refused(aws.client("eks").describe_cluster, name="acme-dev")[:2] == (
        "ResourceNotFoundException",
        404,
    )
    assert nobody_answered(aws.calls()) == []


def test_what_is_written_down_names_resources_and_no_secrets(aws: LabAws) -> None:
    aws.client("iam").create_role(RoleName="platform", AssumeRolePolicyDocument=TRUST)
    session = aws.session("platform")
    aws.client("secretsmanager", **session).create_secret(Name="token", SecretString="hush")

    call = aws.calls()[-1]
    assert call["caller"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/platform/lab"
    assert call["actions"] == ["secretsmanager:CreateSecret"]
    assert call["resources"] == {"Name": "token"}
    assert "hush" not in json.dumps(aws.calls())
    assert aws.calls()[0]["caller"] is None, "nobody was given the lab's own keys"


# --- what is left after a stop


def test_a_stopped_aws_is_as_it_was_when_it_starts_again(
    aws: LabAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state(of: LabAws) -> dict[str, Any]:
        eks, within = of.client("eks"), {"clusterName": "acme-dev"}
        (association,) = eks.list_pod_identity_associations(**within)["associations"]
        return {
            "cluster": eks.describe_cluster(name="acme-dev")["cluster"],
            "add-on": eks.describe_addon(**within, addonName="vpc-cni")["addon"],
            "entries": [
                eks.describe_access_entry(**within, principalArn=principal)["accessEntry"]
                for principal in eks.list_access_entries(**within)["accessEntries"]
            ],
            "association": eks.describe_pod_identity_association(
                **within, associationId=association["associationId"]
            )["association"],
            "updates": eks.list_updates(name="acme-dev")["updateIds"],
            "vpcs": of.client("ec2").describe_vpcs()["Vpcs"],
        }

    aws.client("eks").list_clusters()  # somebody only looked, before anything was made
    cluster(aws)
    eks = aws.client("eks")
    eks.create_addon(clusterName="acme-dev", addonName="vpc-cni")
    eks.create_access_entry(clusterName="acme-dev", principalArn=f"arn:aws:iam::{ACCOUNT}:role/x")
    eks.create_pod_identity_association(
        clusterName="acme-dev",
        namespace="keel",
        serviceAccount="keel",
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/keel",
    )
    eks.update_cluster_version(name="acme-dev", version="1.36")
    before = state(aws)

    again = aws_in_process.begin(aws.site.home)

    after = state(again)
    for what in before:
        if what != "vpcs":
            assert after[what] == before[what], what
    made = [vpc["VpcId"] for vpc in before["vpcs"] if vpc["CidrBlock"] == "10.0.0.0/16"]
    assert made[0] in [vpc["VpcId"] for vpc in after["vpcs"]]
    assert before["updates"], "the comparison must compare something"


def test_what_is_refused_is_not_played_again(aws: LabAws) -> None:
    cluster(aws)
    before = (aws.site.home / "aws" / "journal.jsonl").read_text()
    wanted = {"clusterName": "acme-dev", "addonName": "vpc-cni", "resolveConflicts": "SOMETIMES"}
    refused(aws.client("eks").create_addon, **wanted)

    assert (aws.site.home / "aws" / "journal.jsonl").read_text() == before


def test_a_request_at_which_aws_failed_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    def fails(environ: dict[str, Any], start_response: Any) -> Any:
        raise RuntimeError("moto's own fault")

    journaled = JournaledApp(fails, tmp_path / "journal")
    entry = {"at": "2026-01-01T00:00:00+00:00", "environ": {"PATH_INFO": "/"}, "body": ""}
    (tmp_path / "journal").write_text(json.dumps(entry) + "\n")

    assert journaled.replay({}) == 1


# --- every stand-in


def test_every_stand_in_follows_a_page_of_the_reference() -> None:
    for (_, operation), stand_in in STAND_INS.items():
        assert stand_in.__doc__, operation
        assert " API Reference, " + operation in stand_in.__doc__, operation


def test_every_stand_in_answers_as_awss_model_says(aws: LabAws) -> None:
    """Each is asked once; `aws_in_process` holds every answer against the output shape."""
    aws_in_process.asked.clear()
    for life in (life_of_a_cluster, life_of_a_network, life_of_a_certificate, life_of_the_rest):
        life(aws)

    assert set(STAND_INS) - aws_in_process.asked == set()


def life_of_a_cluster(aws: LabAws) -> None:
    eks, within = aws.client("eks"), {"clusterName": "acme-dev"}
    cluster(aws)
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    encryption = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    eks.associate_encryption_config(**within, encryptionConfig=encryption)
    eks.update_cluster_config(name="acme-dev", upgradePolicy={"supportType": "STANDARD"})
    update = eks.update_cluster_version(name="acme-dev", version="1.36")["update"]
    eks.describe_update(name="acme-dev", updateId=update["id"])
    eks.list_updates(name="acme-dev")

    group = {**within, "nodegroupName": "general"}
    subnets = eks.describe_cluster(name="acme-dev")["cluster"]["resourcesVpcConfig"]["subnetIds"]
    role = f"arn:aws:iam::{ACCOUNT}:role/node"
    eks.create_nodegroup(**group, subnets=subnets, nodeRole=role)
    eks.update_nodegroup_config(**group, scalingConfig={"maxSize": 5})
    eks.update_nodegroup_version(**group)
    made = eks.describe_nodegroup(**group)["nodegroup"]["resources"]["autoScalingGroups"]
    life_of_a_scheduled_action(aws, made[0]["name"])
    eks.delete_nodegroup(**group)

    entry = {**within, "principalArn": f"arn:aws:iam::{ACCOUNT}:role/gaming"}
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    eks.create_access_entry(**entry)
    eks.update_access_entry(**entry, kubernetesGroups=["team:gaming"])
    eks.associate_access_policy(**entry, policyArn=policy, accessScope={"type": "cluster"})
    eks.list_associated_access_policies(**entry)
    eks.list_access_entries(**within)
    eks.disassociate_access_policy(**entry, policyArn=policy)
    arn = eks.describe_access_entry(**entry)["accessEntry"]["accessEntryArn"]
    eks.tag_resource(resourceArn=arn, tags={"Team": "x"})
    eks.list_tags_for_resource(resourceArn=arn)
    eks.untag_resource(resourceArn=arn, tagKeys=["Team"])
    eks.delete_access_entry(**entry)

    addon = {**within, "addonName": "vpc-cni"}
    eks.describe_addon_versions()
    eks.create_addon(**addon)
    eks.update_addon(**addon, addonVersion="v1.22.5-eksbuild.1")
    eks.describe_addon(**addon)
    eks.list_addons(**within)
    eks.delete_addon(**addon)

    account = {"namespace": "keel", "serviceAccount": "keel"}
    made = eks.create_pod_identity_association(**within, **account, roleArn=role)["association"]
    identity = {**within, "associationId": made["associationId"]}
    eks.update_pod_identity_association(**identity, roleArn=f"{role}-2")
    eks.describe_pod_identity_association(**identity)
    eks.list_pod_identity_associations(**within)
    eks.delete_pod_identity_association(**identity)
    eks.delete_cluster(name="acme-dev")


def life_of_a_scheduled_action(aws: LabAws, group: str) -> None:
    autoscaling = aws.client("autoscaling")
    action = {"AutoScalingGroupName": group, "ScheduledActionName": "stop"}
    autoscaling.put_scheduled_update_group_action(**action, Recurrence="0 20 * * *", MinSize=0)
    autoscaling.describe_scheduled_actions(AutoScalingGroupName=group)
    autoscaling.delete_scheduled_action(**action)


def life_of_a_network(aws: LabAws) -> None:
    ec2 = aws.client("ec2")
    subnet, _ = two_subnets(aws, "10.5.0.0/16")
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway"
    )
    identifier = endpoint["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=identifier, AddRouteTableIds=[table])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[identifier])

    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    ec2.release_address(AllocationId=address)

    template = ec2.create_launch_template(
        LaunchTemplateName="nodes",
        LaunchTemplateData={"ImageId": "ami-12345678"},
        TagSpecifications=[
            {"ResourceType": "launch-template", "Tags": [{"Key": "Team", "Value": "x"}]}
        ],
    )["LaunchTemplate"]["LaunchTemplateId"]
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateId=template)[
        "LaunchTemplateVersions"
    ]
    assert not version["LaunchTemplateData"].get("TagSpecifications")


def life_of_a_certificate(aws: LabAws) -> None:
    """Issued while the records that prove it are in Route 53, and no longer."""
    acm, route53 = aws.client("acm"), aws.client("route53")
    zone = route53.create_hosted_zone(Name="acme.example", CallerReference="1")["HostedZone"]["Id"]
    arn = acm.request_certificate(
        DomainName="*.dev.acme.example",
        SubjectAlternativeNames=["*.dev.acme.example", "cd.acme.example"],
        ValidationMethod="DNS",
    )["CertificateArn"]

    def change(action: str, records: list[dict[str, Any]]) -> None:
        route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={
                "Changes": [{"Action": action, "ResourceRecordSet": one} for one in records]
            },
        )

    def status() -> tuple[str, list[str]]:
        found = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        options = found["DomainValidationOptions"]
        return found["Status"], sorted(one["ValidationStatus"] for one in options)

    assert status() == ("PENDING_VALIDATION", ["PENDING_VALIDATION"] * 2)
    wanted = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    records = [
        {
            "Name": one["ResourceRecord"]["Name"],
            "Type": "CNAME",
            "TTL": 300,
            "ResourceRecords": [{"Value": one["ResourceRecord"]["Value"]}],
        }
        for one in wanted
    ]
    change("UPSERT", records[:1])
    assert status() == ("PENDING_VALIDATION", ["PENDING_VALIDATION", "SUCCESS"])
    change("UPSERT", records)
    assert status() == ("ISSUED", ["SUCCESS", "SUCCESS"])
    there = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    change("DELETE", [one for one in there if one["Type"] == "CNAME"])
    assert status() == ("PENDING_VALIDATION", ["PENDING_VALIDATION"] * 2)


def life_of_the_rest(aws: LabAws) -> None:
    ecr, iam, logs = (aws.client(service) for service in ("ecr", "iam", "logs"))
    made = ecr.create_repository(repositoryName="shop/api")["repository"]
    (found,) = ecr.describe_repositories()["repositories"]
    assert made["repositoryUri"] == f"{aws.site.registry_host}/shop/api" == found["repositoryUri"]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": {}, "layers": []})
    image = {"repositoryName": "shop/api"}
    ecr.put_image(**image, imageManifest=manifest, imageManifestMediaType=MANIFEST, imageTag="v1")
    assert [one["imageTag"] for one in ecr.list_images(**image)["imageIds"]] == ["v1"]
    assert [one["imageTags"] for one in ecr.describe_images(**image)["imageDetails"]] == [["v1"]]
    ecr.start_image_scan(**image, imageId={"imageTag": "v1"})
    scan = ecr.describe_image_scan_findings(**image, imageId={"imageTag": "v1"})
    assert scan["imageScanStatus"]["status"] == "COMPLETE"
    answer = ecr.batch_get_image(**image, imageIds=[{"imageTag": "v1"}])
    assert [one["imageManifest"] for one in answer["images"]] == [manifest]

    quotas = aws.client("service-quotas")
    raised = quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]
    usual = quotas.get_service_quota(ServiceCode="vpc", QuotaCode="L-FE5A380F")["Quota"]
    new = quotas.get_aws_default_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]
    assert (raised["Value"], usual["Value"], new["Value"]) == (64.0, 5.0, 5.0)

    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    aws.session("reader")

    arn = iam.create_open_id_connect_provider(
        Url="https://token.example", ClientIDList=["one"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    provider = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert provider["ClientIDList"] == ["two"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)

    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    logs.create_log_group(logGroupName="/acme/dev")
    logs.associate_kms_key(logGroupName="/acme/dev", kmsKeyId=key)
    assert logs.describe_log_groups()["logGroups"][0]["kmsKeyId"] == key
    logs.disassociate_kms_key(logGroupName="/acme/dev")
    assert "kmsKeyId" not in logs.describe_log_groups()["logGroups"][0]
    logs.delete_log_group(logGroupName="/acme/dev")


def test_a_service_that_signs_with_another_name_is_known(aws: LabAws) -> None:
    tags = [{"Key": "ManagedBy", "Value": "pulumi"}]
    aws.client("ec2").create_vpc(
        CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}]
    )
    tagging = aws.client("resourcegroupstaggingapi")
    (found,) = tagging.get_resources(TagFilters=[{"Key": "ManagedBy", "Values": ["pulumi"]}])[
        "ResourceTagMappingList"
    ]
    assert found["Tags"] == tags
