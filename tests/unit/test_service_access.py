"""What services have for themselves: in AWS, in the cluster, and in Git."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import Output

from components.secrets.external_secrets import (
    ExternalSecrets,
    ExternalSecretsArgs,
    secret_objects,
)
from components.service_access.isolation import policies
from components.service_access.service_roles import role_policy
from gitops.tree import scaffold
from settings.aws_account import AwsAccount
from settings.loading import load_files
from settings.naming import Names
from settings.rights import Rights
from tests.unit.conftest import CHECKOUT, Bend, change_service, copied
from tests.unit.recording import Recording, record
from tests.unit.test_private_rules import BOUNDARY, bounded, change
from tests.unit.whole_program import record_program

ACCOUNTS = {"dev": "123456789012", "prod": "210987654321"}
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
RELEASE = "kubernetes:helm.sh/v3:Release"
STORE = "kubernetes:external-secrets.io/v1:SecretStore"
APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1"
NEW = ("ServiceAccess", "Isolation", "ServiceRoles", "ExternalSecrets", "SecretStores")
MANAGED = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
READ = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::acme-tv/*"]}
SECRETS = {"env": ["DATABASE_URL"], "files": ["client.pem"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    """The whole program of both stacks, where tv-api has secrets and rights in AWS."""
    root = copied(tmp_path_factory.mktemp("private"))
    catalogue = yaml.safe_load((root / "services.yaml").read_text())
    catalogue["namespaces"]["streaming"]["services"]["tv-api"].update(
        secrets=SECRETS, aws={"policies": [MANAGED], "statements": [READ]}
    )
    (root / "services.yaml").write_text(yaml.safe_dump(catalogue))
    for stack in ("dev", "prod"):
        path = root / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(path.read_text())
        content["config"]["platform:permissionsBoundary"] = BOUNDARY
        path.write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("settings.pulumi_config.ROOT", root)
        return {
            stack: record_program(stack, root, CHECKOUT / "__main__.py")
            for stack in ("dev", "prod")
        }


@pytest.fixture(scope="module")
def dev_made(made: dict[str, Recording]) -> Recording:
    return made["dev"]


def policy(recording: Recording, name: str) -> Any:
    return json.loads(recording.one(ROLE_POLICY, name).inputs["policy"])["Statement"]


def trust(recording: Recording, name: str) -> Any:
    return json.loads(recording.one(ROLE, name).inputs["assumeRolePolicy"])["Statement"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_without_secrets_and_rights_nothing_of_it_is_there(stack: str) -> None:
    made = record_program(stack, CHECKOUT, CHECKOUT / "__main__.py")
    assert not {r.type for r in made.resources} & {f"twospeed:index:{name}" for name in NEW}
    assert {r.name for r in made.resources if r.type == RELEASE} <= {
        "argocd-release",
        "ingress-controller-release",
        "ingress-dns-release",
        "keel-release",
    }


# --- secrets in AWS


def test_external_secrets_itself_reads_nothing(dev_made: Recording) -> None:
    made = dev_made
    assert policy(made, "service-access-secrets-operator-policy") == [
        {
            "Sid": "ReadForAService",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Resource": ["arn:aws:iam::123456789012:role/acme-dev-secrets-reader"],
        }
    ]
    (statement,) = trust(made, "service-access-secrets-operator")
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-central-1:123456789012:cluster/"
            "acme-dev",
            "aws:RequestTag/kubernetes-namespace": "external-secrets",
            "aws:RequestTag/kubernetes-service-account": "external-secrets",
        }
    }
    association = made.one(ASSOCIATION, "service-access-secrets-identity").inputs
    assert association["namespace"] == "external-secrets"
    assert association["serviceAccount"] == "external-secrets"
    assert association["roleArn"] == "arn:aws:iam::123456789012:role/acme-dev-external-secrets"


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_reader_reads_for_the_service_of_its_session_in_its_environment_alone(
    made: dict[str, Recording], stack: str
) -> None:
    assert policy(made[stack], "service-access-secrets-reader-policy") == [
        {
            "Sid": "ReadOwnSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": [
                f"arn:aws:secretsmanager:eu-central-1:{ACCOUNTS[stack]}:secret:acme/{stack}/"
                "${aws:PrincipalTag/namespace}/${aws:PrincipalTag/service}/*"
            ],
        }
    ]
    assert trust(made[stack], "service-access-secrets-reader") == [
        {
            "Sid": "ReadForAService",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::123456789012:role/acme-{stack}-external-secrets"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringLike": {"aws:RequestTag/namespace": "?*", "aws:RequestTag/service": "?*"}
            },
        }
    ]


def test_both_roles_are_below_the_boundary(dev_made: Recording) -> None:
    made = dev_made
    for role in ("operator", "reader"):
        found = made.one(ROLE, f"service-access-secrets-{role}").inputs
        assert found["permissionsBoundary"] == BOUNDARY


def test_a_store_is_of_one_service_and_there_before_it(made: dict[str, Recording]) -> None:
    prod = made["prod"]
    (store,) = [r for r in prod.resources if r.type == STORE]
    assert store.inputs["metadata"] == {"name": "tv-api", "namespace": "streaming"}
    assert store.inputs["spec"] == {
        "provider": {
            "aws": {
                "service": "SecretsManager",
                "region": "eu-central-1",
                "role": "arn:aws:iam::123456789012:role/acme-prod-secrets-reader",
                "prefix": "acme/prod/streaming/tv-api/",
                "sessionTags": [
                    {"key": "namespace", "value": "streaming"},
                    {"key": "service", "value": "tv-api"},
                ],
            }
        }
    }
    assert prod.waits_for(store, prod.one(RELEASE, "service-access-secrets-release"))
    assert prod.waits_for(prod.one(APPLICATION, "apps-tv-api"), store)


def test_a_service_that_lives_elsewhere_needs_nothing_here(configuration: Path, bend: Bend) -> None:
    bounded(bend)
    change(bend, secrets=SECRETS, aws={"statements": [READ]}, environments=["prod"])
    assert load_files("dev", configuration).has_private is False
    assert load_files("prod", configuration).has_private is True


def test_rights_in_one_environment_are_private_there(configuration: Path, bend: Bend) -> None:
    bounded(bend)
    change(bend, overrides={"prod": {"aws": {"statements": [READ]}}})
    assert load_files("dev", configuration).has_private is False
    assert load_files("prod", configuration).has_private is True


# --- secrets in the cluster


def test_chart_version_and_repository_are_pinned(dev_made: Recording) -> None:
    release = dev_made.one(RELEASE, "service-access-secrets-release").inputs
    assert (release["chart"], release["version"]) == ("external-secrets", "2.9.0")
    assert release["repositoryOpts"] == {"repo": "https://charts.external-secrets.io"}


def test_chart_and_image_may_come_from_elsewhere(configuration: Path, bend: Bend) -> None:
    other = {"repository": "https://charts.acme.example", "version": "2.8.0"}
    bend("Pulumi.dev.yaml", lambda config: config.update({"platform:secrets": {"chart": other}}))
    python = "registry.acme.example/python@sha256:" + "a" * 64
    bend("services.yaml", lambda catalogue: catalogue.update(helperImages={"python": python}))
    settings = load_files("dev", configuration)
    args = ExternalSecretsArgs(
        config=settings.config.secrets,
        catalogue=settings.living,
        names=settings.environment.names,
        account=settings.environment.aws_account,
        permissions_boundary=None,
        cluster_name=Output.from_input("acme-dev"),
        kubeconfig=Output.from_input("{}"),
        owned_cluster=True,
    )
    recorded = record(lambda: ExternalSecrets("secrets", args) and None, stack="dev")
    release = recorded.one(RELEASE).inputs
    assert release["version"] == "2.8.0"
    assert release["repositoryOpts"] == {"repo": "https://charts.acme.example"}
    pod = recorded.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]
    assert [container["image"] for container in pod["containers"]] == [python]


def test_external_secrets_writes_only_where_services_have_secrets(dev_made: Recording) -> None:
    made = dev_made
    everywhere = made.one(f"{RBAC}:ClusterRole", "service-access-secrets-watcher").inputs["rules"]
    writing = [r for r in everywhere if not {*r["verbs"]} <= {"get", "list", "watch"}]
    assert writing == [{"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}]
    assert not any("token" in part for rule in everywhere for part in rule["resources"])
    roles = [r for r in made.resources if r.type == f"{RBAC}:Role" and "-secrets-" in r.name]
    assert {r.inputs["metadata"]["namespace"] for r in roles} == {"streaming"}
    release = made.one(RELEASE, "service-access-secrets-release").inputs["values"]
    assert release["rbac"] == {"create": False}


def test_the_secrets_of_a_namespace_are_those_of_all_its_services(
    configuration: Path, bend: Bend
) -> None:
    change(bend, secrets=SECRETS)
    change_service(bend, "streaming", "tv-frontend", secrets=["TOKEN"])
    catalogue = load_files("dev", configuration).catalogue
    assert secret_objects(catalogue) == {
        "streaming": ["tv-api.client.pem", "tv-api.database-url", "tv-frontend.token"]
    }


def test_no_store_of_the_cluster_and_no_way_into_secrets_manager(dev_made: Recording) -> None:
    release = dev_made.one(RELEASE, "service-access-secrets-release").inputs["values"]
    for kind in ("ClusterExternalSecret", "ClusterGenerator", "ClusterPushSecret", "PushSecret"):
        assert release[f"process{kind}"] is False
        assert release["crds"][f"create{kind}"] is False
    assert release["processClusterStore"] is False
    assert release["crds"]["createClusterSecretStore"] is False


def test_the_program_that_rolls_pods_reads_the_services_secrets_by_name(
    dev_made: Recording,
) -> None:
    made = dev_made
    role = made.one(f"{RBAC}:Role", "apps-streaming-secrets-secrets-rollout-role").inputs
    assert role["rules"] == [
        {
            "apiGroups": ["apps"],
            "resources": ["deployments", "statefulsets"],
            "verbs": ["list", "patch"],
        },
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["tv-api.client.pem", "tv-api.database-url"],
            "verbs": ["get"],
        },
    ]
    deployment = made.one("kubernetes:apps/v1:Deployment").inputs
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "public.ecr.aws/docker/library/python:3.13.7-alpine3.22"
    assert container["env"] == [
        {
            "name": "SECRETS",
            "value": '{"streaming": ["tv-api.client.pem", "tv-api.database-url"]}',
        }
    ]
    program_text = made.one(
        "kubernetes:core/v1:ConfigMap", "service-access-secrets-rotation-program"
    )
    assert program_text.inputs["data"]["rotation.py"].startswith('"""Rolls the pods of a service')


