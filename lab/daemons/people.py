"""The company's single sign-on: an OpenID Connect provider that publishes its signing key.

It has no login page: tokens are made by `lab.people.id_token`, on behalf of whoever is asked for.
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus

from jwt.algorithms import RSAAlgorithm

from lab.http_server import JsonHandler, serve
from lab.part import Part
from lab.people import KEY_ID, signing_key
from lab.readiness import http_ok
from lab.site import Site

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"


def part(site: Site) -> Part:
    return Part(
        name="people",
        port=site.port("people"),
        ready=http_ok(f"{site.url('people')}{DISCOVERY}"),
        command=(sys.executable, "-m", "lab.daemons.people"),
    )


def documents(site: Site) -> dict[str, object]:
    """What the provider publishes, by path."""
    issuer = site.url("people")
    public = json.loads(RSAAlgorithm.to_jwk(signing_key(site).public_key()))
    return {
        DISCOVERY: {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}{KEYS}",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        },
        KEYS: {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]},
    }


class _Handler(JsonHandler):
    def do_GET(self) -> None:
        published = documents(Site.from_environment())
        if self.path in published:
            self.answer(published[self.path])
        else:
            self.answer({"error": "there is no login page here"}, HTTPStatus.NOT_FOUND)


if __name__ == "__main__":
    serve(Site.from_environment().port("people"), _Handler)
