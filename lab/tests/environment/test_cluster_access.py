"""Who may do what: IAM roles in the clusters, users in Argo CD."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.argocd_api import ArgoCdApi, ArgoCdError
from lab.aws_account import Account
from lab.kubectl import Kubectl, KubectlError
from lab.tests.environment.conftest import Lab
from lab.tests.environment.rights import rights

PATCH = json.dumps({"spec": {"source": {"targetRevision": "stolen"}}})
READING = {"get", "list", "watch"}
SECRETS = {"secrets", "pods/exec", "*"}
"""What only the platform may do, and the calls that would do it."""
As = Callable[[str, str], Kubectl]
"""kubectl in an environment, as an IAM role."""


@pytest.fixture(scope="module")
def kubeconfigs(lab: Lab) -> dict[str, str]:
    """The kubeconfig that the program made for each environment."""
    return {name: out_of_the_state(lab, name) for name in lab.site.environments}


def out_of_the_state(lab: Lab, environment: str) -> str:
    state = json.loads(lab.program.read("stack", "export", stack=environment))
    (kubeconfig,) = {
        str(resource["inputs"]["kubeconfig"])
        for resource in state["deployment"]["resources"]
        if resource["type"] == "pulumi:providers:kubernetes"
    }
    return kubeconfig


@pytest.fixture
def kubectl_as(lab: Lab, kubeconfigs: dict[str, str], tmp_path: Path) -> As:
    """A user with the program's kubeconfig and the credentials of a role."""
    accounts = {where.name: where.account for where in lab.builds.settings.environments}

    def enter(environment: str, role: str) -> Kubectl:
        file = tmp_path / f"{environment}.kubeconfig"
        file.write_text(kubeconfigs[environment], encoding="utf-8")
        account = accounts[environment]
        keys = Account(lab.site, account, "eu-central-1").assume(
            f"arn:aws:iam::{account}:role/{role}"
        )
        credentials = {name.upper(): value for name, value in keys.items()}
        return Kubectl(file, {**lab.program.environment, **credentials})

    return enter


def refusal(kubectl: Kubectl, *arguments: str) -> str:
    """What the API server answers to a user without the permission."""
    with pytest.raises(KubectlError) as refused:
        kubectl(*arguments)
    return str(refused.value)


def test_the_kubeconfig_holds_no_secret(kubeconfigs: dict[str, str]) -> None:
    for text in kubeconfigs.values():
        (user,) = json.loads(text)["users"]
        assert user["user"].keys() == {"exec"}
        assert not user["user"]["exec"]["env"]


def test_a_team_reads_its_own_namespace_and_no_secret_in_it(kubectl_as: As) -> None:
    gaming = kubectl_as("dev", "gaming")
    assert gaming.get("pods", "--namespace=community")["items"], "the team's services run there"
    granted = rights(gaming, "community")
    assert {("get", "pods"), ("get", "pods/log"), ("list", "deployments")} <= granted
    assert {verb for verb, _ in granted} == READING
    assert not SECRETS & {resource for _, resource in granted}
    assert "forbidden" in refusal(gaming, "get", "secrets", "--namespace=community")


@pytest.mark.parametrize("namespace", ["streaming", "argocd", "keel", "kube-system"])
def test_a_team_may_nothing_in_other_namespaces(kubectl_as: As, namespace: str) -> None:
    assert rights(kubectl_as("dev", "gaming"), namespace) == set()


def test_readers_read_everything_but_secrets_and_change_nothing(kubectl_as: As) -> None:
    support = kubectl_as("prod", "support")
    assert support.get("pods", "--all-namespaces")["items"]
    for namespace in ("argocd", "streaming"):
        granted = rights(support, namespace)
        assert {("get", "pods"), ("get", "pods/log"), ("list", "deployments")} <= granted
        assert {verb for verb, _ in granted} == READING
        assert not SECRETS & {resource for _, resource in granted}


@pytest.mark.parametrize(
    ("environment", "role"), [("dev", "gaming"), ("dev", "tvhub"), ("prod", "support")]
)
def test_kubectl_is_no_way_around_argocd(kubectl_as: As, environment: str, role: str) -> None:
    """An approval is Argo CD's to give: a patched Application would need none."""
    patch = ("patch", "application", "tv-api", "--type=merge", f"--patch={PATCH}")
    said = refusal(kubectl_as(environment, role), "--namespace=argocd", *patch)
    assert "forbidden" in said


