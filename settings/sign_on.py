"""`platform:argocd.sso`: how people sign in, and what known providers want."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from settings.model import DomainName, GithubName, HttpUrl, Matching, Model, different

GROUPS = "groups"
Scope = Annotated[
    str, Matching(r"[!#-\[\]-~]+", "must be a scope of OpenID Connect: no blanks and no quotes")
]
Claim = Annotated[str, Matching(r"[!-~]+", "must be the name of a claim, without blanks")]


def _enterprise(host: str) -> str:
    if host == "github.com":
        raise ValueError("is the default; leave the key out")
    return host


def _with_openid(scopes: list[str]) -> list[str]:
    if "openid" not in scopes:
        raise ValueError("lacks openid, without which there is no sign-on; add it")
    return scopes


def _whole(certificate: str) -> str:
    """Refuses a certificate of which a part was not copied: Dex would not start with it."""
    if not _is_whole("".join(certificate.split("-----")[2].split())):
        raise ValueError("is not a whole certificate; copy it again, with all of its lines")
    return certificate


def _is_whole(body: str) -> bool:
    """Whether it is a sequence of DER, whose length, in two bytes, is that of all the rest."""
    try:
        der = b64decode(body, validate=True)
    except ValueError:
        return False
    return der[:2] == b"\x30\x82" and int.from_bytes(der[2:4]) == len(der) - 4


class GithubSso(Model):
    """Sign-on by GitHub: a group is a team, as `<organization>:<team>`."""

    organization: GithubName = Field(
        description="its members sign in; spelled exactly as on GitHub"
    )
    host: Annotated[DomainName, AfterValidator(_enterprise)] | None = Field(
        None, description="of GitHub Enterprise Server, in place of github.com"
    )


class SamlSso(Model):
    """Sign-on by SAML, with the attributes `email` and `groups`."""

    url: HttpUrl = Field(description="where the provider signs people in")
    certificate: Annotated[
        str,
        Matching(
            r"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]+\n)+-----END CERTIFICATE-----\n*",
            "must be one certificate in PEM, from its BEGIN line to its END line",
        ),
        AfterValidator(_whole),
    ] = Field(description="with which the provider signs, in PEM; it is public")


class Sso(Model):
    """Sign-on by OpenID Connect, GitHub or SAML; the secret is `platform:ssoClientSecret`."""

    issuer: HttpUrl | None = Field(None, description="the URL of an OpenID Connect provider")
    github: GithubSso | None = Field(None, description="in place of issuer: GitHub itself")
    saml: SamlSso | None = Field(None, description="in place of issuer: a SAML provider")
    client_id: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Argo CD's id at the provider; required, unless saml is set"
    )
    scopes: Annotated[list[Scope], different, AfterValidator(_with_openid)] = Field(
        ["openid", "profile", "email", GROUPS],
        description="that are asked of issuer; some providers refuse groups",
    )
    groups_claim: Claim = Field(
        GROUPS, description="of issuer's ID token: the claim with a person's groups"
    )

    @model_validator(mode="after")
    def one_provider(self) -> Self:
        if sum(one is not None for one in (self.issuer, self.github, self.saml)) != 1:
            raise ValueError(
                "must have one of issuer (OpenID Connect), github (GitHub itself) and saml"
            )
        if self.saml and self.client_id:
            raise ValueError("has clientId beside saml, which knows none; remove it")
        if not self.saml and not self.client_id:
            raise ValueError("must have clientId, Argo CD's id at the provider")
        return self

    @model_validator(mode="after")
    def claims_of_an_issuer(self) -> Self:
        if not self.issuer and (keys := self.written("scopes", "groups_claim")):
            raise ValueError(f"has {' and '.join(keys)}, which are issuer's alone; remove them")
        return self


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What a known provider is like, recognized by its issuer."""

    name: str
    issuer: str
    """A pattern of the URL."""
    claim: str | None = GROUPS
    """The claim with the groups; None where its tokens have none. None of them knows a scope
    `groups`."""


PROVIDERS = (
    Provider(name="Microsoft Entra ID", issuer=r"https://login\.microsoftonline\.com/.+"),
    Provider(
        name="Amazon Cognito",
        issuer=r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com/.+",
        claim="cognito:groups",
    ),
    Provider(name="GitLab", issuer=r"https://gitlab\.com/?", claim="groups_direct"),
    Provider(name="Google", issuer=r"https://accounts\.google\.com/?", claim=None),
)
"""Those that differ from the defaults and whose issuers are alike everywhere."""


def known(issuer: str) -> Provider | None:
    """The provider of an issuer, if it is a known one."""
    return next((one for one in PROVIDERS if re.fullmatch(one.issuer, issuer)), None)
