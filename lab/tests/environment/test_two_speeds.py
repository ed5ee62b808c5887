"""The two speeds, as a developer sees them: dev follows by itself, prod waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.argocd_api import ArgoCdApi, ArgoCdError
from lab.gitops_checkout import commit_and_push, pull
from lab.kubectl import KubectlError
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty

KUSTOMIZED = ("streaming", "tv-frontend")


def test_a_preview_right_after_up_shows_no_change(lab: Lab) -> None:
    assert {stack: lab.program.changes(stack) for stack in ("dev", "prod")} == {
        "dev": {},
        "prod": {},
    }


def test_every_application_of_dev_syncs_prunes_and_heals_by_itself(lab: Lab) -> None:
    policies = {
        name: application["spec"]["syncPolicy"].get("automated")
        for name, application in lab.argocd("dev").applications().items()
    }
    assert len(policies) == 4
    assert set(map(str, policies.values())) == {str({"prune": True, "selfHeal": True})}


def test_no_application_of_prod_has_the_key_automated(lab: Lab) -> None:
    applications = lab.argocd("prod").applications()
    assert len(applications) == 4
    for name, application in applications.items():
        assert "automated" not in application["spec"].get("syncPolicy", {}), name


def test_without_a_login_argocd_answers_nothing(lab: Lab) -> None:
    api = lab.argocd("dev")
    anonymous = type(api)(api.url, "")
    with pytest.raises(ArgoCdError) as refused:
        anonymous.applications()
    assert refused.value.status == 401


@pytest.fixture
def workbench(lab: Lab, tmp_path: Path) -> Path:
    """A clone of the GitOps repository to commit from."""
    return lab.clone(tmp_path / "gitops")


def replicas(lab: Lab, environment: str, namespace: str, name: str) -> int | None:
    """How many replicas the Deployment asks for; None where there is none."""
    try:
        deployment = lab.kubectl(environment).get(f"--namespace={namespace}", f"deployment/{name}")
    except KubectlError:
        return None
    count: int = deployment["spec"]["replicas"]
    return count


def set_replicas(clone: Path, environment: str, namespace: str, name: str, count: int) -> None:
    """Changes the overlay, as a member of the team would, and pushes it."""
    overlay = clone / "environments" / environment / namespace / name / "deployment.yaml"
    documents = yaml.safe_load(overlay.read_text())
    documents["spec"]["replicas"] = count
    overlay.write_text(yaml.safe_dump(documents, sort_keys=False))
    commit_and_push(clone, f"{environment}: {count} replicas of {name}")


def release_again(lab: Lab, clone: Path, namespace: str, name: str) -> None:
    """Releases to prod the version that it has, which brings what its overlay says by now."""
    file = clone / "environments" / "prod" / namespace / name / "version" / "kustomization.yaml"
    version = yaml.safe_load(file.read_text())["images"][0]["newTag"]
    done = lab.script(clone, "promote-to-prod.sh", version, "--service", name, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def restored(lab: Lab, workbench: Path) -> Iterator[None]:
    """Puts the overlays of the service back."""
    before = {
        environment: (
            workbench / "environments" / environment / "/".join(KUSTOMIZED) / "deployment.yaml"
        ).read_text()
        for environment in ("dev", "prod")
    }
    yield
    pull(workbench)
    for environment, text in before.items():
        overlay = workbench / "environments" / environment / "/".join(KUSTOMIZED)
        (overlay / "deployment.yaml").write_text(text)
    commit_and_push(workbench, "Put the overlays back")


@pytest.mark.usefixtures("restored")
def test_a_change_is_on_dev_at_once_and_on_prod_after_a_release_and_an_approval(
    lab: Lab, workbench: Path
) -> None:
    namespace, name = KUSTOMIZED
    api = lab.argocd("prod")
    live = replicas(lab, "prod", *KUSTOMIZED)
    wanted = 3 if live != 3 else 4

    set_replicas(workbench, "dev", *KUSTOMIZED, wanted)
    wait_until_empty(
        "the new number of replicas on dev",
        lambda: None if replicas(lab, "dev", *KUSTOMIZED) == wanted else wanted,
        seconds=60,
    )

    set_replicas(workbench, "prod", *KUSTOMIZED, wanted)
    release_again(lab, workbench, *KUSTOMIZED)
    revision = (workbench / ".git" / "refs" / "heads" / "main").read_text().strip()

    def unseen() -> str:
        status = api.application(name)["status"]["sync"]
        seen = status.get("revision") == revision and status["status"] == "OutOfSync"
        return "" if seen else str(status)

    wait_until_empty("prod's notice of the new revision", unseen, seconds=60)
    assert replicas(lab, "prod", *KUSTOMIZED) == live, "nobody approved, and yet prod moved"

    sync_when_idle(api, name)
    wait_until_empty(
        "the approved sync",
        lambda: None if replicas(lab, "prod", *KUSTOMIZED) == wanted else wanted,
        seconds=60,
    )
    assert lab.kubectl("prod").get(f"--namespace={namespace}", f"deployment/{name}")


def test_who_only_owns_a_service_cannot_sync_it_on_prod(lab: Lab) -> None:
    with pytest.raises(ArgoCdError) as refused:
        lab.argocd("prod", "tove").sync("tv-frontend")
    assert refused.value.status == 403
    sync_when_idle(lab.argocd("dev", "tove"), "tv-frontend")


def scale(lab: Lab, name: str, count: int, manager: str) -> None:
    """What `kubectl scale` does, and a HorizontalPodAutoscaler, each under its own name."""
    lab.kubectl("dev")(
        "patch",
        "--namespace=streaming",
        f"deployment/{name}",
        "--subresource=scale",
        "--type=merge",
        f"--field-manager={manager}",
        f'--patch={{"spec": {{"replicas": {count}}}}}',
    )


def test_dev_heals_what_a_person_scales_and_leaves_an_autoscaler_alone(
    lab: Lab, workbench: Path
) -> None:
    service = ("streaming", "tv-api")
    assert replicas(lab, "dev", *service) == 1

    def unlike_declared() -> str:
        return "" if replicas(lab, "dev", *service) == 1 else "1 replica"

    scale(lab, "tv-api", 3, "kubectl-scale")
    wait_until_empty("the healing", unlike_declared, seconds=60)

    scale(lab, "tv-api", 3, "kube-controller-manager")
    overlay = workbench / "environments" / "dev" / "streaming" / "tv-api" / "kustomization.yaml"
    before = overlay.read_text()
    overlay.write_text(before + "commonAnnotations: {acme.example/synced: again}\n")
    commit_and_push(workbench, "dev: another sync of tv-api")

    def unsynced() -> str:
        deployment = lab.kubectl("dev").get("--namespace=streaming", "deployment/tv-api")
        there = "acme.example/synced" in deployment["metadata"]["annotations"]
        state = lab.argocd("dev").application("tv-api")["status"]["sync"]["status"]
        return "" if there and state == "Synced" else f"annotation: {there}, {state}"

    wait_until_empty("a sync for another reason", unsynced, seconds=90)
    assert replicas(lab, "dev", *service) == 3, "the autoscaler's number was put back"

    overlay.write_text(before)
    commit_and_push(workbench, "dev: as before")
    lab.kubectl("dev")("delete", "--namespace=streaming", "deployment/tv-api")
    wait_until_empty("a Deployment that nobody scaled", unlike_declared, seconds=60)


def test_a_deleted_deployment_comes_back_on_dev(lab: Lab) -> None:
    kubectl = lab.kubectl("dev")
    before = kubectl.get("--namespace=streaming", "deployment/tv-api")["metadata"]["uid"]
    kubectl("delete", "--namespace=streaming", "deployment/tv-api")

    def missing() -> str:
        try:
            now = kubectl.get("--namespace=streaming", "deployment/tv-api")["metadata"]["uid"]
        except KubectlError:
            return "the Deployment"
        return "" if now != before else "its deletion"

    wait_until_empty("the Deployment's return", missing, seconds=60)


def test_a_deleted_deployment_stays_away_on_prod_until_somebody_syncs(lab: Lab) -> None:
    kubectl, api = lab.kubectl("prod"), lab.argocd("prod")
    settle(lab, "tv-api")
    kubectl("delete", "--namespace=streaming", "deployment/tv-api")

    def unnoticed() -> str:
        status = api.application("tv-api")["status"]
        return "" if status["sync"]["status"] == "OutOfSync" else status["sync"]["status"]

    wait_until_empty("prod's notice of the deletion", unnoticed, seconds=60)
    api.application("tv-api", refresh=True)
    with pytest.raises(KubectlError):
        kubectl.get("--namespace=streaming", "deployment/tv-api")
    settle(lab, "tv-api")


def settle(lab: Lab, name: str) -> None:
    """Approves the sync of a service on prod and waits until it is Synced and Healthy."""
    api = lab.argocd("prod")
    api.application(name, refresh=True)
    sync_when_idle(api, name)

    def missing() -> str:
        application = api.application(name)
        status = application["status"]
        phase = status.get("operationState", {}).get("phase", "none")
        if "operation" in application or phase != "Succeeded":  # it may still apply what it read
            return f"the end of the operation: {phase}"
        state = (status["sync"]["status"], status["health"]["status"])
        return "" if state == ("Synced", "Healthy") else str(state)

    wait_until_empty(f"the sync of {name} on prod", missing, seconds=90)


def sync_when_idle(api: ArgoCdApi, name: str) -> None:
    """Starts a sync as soon as no other one of that Application runs."""

    def busy() -> str:
        try:
            api.sync(name)
        except ArgoCdError as error:
            if "another operation is already in progress" in str(error):
                return str(error)
            raise
        return ""

    wait_until_empty(f"the start of a sync of {name}", busy, seconds=60)
