"""The keys and certificates of one lab cluster, made once and then kept."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.state import write_atomically

LIFETIME = timedelta(days=365)
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Pki:
    """The files in one folder: `ca.crt`, `NAME.crt` and `NAME.key`, the administrator's token."""

    folder: Path

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    @property
    def admin_token(self) -> Path:
        return self.folder / "admin.token"

    def make(self, addresses: Iterable[str | IPv4Address]) -> None:
        """Makes what is missing; `addresses` are the names and numbers of the API server."""
        if self.admin_token.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _certificate("lab", key=authority_key, signer=(None, authority_key))
        self._keep("ca", authority_key, authority)
        for name, groups, names in (
            ("kube-apiserver", (), tuple(addresses)),
            ("system:kube-controller-manager", (), ()),
            ("system:kube-scheduler", (), ()),
            ("kwok", ("system:masters",), ()),
        ):
            key = ec.generate_private_key(ec.SECP256R1())
            self._keep(
                name.removeprefix("system:"),
                key,
                _certificate(
                    name,
                    groups=groups,
                    addresses=names,
                    key=key,
                    signer=(authority, authority_key),
                ),
            )
        signer = ec.generate_private_key(ec.SECP256R1())
        self._keep("service-accounts", signer, None)
        write_atomically(self.folder / "service-accounts.pub", _public(signer))
        # The last file: that it is there says that all are.
        write_atomically(self.admin_token, secrets.token_hex(24), mode=0o600)

    def _keep(
        self, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate | None
    ) -> None:
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_atomically(self.key(name), private.decode(), mode=0o600)
        if certificate:
            pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
            write_atomically(self.certificate(name), pem)


def _certificate(
    name: str,
    *,
    key: ec.EllipticCurvePrivateKey,
    signer: tuple[x509.Certificate | None, ec.EllipticCurvePrivateKey],
    groups: tuple[str, ...] = (),
    addresses: tuple[str | IPv4Address, ...] = (),
) -> x509.Certificate:
    """A certificate for `name` in `groups`; one whose signer has none is an authority itself."""
    authority, authority_key = signer
    subject = x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
    )
    if authority is None:
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
    if addresses:
        names = [
            x509.IPAddress(address) if isinstance(address, IPv4Address) else x509.DNSName(address)
            for address in addresses
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
