"""What the stand-ins for EKS share: where things are kept, and how EKS answers."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping
from typing import Any

from lab.aws.api import Aws
from lab.aws.errors import RefusedError

Body = dict[str, Any]

CLUSTER, NODE_GROUP = "eks/Cluster", "eks/NodeGroup"
ENTRY, POLICY = "eks/AccessEntry", "eks/AccessPolicyAssociation"
ADDON, IDENTITY = "eks/Addon", "eks/PodIdentityAssociation"


def key_of(parameters: Mapping[str, Any], *names: str) -> str:
    return "/".join(str(parameters[name]) for name in names)


def arn_of(aws: Aws, kind: str, *parts: str) -> str:
    """An ARN with the unique ending that EKS gives what lives inside a cluster."""
    ending = uuid.UUID(hashlib.md5("/".join(parts).encode(), usedforsecurity=False).hexdigest())
    return f"arn:aws:eks:{aws.region}:{aws.account}:{kind}/{'/'.join(parts)}/{ending}"


def missing(operation: str, what: str) -> RefusedError:
    return RefusedError("eks", operation, "ResourceNotFoundException", f"{what} does not exist")


def taken(operation: str, what: str) -> RefusedError:
    return RefusedError("eks", operation, "ResourceInUseException", f"{what} already exists")


def now() -> int:
    return int(time.time())


def existing_cluster(aws: Aws, name: str) -> None:
    aws.call("eks", "describe_cluster", name=name)


def update_done(kind: str) -> Body:
    return {"update": {"id": str(uuid.uuid4()), "status": "Successful", "type": kind}}


def merged(before: Any, change: Any) -> Any:
    both = isinstance(before, dict) and isinstance(change, dict)
    return {**before, **change} if both else change
