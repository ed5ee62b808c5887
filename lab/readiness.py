"""Conditions of readiness; each says what is still missing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import requests

from lab.site import HOST

Condition: TypeAlias = Callable[[], str | None]
"""Returns None if the daemon is ready, otherwise what is missing."""

PATIENCE = 2.0
"""Seconds that one check may take."""

_session = requests.Session()
_session.trust_env = False  # the loopback address needs no proxy


def http_ok(
    url: str, *, authority: Path | None = None, token: Callable[[], str] | None = None
) -> Condition:
    """`url` answers 200. Over HTTPS, `authority` is the trusted CA and `token` a bearer token."""

    def check() -> str | None:
        headers = {"Authorization": f"Bearer {token()}"} if token else {}
        try:
            answer = _session.get(
                url, timeout=PATIENCE, verify=str(authority) if authority else True, headers=headers
            )
        except requests.RequestException as error:
            return f"{url} does not answer ({type(error).__name__})"
        if answer.status_code != requests.codes.ok:
            return f"{url} answers {answer.status_code}: {answer.text.strip()[-300:]}"
        return None

    return check


def listening(port: int) -> Condition:
    """A process accepts connections on `port`."""

    def check() -> str | None:
        try:
            socket.create_connection((HOST, port), timeout=PATIENCE).close()
        except OSError as error:
            return f"nothing accepts connections on port {port} ({error.strerror or error})"
        return None

    return check


def exists(path: Path) -> Condition:
    """The file exists."""
    return lambda: None if path.exists() else f"{path} is not written yet"


def all_of(*conditions: Condition) -> Condition:
    """Every condition is true; the first that is not says what is missing."""
    return lambda: next((missing for check in conditions if (missing := check())), None)
