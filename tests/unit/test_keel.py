"""Keel: its values, and how narrow its rights are, in the cluster and in AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ResourceOptions

from components import wiring
from components.keel import values as keel_values
from components.keel.keel import Keel
from settings.environment import Settings
from settings.loading import load_files
from tests.unit.clusters import a_cluster, keel_config
from tests.unit.conftest import Bend
from tests.unit.recording import Recording, record

RELEASE = "kubernetes:helm.sh/v3:Release"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
ROLE = "aws:iam/role:Role"


def install(settings: Settings) -> Recording:
    def program() -> None:
        inside = ResourceOptions(provider=k8s.Provider("kubernetes", kubeconfig="{}"))
        namespaces = {name: name for name in settings.catalogue.namespaces}
        args = wiring.keel(settings, keel_config(settings), a_cluster("acme-dev"), namespaces)
        Keel("keel", args, inside)

    return record(program, stack=settings.stack)


@pytest.fixture
def everywhere(configuration: Path, bend: Bend) -> Settings:
    """dev, with every service of both namespaces delivered by Keel."""

    def change(catalogue: dict[str, Any]) -> None:
        for namespace in catalogue["namespaces"].values():
            for service in namespace["services"].values():
                service["delivery"] = "keel"

    bend("services.yaml", change)
    return load_files("dev", configuration)


def permissions(rules: list[dict[str, list[str]]]) -> set[tuple[str, str]]:
    return {
        (resource, verb)
        for rule in rules
        for resource in rule["api_groups"] and rule["resources"]
        for verb in rule["verbs"]
    }


def test_keel_serves_the_services_that_rely_on_it(dev: Settings) -> None:
    assert keel_values.served(dev.catalogue) == {"community": ("leaderboard", "tournaments")}


def test_chart_and_version_are_pinned(dev: Settings) -> None:
    release = install(dev).one(RELEASE)
    assert release.inputs["chart"] == "keel"
    assert release.inputs["version"] == "1.2.0"
    assert release.inputs["repositoryOpts"] == {"repo": "https://keel-hq.github.io/keel/"}


def test_keel_polls_as_often_as_the_settings_say(dev: Settings) -> None:
    values = install(dev).one(RELEASE).inputs["values"]
    assert values["polling"] == {"enabled": True, "defaultSchedule": "@every 15s"}


def test_no_pod_reaches_keel(dev: Settings) -> None:
    policy = install(dev).one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs
    assert policy["metadata"]["namespace"] == "keel"
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}


def test_keel_is_reached_by_nobody(dev: Settings) -> None:
    values = keel_values.values(
        keel_config(dev), region=dev.environment.region, namespaces=["community"]
    )
    for way_in in ("service", "ingress", "basicauth"):
        assert values[way_in] == {"enabled": False}


def test_keel_never_logs_registry_tokens(dev: Settings) -> None:
    assert (
        keel_values.values(
            keel_config(dev), region=dev.environment.region, namespaces=["community"]
        )["debug"]
        is False
    )


def test_the_charts_own_rights_are_not_created(dev: Settings) -> None:
    assert (
        keel_values.values(
            keel_config(dev), region=dev.environment.region, namespaces=["community"]
        )["rbac"]["enabled"]
        is False
    )


def test_keel_never_reads_a_secret_nor_deletes_anything(everywhere: Settings) -> None:
    served = [*keel_values.served(everywhere.catalogue)]
    granted = permissions(keel_values.cluster_rules(served) + keel_values.namespace_rules())
    assert "secrets" not in {resource for resource, _ in granted}
    assert {verb for _, verb in granted} == {"get", "list", "watch", "update"}
    assert "*" not in {part for permission in granted for part in permission}


def test_keel_changes_workloads_in_the_namespaces_that_it_serves_only(
    dev: Settings, everywhere: Settings
) -> None:
    for settings in (dev, everywhere):
        served = [*keel_values.served(settings.catalogue)]
        everywhere_rights = permissions(keel_values.cluster_rules(served))
        assert "update" not in {verb for _, verb in everywhere_rights}
        roles = install(settings).of(f"{RBAC}:Role")
        assert [role.inputs["metadata"]["namespace"] for role in roles] == served


def test_serving_one_namespace_it_watches_that_one_alone(dev: Settings) -> None:
    values = keel_values.values(
        keel_config(dev), region=dev.environment.region, namespaces=["community"]
    )
    assert values["extraEnv"] == [{"name": "RESTRICTED_NAMESPACE", "value": "community"}]
    assert permissions(keel_values.cluster_rules(["community"])) == {("nodes", "list")}


def test_serving_several_it_has_to_watch_them_all(everywhere: Settings) -> None:
    served = ["community", "streaming"]
    assert (
        keel_values.values(
            keel_config(everywhere), region=everywhere.environment.region, namespaces=served
        )["extraEnv"]
        == []
    )
    assert ("deployments", "watch") in permissions(keel_values.cluster_rules(served))


def test_rights_are_bound_to_keels_own_service_account(everywhere: Settings) -> None:
    recording = install(everywhere)
    bindings = recording.of(f"{RBAC}:RoleBinding") + recording.of(f"{RBAC}:ClusterRoleBinding")
    assert len(bindings) == 3
    for binding in bindings:
        (subject,) = binding.inputs["subjects"]
        assert subject == {"kind": "ServiceAccount", "name": "keel", "namespace": "keel"}


def test_keel_reads_the_repositories_that_it_serves_and_no_other(dev: Settings) -> None:
    recording = install(dev)
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    sign_in, read = policy["Statement"]
    assert sign_in["Action"] == ["ecr:GetAuthorizationToken"]
    assert read["Resource"] == [
        "arn:aws:ecr:eu-central-1:123456789012:repository/community/leaderboard",
        "arn:aws:ecr:eu-central-1:123456789012:repository/community/tournaments",
    ]


def test_keel_pulls_and_never_pushes(dev: Settings) -> None:
    recording = install(dev)
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert actions == {
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
        "ecr:ListImages",
    }


def test_only_keels_pods_in_this_cluster_take_its_role(dev: Settings) -> None:
    trust = json.loads(install(dev).one(ROLE).inputs["assumeRolePolicy"])
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    cluster = "arn:aws:eks:eu-central-1:123456789012:cluster/acme-dev"
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:RequestTag/eks-cluster-arn": cluster,
            "aws:RequestTag/kubernetes-namespace": "keel",
            "aws:RequestTag/kubernetes-service-account": "keel",
        }
    }


def test_identity_and_rights_are_there_before_the_pods(dev: Settings) -> None:
    recording = install(dev)
    release = recording.one(RELEASE)
    policy = recording.one("aws:iam/rolePolicy:RolePolicy")
    for needed in (
        recording.one(ASSOCIATION),
        policy,
        *recording.of(f"{RBAC}:RoleBinding"),
        *recording.of(f"{RBAC}:ClusterRoleBinding"),
    ):
        assert recording.waits_for(release, needed), needed.name


def test_the_identity_is_that_of_keels_service_account(dev: Settings) -> None:
    association = install(dev).one(ASSOCIATION).inputs
    assert (association["namespace"], association["serviceAccount"]) == ("keel", "keel")
    assert association["clusterName"] == "acme-dev"


def test_what_keel_has_in_aws_is_tagged(dev: Settings) -> None:
    recording = install(dev)
    for taggable in (recording.one(ROLE), recording.one(ASSOCIATION)):
        assert taggable.inputs["tags"]["Environment"] == "dev"


def test_keel_runs_confined(dev: Settings) -> None:
    recording = install(dev)
    namespace = recording.one("kubernetes:core/v1:Namespace").inputs["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    values = recording.one(RELEASE).inputs["values"]
    assert values["podSecurityContext"]["runAsNonRoot"] is True
    assert values["containerSecurityContext"]["readOnlyRootFilesystem"] is True


def test_with_nobody_to_serve_keel_reads_nothing_and_changes_nothing(
    configuration: Path, bend: Bend
) -> None:
    def change(catalogue: dict[str, Any]) -> None:
        for service in catalogue["namespaces"]["community"]["services"].values():
            service["delivery"] = "commit"

    bend("services.yaml", change)
    recording = install(load_files("dev", configuration))
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    (statement,) = policy["Statement"]
    assert statement["Action"] == ["ecr:GetAuthorizationToken"], "IAM refuses an empty resource"
    recording.assert_none(f"{RBAC}:Role")
