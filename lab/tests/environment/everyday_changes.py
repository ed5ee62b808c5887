"""The changes that a year brings, each as an edit of the committed files."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Content = dict[str, Any]
Edit = Callable[[Content, Content], object]
"""Changes a stack's configuration and the catalogue, both parsed, in place."""

ACCOUNT = "arn:aws:iam::123456789012:role"
DEV, PROD, BOTH = ("dev",), ("prod",), ("dev", "prod")
NIGHTS = {"stop": "0 20 * * mon-fri", "start": "0 7 * * mon-fri"}
NEW_SERVICE = {
    "owner": "tvhub",
    "source": "acme/chat",
    "ci": "github-actions",
    "delivery": "commit",
    "port": 8080,
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change, the stacks that are previewed with it, and how the files change."""

    what: str
    stacks: tuple[str, ...]
    edit: Edit


def _stack(what: str, stacks: tuple[str, ...], key: str, **values: object) -> Change:
    """A change of some values below one `platform:` key."""
    section, *path = key.split(".")

    def edit(config: Content, _: Content) -> None:
        place = config.setdefault(f"platform:{section}", {})
        for name in path:
            place = place[int(name)] if name.isdigit() else place.setdefault(name, {})
        place.update(values)

    return Change(what=what, stacks=stacks, edit=edit)


def _domain(config: Content, _: Content) -> None:
    config["platform:domain"] = "play.dev.acme.example"


def _node_group(config: Content, _: Content) -> None:
    groups = config["platform:cluster"]["nodeGroups"]
    groups.append({**groups[0], "name": "spare", "capacity": "spot", "minSize": 0})


def _to_auto_mode(config: Content, _: Content) -> None:
    del config["platform:cluster"]["nodeGroups"]
    config["platform:cluster"]["compute"] = "auto"


def _to_node_groups(config: Content, _: Content) -> None:
    cluster = config["platform:cluster"]
    del cluster["pools"]
    group = {"name": "general", "instanceTypes": ["m7i.large"], "minSize": 2, "maxSize": 5}
    cluster.update(compute="nodeGroups", nodeGroups=[group])


def _team(config: Content, catalogue: Content) -> None:
    catalogue["teams"]["chat"] = {"group": "acme:chat"}
    catalogue["namespaces"]["streaming"]["services"]["tv-api"]["owner"] = "chat"
    config["platform:cluster"]["access"]["teams"]["chat"] = [f"{ACCOUNT}/chat"]


def _add(_: Content, catalogue: Content) -> None:
    catalogue["namespaces"]["streaming"]["services"]["chat"] = deepcopy(NEW_SERVICE)


def _remove(_: Content, catalogue: Content) -> None:
    del catalogue["namespaces"]["streaming"]["services"]["tv-frontend"]


def _rename(_: Content, catalogue: Content) -> None:
    services = catalogue["namespaces"]["streaming"]["services"]
    services["tv-web"] = services.pop("tv-frontend")


def _service(what: str, name: str, **values: object) -> Change:
    """A change of a service of the namespace `community`, in all environments."""

    def edit(_: Content, catalogue: Content) -> None:
        service = catalogue["namespaces"]["community"]["services"][name]
        for key, value in values.items():
            service[key] = service.get(key, {}) | value if isinstance(value, dict) else value

    return Change(what=what, stacks=DEV, edit=edit)


CHANGES = (
    Change(what="a new service", stacks=BOTH, edit=_add),
    Change(what="a service removed", stacks=BOTH, edit=_remove),
    Change(what="a service renamed", stacks=DEV, edit=_rename),
    _service("a new environment variable of a service", "tournaments", env={"ROUNDS": "3"}),
    _service("delivery of a service: `keel` to `commit`", "tournaments", delivery="commit"),
    Change(what="a new team that takes over a service", stacks=DEV, edit=_team),
    _stack("a new reader", DEV, "cluster.access", readOnly=[f"{ACCOUNT}/support"]),
    _stack("room for more nodes of Auto Mode", DEV, "cluster.pools.0", maxCpus=64),
    _stack("on-demand nodes of Auto Mode", DEV, "cluster.pools.0", capacity="on-demand"),
    _stack("more nodes of a group", PROD, "cluster.nodeGroups.0", maxSize=12),
    _stack("larger nodes of a group", PROD, "cluster.nodeGroups.0", instanceTypes=["m7i.2xlarge"]),
    _stack("larger disks of a group", PROD, "cluster.nodeGroups.0", diskGib=100),
    _stack("nodes of a group off at night", PROD, "cluster.nodeGroups.0", schedule=NIGHTS),
    Change(what="a second node group", stacks=PROD, edit=_node_group),
    Change(what="Auto Mode in place of node groups", stacks=PROD, edit=_to_auto_mode),
    Change(what="node groups in place of Auto Mode", stacks=DEV, edit=_to_node_groups),
    _stack("a Kubernetes upgrade", PROD, "cluster", version="1.36"),
    _stack("a Kubernetes downgrade", DEV, "cluster", version="1.34"),
    _stack(
        "a public access list", DEV, "cluster", publicAccess=["203.0.113.0/24", "198.51.100.0/24"]
    ),
    _stack("a NAT gateway for each zone", DEV, "network", nat="per-zone"),
    _stack("a third zone", DEV, "network", zones=["a", "b", "c"]),
    _stack("flow logs", PROD, "network", flowLogs=True),
    _stack("a chart upgrade of Argo CD", PROD, "argocd.chart", version="10.1.2"),
    _stack("a chart upgrade of Keel", DEV, "keel.chart", version="1.2.1"),
    _stack("another poll schedule of Keel", DEV, "keel", schedule="@every 1m"),
    _stack(
        "a sync window",
        PROD,
        "argocd",
        syncWindows=[{"schedule": "0 8 * * 1-5", "duration": "9h"}],
    ),
    _stack("a Slack channel", PROD, "argocd.notifications", slackChannel="releases"),
    Change(what="another domain of the services", stacks=DEV, edit=_domain),
    _stack("the registry encrypted with a key", DEV, "registry", encryption="KMS"),
    _stack("another range of the VPC", DEV, "network", cidr="10.40.0.0/16"),
    _stack("another range of Kubernetes services", DEV, "cluster", serviceCidr="172.21.0.0/16"),
)
