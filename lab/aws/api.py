"""One door to AWS: every call is checked against botocore's models before it leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lab.aws import shapes
from lab.aws.errors import (
    AccountNotAllowedError,
    InvalidParametersError,
    RefusedError,
    UnreachableError,
)
from lab.aws.kept import Kept
from lab.site import Site

Send = Callable[[], shapes.Document]
Standin = Callable[["Aws", Send, shapes.Document], shapes.Document]


@dataclass(frozen=True, kw_only=True)
class Aws:
    """AWS as one account and region see it.

    `standins` answer for operations that moto lacks or half forgets (see `beyond_moto/`).
    """

    region: str
    account: str
    endpoints: Mapping[str, str] = field(default_factory=dict)
    site: Site
    kept: Kept
    standins: Mapping[tuple[str, str], Standin] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, service: str, operation: str, **parameters: Any) -> shapes.Document:
        """The answer of AWS. Raises InvalidParametersError before, RefusedError after asking."""
        given = {name: value for name, value in parameters.items() if value is not None}
        problems = shapes.problems(service, operation, given)
        if problems:
            raise InvalidParametersError(service, operation, problems)
        standin = self.standins.get((service, operation))
        if standin is None:
            return self._send(service, operation, given)
        return standin(self, lambda: self._send(service, operation, given), given)

    def _send(self, service: str, operation: str, given: shapes.Document) -> shapes.Document:
        client = self._client(service)
        try:
            answer: shapes.Document = getattr(client, operation)(**given)
        except ClientError as refusal:
            error = refusal.response.get("Error", {})
            code, message = error.get("Code", "Unknown"), error.get("Message", str(refusal))
            raise RefusedError(service, operation, code, message) from refusal
        except BotoCoreError as failure:
            raise UnreachableError(service, client.meta.endpoint_url, str(failure)) from failure
        return answer

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = new_client(
                    service, self.region, self.endpoints.get(service)
                )
            return self._clients[service]


def new_client(service: str, region: str, endpoint: str | None) -> Any:
    """A client with credentials from the environment; an endpoint of None is AWS's own.

    botocore gives it its methods at run time, so it has no useful type.
    """
    retries = Config(
        retries={"total_max_attempts": 3}, max_pool_connections=32, parameter_validation=False
    )
    return shapes.session().create_client(
        service, region_name=region, endpoint_url=endpoint, config=retries
    )


def account_of_credentials(region: str, endpoint: str | None, allowed: list[str]) -> str:
    """The account that the credentials belong to. Raises AccountNotAllowedError."""
    try:
        client = new_client("sts", region, endpoint)
        account = str(client.get_caller_identity()["Account"])
    except ClientError as refusal:
        error = refusal.response.get("Error", {})
        raise RefusedError(
            "sts", "get_caller_identity", error.get("Code", ""), error.get("Message", "")
        ) from refusal
    except BotoCoreError as failure:
        raise UnreachableError("sts", endpoint or "AWS", str(failure)) from failure
    if allowed and account not in allowed:
        raise AccountNotAllowedError(account, allowed)
    return account
