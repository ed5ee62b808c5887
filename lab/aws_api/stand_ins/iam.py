"""IAM: the clients of OpenID Connect providers, which moto does not let change."""

from __future__ import annotations

from collections.abc import Callable

from lab.aws_api.asked import Asked, StandIns
from lab.aws_api.calls import Body

OIDC_PROVIDER = "iam/OpenIDConnectProvider"


def _changed(asked: Asked, change: Callable[[list[str]], list[str]]) -> Body:
    arn = asked.given["OpenIDConnectProviderArn"]
    provider = asked.ask("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    clients = change(provider["ClientIDList"])
    asked.shelves.merge(OIDC_PROVIDER, arn, {"ClientIDList": clients})
    return {}


def _add(asked: Asked) -> Body:
    """IAM API Reference, AddClientIDToOpenIDConnectProvider."""
    client = asked.given["ClientID"]
    return _changed(asked, lambda ids: ids if client in ids else [*ids, client])


def _remove(asked: Asked) -> Body:
    """IAM API Reference, RemoveClientIDFromOpenIDConnectProvider."""
    return _changed(asked, lambda ids: [one for one in ids if one != asked.given["ClientID"]])


def _get(asked: Asked) -> Body:
    """IAM API Reference, GetOpenIDConnectProvider."""
    remembered = asked.shelves.get(OIDC_PROVIDER, asked.given["OpenIDConnectProviderArn"]) or {}
    return {**asked.moto(), **remembered}


def _delete(asked: Asked) -> Body:
    """IAM API Reference, DeleteOpenIDConnectProvider."""
    answer = asked.moto()
    asked.shelves.drop(OIDC_PROVIDER, asked.given["OpenIDConnectProviderArn"])
    return answer


STAND_INS: StandIns = {
    ("iam", "AddClientIDToOpenIDConnectProvider"): _add,
    ("iam", "RemoveClientIDFromOpenIDConnectProvider"): _remove,
    ("iam", "GetOpenIDConnectProvider"): _get,
    ("iam", "DeleteOpenIDConnectProvider"): _delete,
}
