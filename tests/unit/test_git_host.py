"""A Git host of one's own: what Argo CD has to know of it, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components import wiring
from components.argocd.values import values
from settings.loading import load_files
from tests.unit.conftest import Bend
from tests.unit.test_settings import report

SSH = "ssh://git@git.acme.example:2222/platform/gitops.git"
HTTPS = "https://git.acme.example:8443/platform/gitops.git"
KEY = "[git.acme.example]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB+zCCAaGgAwIBAgIU\nQUJD\n-----END CERTIFICATE-----\n"


@pytest.fixture
def stacks(configuration: Path, bend: Bend) -> Any:
    """Writes keys of `platform:gitops` into both stack files."""

    def write(**keys: Any) -> Path:
        for file in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
            bend(file, lambda config: config["platform:gitops"].update(keys))
        return configuration

    return write


def configs(folder: Path) -> Any:
    return values(wiring.argocd_installation(load_files("prod", folder), frozenset()))["configs"]


def test_the_keys_of_a_host_reach_argo_cd(stacks: Any) -> None:
    found = configs(stacks(url=SSH, knownHosts=[KEY, KEY.replace("2222", "22")]))
    assert found["ssh"] == {"extraHosts": f"{KEY}\n{KEY.replace('2222', '22')}"}
    assert "tls" not in found


def test_the_authority_of_a_host_reaches_argo_cd_under_its_name(stacks: Any) -> None:
    found = configs(stacks(url=HTTPS, certificateAuthority=PEM))
    assert found["tls"] == {"certificates": {"git.acme.example": PEM}}
    assert "ssh" not in found


def test_of_a_large_host_nothing_is_told(stacks: Any) -> None:
    found = configs(stacks(url="git@gitlab.com:acme/gitops.git"))
    assert not {"ssh", "tls"} & found.keys()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"url": SSH},
            "platform:gitops.knownHosts: is missing, and Argo CD reads over SSH only from hosts "
            "whose key it knows (given: git.acme.example); add what `ssh-keyscan git.acme.example` "
            "prints, compared with what the host publishes",
        ),
        (
            {"url": HTTPS, "knownHosts": [KEY]},
            f"platform:gitops.knownHosts: has no effect with {HTTPS}; remove it, or write the "
            "repository's other URL: keys of hosts go with ssh://, a certificate authority with "
            "https://",
        ),
        (
            {"url": "git@github.com:a/b.git", "certificateAuthority": PEM},
            "platform:gitops.certificateAuthority: has no effect with git@github.com:a/b.git; "
            "remove it, or write the repository's other URL: keys of hosts go with ssh://, a "
            "certificate authority with https://",
        ),
        (
            {"url": SSH, "knownHosts": ["git.acme.example"]},
            "platform:gitops.knownHosts[0]: must be a line of ssh-keyscan: the host, with a port "
            "as [host]:2222, and the key (given: git.acme.example); correct the value",
        ),
        (
            {"certificateAuthority": "ca.pem"},
            "platform:gitops.certificateAuthority: must be one or more certificates in PEM, from "
            "BEGIN CERTIFICATE to END CERTIFICATE (given: ca.pem); correct the value",
        ),
    ],
)
def test_what_cannot_work_is_refused(stacks: Any, keys: dict[str, Any], said: str) -> None:
    found = report(stacks(**keys))
    assert f"Pulumi.prod.yaml: {said}" in found
