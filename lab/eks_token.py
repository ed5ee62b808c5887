"""The tokens of `aws eks get-token`: presigned calls of `sts:GetCallerIdentity`."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
LIFETIME = timedelta(minutes=15)
"""EKS accepts a token for this time after it was signed. It ignores the URL's own expiry."""
CLOCK_SKEW = timedelta(minutes=1)


class RefusedError(Exception):
    """The token is refused; the message says why, for the authenticator's log."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """The call that a token holds."""

    host: str
    query: str
    signed: datetime
    signed_headers: frozenset[str]


def decode(text: str) -> Token:
    """The call in a token.

    Raises RefusedError when it is no presigned `sts:GetCallerIdentity` in base64.
    """
    if not text.startswith(PREFIX):
        raise RefusedError(f"it does not start with {PREFIX}")
    encoded = text.removeprefix(PREFIX)
    try:
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
        target = urlsplit(url)
    except (binascii.Error, ValueError) as error:
        raise RefusedError("it is no URL in base64") from error
    query = parse_qs(target.query)
    if repeated := sorted(name for name, values in query.items() if len(values) > 1):
        raise RefusedError(f"its URL names {', '.join(repeated)} twice")
    claims = {name: values[0] for name, values in query.items()}
    if claims.get("Action") != "GetCallerIdentity" or target.path != "/":
        raise RefusedError("its URL asks for something other than GetCallerIdentity")
    try:
        return Token(
            host=target.netloc,
            query=target.query,
            signed=datetime.strptime(claims["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
            signed_headers=frozenset(claims["X-Amz-SignedHeaders"].split(";")),
        )
    except (KeyError, ValueError) as error:
        raise RefusedError(f"its URL is not presigned: {error}") from error


def require_valid(token: Token, now: datetime) -> None:
    """Raises RefusedError for a token that is too old, from the future, or for any cluster."""
    age = now - token.signed
    if age > LIFETIME:
        raise RefusedError(f"it expired {age - LIFETIME} ago")
    if age < -CLOCK_SKEW:
        raise RefusedError(f"it was signed {-age} in the future")
    if CLUSTER_HEADER not in token.signed_headers:
        raise RefusedError(f"{CLUSTER_HEADER}, the cluster's name, is not among what it signs")


def principal(arn: str) -> str:
    """The ARN of a caller or an access entry, in one form, so that the two can be compared.

    `arn:aws:sts::1:assumed-role/NAME/session` and `arn:aws:iam::1:role/path/NAME` both become
    `arn:aws:iam::1:role/NAME`, because a session's ARN lacks its role's path, and role names are
    unique in an account. Every other ARN stays as it is.
    """
    _, partition, _, _, account, resource = arn.split(":", 5)
    kind, *path = resource.split("/")
    match kind:
        case "assumed-role":
            return f"arn:{partition}:iam::{account}:role/{path[0]}"
        case "role":
            return f"arn:{partition}:iam::{account}:role/{path[-1]}"
    return arn
