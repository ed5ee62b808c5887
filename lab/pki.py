"""The certificate, the keys and the tokens of one cluster. They are created once."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from lab.state import write_atomically

LIFETIME = timedelta(days=365)
ADMINISTRATOR = "lab-admin"
USERS = {
    ADMINISTRATOR: "system:masters",
    "kwok": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
}
"""The users that have a token, with their group."""


@dataclass(frozen=True)
class Pki:
    """The files in one folder.

    The API server's certificate signs itself, so it is the authority that clients trust, too.
    """

    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        return self.folder / "kube-apiserver.crt"

    @property
    def key(self) -> Path:
        return self.folder / "kube-apiserver.key"

    @property
    def service_account_key(self) -> Path:
        """With it the API server signs the tokens of service accounts."""
        return self.folder / "service-accounts.key"

    @property
    def service_account_public_key(self) -> Path:
        return self.folder / "service-accounts.pub"

    @property
    def tokens(self) -> Path:
        """The tokens of USERS, as the API server reads them."""
        return self.folder / "tokens.csv"

    def token(self, user: str) -> str:
        """The token of one of USERS."""
        return self._token(user).read_text(encoding="ascii")

    def make(self, addresses: Iterable[str | IPv4Address]) -> None:
        """Create what is missing; `addresses` are the names and addresses of the API server."""
        if not self.service_account_public_key.exists():  # the file that is written last
            key = self._new_key(self.service_account_key)
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            write_atomically(self.service_account_public_key, public.decode())
        if not self.authority.exists():
            certificate = _self_signed(self._new_key(self.key), addresses)
            text = certificate.public_bytes(Encoding.PEM).decode()
            write_atomically(self.certificate, text)
            write_atomically(self.authority, text)
        for user in USERS:
            if not self._token(user).exists():
                write_atomically(self._token(user), secrets.token_hex(24), mode=0o600)
        rows = [
            ",".join([self.token(user), user, user, *filter(None, [group])])
            for user, group in USERS.items()
        ]
        write_atomically(self.tokens, "\n".join(rows) + "\n", mode=0o600)

    def _token(self, user: str) -> Path:
        return self.folder / f"{user.removeprefix('system:')}.token"

    def _new_key(self, path: Path) -> ec.EllipticCurvePrivateKey:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_atomically(path, private.decode(), mode=0o600)
        return key


def self_signed_once(certificate: Path, names: Iterable[str]) -> tuple[str, str]:
    """The file of a certificate for DNS names, and that of its key beside it; made if missing."""
    key_file = certificate.with_suffix(".key")
    if not certificate.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_atomically(key_file, private.decode(), mode=0o600)
        made = _self_signed(key, names, certificate.stem)
        write_atomically(certificate, made.public_bytes(Encoding.PEM).decode())
    return str(certificate), str(key_file)


def _self_signed(
    key: ec.EllipticCurvePrivateKey,
    addresses: Iterable[str | IPv4Address],
    common_name: str = "kube-apiserver",
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    names = [
        x509.IPAddress(address) if isinstance(address, IPv4Address) else x509.DNSName(address)
        for address in addresses
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
