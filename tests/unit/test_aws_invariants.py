"""What is true of everything that the program registers in AWS, in both environments."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.unit.conftest import CHECKOUT
from tests.unit.recording import Recorded, Recording
from tests.unit.whole_program import record_program

DOCUMENTS = ("policy", "assumeRolePolicy")
EXCEPTIONS = {
    "SignIn": "signing in to ECR names no repository",
    "ReadImages": "EKS's own images come from accounts of AWS; only reading, by this account",
    "FindZone": "Route 53 lists zones by no ARN; only reading",
    "See": "EC2, ACM and load balancing describe by no ARN; only reading",
    "FirstBalancer": "the one role of AWS's load balancing, by a condition",
}
"""Statements whose resource is everything, by their Sid, each with its reason."""
NEEDED_BY_EKS = {
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEBSCSIDriverPolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSWorkerNodeMinimalPolicy",
}
"""What AWS asks for: control plane, nodes, network plug-in and disk driver, and Auto Mode."""
NAMED_WITHIN_ANOTHER = {"aws:iam/rolePolicy:RolePolicy"}
"""Types whose names count only inside another resource."""
CLUSTERS = {
    "acme-dev": "arn:aws:eks:eu-central-1:123456789012:cluster/acme-dev",
    "acme-prod": "arn:aws:eks:eu-central-1:210987654321:cluster/acme-prod",
}
TRUSTED_SERVICES = {
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
}


@pytest.fixture(scope="session", params=["dev", "prod"])
def program(request: pytest.FixtureRequest) -> Recording:
    return record_program(request.param, CHECKOUT, CHECKOUT / "__main__.py")


def statements(recording: Recording, key: str) -> Iterator[tuple[Recorded, Mapping[str, Any]]]:
    """Every statement of every policy document under the input `key`."""
    for resource in recording.resources:
        text = resource.inputs.get(key)
        if resource.type.startswith("aws:") and isinstance(text, str):
            for statement in json.loads(text).get("Statement", []):
                yield resource, statement


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_no_action_is_a_wildcard(program: Recording) -> None:
    for key in DOCUMENTS:
        for resource, statement in statements(program, key):
            assert not [a for a in as_list(statement["Action"]) if "*" in a], resource.name


def test_a_statement_about_everything_is_an_exception_with_a_reason(program: Recording) -> None:
    for resource, statement in statements(program, "policy"):
        if "*" in as_list(statement.get("Resource", [])):
            assert statement["Sid"] in EXCEPTIONS, f"{resource.name}: {statement}"


def test_every_role_names_whom_it_trusts(program: Recording) -> None:
    trusted = list(statements(program, "assumeRolePolicy"))

    roles = {role.name for role, _ in trusted}
    assert roles == {role.name for role in program.of("aws:iam/role:Role")}
    for role, statement in trusted:
        principal = statement["Principal"]
        assert principal.keys() in ({"Service"}, {"Federated"}), role.name
        if "Service" in principal:
            assert principal["Service"] in TRUSTED_SERVICES, role.name
        else:
            claims = {
                key.rpartition(":")[2]
                for comparison in statement["Condition"].values()
                for key in comparison
            }
            assert claims == {"aud", "sub"}, role.name


def test_a_role_of_pods_trusts_the_service_account_that_has_it(program: Recording) -> None:
    trusting = {
        role.inputs["name"]: statement["Condition"]
        for role, statement in statements(program, "assumeRolePolicy")
        if statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    }
    given = {name: where for name, *where in pod_identities(program)}

    assert trusting.keys() == given.keys(), "a role without an association, or the reverse"
    for name, (cluster, namespace, account) in given.items():
        expected = {
            "aws:RequestTag/eks-cluster-arn": CLUSTERS[cluster],
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": account,
        }
        assert trusting[name] == {"StringEquals": expected}, name


def pod_identities(program: Recording) -> Iterator[tuple[str, str, str, str]]:
    """The role's name, cluster, namespace and service account of every association."""
    for own in program.resources:
        if own.type != "aws:eks/podIdentityAssociation:PodIdentityAssociation":
            continue
        assert not own.inputs.get("disableSessionTags"), f"{own.name}: trust compares these tags"
        role = own.inputs["roleArn"].rpartition("/")[2]
        yield role, own.inputs["clusterName"], own.inputs["namespace"], own.inputs["serviceAccount"]
    for addon in program.of("aws:eks/addon:Addon"):
        for one in addon.inputs.get("podIdentityAssociations", []):
            role = one["roleArn"].rpartition("/")[2]
            yield role, addon.inputs["clusterName"], "kube-system", one["serviceAccount"]


def test_nothing_is_open_to_the_public(program: Recording) -> None:
    for resource, statement in statements(program, "policy"):
        if statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]}):
            assert "aws:PrincipalAccount" in statement["Condition"]["StringEquals"], resource.name
    for rule in program.of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
        assert rule.inputs["cidrIpv4"] != "0.0.0.0/0", rule.name
    types = {resource.type for resource in program.resources}
    assert not {t for t in types if t.startswith(("aws:s3/", "aws:ecrpublic/"))}


def test_of_awss_own_policies_only_what_eks_needs_is_attached(program: Recording) -> None:
    for attachment in program.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        name = attachment.inputs["policyArn"].rpartition("/")[2]
        assert name in NEEDED_BY_EKS, attachment.name


