"""What a killed update left in AWS can be taken up by `pulumi import`, and is not replaced."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from lab.program import Program, aws_credentials
from lab.tests.environment.conftest import Lab

Resource = dict[str, Any]
Deployment = dict[str, Any]

IDS: dict[str, Callable[[Resource], str]] = {
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
        lambda one: f"{one['inputs']['role']}/{one['inputs']['policyArn']}"
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (
        lambda one: f"{one['inputs']['subnetId']}/{one['inputs']['routeTableId']}"
    ),
    "aws:ec2/route:Route": (
        lambda one: f"{one['inputs']['routeTableId']}_{one['inputs']['destinationCidrBlock']}"
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        lambda one: f"{one['inputs']['clusterName']},{one['outputs']['associationId']}"
    ),
    "aws:route53/record:Record": (
        lambda one: "_".join(one["inputs"][part] for part in ("zoneId", "name", "type"))
    ),
}
"""What the provider's reference says under "Import", where that is not the id in the state."""

NOT_IMPORTED = {"aws:acm/certificateValidation:CertificateValidation"}
"""Types of which AWS has nothing: Pulumi only waits."""

UPDATED = {
    "aws:ec2/natGateway:NatGateway",
    "aws:eks/addon:Addon",
    "aws:kms/key:Key",
    "aws:route53/record:Record",
}
"""Types with inputs that AWS does not tell, such as what to do about an add-on's conflicts."""


@pytest.mark.parametrize(
    ("stack", "of_its_nodes"), [("dev", set()), ("prod", {"aws:ec2/launchTemplate:LaunchTemplate"})]
)
def test_what_is_imported_is_not_replaced(
    lab: Lab, stack: str, of_its_nodes: set[str], tmp_path: Path
) -> None:
    program = lab.program
    program.selected(stack)
    before = exported(program, stack)
    found = imported(program, stack, of_aws(before), tmp_path)
    after = json.loads(json.dumps(before))
    for one in of_aws(after):
        one.update({part: found[name(one)][part] for part in ("inputs", "outputs")})
    with state_of(program, stack, tmp_path, after, restored=before):
        steps = json.loads(program.read("preview", "--json", stack=stack))["steps"]
    changes = {(step["op"], step["newState"]["type"]) for step in steps if step["op"] != "same"}
    expected = {("update", kind) for kind in UPDATED | of_its_nodes}
    assert changes - {("read", "pulumi:pulumi:StackReference")} == expected


def of_aws(deployment: Deployment) -> list[Resource]:
    resources: list[Resource] = deployment["deployment"]["resources"]
    return [
        one
        for one in resources
        if one["type"].startswith("aws:") and one["custom"] and one["type"] not in NOT_IMPORTED
    ]


def exported(program: Program, stack: str) -> Deployment:
    deployment: Deployment = json.loads(
        program.read("stack", "export", "--show-secrets", stack=stack)
    )
    return deployment


def imported(
    program: Program, stack: str, resources: list[Resource], folder: Path
) -> dict[str, Resource]:
    """By name, what an empty stack has of these resources after `pulumi import`."""
    home = program.site.home
    program = copy(program)
    program.environment = program.environment | aws_credentials(program.site, stack)
    shutil.copy(home / f"Pulumi.{stack}.yaml", home / "Pulumi.imported.yaml")
    program.read("stack", "select", "--create", stack="imported", folder=home)
    try:
        listed = folder / "resources.json"
        listed.write_text(json.dumps({"resources": [to_import(one) for one in resources]}))
        options = ("--yes", "--skip-preview", "--generate-code=false", "--protect=false")
        program.read("import", "--file", str(listed), *options, stack="imported")
        return {name(one): one for one in of_aws(exported(program, "imported"))}
    finally:
        program.read("stack", "rm", "--force", "--yes", stack="imported", folder=home)


def to_import(resource: Resource) -> dict[str, str]:
    kind = resource["type"]
    identified = IDS[kind](resource) if kind in IDS else resource["id"]
    return {"type": kind, "name": name(resource), "id": identified}


def name(resource: Resource) -> str:
    return str(resource["urn"]).split("::")[-1]


@contextmanager
def state_of(
    program: Program, stack: str, folder: Path, deployment: Deployment, restored: Deployment
) -> Iterator[None]:
    """The stack's state is `deployment` for a while."""
    try:
        put(program, stack, folder / "tried.json", deployment)
        yield
    finally:
        put(program, stack, folder / "restored.json", restored)


def put(program: Program, stack: str, file: Path, deployment: Deployment) -> None:
    file.write_text(json.dumps(deployment))
    program.read("stack", "import", "--file", str(file), stack=stack, folder=program.site.home)
