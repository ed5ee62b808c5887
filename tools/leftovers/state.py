"""What Pulumi knows: exported states, and what a preview would create."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ROUTE = "aws:ec2/route:Route"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A resource of a state, or one that a preview wants to create.

    name: what `Found.name` is for the same object; identities: its id, its ARN.
    """

    urn: str
    type: str
    name: str
    identities: frozenset[str]
    parent: str = ""
    protect: bool = False

    @property
    def logical(self) -> str:
        return self.urn.rpartition("::")[2]


def known(exports: Iterable[str]) -> list[Known]:
    """The AWS resources of the outputs of `pulumi stack export`."""
    return [
        Known(
            urn=resource["urn"],
            type=resource["type"],
            name=_name(resource["type"], {**resource.get("inputs", {}), **_outputs(resource)}),
            identities=frozenset(_identities(resource)),
        )
        for export in exports
        for resource in (json.loads(export).get("deployment") or {}).get("resources", [])
        if resource["type"].startswith("aws:") and resource.get("id")
    ]


def wanted(preview: str) -> list[Known]:
    """The AWS resources that the output of `pulumi preview --json` would create."""
    return [
        Known(
            urn=step["urn"],
            type=step["newState"]["type"],
            name=_name(step["newState"]["type"], step["newState"].get("inputs", {})),
            identities=frozenset(),
            parent=step["newState"].get("parent", ""),
            protect=bool(step["newState"].get("protect")),
        )
        for step in json.loads(preview).get("steps", [])
        if step["op"] == "create" and step["newState"]["type"].startswith("aws:")
    ]


def _outputs(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    return resource.get("outputs") or {}


def _identities(resource: Mapping[str, Any]) -> Iterator[str]:
    outputs = _outputs(resource)
    yield resource["id"]
    if isinstance(outputs.get("arn"), str):
        yield outputs["arn"]
    if resource["type"] == ROUTE:
        yield f"{outputs.get('routeTableId')}_{outputs.get('destinationCidrBlock')}"
    if resource["type"] == "aws:eks/podIdentityAssociation:PodIdentityAssociation":
        yield str(outputs.get("associationId"))


def _name(type_: str, said: Mapping[str, Any]) -> str:
    """An object's own name where it has one, or its tag `Name`.

    What is in a cluster is named within it: `<cluster>:<name>`.
    """
    if type_ == ROUTE:
        return f"{said.get('routeTableId')}_{said.get('destinationCidrBlock')}"
    if type_ == ASSOCIATION:
        return f"{said.get('subnetId')}/{said.get('routeTableId')}"
    if type_ == "aws:eks/podIdentityAssociation:PodIdentityAssociation":
        return f"{said.get('clusterName')}:{said.get('namespace')}/{said.get('serviceAccount')}"
    for key in ("nodeGroupName", "addonName", "principalArn"):
        if key in said:
            return f"{said.get('clusterName')}:{said[key]}"
    tag = str((said.get("tags") or {}).get("Name", ""))
    if type_ == "aws:ec2/securityGroup:SecurityGroup":  # its name counts inside its VPC alone
        return tag
    return str(said.get("name") or tag)