def test_everything_that_can_be_encrypted_is(program: Recording) -> None:
    for template in program.resources:
        for disk in template.inputs.get("blockDeviceMappings") or ():
            assert disk["ebs"]["encrypted"] == "true", template.name
    for volumes in program.resources:
        if volumes.type == "kubernetes:storage.k8s.io/v1:StorageClass":
            assert volumes.inputs["parameters"]["encrypted"] == "true", volumes.name
    for cluster in program.of("aws:eks/cluster:Cluster"):
        assert cluster.inputs["encryptionConfig"]["resources"] == ["secrets"], cluster.name
    for key in program.of("aws:kms/key:Key"):
        assert key.inputs["enableKeyRotation"] is True, key.name


def test_every_image_is_encrypted() -> None:
    dev, prod = (record_program(s, CHECKOUT, CHECKOUT / "__main__.py") for s in ("dev", "prod"))
    for repository in dev.of("aws:ecr/repository:Repository"):
        (encryption,) = repository.inputs["encryptionConfigurations"]
        assert encryption["encryptionType"] == "AES256", repository.name
    prod.assert_none("aws:ecr/repository:Repository")


def test_every_chart_and_addon_is_pinned(program: Recording) -> None:
    releases = program.of("kubernetes:helm.sh/v3:Release")
    addons = program.of("aws:eks/addon:Addon")

    assert releases and addons
    for release in releases:
        assert re.fullmatch(r"\d+\.\d+\.\d+", release.inputs["version"]), release.name
    for addon in addons:
        if addon.inputs["addonName"] != "metrics-server":  # EKS chooses by Kubernetes's version
            assert "-eksbuild." in addon.inputs["addonVersion"], addon.name


def test_everything_that_takes_tags_has_them(program: Recording) -> None:
    checked = 0
    for resource in program.resources:
        if resource.type.startswith("aws:") and takes_tags(resource.type):
            tags = resource.inputs.get("tags", {})
            missing = {"Organization", "Environment", "ManagedBy"} - tags.keys()
            assert not missing, f"{resource.name} ({resource.type}) lacks {missing}"
            checked += 1
    assert checked > 30, "the AWS side of an environment is larger than that"


def takes_tags(type_: str) -> bool:
    """Whether the SDK's class of a type such as aws:ec2/vpc:Vpc has the argument `tags`."""
    _, module, name = type_.split(":")
    package = importlib.import_module(f"pulumi_aws.{module.partition('/')[0]}")
    arguments = inspect.signature(getattr(package, name)._internal_init).parameters
    return "tags" in arguments


def test_nothing_of_prod_may_be_written_by_dev() -> None:
    """The roles of dev write by name: to the shared registry, and to dev's logs and DNS names."""
    dev = record_program("dev", CHECKOUT, CHECKOUT / "__main__.py")
    prod = record_program("prod", CHECKOUT, CHECKOUT / "__main__.py")

    reading = ("Get", "Describe", "List", "BatchGet", "BatchCheck")
    written = {
        target
        for resource, statement in statements(dev, "policy")
        if resource.type == "aws:iam/rolePolicy:RolePolicy"
        if any(not a.partition(":")[2].startswith(reading) for a in statement["Action"])
        if statement["Effect"] == "Allow" and not changes_names_of_dev_alone(statement)
        for target in as_list(statement["Resource"])
    }
    assert written
    repositories = {r.inputs["name"] for r in dev.of("aws:ecr/repository:Repository")}
    for arn in written:
        assert arn.partition(":repository/")[2] in repositories or "acme-dev" in arn, arn
    assert not names_in_aws(dev) & names_in_aws(prod), "an environment's resources are its own"


def changes_names_of_dev_alone(statement: Mapping[str, Any]) -> bool:
    """In the zone that both environments share."""
    key = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    names = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get(key, [])
    own = ("dev.acme.example", ".dev.acme.example")
    return bool(names) and all(name.endswith(own) for name in names)


def names_in_aws(recording: Recording) -> set[str]:
    """The names that resources have in their account or region."""
    return {
        resource.inputs["name"]
        for resource in recording.resources
        if resource.type.startswith("aws:")
        and "name" in resource.inputs
        and resource.type not in NAMED_WITHIN_ANOTHER
    }


def test_prod_has_no_pipeline_identity_and_no_registry_of_its_own() -> None:
    prod = record_program("prod", CHECKOUT, CHECKOUT / "__main__.py")

    types = {resource.type for resource in prod.resources}
    assert not {t for t in types if t.startswith("aws:ecr/") or "openIdConnect" in t}
    assert not [r.name for r in prod.of("aws:iam/role:Role") if r.name.startswith("ci-")]


def test_pipelines_cannot_enter_a_cluster(program: Recording) -> None:
    admitted = {e.inputs["principalArn"] for e in program.of("aws:eks/accessEntry:AccessEntry")}

    assert admitted
    assert not [arn for arn in admitted if "-ci-" in arn]


def test_a_preview_is_the_same_every_time() -> None:
    first, second = (
        record_program("dev", CHECKOUT, CHECKOUT / "__main__.py", preview=True) for _ in range(2)
    )

    def shown(recording: Recording) -> list[tuple[str, str, str]]:
        return [
            (r.type, r.name, json.dumps(r.inputs, sort_keys=True, default=lambda _: "unknown"))
            for r in recording.resources
        ]

    assert shown(first) == shown(second)
