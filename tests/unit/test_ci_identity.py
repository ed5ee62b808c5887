"""The identity of pipelines: who is let in, and what they can do then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components import wiring
from components.ci import ci_trust
from components.ci.ci_identity import CiIdentity
from settings.environment import Settings
from settings.loading import load_files
from settings.problems import SettingsError
from tests.unit.conftest import Bend, change_service
from tests.unit.iam_conditions import admits
from tests.unit.recording import Recording, record

GITHUB = "token.actions.githubusercontent.com"
ORGANIZATION = "8e2a1f3c-6f0b-4a54-9d3b-0c1d5b7e9a10"
PROJECT = "1b8d7c5e-3a42-4f6e-8c11-7d2f9e0a4b61"
USER = "6f1c0d3e-1111-4222-8333-944455566677"
CIRCLECI = f"oidc.circleci.com/org/{ORGANIZATION}"


def build(settings: Settings, **more: Any) -> Recording:
    return record(lambda: CiIdentity("ci", wiring.ci_identity(settings)).role_arns, **more)


@pytest.fixture(scope="session")
def identity(dev: Settings) -> Recording:
    return build(dev)


def trust(identity: Recording, service: str) -> str:
    policy = identity.one("aws:iam/role:Role", f"ci-{service}").inputs["assumeRolePolicy"]
    assert isinstance(policy, str)
    return policy


def github_job(subject: str, audience: str = "sts.amazonaws.com") -> dict[str, str]:
    return {f"{GITHUB}:aud": audience, f"{GITHUB}:sub": subject}


def circleci_job(subject: str) -> dict[str, str]:
    return {f"{CIRCLECI}:aud": ORGANIZATION, f"{CIRCLECI}:sub": subject}


def test_every_service_has_a_role_of_its_own(identity: Recording) -> None:
    assert identity.result == {
        service: f"arn:aws:iam::123456789012:role/acme-dev-ci-{service}"
        for service in ("tournaments", "leaderboard", "tv-api", "tv-frontend")
    }


def test_workflows_of_the_repository_are_trusted_on_the_main_branch(identity: Recording) -> None:
    assert admits(trust(identity, "tv-api"), github_job("repo:acme/tv-api:ref:refs/heads/main"))


@pytest.mark.parametrize(
    "subject",
    [
        "repo:acme/tv-api:ref:refs/heads/feature",
        "repo:acme/tv-api:ref:refs/tags/main",
        "repo:acme/tv-api:pull_request",
        "repo:acme/tv-api:environment:prod",
        "repo:acme/tv-frontend:ref:refs/heads/main",
        "repo:acme/tv-api-fork:ref:refs/heads/main",
        "repo:evil/tv-api:ref:refs/heads/main",
        "repo:acme@583231/tv-api@77:ref:refs/heads/main",
    ],
)
def test_no_other_workflow_is_trusted(identity: Recording, subject: str) -> None:
    assert not admits(trust(identity, "tv-api"), github_job(subject))


def test_a_token_for_somebody_else_is_not_trusted(identity: Recording) -> None:
    job = github_job("repo:acme/tv-api:ref:refs/heads/main", audience="https://github.com/acme")

    assert not admits(trust(identity, "tv-api"), job)


def test_with_ids_exactly_the_newer_subject_is_trusted(identity: Recording) -> None:
    """A name given up can be taken over by somebody else; an id cannot."""
    policy = trust(identity, "tv-frontend")

    newer = "repo:acme@583231/tv-frontend@1296269:ref:refs/heads/main"
    assert admits(policy, github_job(newer))
    assert not admits(policy, github_job("repo:acme/tv-frontend:ref:refs/heads/main"))
    assert not admits(policy, github_job(newer.replace("1296269", "1296270")))


def test_jobs_of_the_project_are_trusted_on_the_main_branch(identity: Recording) -> None:
    job = (
        f"org/{ORGANIZATION}/project/{PROJECT}/user/{USER}"
        "/vcs-origin/github.com/acme/tournaments/vcs-ref/refs/heads/main"
    )

    assert admits(trust(identity, "tournaments"), circleci_job(job))


@pytest.mark.parametrize(
    "subject",
    [
        f"org/{ORGANIZATION}/project/{PROJECT}/user/{USER}",
        f"org/{ORGANIZATION}/project/{PROJECT}/user/{USER}"
        "/vcs-origin/github.com/acme/tournaments/vcs-ref/refs/heads/feature",
        f"org/{ORGANIZATION}/project/{PROJECT}/user/{USER}"
        "/vcs-origin/github.com/evil/tournaments/vcs-ref/refs/heads/main",
        f"org/{ORGANIZATION}/project/{USER}/user/{USER}"
        "/vcs-origin/github.com/acme/tournaments/vcs-ref/refs/heads/main",
        f"org/{ORGANIZATION}/project/{PROJECT}/user/{USER}"
        "/vcs-origin/github.com/acme/tournaments/vcs-ref/refs/heads/x"
        "/vcs-origin/github.com/acme/tournaments/vcs-ref/refs/heads/main",
    ],
    ids=["without a branch", "another branch", "a fork", "another project", "a forged branch"],
)
def test_no_other_job_is_trusted(identity: Recording, subject: str) -> None:
    assert not admits(trust(identity, "tournaments"), circleci_job(subject))


def test_the_branch_that_a_service_names_is_the_one_that_is_trusted(
    configuration: Path, bend: Bend
) -> None:
    def release_branch(catalogue: dict[str, Any]) -> None:
        for namespace, service in (("streaming", "tv-api"), ("community", "tournaments")):
            catalogue["namespaces"][namespace]["services"][service]["branch"] = "release"

    bend("services.yaml", release_branch)
    identity = build(load_files("dev", configuration))

    for service in ("tv-api", "tournaments"):
        assert "refs/heads/release" in trust(identity, service)
        assert "refs/heads/main" not in trust(identity, service)


HOTFIXES: tuple[tuple[str, str, str], ...] = (
    ("tv-api", f"{GITHUB}:sub", "repo:acme/tv-api:ref:refs/heads/"),
    (
        "tournaments",
        f"{CIRCLECI}:sub",
        f"org/{ORGANIZATION}/project/{PROJECT}/user/{USER}/vcs-origin/github.com/acme/tournaments"
        "/vcs-ref/refs/heads/",
    ),
)


@pytest.mark.parametrize(("service", "claim", "begins"), HOTFIXES)
def test_branches_of_hotfixes_are_trusted_where_the_service_says_so(
    configuration: Path, bend: Bend, service: str, claim: str, begins: str
) -> None:
    def with_hotfixes(catalogue: dict[str, Any]) -> None:
        for group in catalogue["namespaces"].values():
            if service in group["services"]:
                group["services"][service]["hotfix"] = True

    def job(branch: str) -> dict[str, str]:
        make = github_job if claim.startswith(GITHUB) else circleci_job
        return make(f"{begins}{branch}")

    without = trust(build(load_files("dev", configuration)), service)
    assert not admits(without, job("hotfix/login"))
    bend("services.yaml", with_hotfixes)
    trusted = trust(build(load_files("dev", configuration)), service)
    for branch, expected in (
        ("main", True),
        ("hotfix/login", True),
        ("hotfix", False),
        ("feature/hotfix/x", False),
        ("main2", False),
    ):
        assert admits(trusted, job(branch)) == expected, branch


def test_a_role_pushes_to_its_own_repository_and_to_nothing_else(identity: Recording) -> None:
    own = "arn:aws:ecr:eu-central-1:123456789012:repository/streaming/tv-api"
    policy = identity.one("aws:iam/rolePolicy:RolePolicy", "ci-tv-api-push")

    statements = json.loads(policy.inputs["policy"])["Statement"]

    assert {s["Sid"]: s["Resource"] for s in statements} == {"Push": [own], "SignIn": ["*"]}
    everywhere = next(s["Action"] for s in statements if s["Resource"] == ["*"])
    assert everywhere == ["ecr:GetAuthorizationToken"], "the one action that names no repository"


def test_no_pipeline_can_remove_an_image_or_change_a_repository(identity: Recording) -> None:
    actions = {
        action
        for policy in identity.of("aws:iam/rolePolicy:RolePolicy")
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        for action in statement["Action"]
    }

    assert "ecr:PutImage" in actions
    assert not any("*" in action for action in actions)
    assert not any(
        action.startswith(("ecr:Delete", "ecr:BatchDelete", "ecr:Set", "ecr:PutImageTag"))
        for action in actions
    )


def test_providers_are_created_for_the_systems_that_the_catalogue_uses(
    identity: Recording, configuration: Path, bend: Bend
) -> None:
    def github_only(catalogue: dict[str, Any]) -> None:
        del catalogue["namespaces"]["community"]
        del catalogue["teams"]["gaming"]

    bend("services.yaml", github_only)
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"]["access"]["teams"].pop("gaming"))
    bend("Pulumi.dev.yaml", lambda config: config.pop("platform:keel"))
    smaller = build(load_files("dev", configuration))

    assert issuers(identity) == {
        f"https://{CIRCLECI}": [ORGANIZATION],
        f"https://{GITHUB}": ["sts.amazonaws.com"],
    }
    assert issuers(smaller).keys() == {f"https://{GITHUB}"}


def test_a_provider_that_the_account_has_is_used_and_not_created(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda c: c.update({"platform:ci": {"existing": ["github-actions"]}}))
    arn = f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"

    used = build(
        load_files("dev", configuration),
        answers={"aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": {"arn": arn}},
    )

    assert issuers(used).keys() == {f"https://{CIRCLECI}"}
    assert arn in trust(used, "tv-api")


def issuers(identity: Recording) -> dict[str, list[str]]:
    return {
        provider.inputs["url"]: provider.inputs["clientIdLists"]
        for provider in identity.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    }


def test_a_hotfix_is_trusted_through_the_same_provider(configuration: Path, bend: Bend) -> None:
    change_service(bend, "streaming", "tv-api", hotfix=True)
    (service,) = (
        s for _, name, s in load_files("dev", configuration).catalogue.built() if name == "tv-api"
    )
    (statement,) = json.loads(ci_trust.github("arn:of:provider", service))["Statement"]
    assert statement["Principal"] == {"Federated": "arn:of:provider"}


def test_providers_that_the_account_has_are_not_new(dev: Settings) -> None:
    assert ci_trust.new_issuers(dev.catalogue, ["github-actions"]) == {
        "circleci": "https://oidc.circleci.com/org/8e2a1f3c-6f0b-4a54-9d3b-0c1d5b7e9a10"
    }


def test_a_stack_file_may_still_use_the_former_name_of_existing(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda c: c.update({"platform:ci": {"adopt": ["github-actions"]}}))
    assert load_files("dev", configuration).config.ci.existing == ["github-actions"]


@pytest.mark.parametrize(
    ("ci", "problem"),
    [
        ({"adopt": [], "existing": []}, "ci.adopt: is not a key known here"),
        ({"adopt": [], "provider": "x"}, "ci.provider: is not a key known here"),
        (["adopt"], "ci: must be a mapping (given: ['adopt'])"),
    ],
)
def test_what_is_wrong_beside_the_former_name_is_told(
    configuration: Path, bend: Bend, ci: object, problem: str
) -> None:
    bend("Pulumi.dev.yaml", lambda config: config.update({"platform:ci": ci}))
    with pytest.raises(SettingsError) as refused:
        load_files("dev", configuration)
    assert f"platform:{problem}; " in str(refused.value)
