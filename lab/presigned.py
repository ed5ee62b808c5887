"""Presigned requests of AWS (Signature Version 4 in the query), checked with the signer's key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

SIGNATURE = "X-Amz-Signature"
_EMPTY = hashlib.sha256(b"").hexdigest()


class BadSignatureError(Exception):
    """The holder of the key did not sign this request; the message says what is wrong."""


def claims(query: str) -> dict[str, str]:
    """What a presigned query says of itself, `X-Amz-Credential` and so on."""
    return dict(parse_qsl(query, keep_blank_values=True))


def verify(query: str, headers: Mapping[str, str], secret: str) -> None:
    """Raises BadSignatureError unless `secret` signed a GET of `/?query` with these headers.

    `query` is the text behind the question mark as it was sent; `headers` has lower-case names.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    said = claims(query)
    try:
        given = said[SIGNATURE]
        names = said["X-Amz-SignedHeaders"].split(";")
        date, region, service, _ = scope = said["X-Amz-Credential"].split("/")[1:]
        moment = said["X-Amz-Date"]
    except (KeyError, ValueError) as error:
        raise BadSignatureError(f"it is not presigned: {error}") from error
    if absent := [name for name in names if name not in headers]:
        raise BadSignatureError(f"the signed header {', '.join(absent)} is missing")
    request = "\n".join(
        [
            "GET",
            "/",
            "&".join(
                f"{quote(name, safe='')}={quote(value, safe='')}"
                for name, value in sorted(pairs)
                if name != SIGNATURE
            ),
            *(f"{name}:{headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            _EMPTY,
        ]
    )
    text = "\n".join(
        ["AWS4-HMAC-SHA256", moment, "/".join(scope), hashlib.sha256(request.encode()).hexdigest()]
    )
    key = f"AWS4{secret}".encode()
    for word in (date, region, service, "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    expected = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(expected, given):
        raise BadSignatureError("the signature does not match")
