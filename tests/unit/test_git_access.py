"""One URL of the GitOps repository, two readers: what the pipelines use."""

from __future__ import annotations

import pytest

from gitops.git_access import Access, access
from settings.catalogue import Ci

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
