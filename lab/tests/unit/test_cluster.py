"""The clusters of the lab: their nodes and their certificates."""

from __future__ import annotations

import csv
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509

from lab.daemons.nodes import nodes
from lab.pki import Pki
from settings.environment import Settings


def zones(settings: Settings) -> list[str]:
    found = nodes(settings.environment)
    return [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in found]


def test_nodes_stand_in_every_zone_of_their_environment(dev: Settings, prod: Settings) -> None:
    assert zones(dev) == ["eu-central-1a", "eu-central-1b", "eu-central-1a"]
    assert zones(prod) == ["eu-central-1a", "eu-central-1b", "eu-central-1c"]


def test_nodes_carry_the_labels_that_eks_gives_them(prod: Settings) -> None:
    labels = nodes(prod.environment)[0]["metadata"]["labels"]

    assert labels["eks.amazonaws.com/nodegroup"] == "general"
    assert labels["node.kubernetes.io/instance-type"] == "m7i.xlarge"
    assert labels["kubernetes.io/hostname"] == "node-1"


def test_nodes_of_auto_mode_say_which_pool_they_are_of(dev: Settings) -> None:
    labels = nodes(dev.environment)[0]["metadata"]["labels"]

    assert labels["eks.amazonaws.com/compute-type"] == "auto"
    assert labels["karpenter.sh/nodepool"] == "general"
    assert "eks.amazonaws.com/nodegroup" not in labels


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_api_servers_certificate_is_for_its_addresses_and_is_what_clients_trust(
    tmp_path: Path,
) -> None:
    pki = Pki(tmp_path)
    pki.make([IPv4Address("127.0.0.1"), "kubernetes.default.svc"])
    server, authority = read(pki.certificate), read(pki.authority)

    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [IPv4Address("127.0.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default.svc"]


def test_only_the_administrator_and_the_nodes_are_masters(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    pki.make(["kubernetes"])

    rows = list(csv.reader(pki.tokens.read_text().splitlines()))
    assert [(user, groups) for _, user, _, *groups in rows] == [
        ("lab-admin", ["system:masters"]),
        ("kwok", ["system:masters"]),
        ("system:kube-controller-manager", []),
        ("system:kube-scheduler", []),
    ]
    assert [token for token, *_ in rows] == [pki.token(user) for _, user, *_ in rows]
    assert len({token for token, *_ in rows}) == 4


def test_keys_are_created_once_and_private(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    pki.make(["kubernetes"])
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    pki.make(["kubernetes", "another.name"])

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
    public = {"ca.crt", "kube-apiserver.crt", "service-accounts.pub"}
    for path in tmp_path.iterdir():
        others = path.stat().st_mode & 0o077
        assert (others != 0) == (path.name in public), f"{path.name} can be read by others"
