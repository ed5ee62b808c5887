"""The programs that run in pods ask the Kubernetes API with their own account."""

from __future__ import annotations

from email.message import Message
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError

import pytest

from components.migrations import gate
from components.secrets import rotation

BODIES = {gate: "application/json", rotation: "application/merge-patch+json"}


class Answering:
    """In place of the network: what was asked, and one answer."""

    def __init__(self, answer: bytes | HTTPError) -> None:
        self.answer = answer
        self.asked: list[Any] = []
        self.how: list[dict[str, Any]] = []

    def __call__(self, request: Any, **how: Any) -> BytesIO:
        self.asked.append(request)
        self.how.append(how)
        if isinstance(self.answer, HTTPError):
            raise self.answer
        return BytesIO(self.answer)


class Pod:
    """Makes this process a pod with an account."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch
        (folder / "token").write_text("a-token")

    def answering(
        self, program: ModuleType, answer: bytes | HTTPError, host: str = "10.0.0.1"
    ) -> Answering:
        """In it an API at that host answers so."""
        api = Answering(answer)
        self._monkeypatch.setattr(program, "ACCOUNT", self._folder)
        self._monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
        self._monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
        self._monkeypatch.setattr(program, "urlopen", api)
        self._monkeypatch.setattr(
            "ssl.create_default_context", lambda cafile: f"trusts {Path(cafile).name}"
        )
        return api


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pod:
    return Pod(tmp_path, monkeypatch)


@pytest.mark.parametrize(("host", "shown"), [("10.0.0.1", "10.0.0.1"), ("fd00::1", "[fd00::1]")])
@pytest.mark.parametrize(("program", "kind"), BODIES.items())
def test_the_api_is_asked_with_the_pods_own_account(
    pod: Pod, program: ModuleType, kind: str, host: str, shown: str
) -> None:
    api = pod.answering(program, b'{"kind": "Job"}', host)
    assert program.ask("POST", "/apis/x", {"a": 1}) == {"kind": "Job"}
    assert program.ask("GET", "/apis/x", None) == {"kind": "Job"}
    posted, got = api.asked
    assert (posted.method, posted.full_url, posted.data) == (
        "POST",
        f"https://{shown}:443/apis/x",
        b'{"a": 1}',
    )
    assert posted.headers == {"Authorization": "Bearer a-token", "Content-type": kind}
    assert (got.method, got.full_url, got.data) == ("GET", f"https://{shown}:443/apis/x", None)
    assert api.how == [{"timeout": 30, "context": "trusts ca.crt"}] * 2


def failure(code: int, said: bytes) -> HTTPError:
    return HTTPError("https://x", code, "no", Message(), BytesIO(said))


@pytest.mark.parametrize(("program", "code"), [(gate, 404), (gate, 409), (rotation, 404)])
def test_what_is_not_there_or_is_there_already_is_nothing(
    pod: Pod, program: ModuleType, code: int
) -> None:
    pod.answering(program, failure(code, b"no"))
    assert program.ask("GET", "/apis/x", None) is None


@pytest.mark.parametrize(
    ("program", "code"), [(gate, 403), (gate, 410), (rotation, 403), (rotation, 409)]
)
def test_another_refusal_says_what_the_api_said(pod: Pod, program: ModuleType, code: int) -> None:
    pod.answering(program, failure(code, b"\xff" + b"x" * 400))
    with pytest.raises(OSError, match="GET /apis/x") as refused:
        program.ask("GET", "/apis/x", None)
    assert str(refused.value) == f"GET /apis/x: {code} \ufffd{'x' * 299}"