# --- rights in AWS


def test_a_service_with_rights_has_a_role_that_no_other_takes(dev_made: Recording) -> None:
    made = dev_made
    role = made.one(ROLE, "service-access-roles-tv-api").inputs
    assert role["name"] == "acme-dev-service-tv-api"
    assert role["permissionsBoundary"] == BOUNDARY
    (statement,) = trust(made, "service-access-roles-tv-api")
    assert statement["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-central-1:123456789012:cluster/acme-dev",
        "aws:RequestTag/kubernetes-namespace": "streaming",
        "aws:RequestTag/kubernetes-service-account": "tv-api",
    }
    assert policy(made, "service-access-roles-tv-api-policy") == [
        {
            "Sid": "Statement1",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::acme-tv/*"],
        },
        {
            "Sid": "SecretsComeOtherwise",
            "Effect": "Deny",
            "Action": ["secretsmanager:*"],
            "Resource": ["arn:aws:secretsmanager:*:123456789012:secret:acme/*"],
        },
    ]
    attachment = made.one(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "service-access-roles-tv-api-AmazonSQSReadOnlyAccess",
    )
    assert attachment.inputs["policyArn"] == MANAGED
    association = made.one(ASSOCIATION, "service-access-roles-tv-api-identity")
    assert association.inputs["serviceAccount"] == "tv-api"
    assert association.inputs["namespace"] == "streaming"
    assert made.waits_for(association, attachment)
    assert made.waits_for(made.one(APPLICATION, "apps-tv-api"), association)


def test_managed_policies_alone_still_deny_the_secrets() -> None:
    rights = Rights.model_validate({"policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]})
    account = AwsAccount(id="123456789012", region="eu-central-1")
    (only,) = json.loads(role_policy(rights, Names("acme", "dev"), account))["Statement"]
    assert only["Effect"] == "Deny"


# --- who may take what, in the cluster


def guarded(spec: dict[str, Any]) -> str:
    return str(next(v["expression"] for v in spec["variables"] if v["name"] == "guarded"))


def isolated(configuration: Path) -> dict[str, dict[str, Any]]:
    settings = load_files("dev", configuration)
    return policies(settings.stack, settings.living)


def test_policies_name_who_is_guarded_by_namespace(configuration: Path, bend: Bend) -> None:
    def both(catalogue: dict[str, Any]) -> None:
        streaming = catalogue["namespaces"]["streaming"]["services"]
        streaming["tv-api"]["secrets"] = ["TOKEN"]
        streaming["tv-frontend"]["aws"] = {"statements": [READ]}
        catalogue["namespaces"]["community"]["services"]["tournaments"]["secrets"] = ["TOKEN"]

    bounded(bend)
    bend("services.yaml", both)
    found = isolated(configuration)
    assert guarded(found["services-keep-their-accounts"]) == (
        '{"community": ["tournaments"], "streaming": ["tv-api", "tv-frontend"]}[request.namespace]'
    )
    assert guarded(found["services-keep-their-secrets"]) == (
        '{"community": ["tournaments"], "streaming": ["tv-api"]}[request.namespace]'
    )
    for spec in found.values():
        (expression,) = spec["match_constraints"]["namespace_selector"]["match_expressions"]
        assert expression["values"] == ["community", "streaming"]
        assert spec["failure_policy"] == "Fail"


def test_where_nothing_is_private_nothing_is_kept(configuration: Path) -> None:
    assert isolated(configuration) == {}


def test_rights_alone_guard_the_account_alone(configuration: Path, bend: Bend) -> None:
    bounded(bend)
    change(bend, aws={"statements": [READ]})
    assert [*isolated(configuration)] == ["services-keep-their-accounts"]


def test_every_policy_is_bound_and_refuses(dev_made: Recording) -> None:
    made = dev_made
    kind = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
    bound = [
        r
        for r in made.resources
        if r.type == f"{kind}Binding" and r.name.startswith("service-access-")
    ]
    assert sorted(r.inputs["spec"]["policyName"] for r in bound) == [
        "services-keep-their-accounts",
        "services-keep-their-secrets",
        "services-keep-their-stores",
    ]
    application = made.one(APPLICATION, "apps-tv-api")
    for binding in bound:
        assert made.waits_for(binding, made.one(kind, binding.name.removesuffix("-binding")))
        assert binding.inputs["spec"]["validationActions"] == ["Deny"]
        assert made.waits_for(application, binding)


# --- secrets in Git


def written(configuration: Path, bend: Bend, packaging: str) -> dict[str, str]:
    """What dev writes for a service with both sorts of secrets."""
    change(
        bend,
        secrets={"env": ["DATABASE_URL", "API_KEY"], "files": ["client.pem"]},
        processes={"worker": {"command": ["work"]}, "night": {"schedule": "0 3 * * *"}},
        packaging=packaging,
    )
    settings = load_files("dev", configuration)
    return {path: file.text for path, file in scaffold(settings).items()}


@pytest.mark.parametrize(("packaging", "folder"), [("kustomize", ""), ("helm", "templates/")])
def test_a_secret_is_an_object_of_its_own_in_git(
    configuration: Path, bend: Bend, packaging: str, folder: str
) -> None:
    files = written(configuration, bend, packaging)
    text = files[f"base/streaming/tv-api/{folder}externalsecrets.yaml"]
    # Every environment reads it.
    assert "acme" not in text
    assert "dev" not in text
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("{{"))
    objects = [*yaml.safe_load_all(kept)]
    assert [found["metadata"]["name"] for found in objects] == [
        "tv-api.api-key",
        "tv-api.database-url",
        "tv-api.client.pem",
    ]
    assert objects[1]["spec"] == {
        "refreshInterval": "5m0s",
        "secretStoreRef": {"kind": "SecretStore", "name": "tv-api"},
        "target": {"creationPolicy": "Owner", "deletionPolicy": "Retain"},
        "data": [
            {
                "secretKey": "value",
                "remoteRef": {
                    "key": "DATABASE_URL",
                    "conversionStrategy": "Default",
                    "decodingStrategy": "None",
                    "metadataPolicy": "None",
                },
            }
        ],
    }


@pytest.mark.parametrize("file", ["deployment", "processes/worker", "processes/night"])
def test_every_process_has_the_secrets(configuration: Path, bend: Bend, file: str) -> None:
    files = written(configuration, bend, "kustomize")
    (manifest,) = yaml.safe_load_all(files[f"base/streaming/tv-api/{file}.yaml"])
    spec = manifest["spec"]
    pod = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert [e for e in container["env"] if "valueFrom" in e] == [
        {
            "name": name,
            "valueFrom": {"secretKeyRef": {"name": f"tv-api.{known}", "key": "value"}},
        }
        for name, known in (("API_KEY", "api-key"), ("DATABASE_URL", "database-url"))
    ]
    assert {"name": "secrets", "mountPath": "/secrets", "readOnly": True} in (
        container["volumeMounts"]
    )
    assert [v for v in pod["volumes"] if v["name"] == "secrets"] == [
        {
            "name": "secrets",
            "projected": {
                "sources": [
                    {
                        "secret": {
                            "name": "tv-api.client.pem",
                            "items": [{"key": "value", "path": "client.pem"}],
                        }
                    }
                ]
            },
        }
    ]
