"""Whose groups Argo CD believes: the claim of each provider, and names that are hard to write.

The real Argo CD of prod reads the policy and the claim as the chart's values have them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from components.argocd.rbac import rbac
from lab.argocd_api import CLIENT, ArgoCdApi
from lab.identity_provider import signed
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty
from settings.files import ROOT
from settings.loading import load_files

RELEASERS = "acme:releasers"
CLAIMS = {
    "Microsoft Entra ID": "groups",
    "Okta": "groups",
    "Keycloak": "groups",
    "Amazon Cognito": "cognito:groups",
    "GitLab": "groups_direct",
}
"""By provider of docs/sign-on.md, the claim of its ID tokens that has a person's groups."""
HARD_NAMES = (
    "CN=Releasers,OU=Groups,DC=acme",
    'the "night" shift',
    "release managers",
    "it's us",
    "équipe-déploiement",
)


@dataclass(frozen=True)
class Policy:
    """The policy of prod's Argo CD."""

    lab: Lab

    def put(self, data: Mapping[str, str]) -> None:
        patch = json.dumps({"data": dict(data)})
        self.lab.kubectl("prod")(
            "--namespace=argocd", "patch", "configmap/argocd-rbac-cm", "--type=merge", "-p", patch
        )

    def sees(self, **claims: list[str]) -> set[str]:
        """The Applications that somebody with these claims sees."""
        token = signed(self.lab.site, "somebody", CLIENT, **claims)
        url = self.lab.site.url("argocd-server", "prod")
        return {*ArgoCdApi(url, token).applications()}


@pytest.fixture
def policy(lab: Lab) -> Iterator[Policy]:
    """Whatever a test makes of it, it is itself again afterwards."""
    before = lab.kubectl("prod").get("--namespace=argocd", "configmap/argocd-rbac-cm")["data"]
    policy = Policy(lab)
    yield policy
    policy.put(before)
    wait_until_empty(
        "the policy as it was",
        lambda: "" if policy.sees(groups=[RELEASERS]) else "a releaser sees nothing",
        seconds=30,
    )


def wanted(claim: str, releasers: str = RELEASERS) -> dict[str, str]:
    """The policy of prod, with that claim and that name of the releasers' group."""
    settings = load_files("prod", ROOT)
    catalogue = settings.catalogue.model_copy(update={"releasers": releasers})
    return rbac(catalogue, owners_sync=settings.speed.owners_sync, groups_claim=claim)


@pytest.mark.parametrize(("provider", "claim"), CLAIMS.items())
def test_groups_in_the_claim_of_a_provider_give_their_rights(
    policy: Policy, provider: str, claim: str
) -> None:
    policy.put(wanted(claim))
    wait_until_empty(
        f"the rights of a releaser by {provider}",
        lambda: "" if len(policy.sees(**{claim: [RELEASERS]})) == 4 else "sees not all",
        seconds=30,
    )
    assert policy.sees(**{claim: ["acme:strangers"]}) == set()
    if claim != "groups":
        assert policy.sees(groups=[RELEASERS]) == set(), "a claim that is not the provider's"


@pytest.mark.parametrize("name", HARD_NAMES)
def test_a_group_has_its_rights_whatever_it_is_called(policy: Policy, name: str) -> None:
    policy.put(wanted("groups", releasers=name))
    wait_until_empty(
        f"the rights of {name}",
        lambda: "" if len(policy.sees(groups=[name])) == 4 else "sees not all",
        seconds=30,
    )
    for part in {*name.split(","), *name.split(" ")} - {name}:
        assert policy.sees(groups=[part]) == set(), "a part of the name is another group"
