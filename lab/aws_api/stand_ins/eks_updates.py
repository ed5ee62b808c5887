"""Updates of clusters, node groups and add-ons, all of them done."""

from __future__ import annotations

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import UPDATE, cluster_of, page, stored


def _prefix(given: Body) -> str:
    concerned = [given[name] for name in ("nodegroupName", "addonName") if given.get(name)]
    return "/".join((given["name"], *concerned)) + "/"


def _describe(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, DescribeUpdate."""
    return {"update": stored(request, UPDATE, _prefix(request.given) + request.given["updateId"])}


def _list(request: ApiRequest) -> Body:
    """Amazon EKS API Reference, ListUpdates."""
    cluster_of(request, request.given["name"])
    prefix = _prefix(request.given)
    rests = (key.removeprefix(prefix) for key in request.store.all(UPDATE, prefix))
    return page(request, "updateIds", (rest for rest in rests if "/" not in rest))


STAND_INS: StandIns = {("eks", "DescribeUpdate"): _describe, ("eks", "ListUpdates"): _list}
