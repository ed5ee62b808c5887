"""Presigned requests of AWS (Signature Version 4 in the query), checked with the signer's key."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SIGNATURE = "X-Amz-Signature"


class BadSignatureError(Exception):
    """The holder of the key did not sign this request; the message says what is wrong."""


def claims(query: str) -> dict[str, str]:
    """The parameters of a presigned query, `X-Amz-Credential` and so on."""
    return dict(parse_qsl(query, keep_blank_values=True))


def verify(query: str, headers: Mapping[str, str], secret: str) -> None:
    """Raises BadSignatureError unless `secret` signed a GET of `/?query` with these headers.

    `query` is the text after the question mark as it was sent; `headers` has lower-case names.
    """
    said = claims(query)
    try:
        given = said[SIGNATURE]
        names = said["X-Amz-SignedHeaders"].split(";")
        access_key, _, region, service, _ = said["X-Amz-Credential"].split("/")
        moment = said["X-Amz-Date"]
    except (KeyError, ValueError) as error:
        raise BadSignatureError(f"it is not presigned: {error}") from error
    if absent := [name for name in names if name not in headers]:
        raise BadSignatureError(f"the signed header {', '.join(absent)} is missing")
    unsigned = "&".join(pair for pair in query.split("&") if not pair.startswith(f"{SIGNATURE}="))
    request: Any = AWSRequest(
        "GET",
        f"https://{headers.get('host', '')}/?{unsigned}",
        headers={name: headers[name] for name in names},
    )
    request.context["timestamp"] = moment
    auth: Any = SigV4Auth(Credentials(access_key, secret), service, region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    if not hmac.compare_digest(auth.signature(text, request), given):
        raise BadSignatureError("the signature does not match")
