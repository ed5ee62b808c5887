"""Updates of clusters, node groups and add-ons, all of them done."""

from __future__ import annotations

from lab.aws_api.asked import Asked, StandIns
from lab.aws_api.calls import Body
from lab.aws_api.stand_ins.eks import UPDATE, cluster_of, kept, page


def _prefix(given: Body) -> str:
    concerned = [given[name] for name in ("nodegroupName", "addonName") if given.get(name)]
    return "/".join((given["name"], *concerned)) + "/"


def _describe(asked: Asked) -> Body:
    """Amazon EKS API Reference, DescribeUpdate."""
    return {"update": kept(asked, UPDATE, _prefix(asked.given) + asked.given["updateId"])}


def _list(asked: Asked) -> Body:
    """Amazon EKS API Reference, ListUpdates."""
    cluster_of(asked, asked.given["name"])
    prefix = _prefix(asked.given)
    rests = (key.removeprefix(prefix) for key in asked.shelves.all(UPDATE, prefix))
    return page(asked, "updateIds", (rest for rest in rests if "/" not in rest))


STAND_INS: StandIns = {("eks", "DescribeUpdate"): _describe, ("eks", "ListUpdates"): _list}
