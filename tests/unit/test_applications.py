"""Namespaces, projects and Applications: what each speed makes of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi_kubernetes as k8s
import pytest
from pulumi import ResourceOptions

from components import wiring
from components.argocd import application_manifests as manifests
from components.argocd.applications import Applications
from components.argocd.argocd import ArgoCd
from settings.environment import Settings
from settings.loading import load_files
from settings.pulumi_config import load_secrets
from tests.unit.clusters import a_cluster
from tests.unit.conftest import Bend
from tests.unit.recording import Recorded, Recording, record

APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"
PROJECT = "kubernetes:argoproj.io/v1alpha1:AppProject"
NAMESPACE = "kubernetes:core/v1:Namespace"
RELEASE = "kubernetes:helm.sh/v3:Release"


def applied(settings: Settings, *, preview: bool = False) -> Recording:
    def program() -> None:
        inside = ResourceOptions(provider=k8s.Provider("kubernetes", kubeconfig="{}"))
        argocd = ArgoCd("argocd", wiring.argocd(settings, a_cluster(), load_secrets()), inside)
        Applications("apps", wiring.applications(settings, argocd), inside)

    return record(program, stack=settings.stack, preview=preview)


def by_name(recording: Recording, type_: str) -> dict[str, Recorded]:
    return {found.inputs["metadata"]["name"]: found for found in recording.of(type_)}


def spec(settings: Settings, name: str) -> dict[str, Any]:
    """The Application of the service `name`."""
    for namespace, service_name, service in settings.catalogue.owned():
        if service_name == name:
            return manifests.application_spec(
                wiring.applications_target(settings), namespace, name, service
            )
    raise AssertionError(f"{name} is no service of the catalogue")


def test_every_service_has_one_application(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        names = {name for _, name, _ in settings.catalogue.entries()}
        assert by_name(applied(settings), APPLICATION).keys() == names


def test_dev_applications_sync_prune_and_heal_by_themselves(dev: Settings) -> None:
    for application in applied(dev).of(APPLICATION):
        automated = application.inputs["spec"]["syncPolicy"]["automated"]
        assert automated == {"prune": True, "selfHeal": True}, application.name


def test_prod_applications_wait_for_a_person(prod: Settings) -> None:
    for application in applied(prod).of(APPLICATION):
        policy = application.inputs["spec"]["syncPolicy"]
        assert "automated" not in policy, "even an empty `automated` makes Argo CD sync by itself"


def test_only_an_automated_sync_is_tried_again_and_with_the_newest_revision(
    dev: Settings, prod: Settings
) -> None:
    assert spec(dev, "tv-api")["syncPolicy"]["retry"] == {
        "limit": 5,
        "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"},
        "refresh": True,
    }
    assert "retry" not in spec(prod, "tv-api")["syncPolicy"], (
        "a person approved one sync; repeating, it would be in the way of a rollback"
    )


def test_every_sync_applies_all_that_a_service_declares(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        for _, name, _ in settings.catalogue.entries():
            assert spec(settings, name)["syncPolicy"]["syncOptions"] == [
                "FailOnSharedResource=true",
                "PruneLast=true",
                "RespectIgnoreDifferences=true",
            ], "with ApplyOutOfSyncOnly a second attempt prunes what the old pods still need"


def test_argo_cd_keeps_nothing_to_roll_back_to(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        assert spec(settings, "tv-api")["revisionHistoryLimit"] == 1


def test_what_an_autoscaler_sets_is_left_to_it_and_nothing_else_is(
    dev: Settings, prod: Settings
) -> None:
    for settings in (dev, prod):
        for _, name, _ in settings.catalogue.entries():
            ignored = spec(settings, name)["ignoreDifferences"]
            assert {one["kind"] for one in ignored} == {"Deployment", "StatefulSet"}
            for one in ignored:
                assert one["managedFieldsManagers"] == ["kube-controller-manager"]
                assert "jsonPointers" not in one, "who scales by hand is put right"
            options = spec(settings, name)["syncPolicy"]["syncOptions"]
            assert "RespectIgnoreDifferences=true" in options


def test_no_sync_replaces_objects(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        for _, name, _ in settings.catalogue.entries():
            options = spec(settings, name)["syncPolicy"]["syncOptions"]
            assert not [option for option in options if option.startswith("Replace")]
            assert "FailOnSharedResource=true" in options


def test_a_fast_environment_renders_a_kustomize_service_from_its_overlay(dev: Settings) -> None:
    source = spec(dev, "tv-api")["source"]
    assert source == {
        "repoURL": "https://github.com/acme/gitops.git",
        "targetRevision": "main",
        "path": "environments/dev/streaming/tv-api",
    }


@pytest.mark.parametrize("service", ["streaming/tv-api", "community/leaderboard"])
def test_a_safe_environment_applies_what_a_release_rendered(prod: Settings, service: str) -> None:
    """Charts too: what was reviewed is what is applied."""
    assert spec(prod, service.split("/")[1])["source"] == {
        "repoURL": "https://github.com/acme/gitops.git",
        "targetRevision": "main",
        "path": f"rendered/prod/{service}",
        "directory": {"include": "*.yaml"},
    }


def test_a_helm_service_is_rendered_from_its_chart_with_this_environments_values(
    dev: Settings,
) -> None:
    source = spec(dev, "leaderboard")["source"]
    assert source["path"] == "base/community/leaderboard"
    assert source["helm"] == {
        "releaseName": "leaderboard",
        "valueFiles": [
            "/environments/dev/community/leaderboard/values.yaml",
            "/environments/dev/community/leaderboard/version/values.yaml",
        ],
    }


def test_a_push_concerns_only_the_applications_whose_folders_it_touches(
    dev: Settings, prod: Settings
) -> None:
    for settings, folders in (
        (dev, "/base/streaming/tv-api;/components;/environments/dev/streaming/tv-api"),
        (prod, "/rendered/prod/streaming/tv-api"),
    ):
        application = by_name(applied(settings), APPLICATION)["tv-api"]
        assert application.inputs["metadata"]["annotations"] == {
            "argocd.argoproj.io/manifest-generate-paths": folders
        }


def test_deleting_a_dev_application_deletes_what_it_deployed(dev: Settings) -> None:
    for application in applied(dev).of(APPLICATION):
        assert application.inputs["metadata"]["finalizers"] == [
            "resources-finalizer.argocd.argoproj.io"
        ]


def test_deleting_a_prod_application_leaves_its_workloads_running(prod: Settings) -> None:
    for application in applied(prod).of(APPLICATION):
        assert "finalizers" not in application.inputs["metadata"]


def test_prod_namespaces_cannot_be_deleted_by_accident(dev: Settings, prod: Settings) -> None:
    for settings, protected in ((dev, False), (prod, True)):
        namespaces = by_name(applied(settings), NAMESPACE)
        for name in settings.catalogue.namespaces:
            assert namespaces[name].protect is protected, (settings.stack, name)


def test_a_project_takes_one_repository_into_one_namespace(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        projects = by_name(applied(settings), PROJECT)
        assert projects.keys() == settings.catalogue.namespaces.keys()
        for namespace, project in projects.items():
            allowed = project.inputs["spec"]
            assert allowed["sourceRepos"] == [settings.config.gitops.url]
            assert allowed["destinations"] == [
                {"server": "https://kubernetes.default.svc", "namespace": namespace}
            ]
            assert allowed["clusterResourceWhitelist"] == []


def test_the_default_project_takes_nothing(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        default = by_name(applied(settings), f"{PROJECT}Patch")["default"].inputs
        assert default["spec"]["sourceRepos"] == default["spec"]["destinations"] == []
        assert default["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}, (
            "Argo CD makes this project, and says something else in it"
        )


@pytest.mark.parametrize("kind", ["Secret", "Role", "RoleBinding", "ResourceQuota", "*"])
def test_git_cannot_declare_secrets_or_rights(dev: Settings, kind: str) -> None:
    allowed = manifests.project_spec(wiring.applications_target(dev), "streaming")[
        "namespaceResourceWhitelist"
    ]
    assert kind not in {entry["kind"] for entry in allowed}


def test_git_may_declare_everything_that_the_scaffold_generates(prod: Settings) -> None:
    allowed = manifests.project_spec(wiring.applications_target(prod), "streaming")[
        "namespaceResourceWhitelist"
    ]
    generated = {
        ("apps", "Deployment"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("", "ConfigMap"),
        ("networking.k8s.io", "Ingress"),
        ("policy", "PodDisruptionBudget"),
    }
    assert generated <= {(entry["group"], entry["kind"]) for entry in allowed}


def test_namespaces_admit_restricted_pods_only(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        for name, namespace in by_name(applied(settings), NAMESPACE).items():
            labels = namespace.inputs["metadata"]["labels"]
            assert labels["pod-security.kubernetes.io/enforce"] == "restricted", name


def test_a_namespace_says_who_owns_what_is_in_it(dev: Settings) -> None:
    assert manifests.namespace_metadata(
        wiring.applications_target(dev),
        "streaming",
        dev.catalogue.namespaces["streaming"].services.values(),
    )["annotations"] == {"owners": "tvhub"}


def test_applications_are_deleted_before_their_project_and_their_argo_cd(dev: Settings) -> None:
    recording = applied(dev)
    release, namespaces = recording.one(RELEASE), by_name(recording, NAMESPACE)
    projects = by_name(recording, PROJECT)
    for application in recording.of(APPLICATION):
        project = application.inputs["spec"]["project"]
        for needed in (release, projects[project], namespaces[project]):
            assert recording.waits_for(application, needed), (application.name, needed.name)


def test_every_object_is_put_into_the_given_cluster(prod: Settings) -> None:
    recording = applied(prod)
    provider = recording.one("pulumi:providers:kubernetes")
    for resource in recording.resources:
        if resource.type.startswith("kubernetes:"):
            assert resource.provider.startswith(f"{provider.urn}::"), resource.name


def test_a_first_preview_shows_whole_applications(prod: Settings) -> None:
    recording = applied(prod, preview=True)
    application = by_name(recording, APPLICATION)["tv-api"]
    assert application.inputs["spec"] == spec(prod, "tv-api")


@pytest.fixture
def with_window(configuration: Path, bend: Bend) -> Callable[[str], Settings]:
    """An environment in which syncs are allowed on workdays only."""

    def load(stack: str) -> Settings:
        window = {"schedule": "0 9 * * mon-thu", "duration": "8h", "timeZone": "Europe/Berlin"}
        bend(
            f"Pulumi.{stack}.yaml",
            lambda config: config["platform:argocd"].update({"syncWindows": [window]}),
        )
        return load_files(stack, configuration)

    return load


def test_people_keep_to_sync_windows_too(with_window: Callable[[str], Settings]) -> None:
    windows = manifests.project_spec(wiring.applications_target(with_window("prod")), "streaming")[
        "syncWindows"
    ]
    assert windows == [
        {
            "kind": "allow",
            "schedule": "0 9 * * mon-thu",
            "duration": "8h",
            "timeZone": "Europe/Berlin",
            "applications": ["*"],
            "manualSync": False,
        }
    ]


def test_a_freeze_denies_syncs(configuration: Path, bend: Bend) -> None:
    freeze = {"kind": "deny", "schedule": "0 0 20 12 *", "duration": "336h"}
    bend(
        "Pulumi.prod.yaml",
        lambda config: config["platform:argocd"].update({"syncWindows": [freeze]}),
    )
    target = wiring.applications_target(load_files("prod", configuration))
    assert manifests.project_spec(target, "streaming")["syncWindows"] == [
        {
            "kind": "deny",
            "schedule": "0 0 20 12 *",
            "duration": "336h",
            "timeZone": "UTC",
            "applications": ["*"],
            "manualSync": False,
        }
    ]


def test_without_windows_syncs_are_always_allowed(prod: Settings) -> None:
    assert "syncWindows" not in manifests.project_spec(
        wiring.applications_target(prod), "streaming"
    )
