"""What environments cost: computed from resources and a price list, and written in the README."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from settings.node_schedules import share_stopped
from tests.unit.conftest import CHECKOUT
from tests.unit.recording import Recording
from tests.unit.whole_program import record_program
from tools.costs import prices
from tools.costs.__main__ import main
from tools.costs.parts import NoPriceError, checked, parts
from tools.costs.preview import Resource
from tools.costs.table import table

README = CHECKOUT / "README.md"
BEGIN, END = "<!-- python -m tools.costs -->\n", "<!-- end -->"
LISTED = prices.committed()
GROUP = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
SCHEDULE = "aws:autoscaling/schedule:Schedule"
NIGHTS = "0 20 * * 1-5", "0 7 * * 1-5"


def of_program(recording: Recording) -> list[Resource]:
    return [
        Resource(type=one.type, name=one.name, inputs=one.inputs)
        for one in recording.resources
        if one.type.startswith("aws:")
    ]


def nodes(kind: str, size: int, capacity: str = "ON_DEMAND", disk: int = 50) -> list[Resource]:
    """A node group and its launch template."""
    group = {
        "instanceTypes": [kind],
        "scalingConfig": {"minSize": size},
        "capacityType": capacity,
    }
    disks = [{"ebs": {"volumeSize": disk}}]
    return [
        Resource(type=GROUP, name=f"cluster-nodes-{kind}", inputs=group),
        Resource(
            type=TEMPLATE,
            name=f"cluster-nodes-{kind}-template",
            inputs={"blockDeviceMappings": disks},
        ),
    ]


def costs(resources: list[Resource]) -> dict[str, float]:
    return {part.name: round(part.monthly, 2) for part in parts(resources, LISTED)}


def test_the_readme_says_what_the_committed_stacks_cost(regenerate: bool) -> None:
    environments = {
        stack: of_program(record_program(stack, CHECKOUT, CHECKOUT / "__main__.py"))
        for stack in ("dev", "prod")
    }
    text = table(dict(checked(environments, LISTED)), LISTED)
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    written, _, after = rest.partition(END)
    if regenerate:
        README.write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")
        written = text
    assert written == text, "run with --regenerate, and look at the difference"


def test_nodes_cost_their_type_and_their_disks() -> None:
    assert costs(nodes("m7i.large", 2)) == {"nodes": 147.17, "disks of nodes": 8.0}


def test_spot_nodes_are_cheaper() -> None:
    assert costs(nodes("m7i.large", 2, "SPOT"))["nodes"] == 58.87


def stopped(resources: list[Resource], stop: str, start: str) -> list[Resource]:
    """The resources, with a schedule for the node group among them."""
    group = resources[0].name
    return [
        *resources,
        Resource(type=SCHEDULE, name=f"{group}-stop", inputs={"recurrence": stop}),
        Resource(type=SCHEDULE, name=f"{group}-start", inputs={"recurrence": start}),
    ]


def test_nodes_cost_only_while_they_run() -> None:
    half = stopped(nodes("m7i.large", 2), "0 20 * * *", "0 8 * * *")
    assert costs(half) == {"nodes": 73.58, "disks of nodes": 4.0}
    assert [part.reason for part in parts(half, LISTED)] == [
        "2 m7i.large for 50% of the time",
        "50 GiB",
    ]
    other = [*half, *nodes("m7i.xlarge", 1)]
    assert costs(other)["nodes"] == round(73.58 + 147.17, 2)


def test_the_readme_says_what_nights_and_weekends_save() -> None:
    always = nodes("m7i.large", 2)
    share = share_stopped(*NIGHTS)
    saved = sum(costs(always).values()) - sum(costs(stopped(always, *NIGHTS)).values())
    assert (
        f"| {share:.0%} of its nodes and disks: {saved:.0f} for two m7i.large, off "
        f"from 20 to 7 o'clock and at weekends |"
    ).replace("%", " %") in README.read_text(encoding="utf-8")


def test_a_group_that_begins_empty_costs_nothing() -> None:
    assert costs(nodes("m7i.large", 0)) == {}


def test_addresses_are_paid_beside_the_gateways() -> None:
    gateway = Resource(type="aws:ec2/natGateway:NatGateway", name="nat", inputs={})
    address = Resource(type="aws:ec2/eip:Eip", name="address", inputs={})
    assert costs([gateway, address]) == {"NAT gateways with addresses": 36.5}


def test_endpoints_cost_in_every_zone_and_the_one_of_s3_nothing() -> None:
    endpoint = "aws:ec2/vpcEndpoint:VpcEndpoint"
    there = [
        Resource(type=endpoint, name="ecr", inputs={"vpcEndpointType": "Interface"}),
        Resource(type=endpoint, name="s3", inputs={"vpcEndpointType": "Gateway"}),
        *(
            Resource(type="aws:ec2/subnet:Subnet", name=f"private-{letter}", inputs={"tags": tags})
            for letter, tags in {
                "a": {"kubernetes.io/role/internal-elb": "1"},
                "b": {"kubernetes.io/role/internal-elb": "1"},
                "c": {"kubernetes.io/role/elb": "1"},
            }.items()
        ),
    ]
    assert costs(there) == {"interface endpoints of ECR": 14.6}


def test_types_without_a_price_are_all_told() -> None:
    environments = {
        "dev": nodes("x9.huge", 1),
        "prod": [*nodes("y9.big", 0), *nodes("t3.large", 1)],
    }
    with pytest.raises(NoPriceError) as refused:
        dict(checked(environments, LISTED))
    assert str(refused.value) == (
        "the price list lacks instance types:\n"
        "  - dev: instance type x9.huge has no price; add it to instance_hour in "
        "tools/costs/prices.json\n"
        "  - prod: instance type y9.big has no price; add it to instance_hour in "
        "tools/costs/prices.json"
    )


def step(op: str, type_: str, name: str, **inputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:dev::two-speed-gitops::{type_}::{name}"
    state = {"type": type_, "inputs": inputs}
    return {"op": op, "urn": urn, ("oldState" if op == "delete" else "newState"): state}


def test_a_preview_counts_what_will_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "aws:kms/key:Key"
    steps = [
        step("same", "aws:eks/cluster:Cluster", "eks"),
        step("create", key, "new"),
        step("delete", key, "old"),
        step("create-replacement", key, "other"),
        step("replace", key, "other"),
    ]
    file = tmp_path / "dev.json"
    file.write_text(json.dumps({"steps": steps}))

    assert main([str(file)]) == 0
    written = capsys.readouterr().out.splitlines()
    assert written[:5] == [
        "| USD a month | dev |",
        "| --- | ---: |",
        "| EKS control plane | 73 (1) |",
        "| KMS keys | 2 (2) |",
        "| **together** | **75** |",
    ]
    assert written[-1].startswith("List prices of us-east-1, 2026-11-26: ")


@pytest.mark.parametrize("text", ["", "{}", '{"steps": []}', "[1]"])
def test_what_is_no_preview_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "dev.json"
    file.write_text(text)

    assert main([str(file)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{file}: is no preview (")
    assert "pulumi preview --json --show-sames" in told


def test_other_prices_make_other_costs() -> None:
    dearer = replace(LISTED, instance_hour={"m7i.large": 0.2016})
    (found, _) = parts(nodes("m7i.large", 2), dearer)
    assert round(found.monthly, 2) == 294.34
