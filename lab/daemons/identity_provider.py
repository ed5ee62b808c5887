"""The company's identity provider: OpenID Connect, as far as Argo CD asks for it.

It publishes its signing key and has no login page. `lab.identity_provider.id_token` makes tokens.
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus

from jwt.algorithms import RSAAlgorithm
from werkzeug.wrappers import Request, Response

from lab.daemon import Daemon
from lab.http_server import as_json, serve
from lab.identity_provider import KEY_ID, signing_key
from lab.readiness import http_ok
from lab.site import Site

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"


def daemon(site: Site) -> Daemon:
    return Daemon(
        name="identity-provider",
        port=site.port("identity-provider"),
        ready=http_ok(f"{site.url('identity-provider')}{DISCOVERY}"),
        command=(sys.executable, "-m", "lab.daemons.identity_provider"),
    )


def documents(site: Site) -> dict[str, object]:
    """What the provider publishes, by path."""
    issuer = site.url("identity-provider")
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


def answer(request: Request) -> Response:
    published = documents(Site.from_environment())
    if request.path in published:
        return as_json(published[request.path])
    return as_json({"error": "this identity provider has no login page"}, HTTPStatus.NOT_FOUND)


if __name__ == "__main__":
    serve(Site.from_environment().port("identity-provider"), answer)
