"""IAM: the clients of OpenID Connect providers, which moto cannot change."""

from __future__ import annotations

from collections.abc import Callable

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body

OIDC_PROVIDER = "iam/OpenIDConnectProvider"


def _changed(request: ApiRequest, change: Callable[[list[str]], list[str]]) -> Body:
    arn = request.given["OpenIDConnectProviderArn"]
    provider = request.ask("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    clients = change(provider["ClientIDList"])
    request.store.merge(OIDC_PROVIDER, arn, {"ClientIDList": clients})
    return {}


def _add(request: ApiRequest) -> Body:
    """IAM API Reference, AddClientIDToOpenIDConnectProvider."""
    client = request.given["ClientID"]
    return _changed(request, lambda ids: ids if client in ids else [*ids, client])


def _remove(request: ApiRequest) -> Body:
    """IAM API Reference, RemoveClientIDFromOpenIDConnectProvider."""
    return _changed(request, lambda ids: [one for one in ids if one != request.given["ClientID"]])


def _get(request: ApiRequest) -> Body:
    """IAM API Reference, GetOpenIDConnectProvider."""
    remembered = request.store.get(OIDC_PROVIDER, request.given["OpenIDConnectProviderArn"]) or {}
    return {**request.moto(), **remembered}


def _delete(request: ApiRequest) -> Body:
    """IAM API Reference, DeleteOpenIDConnectProvider."""
    answer = request.moto()
    request.store.drop(OIDC_PROVIDER, request.given["OpenIDConnectProviderArn"])
    return answer


STAND_INS: StandIns = {
    ("iam", "AddClientIDToOpenIDConnectProvider"): _add,
    ("iam", "RemoveClientIDFromOpenIDConnectProvider"): _remove,
    ("iam", "GetOpenIDConnectProvider"): _get,
    ("iam", "DeleteOpenIDConnectProvider"): _delete,
}