def test_the_platform_role_may_do_everything(kubectl_as: As) -> None:
    for environment in ("dev", "prod"):
        platform = kubectl_as(environment, "platform")
        assert platform.allows("*", "*", "--all-namespaces")
        patch = ("patch", "application", "tv-api", "--type=merge", f"--patch={PATCH}")
        assert platform("--namespace=argocd", *patch, "--dry-run=server")


@pytest.mark.parametrize(
    ("environment", "role"),
    [("dev", "acme-dev-ci-tv-api"), ("prod", "acme-dev-ci-tv-api"), ("prod", "gaming")],
    ids=["CI on dev", "CI on prod", "a team on prod"],
)
def test_who_has_no_access_entry_is_nobody(kubectl_as: As, environment: str, role: str) -> None:
    said = refusal(kubectl_as(environment, role), "get", "pods", "--namespace=streaming")
    assert "Unauthorized" in said or "must be logged in" in said


def test_a_token_for_prod_opens_nothing_on_dev(
    kubectl_as: As, kubeconfigs: dict[str, str], tmp_path: Path
) -> None:
    dev = kubectl_as("dev", "platform")
    assert dev.get("namespaces")["items"], "the same role has an entry of its own here"
    config = json.loads(kubeconfigs["dev"])
    config["users"][0]["user"] = json.loads(kubeconfigs["prod"])["users"][0]["user"]
    mixed = tmp_path / "mixed.kubeconfig"
    mixed.write_text(json.dumps(config), encoding="utf-8")
    said = refusal(Kubectl(mixed, dev.environment), "get", "namespaces")
    assert "Unauthorized" in said or "must be logged in" in said


def may(api: ArgoCdApi, action: str, application: str) -> bool:
    """What Argo CD says about the permissions of the user."""
    answer = api.call("GET", f"account/can-i/applications/{action}/{application}")
    return bool(answer["value"] == "yes")


OVERRIDES: dict[str, tuple[str, str, Any]] = {
    "patch": (
        "PATCH",
        "applications/{name}",
        {"name": "{name}", "patch": PATCH, "patchType": "merge"},
    ),
    "other source": ("PUT", "applications/{name}/spec", {}),
    "manifests of one's own": ("POST", "applications/{name}/sync", {"manifests": ["{}"]}),
    "another revision": ("POST", "applications/{name}/sync", {"revision": "0" * 40}),
    "rollback": ("POST", "applications/{name}/rollback", {"name": "{name}", "id": 0}),
    "deletion": ("DELETE", "applications/{name}?cascade=false", {}),
    "a deleted pod": (
        "DELETE",
        "applications/{name}/resource?resourceName=x&version=v1&kind=Pod&namespace=streaming",
        {},
    ),
}


@pytest.mark.parametrize("way", OVERRIDES)
@pytest.mark.parametrize(("environment", "user"), [("dev", "tove"), ("prod", "rhea")])
def test_nobody_overrides_what_git_says(lab: Lab, environment: str, user: str, way: str) -> None:
    name = "tv-api"
    api = lab.argocd(environment, user)
    spec = api.application(name)["spec"]
    method, path, body = OVERRIDES[way]
    if path.endswith("/spec"):
        body = {**spec, "source": {**spec["source"], "targetRevision": "stolen"}}
    body = json.loads(json.dumps(body).replace("{name}", name))
    with pytest.raises(ArgoCdError) as refused:
        api.call(method, path.format(name=name), body)
    assert refused.value.status == 403, refused.value
    assert api.application(name)["spec"] == spec


def test_a_releaser_syncs_prod_and_an_owner_does_not(lab: Lab) -> None:
    assert may(lab.argocd("prod", "rhea"), "sync", "streaming/tv-api")
    assert not may(lab.argocd("prod", "tove"), "sync", "streaming/tv-api")


def test_a_team_syncs_its_own_services_on_dev_and_nobody_elses(lab: Lab) -> None:
    tove = lab.argocd("dev", "tove")
    assert may(tove, "sync", "streaming/tv-api")
    with pytest.raises(ArgoCdError) as refused:
        tove.sync("tournaments")
    assert refused.value.status == 403
    assert tove.applications().keys() == {"tv-api", "tv-frontend"}
