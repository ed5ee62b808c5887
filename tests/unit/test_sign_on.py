"""Sign-on: the lines of docs/sign-on.md for each provider, and what is refused."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import wiring
from components.argocd import values as argocd_values
from settings.loading import load_files
from settings.problems import SettingsError
from tests.unit.conftest import CHECKOUT, Bend, hold

PAGE = (CHECKOUT / "docs/sign-on.md").read_text(encoding="utf-8")
BASIC = ["openid", "profile", "email"]
LINES = b64encode(b"\x30\x82\x01\x00" + bytes(0x100)).decode()
"""As long as its first bytes say, like a certificate."""


def pem(*lines: str) -> str:
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


CERTIFICATE = pem(LINES)


def sections() -> dict[str, str]:
    """The YAML of each provider's section, its placeholders filled in."""
    found = re.findall(r"^## (.+?)$.*?```yaml\n(.*?)```", PAGE, flags=re.MULTILINE | re.DOTALL)
    filled = {name: re.sub(r"<([a-z-]+)>", "x", text) for name, text in found}
    return {name: re.sub(r"MII\w+\.\.\.", LINES, text) for name, text in filled.items()}


SECTIONS = sections()
OPENID_CONNECT = {
    "Microsoft Entra ID": (BASIC, "groups"),
    "Okta": ([*BASIC, "groups"], "groups"),
    "Keycloak": (BASIC, "groups"),
    "Amazon Cognito": (BASIC, "cognito:groups"),
    "GitLab": (BASIC, "groups_direct"),
}
"""The scopes that are asked for, and the claim that is read."""
BY_DEX = {"GitHub": "github", "IAM Identity Center": "saml", "Google": "saml"}


def rendered(configuration: Path, bend: Bend, sso: dict[str, Any], *secrets: str) -> dict[str, Any]:
    """The chart's values of prod with that sign-on."""
    bend("Pulumi.prod.yaml", lambda c: c["platform:argocd"].update(sso=sso))
    bend("Pulumi.prod.yaml", hold(*secrets))
    settings = load_files("prod", configuration)
    return argocd_values.values(wiring.argocd_installation(settings, frozenset(secrets)))


