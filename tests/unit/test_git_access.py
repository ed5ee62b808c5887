"""One URL of the GitOps repository, two readers: what the pipelines use."""

from __future__ import annotations

from typing import Literal

import pytest

from gitops.git_access import Access, access
from settings.catalogue import Ci
from settings.git_url import GitAddress, parse_git_url

GITHUB = "https://github.com/acme/gitops.git"
SSH = "git@github.com:acme/gitops.git"


@pytest.mark.parametrize(
    ("url", "ci", "expected"),
    [
        (GITHUB, "github-actions", Access(credential="app", url=GITHUB)),
        (SSH, "github-actions", Access(credential="app", url=GITHUB)),
        (
            "ssh://git@github.com:22/acme/gitops.git",
            "github-actions",
            Access(credential="app", url=GITHUB),
        ),
        (GITHUB, "circleci", Access(credential="key-or-token", url=SSH, https=GITHUB)),
        (SSH, "circleci", Access(credential="key-or-token", url=SSH, https=GITHUB)),
        (
            "https://github.acme.example:8443/acme/gitops.git",
            "circleci",
            Access(credential="token", url="https://github.acme.example:8443/acme/gitops.git"),
        ),
        (
            "https://gitlab.com/acme/platform/gitops.git",
            "github-actions",
            Access(credential="token", url="https://gitlab.com/acme/platform/gitops.git"),
        ),
        (
            "ssh://git@git.acme.example:2222/acme/gitops.git",
            "github-actions",
            Access(credential="key", url="ssh://git@git.acme.example:2222/acme/gitops.git"),
        ),
        (
            "git@git.acme.example:acme/gitops.git",
            "circleci",
            Access(credential="key", url="git@git.acme.example:acme/gitops.git"),
        ),
    ],
)
def test_a_pipeline_uses_the_url_that_goes_with_its_credential(
    url: str, ci: Ci, expected: Access
) -> None:
    assert access(url, ci) == expected


@pytest.mark.parametrize(
    ("url", "transport", "host", "repository"),
    [
        ("https://GitHub.com/acme/gitops.git", "http", "github.com", "acme/gitops"),
        (
            "http://git.acme.example:3000/acme/gitops/",
            "http",
            "git.acme.example:3000",
            "acme/gitops",
        ),
        ("https://git.acme.example:443/a/b/c.git", "http", "git.acme.example:443", "a/b/c"),
        ("ssh://git@GitHub.com:22/acme/gitops.git", "ssh", "github.com", "acme/gitops"),
        ("git@GitHub.com:acme/gitops.git", "ssh", "github.com", "acme/gitops"),
        ("https://github.com/Xavier/toolX.git", "http", "github.com", "Xavier/toolX"),
        ("github.com:acme/gitops", "ssh", "github.com", "acme/gitops"),
        ("/srv/git/gitops.git", "", "", "srv/git/gitops"),
        ("file:///srv/git/gitops.git", "", "", "srv/git/gitops"),
    ],
)
def test_a_url_is_read_in_each_of_its_spellings(
    url: str, transport: Literal["http", "ssh", ""], host: str, repository: str
) -> None:
    expected = GitAddress(transport=transport, host=host, repository=repository)
    assert parse_git_url(url) == expected
    assert expected.identity == (host, repository)
