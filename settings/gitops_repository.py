"""`platform:gitops`: the repository that mirrors the clusters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.model import Branch, GitUrl, HttpUrl, Matching, Model, different

KnownHost = Annotated[
    str,
    Matching(
        r"[^\s#|@]\S* (ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}",
        "must be a line of ssh-keyscan: the host, with a port as [host]:2222, and the key",
    ),
]
Certificate = Annotated[
    str,
    Matching(
        r"\s*(-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+",
        "must be one or more certificates in PEM, from BEGIN CERTIFICATE to END CERTIFICATE",
    ),
]


class GithubApp(Model):
    """A GitHub App that reads the GitOps repository; its key is `platform:githubAppPrivateKey`."""

    id: int = Field(ge=1, description="the app's id")
    installation: int = Field(ge=1, description="the id of its installation in the organization")
    api: HttpUrl | None = Field(
        None, description="GitHub Enterprise's API, such as https://github.example/api/v3"
    )


class GitOpsConfig(Model):
    """The GitOps repository and the checkout that `pulumi up` writes into."""

    url: GitUrl = Field(description="as Argo CD reads it; the same in every stack file")
    branch: Branch = Field(
        "main", description="what the clusters mirror; the same in every stack file"
    )
    checkout: str = Field("../gitops", description="a folder, relative to this program")
    releases: Literal["push", "pull-request"] = Field(
        "push",
        description="how promotions and rollbacks of this environment reach the branch; for safe "
        "environments",
    )
    github_app: GithubApp | None = Field(
        None, description="in place of the secrets gitToken and gitPrivateKey"
    )
    known_hosts: Annotated[list[KnownHost], different] = Field(
        default=[],
        description="the SSH keys of a host of your own, lines of `ssh-keyscan` that you have "
        "compared with what the host publishes; those of the large hosts are known",
    )
    certificate_authority: Certificate | None = Field(
        None, description="whom Argo CD trusts for a host of your own with HTTPS, in PEM"
    )
