"""A small client of one lab cluster's API server, with the administrator's token."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
import yaml

from lab.pki import ADMINISTRATOR, Pki
from lab.site import Site
from lab.state import write_atomically

Object = dict[str, Any]
TIMEOUT = 10
TOKEN_SECONDS = 24 * 3600


class KubernetesApi:
    """Reads and writes objects by their API path, such as `/api/v1/nodes`."""

    def __init__(self, site: Site, environment: str) -> None:
        pki = cluster_pki(site, environment)
        self.url = site.url("apiserver", environment, "https")
        self._session = requests.Session()
        self._session.verify = str(pki.authority)
        self._session.trust_env = False
        self._pki = pki

    def get(self, path: str) -> Object | None:
        """The object or list; None when there is none."""
        return self._ask("GET", path, None, {HTTPStatus.NOT_FOUND})

    def create(self, path: str, body: Object) -> Object | None:
        """The created object; None when it was there already."""
        return self._ask("POST", path, body, {HTTPStatus.CONFLICT})

    def replace(self, path: str, body: Object) -> Object | None:
        """The replaced object; None when it is gone, or changed since `body` was read."""
        return self._ask("PUT", path, body, {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})

    def delete(self, path: str) -> Object | None:
        """What the API server says; None when there is no such object."""
        return self._ask("DELETE", path, None, {HTTPStatus.NOT_FOUND})

    def token(self, namespace: str, account: str) -> str:
        """A new token of a ServiceAccount, valid for a day."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        return str((self.create(path, body) or {})["status"]["token"])

    def _ask(
        self, method: str, path: str, body: Object | None, absent: set[HTTPStatus]
    ) -> Object | None:
        """The answer; None for the statuses `absent`. Raises requests.RequestException."""
        answer = self._session.request(
            method,
            self.url + path,
            json=body,
            headers={"Authorization": f"Bearer {self._pki.token(ADMINISTRATOR)}"},
            timeout=TIMEOUT,
        )
        if answer.status_code in absent:
            return None
        answer.raise_for_status()
        content: Object = answer.json()
        return content


def cluster_pki(site: Site, environment: str) -> Pki:
    return Pki(site.certificate_authority(environment).parent)


def write_kubeconfig(
    site: Site,
    environment: str,
    *,
    path: Path,
    user: dict[str, str],
    namespace: str = "default",
) -> None:
    """Writes a kubeconfig for the environment's cluster; `user` holds the credentials."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": environment,
        "clusters": [
            {
                "name": environment,
                "cluster": {
                    "server": site.url("apiserver", environment, "https"),
                    "certificate-authority": str(site.certificate_authority(environment)),
                },
            }
        ],
        "contexts": [
            {
                "name": environment,
                "context": {"cluster": environment, "user": "lab", "namespace": namespace},
            }
        ],
        "users": [{"name": "lab", "user": user}],
    }
    write_atomically(path, yaml.safe_dump(content, sort_keys=False), mode=0o600)
