"""The people of the lab, and the ID tokens that single sign-on gives them."""

from __future__ import annotations

import time
from pathlib import Path

import jwt
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.site import Site

PEOPLE = Path(__file__).with_name("people.yaml")
KEY_ID = "lab"
LIFETIME_SECONDS = 3600


class UnknownPersonError(LookupError):
    """Nobody in `people.yaml` has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not in lab/people.yaml; there are {', '.join(groups())}")


def groups() -> dict[str, list[str]]:
    """Everybody's groups, by name."""
    content: dict[str, list[str]] = yaml.safe_load(PEOPLE.read_text())
    return content


def id_token(site: Site, name: str, audience: str) -> str:
    """What the identity provider gives `name` after signing in to the application `audience`.

    Raises UnknownPersonError.
    """
    if name not in groups():
        raise UnknownPersonError(name)
    now = int(time.time())
    claims = {
        "iss": site.url("people"),
        "sub": name,
        "aud": audience,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "email": f"{name}@acme.example",
        "name": name.title(),
        "groups": groups()[name],
    }
    return jwt.encode(claims, signing_key(site), algorithm="RS256", headers={"kid": KEY_ID})


def signing_key(site: Site) -> rsa.RSAPrivateKey:
    """The identity provider's key, made at its first use."""
    file = site.home / "people" / "key.pem"
    if file.exists():
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{file} holds no RSA key; delete it")
        return key
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return key
