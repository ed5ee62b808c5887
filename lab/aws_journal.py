"""A journal for moto: every request that changes something is written down and can be replayed.

moto has its state in memory only. Its identifiers come from one random generator, which is seeded
for each line of the journal. So a replay gives the same identifiers and access keys, and a lab
whose moto was stopped or killed finds the same AWS account.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, TypeAlias
from unittest import mock
from urllib.parse import parse_qs

from moto.core.base_backend import AccountSpecificBackend
from moto.ecr import models as ecr
from moto.moto_api._internal import mock_random
from moto.sts import utils as sts
from werkzeug.test import run_wsgi_app

Environ: TypeAlias = dict[str, Any]
WsgiApp: TypeAlias = Callable[[Environ, Any], Iterable[bytes]]

AT = "lab.at"
"""The key in the environ that says when a change was first requested."""
READING = ("Describe", "Get", "List", "BatchGet", "BatchCheck")
"""Prefixes of AWS actions that change nothing."""
_KEPT = (
    "REQUEST_METHOD",
    "PATH_INFO",
    "RAW_URI",  # moto reads it: in it an encoded slash is still encoded
    "REQUEST_URI",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
)


class JournaledApp:
    """A WSGI application whose changes are written to `journal`, one request at a time."""

    def __init__(self, app: WsgiApp, journal: Path) -> None:
        self._app = app
        self._journal = journal
        self._lock = threading.Lock()
        self._changes = 0

    def replay(self, base: Mapping[str, Any]) -> int:
        """Replay every request of the journal; `base` is the environ that all of them share.

        Returns their number. An incomplete last line is dropped: its request was never answered.
        """
        text = self._journal.read_text(encoding="utf-8") if self._journal.exists() else ""
        lines = text.splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            lines.pop()
            self._journal.write_text("".join(lines), encoding="utf-8")
        for line in lines:
            entry = json.loads(line)
            body = base64.b64decode(entry["body"])
            at = datetime.fromisoformat(entry["at"])
            environ = {**base, **entry["environ"], "wsgi.input": io.BytesIO(body), AT: at}
            with self._change(at):
                _play(self._app, environ)
        return len(lines)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        with self._lock, mock.patch.object(AccountSpecificBackend, "__getitem__", _backend_of):
            if not changes_something(environ, body):
                return list(self._app(environ, start_response))
            now = datetime.now(UTC)
            self._write(now, environ, body)
            environ[AT] = now
            with self._change(now):
                return list(self._app(environ, start_response))

    def _write(self, at: datetime, environ: Environ, body: bytes) -> None:
        kept = {
            name: value
            for name, value in environ.items()
            if name in _KEPT or (name.startswith("HTTP_") and isinstance(value, str))
        }
        entry = {
            "at": at.isoformat(),
            "environ": kept,
            "body": base64.b64encode(body).decode(),
        }
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, sort_keys=True) + "\n")

    @contextmanager
    def _change(self, at: datetime) -> Iterator[None]:
        """The next change, with its own seed and its own time."""
        self._changes += 1
        mock_random.seed(self._changes)
        with (
            mock.patch.object(ecr, "datetime", frozen_at(at)),
            mock.patch.object(AccountSpecificBackend, "__getitem__", _backend_of),
            # Session tokens come from another generator, and have to be the same after a replay.
            mock.patch.object(sts, "os", SimpleNamespace(urandom=mock_random.randbytes)),
        ):
            yield


_made_by_moto = AccountSpecificBackend.__getitem__


def _backend_of(account: AccountSpecificBackend[Any], region: str) -> Any:
    """A service in a region. moto creates it at the first request, here with a seed of its own.

    Otherwise a request that only reads would change the identifiers of later changes.
    """
    if region in account.keys():  # noqa: SIM118 - `in` asks for regions that moto knows
        return _made_by_moto(account, region)
    before = mock_random.getstate()
    mock_random.seed(f"{account.service_name}/{account.account_id}/{region}")
    try:
        return _made_by_moto(account, region)
    finally:
        mock_random.setstate(before)


def _play(app: WsgiApp, environ: Environ) -> None:
    """Replay one request; if the application failed the first time, it fails again."""
    try:
        run_wsgi_app(app, environ, buffered=True)
    except Exception as error:
        print(f"{environ['PATH_INFO']} failed again: {error!r}", flush=True)


def frozen_at(moment: datetime) -> type[datetime]:
    """A `datetime` whose `now` is `moment`, so that a replay gives images the same push time."""

    class Frozen(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(moment.timestamp(), tz)

    return Frozen


def changes_something(environ: Environ, body: bytes) -> bool:
    """Whether an AWS request may change the state, by its action, else by its HTTP method."""
    action = _action(environ, body)
    if action:
        return not action.startswith(READING)
    return environ["REQUEST_METHOD"] not in ("GET", "HEAD", "OPTIONS")


def _action(environ: Environ, body: bytes) -> str:
    """The action of the JSON and the query protocol; empty for REST."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    if "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        return parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    query = str(environ.get("QUERY_STRING", ""))
    return parse_qs(query).get("Action", [""])[0]
