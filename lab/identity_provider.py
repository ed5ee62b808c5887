"""The users of the lab, and the ID tokens that single sign-on gives them."""

from __future__ import annotations

import time
from pathlib import Path

import jwt
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.site import Site
from settings.problems import UserError

USERS = Path(__file__).with_name("users.yaml")
KEY_ID = "lab"
LIFETIME_SECONDS = 3600


class UnknownUserError(UserError):
    """No user of `users.yaml` has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not in lab/users.yaml; there are {', '.join(groups())}")


def groups() -> dict[str, list[str]]:
    """The groups of each user."""
    content: dict[str, list[str]] = yaml.safe_load(USERS.read_text())
    return content


def id_token(site: Site, name: str, audience: str) -> str:
    """The ID token of user `name` for the application `audience`.

    Raises UnknownUserError.
    """
    if name not in groups():
        raise UnknownUserError(name)
    return signed(site, name, audience, groups=groups()[name])


def signed(site: Site, name: str, audience: str, **own: list[str]) -> str:
    """An ID token of anybody, with claims of its own beside those that every token has."""
    now = int(time.time())
    claims = {
        "iss": site.url("identity-provider"),
        "sub": name,
        "aud": audience,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "email": f"{name}@acme.example",
        "name": name.title(),
        **own,
    }
    return jwt.encode(claims, signing_key(site), algorithm="RS256", headers={"kid": KEY_ID})


def signing_key(site: Site) -> rsa.RSAPrivateKey:
    """The identity provider's key. The first call creates it."""
    file = site.home / "identity-provider" / "key.pem"
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
