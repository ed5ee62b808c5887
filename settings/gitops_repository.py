"""`platform:gitops`: the repository that mirrors the clusters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from settings.model import Branch, GitUrl, HttpUrl, Model


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
