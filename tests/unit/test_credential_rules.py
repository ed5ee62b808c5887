"""Credentials that do not go together are refused, and no refusal shows one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from settings.environment import Settings
from settings.loading import load, load_files
from settings.problems import SettingsError
from settings.pulumi_config import load_stack
from tests.committed import committed
from tests.unit.conftest import Bend, Change, hold
from tests.unit.recording import as_texts, record

APP = {"id": 583231, "installation": 1296269}
HTTPS, SSH = "https://github.com/acme/gitops.git", "git@github.com:acme/gitops.git"


def gitops(**keys: Any) -> Change:
    return lambda config: config["platform:gitops"].update(keys)


def sso(**keys: Any) -> Change:
    return lambda config: config["platform:argocd"].update(sso={"clientId": "argocd", **keys})


def share_url(configuration: Path, bend: Bend) -> None:
    """Gives dev the URL that prod has: the GitOps repository is the same for all."""
    text = (configuration / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    url = yaml.safe_load(text)["config"]["platform:gitops"]["url"]
    bend("Pulumi.dev.yaml", gitops(url=url))


def report(configuration: Path, stack: str = "prod") -> list[str]:
    """The problems of a configuration, a line each; none where it loads."""
    try:
        load_files(stack, configuration)
    except SettingsError as error:
        return [str(replace(problem, line=None)) for problem in error.problems]
    return []


# The GitOps repository

ACCEPTED: dict[str, tuple[Change, ...]] = {
    "an open repository": (),
    "a token by HTTPS": (gitops(url=HTTPS), hold("gitToken")),
    "a token by HTTP": (gitops(url="http://git.acme.example/gitops"), hold("gitToken")),
    "a deploy key by SSH": (gitops(url=SSH), hold("gitPrivateKey")),
    "a deploy key by an SSH URL": (
        gitops(url="ssh://git@github.com/acme/gitops.git"),
        hold("gitPrivateKey"),
    ),
    "a GitHub App": (gitops(githubApp=APP), hold("githubAppPrivateKey")),
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_one_credential_with_its_url_is_accepted(
    configuration: Path, bend: Bend, changes: tuple[Change, ...]
) -> None:
    for change in changes:
        bend("Pulumi.prod.yaml", change)
    share_url(configuration, bend)
    assert report(configuration) == []


REFUSED: dict[str, tuple[tuple[Change, ...], list[str]]] = {
    "a token beside a deploy key": (
        (gitops(url=SSH), hold("gitPrivateKey", "gitToken")),
        [
            (
                "platform:gitToken: is a credential of the GitOps repository beside "
                "platform:gitPrivateKey, and Argo CD takes one; keep one of them and remove the "
                "other"
            ),
            (
                "platform:gitops.url: does not begin with https:// or http://, as "
                "platform:gitToken needs it (given: git@github.com:acme/gitops.git); write the "
                "repository's other URL, or set another credential: a deploy key goes with "
                "ssh://, a token and a GitHub App with https://"
            ),
        ],
    ),
    "a GitHub App beside a token": (
        (gitops(githubApp=APP), hold("githubAppPrivateKey", "gitToken")),
        [
            "platform:gitops.githubApp: is a credential of the GitOps repository beside "
            "platform:gitToken, and Argo CD takes one; keep one of them and remove the other",
        ],
    ),
    "a token by SSH": (
        (gitops(url=SSH), hold("gitToken")),
        [
            "platform:gitops.url: does not begin with https:// or http://, as platform:gitToken "
            "needs it (given: git@github.com:acme/gitops.git); write the repository's other "
            "URL, or set another credential: a deploy key goes with ssh://, a token and a "
            "GitHub App with https://",
        ],
    ),
    "a GitHub App by SSH": (
        (gitops(url=SSH, githubApp=APP), hold("githubAppPrivateKey")),
        [
            "platform:gitops.url: does not begin with https:// or http://, as "
            "platform:gitops.githubApp needs it (given: git@github.com:acme/gitops.git); write "
            "the repository's other URL, or set another credential: a deploy key goes with "
            "ssh://, a token and a GitHub App with https://",
        ],
    ),
    "a deploy key by HTTPS": (
        (hold("gitPrivateKey"),),
        [
            "platform:gitops.url: does not begin with ssh:// or git@, as platform:gitPrivateKey "
            "needs it (given: https://github.com/acme/gitops.git); write the repository's other "
            "URL, or set another credential: a deploy key goes with ssh://, a token and a "
            "GitHub App with https://",
        ],
    ),
    "a GitHub App without its key": (
        (gitops(githubApp=APP),),
        [
            "platform:githubAppPrivateKey: is missing, and platform:gitops.githubApp proves "
            "itself by it; set it with `pulumi config set --secret platform:githubAppPrivateKey "
            "< <file>.pem`",
        ],
    ),
    "a key without its GitHub App": (
        (hold("githubAppPrivateKey"),),
        [
            "platform:gitops.githubApp: is missing, and platform:githubAppPrivateKey belongs to "
            "a GitHub App; add the app's id and installation, or `pulumi config rm "
            "platform:githubAppPrivateKey`",
        ],
    ),
    "an app that is no number": (
        (gitops(githubApp=APP | {"id": "two-speed"}), hold("githubAppPrivateKey")),
        [
            "platform:gitops.githubApp.id: must be a whole number (given: two-speed); correct "
            "the value",
        ],
    ),
    "an app that is installed nowhere": (
        (gitops(githubApp={"id": 583231}), hold("githubAppPrivateKey")),
        [
            "platform:gitops.githubApp.installation: is missing; add it: see docs/reference.md",
        ],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_what_argo_cd_would_ignore_or_not_understand_is_refused(
    configuration: Path,
    bend: Bend,
    changes: tuple[Change, ...],
    expected: list[str],
    stack: str,
) -> None:
    for change in changes:
        bend("Pulumi.prod.yaml", change)
    share_url(configuration, bend)
    assert report(configuration, stack) == [f"Pulumi.prod.yaml: {line}" for line in expected]


def test_all_credentials_at_once_are_one_report(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", gitops(githubApp=APP))
    bend("Pulumi.prod.yaml", hold("gitPrivateKey", "gitToken"))
    bend("Pulumi.dev.yaml", hold("githubAppPrivateKey"))
    places = [problem.split(": ")[:2] for problem in report(configuration)]
    assert sorted(places) == [
        ["Pulumi.dev.yaml", "platform:gitops.githubApp"],
        ["Pulumi.prod.yaml", "platform:gitToken"],
        ["Pulumi.prod.yaml", "platform:githubAppPrivateKey"],
        ["Pulumi.prod.yaml", "platform:gitops.githubApp"],
        ["Pulumi.prod.yaml", "platform:gitops.url"],
    ]


def test_secrets_are_known_by_name_only(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", hold("gitToken"))
    dev, prod = load_files("prod", configuration).environments
    assert dev.secrets == frozenset({"gitToken"})
    assert prod.secrets == frozenset()


def test_a_running_stacks_secrets_are_never_shown(configuration: Path) -> None:
    # Pulumi hands the running program its secrets in the clear.
    secrets = {
        f"platform:{name}": f"the-{name}-itself"
        for name in ("gitPrivateKey", "gitToken", "githubAppPrivateKey")
    }
    with pytest.raises(SettingsError) as caught:
        load("prod", committed("prod") | secrets, configuration)
    assert len(caught.value.problems) == 3
    assert "-itself" not in str(caught.value)


def run_with(**changes: str) -> list[Settings]:
    """The settings of prod as a running program loads them, with some keys as other texts."""
    config = as_texts(committed("prod"))
    loaded: list[Settings] = []
    record(
        lambda: loaded.append(load_stack()),
        stack="prod",
        config=config | {f"platform:{key}": text for key, text in changes.items()},
        secrets=["platform:gitToken"],
    )
    return loaded


def test_a_running_stacks_secret_may_begin_with_a_bracket() -> None:
    (settings,) = run_with(gitToken="{hush")
    assert settings.environment.secrets == {"gitToken"}


def test_a_running_stacks_text_that_begins_with_a_bracket_is_reported() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run_with(domain="{dev}.acme.example")
    assert "Pulumi.prod.yaml: platform:domain: must be" in str(refused.value)


def test_a_running_stacks_key_without_a_value_is_reported() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run_with(permissionsBoundary="")  # so Pulumi tells of a bare key
    assert "Pulumi.prod.yaml: platform:permissionsBoundary: is empty; give it" in str(refused.value)


# Single sign-on

GITHUB = sso(github={"organization": "acme"})


def test_the_groups_of_the_catalogue_are_the_teams_of_a_github_organization(
    configuration: Path, bend: Bend
) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", GITHUB)
        bend(f"Pulumi.{stack}.yaml", hold("ssoClientSecret"))
    assert report(configuration) == []


@pytest.mark.parametrize("group", ["gaming", "other:gaming", "acme:Gaming Team", "acme:", "ACME:x"])
def test_a_group_that_github_never_sends_is_refused_once(
    configuration: Path, bend: Bend, group: str
) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", GITHUB)
        bend(f"Pulumi.{stack}.yaml", hold("ssoClientSecret"))
    bend("services.yaml", lambda c: c["teams"]["gaming"].update(group=group))
    bend("services.yaml", lambda c: c.update(releasers=group))
    rule = (
        f"is no team of the GitHub organization acme, by which people sign in (given: {group}); "
        "write acme:<team>, the team as in its page's address"
    )
    assert report(configuration) == [
        f"services.yaml: releasers: {rule}",
        f"services.yaml: teams.gaming.group: {rule}",
    ]


def test_groups_of_another_provider_are_its_own_matter(configuration: Path, bend: Bend) -> None:
    bend("services.yaml", lambda c: c.update(releasers="Release Managers"))
    assert report(configuration) == []


def test_github_needs_a_secret_where_openid_connect_does_not(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.prod.yaml", sso(issuer="https://id.example"))
    assert report(configuration) == []
    bend("Pulumi.prod.yaml", GITHUB)
    assert report(configuration) == [
        "Pulumi.prod.yaml: platform:ssoClientSecret: is missing, and GitHub signs people in "
        "only for a client with a secret; set it with "
        "`pulumi config set --secret platform:ssoClientSecret`"
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {},
            "platform:argocd.sso: must have one of issuer (OpenID Connect), github (GitHub itself) "
            "and saml; correct the value",
        ),
        (
            {"issuer": "https://id.example", "github": {"organization": "acme"}},
            "platform:argocd.sso: must have one of issuer (OpenID Connect), github (GitHub itself) "
            "and saml; correct the value",
        ),
        (
            {"github": {"organization": "https://github.com/acme"}},
            "platform:argocd.sso.github.organization: must be the name of a GitHub organization "
            "(given: https://github.com/acme); correct the value",
        ),
        (
            {"github": {"organization": "acme", "host": "https://github.acme.example"}},
            "platform:argocd.sso.github.host: must be a domain name such as dev.example.com "
            "(given: https://github.acme.example); correct the value",
        ),
        (
            {"github": {"organization": "acme", "host": "github.com"}},
            "platform:argocd.sso.github.host: is the default (given: github.com); "
            "leave the key out",
        ),
    ],
)
def test_people_sign_in_by_one_provider(
    configuration: Path, bend: Bend, keys: dict[str, Any], expected: str
) -> None:
    bend("Pulumi.prod.yaml", sso(**keys))
    assert report(configuration) == [f"Pulumi.prod.yaml: {expected}"]
