"""The API of one environment's Argo CD, as a user who has signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

from lab.identity_provider import id_token
from lab.site import Site
from settings.problems import UserError

TIMEOUT = 30
CLIENT = "argocd"
"""Argo CD's client ID at the identity provider: `argocd.sso.clientId`."""


class ArgoCdError(UserError):
    """Argo CD refused a call."""

    def __init__(self, call: str, status: int, answer: str) -> None:
        self.status = status
        super().__init__(f"Argo CD answered {status} to {call}: {answer}")


@dataclass(frozen=True)
class ArgoCdApi:
    """A session with the Argo CD API at `url`."""

    url: str
    token: str

    @classmethod
    def signed_in(cls, site: Site, environment: str, user: str) -> ArgoCdApi:
        """The API as a user of `users.yaml` sees it; raises UnknownUserError."""
        return cls(site.url("argocd-server", environment), id_token(site, user, CLIENT))

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One call below /api/v1; raises ArgoCdError when it is refused."""
        answer = requests.request(
            method,
            f"{self.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
            timeout=TIMEOUT,
        )
        if not answer.ok:
            raise ArgoCdError(f"{method} {path}", answer.status_code, answer.text)
        content: dict[str, Any] = answer.json() if answer.content else {}
        return content

    def applications(self) -> dict[str, dict[str, Any]]:
        """Every Application by name."""
        items = self.call("GET", "applications").get("items") or []
        return {item["metadata"]["name"]: item for item in items}

    def application(self, name: str, *, refresh: bool = False) -> dict[str, Any]:
        """One Application; with `refresh`, compared with Git first."""
        return self.call("GET", f"applications/{name}{'?refresh=normal' if refresh else ''}")

    def sync(self, name: str) -> None:
        """Approves the sync of an Application, as the button in the UI does with Prune ticked."""
        self.call("POST", f"applications/{name}/sync", {"prune": True})
