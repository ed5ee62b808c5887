"""The clusters of the lab: their nodes and their certificates."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from lab.daemons.nodes import nodes
from lab.pki import Pki
from settings import Settings


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


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_api_servers_certificate_is_signed_for_its_addresses(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    pki.make([IPv4Address("127.0.0.1"), "kubernetes.default.svc"])
    server, authority = read(pki.certificate("kube-apiserver")), read(pki.certificate("ca"))

    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [IPv4Address("127.0.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default.svc"]


def test_parts_of_the_control_plane_have_the_names_that_kubernetes_gives_rights(
    tmp_path: Path,
) -> None:
    pki = Pki(tmp_path)
    pki.make(["kubernetes"])

    for name in ("kube-controller-manager", "kube-scheduler"):
        subject = read(pki.certificate(name)).subject
        (common_name,) = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert common_name.value == f"system:{name}"
        assert not subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME), "no group beside"


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    pki.make(["kubernetes"])
    token, key = pki.admin_token.read_text(), pki.key("ca").read_text()

    pki.make(["kubernetes"])

    assert (pki.admin_token.read_text(), pki.key("ca").read_text()) == (token, key)
    for path in (pki.admin_token, pki.key("ca"), pki.key("service-accounts")):
        assert path.stat().st_mode & 0o077 == 0, f"{path.name} can be read by others"