def refused(configuration: Path, bend: Bend, sso: dict[str, Any], *secrets: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        rendered(configuration, bend, sso, *secrets)
    found = str(error.value).splitlines()[1:]
    return [re.sub(r"^ +- Pulumi\.prod\.yaml(:\d+)?: platform:", "", line) for line in found]


def test_every_provider_of_the_page_is_tested() -> None:
    assert SECTIONS.keys() == OPENID_CONNECT.keys() | BY_DEX.keys()


@pytest.mark.parametrize("provider", OPENID_CONNECT)
def test_a_provider_is_asked_for_scopes_that_it_knows(
    configuration: Path, bend: Bend, provider: str
) -> None:
    sso = yaml.safe_load(SECTIONS[provider])["sso"]
    configs = rendered(configuration, bend, sso)["configs"]
    oidc = yaml.safe_load(configs["cm"]["oidc.config"])

    scopes, claim = OPENID_CONNECT[provider]
    assert oidc["requestedScopes"] == scopes
    assert oidc["requestedIDTokenClaims"] == {claim: {"essential": True}}
    assert yaml.safe_load(configs["rbac"]["scopes"]) == [claim], "whose groups give the rights"


@pytest.mark.parametrize("provider", BY_DEX)
def test_dex_speaks_to_the_others(configuration: Path, bend: Bend, provider: str) -> None:
    sso = yaml.safe_load(SECTIONS[provider])["sso"]
    secrets = ["ssoClientSecret"] if "clientId" in sso else []
    values = rendered(configuration, bend, sso, *secrets)

    (connector,) = yaml.safe_load(values["configs"]["cm"]["dex.config"])["connectors"]
    assert connector["type"] == BY_DEX[provider]
    assert values["dex"]["enabled"] is True
    assert yaml.safe_load(values["configs"]["rbac"]["scopes"]) == ["groups"]


def test_saml_comes_back_to_dex_with_the_groups(configuration: Path, bend: Bend) -> None:
    saml = {"url": "https://id.example/saml", "certificate": CERTIFICATE}
    cm = rendered(configuration, bend, {"saml": saml})["configs"]["cm"]

    assert "oidc.config" not in cm
    (connector,) = yaml.safe_load(cm["dex.config"])["connectors"]
    config = connector.pop("config")
    assert connector == {"type": "saml", "id": "saml", "name": "SSO"}
    assert b64decode(config.pop("caData")).decode() == CERTIFICATE
    assert config == {
        "ssoURL": "https://id.example/saml",
        "entityIssuer": "https://argocd.acme.example/api/dex/callback",
        "redirectURI": "https://argocd.acme.example/api/dex/callback",
        "usernameAttr": "email",
        "emailAttr": "email",
        "groupsAttr": "groups",
    }


ENTRA = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
COGNITO = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc"


@pytest.mark.parametrize(
    ("sso", "lines"),
    [
        (
            {"issuer": ENTRA},
            [
                "argocd.sso.scopes: has groups, and Microsoft Entra ID refuses to sign in with "
                "that scope (given: openid, profile, email, groups); write scopes: [openid, "
                "profile, email]"
            ],
        ),
        (
            {"issuer": COGNITO},
            [
                "argocd.sso.groupsClaim: is not the claim in which Amazon Cognito sends groups "
                "(given: groups); write groupsClaim: cognito:groups",
                "argocd.sso.scopes: has groups, and Amazon Cognito refuses to sign in with that "
                "scope (given: openid, profile, email, groups); write scopes: [openid, profile, "
                "email]",
            ],
        ),
        (
            {"issuer": "https://accounts.google.com"},
            [
                "argocd.sso.issuer: is Google, whose tokens have no groups, so nobody would have a "
                "right (given: https://accounts.google.com); sign in by SAML: write saml in place "
                "of issuer"
            ],
        ),
        (
            {"issuer": "https://id.example", "scopes": ["profile", "email"]},
            [
                "argocd.sso.scopes: lacks openid, without which there is no sign-on (given: "
                "['profile', 'email']); add it"
            ],
        ),
        (
            {"github": {"organization": "acme"}, "scopes": ["openid"], "groupsClaim": "x"},
            ["argocd.sso: has groupsClaim and scopes, which are issuer's alone; remove them"],
        ),
    ],
    ids=["Entra", "Cognito", "Google", "no openid", "not the issuer's"],
)
def test_what_a_provider_refuses_is_refused_first(
    configuration: Path, bend: Bend, sso: dict[str, Any], lines: list[str]
) -> None:
    assert sorted(refused(configuration, bend, {"clientId": "argocd", **sso})) == lines


def test_saml_has_neither_client_nor_secret(configuration: Path, bend: Bend) -> None:
    saml = {"url": "https://id.example/saml", "certificate": CERTIFICATE}
    assert refused(configuration, bend, {"saml": saml, "clientId": "argocd"}) == [
        "argocd.sso: has clientId beside saml, which knows none; remove it"
    ]
    assert refused(configuration, bend, {"saml": saml}, "ssoClientSecret") == [
        "ssoClientSecret: is set, and sign-on by SAML has no secret; run `pulumi config rm "
        "platform:ssoClientSecret`"
    ]


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ("MIIDBTCC", "must be one certificate in PEM"),
        (CERTIFICATE.replace(LINES, LINES[:64]), "is not a whole certificate"),
        (CERTIFICATE.replace(LINES, LINES[64:]), "is not a whole certificate"),
        (CERTIFICATE.replace(LINES, LINES[1:]), "is not a whole certificate"),
        (pem("MIIAAA==", "AAAA"), "is not a whole certificate"),
    ],
    ids=["no PEM", "end lost", "start lost", "a letter lost", "another behind it"],
)
def test_a_certificate_is_one_in_pem_and_whole(
    configuration: Path, bend: Bend, certificate: str, said: str
) -> None:
    saml = {"url": "https://id.example/saml", "certificate": certificate}
    (line,) = refused(configuration, bend, {"saml": saml})
    assert line.startswith(f"argocd.sso.saml.certificate: {said}")
    assert "AAAA" not in line, "of many lines the first is shown"


def test_a_certificate_has_many_lines(configuration: Path, bend: Bend) -> None:
    saml = {"url": "https://id.example/saml", "certificate": pem("MIIA", "AmFi")}
    assert rendered(configuration, bend, {"saml": saml})


def test_a_provider_other_than_saml_knows_argo_cd_by_its_id(
    configuration: Path, bend: Bend
) -> None:
    assert refused(configuration, bend, {"issuer": "https://id.example"}) == [
        "argocd.sso: must have clientId, Argo CD's id at the provider; correct the value"
    ]


AUTHORITY = CERTIFICATE


@pytest.mark.parametrize(
    ("gitops", "trusted"), [("github.acme.example", AUTHORITY), ("git.acme.example", None)]
)
def test_a_github_of_ones_own_is_trusted_as_the_git_host_is(
    configuration: Path, bend: Bend, gitops: str, trusted: str | None
) -> None:
    host = {"url": f"https://{gitops}:8443/acme/gitops.git", "certificateAuthority": AUTHORITY}
    for file in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        bend(file, lambda config: config["platform:gitops"].update(host))
    sso = {"github": {"organization": "acme", "host": "github.acme.example"}, "clientId": "x"}
    values = rendered(configuration, bend, sso, "ssoClientSecret")

    (connector,) = yaml.safe_load(values["configs"]["cm"]["dex.config"])["connectors"]
    assert connector["config"].get("rootCA") == trusted


@pytest.mark.parametrize("client", ["y", "N", "2e2", "0o7", "7"])
@pytest.mark.parametrize(
    ("key", "provider"),
    [
        ("dex.config", {"github": {"organization": "acme"}}),
        ("oidc.config", {"issuer": "https://id.example"}),
    ],
)
def test_a_name_stays_one_where_go_reads_it(
    configuration: Path, bend: Bend, key: str, provider: dict[str, Any], client: str
) -> None:
    values = rendered(configuration, bend, {**provider, "clientId": client}, "ssoClientSecret")
    assert re.search(rf"clientID: [\"']{client}[\"']\n", values["configs"]["cm"][key])
