"""A catalogue of sixty services, which need what the services of a real platform need.

The shares are those of public GitOps repositories. Every call gives the same catalogue.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from tests.committed import CHECKOUT

Content = dict[str, Any]
COUNT = 60
NAMESPACES = ("accounts", "catalogue", "mail", "payments", "search")
TEAMS = ("gaming", "tvhub")
TOOLS = ("redis", "postgres")
"""Charts of others that every namespace has."""
DIGEST = "sha256:" + "5" * 64


def _worker(service: Content) -> None:
    service.setdefault("processes", {})["worker"] = {"command": ["bin/worker"], "replicas": 2}


def _cron(service: Content) -> None:
    service.setdefault("processes", {})["nightly"] = {
        "command": ["bin/nightly"],
        "schedule": "0 3 * * *",
        "timeZone": "Europe/Berlin",
    }


def _migration(service: Content) -> None:
    service["migrate"] = ["bin/migrate"]


def _secrets(service: Content) -> None:
    service["secrets"] = ["DATABASE_URL", "API_KEY"]


def _rights(service: Content) -> None:
    service["aws"] = {"policies": ["arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"]}


def _probes(service: Content) -> None:
    del service["port"]
    service |= {"ports": {"grpc": 9000}, "health": {"grpc": 9000}}


def _foreign(service: Content) -> None:
    for key in ("source", "ci", "delivery"):
        del service[key]
    service["image"] = {"name": "ghcr.io/acme/tool", "version": "1.4.2", "digest": DIGEST}


def _storage(service: Content) -> None:
    service["storage"] = {"data": {"path": "/var/lib/data", "size": "10Gi"}}


def _one_environment(service: Content) -> None:
    service["environments"] = ["dev"]


def _scale(service: Content) -> None:
    service["scale"] = {"min": 2, "max": 6, "cpu": 70}


NEEDS: Mapping[str, tuple[int, int, Callable[[Content], None]]] = MappingProxyType(
    {
        # how many of the sixty, and which number is the first that has it
        "secrets": (50, 0, _secrets),
        "worker": (38, 0, _worker),
        "cron job": (21, 3, _cron),
        "migration": (23, 1, _migration),
        "other probes": (16, 2, _probes),
        "foreign image": (10, 5, _foreign),
        "storage": (2, 2, _storage),
        "one environment": (5, 7, _one_environment),
        "autoscaler": (6, 6, _scale),
        "rights in AWS": (4, 8, _rights),
    }
)


def catalogue() -> Content:
    """The whole services.yaml."""
    namespaces: Content = {
        name: {"services": {}, "packages": {f"{name}-{tool}": package(tool) for tool in TOOLS}}
        for name in NAMESPACES
    }
    for number in range(COUNT):
        namespace = NAMESPACES[number % len(NAMESPACES)]
        namespaces[namespace]["services"][f"service-{number:02}"] = _service(number)
    return {
        "teams": {name: {"group": f"acme:{name}"} for name in TEAMS},
        "releasers": "acme:releasers",
        "namespaces": namespaces,
    }


def written(folder: Path, content: Content) -> Path:
    """The committed stack files with this catalogue, and what it needs of them."""
    folder.mkdir()
    (folder / "services.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    for stack in ("dev", "prod"):
        file = folder / f"Pulumi.{stack}.yaml"
        shutil.copy(CHECKOUT / file.name, file)
        stack_file = yaml.safe_load(file.read_text(encoding="utf-8"))
        config = stack_file["config"]
        if stack == "prod":  # Auto Mode has a driver of its own
            config["platform:cluster"]["addons"] = {"aws-ebs-csi-driver": "v1.40.0-eksbuild.1"}
        config["platform:permissionsBoundary"] = "arn:aws:iam::123456789012:policy/boundary"
        file.write_text(yaml.safe_dump(stack_file))
    return folder


def plain(number: int) -> Content:
    """A web service and no more."""
    return {
        "owner": TEAMS[number % len(TEAMS)],
        "source": f"acme/service-{number:02}",
        "ci": "github-actions",
        "delivery": "keel" if number % 2 else "commit",
        "port": 8080,
    }


def package(tool: str) -> Content:
    """Somebody else's chart."""
    return {
        "owner": TEAMS[0],
        "chart": {
            "repository": "https://charts.acme.example",
            "name": tool,
            "version": "1.2.3",
            "digest": DIGEST,
        },
    }


def _service(number: int) -> Content:
    service = plain(number) | ({"packaging": "helm"} if number % 3 == 0 else {})
    for count, first, add in NEEDS.values():
        if _has(number, count, first):
            add(service)
    return service


def _has(number: int, count: int, first: int) -> bool:
    """Whether a service is one of `count` that are spread evenly over the sixty."""
    place = (number - first) % COUNT
    return place * count % COUNT < count
