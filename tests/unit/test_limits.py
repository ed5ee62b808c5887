"""Whatever the settings accept, AWS and Pulumi's provider accept too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from components.keel_values import pull_policy
from settings import Settings, pulumi_config, quota_rules
from settings.catalogue import Catalogue, Namespace
from settings.stack import NodeGroup
from tests.unit.conftest import CHECKOUT, Change
from tests.unit.recording import Recording
from tests.unit.whole_program import record_program
from tools.limits import check, members

L63, L32 = "x" * 63, "e" * 32
LABEL = "a" + "b" * 61 + "c"
ARN = f"arn:aws:iam::123456789012:role/{'p' * 255}/{'q' * 255}/{'r' * 64}"
TABLE = check.committed()


def test_the_table_is_what_the_installed_botocore_says() -> None:
    assert check.generated() == check.FILE.read_text(encoding="utf-8"), (
        "run `python -m tools.limits`, and look at what changed"
    )


# The longest and oddest that the settings accept


def longest(config: dict[str, Any]) -> None:
    """The longest of everything, at once."""
    config["platform:organization"] = L63
    config["platform:registry"].update(owner=L32, encryption="KMS")
    config["platform:network"].update(flowLogs=True)
    config["platform:cluster"].update(
        publicAccess=[f"203.0.113.{number}/32" for number in range(40)],
        privateAccess=[f"10.99.{number}.0/24" for number in range(59)],
        nodeGroups=[
            {
                "name": LABEL[: 63 - len(str(number))] + str(number),
                "instanceTypes": ["m7i-flex.large", "u7inh-32tb.480xlarge"],
                "minSize": 1,
                "maxSize": 450,
                "diskGib": 16384,
                "labels": {LABEL: "9", "acme.example/" + "p" * 50: "v" * 63},
                "taints": [
                    {"key": f"k{n}", "value": "v" * 63, "effect": "NO_EXECUTE"} for n in range(49)
                ]
                + [{"key": LABEL, "effect": "NO_SCHEDULE"}],
            }
            for number in range(29)
        ]
        + config["platform:cluster"]["nodeGroups"],
        access={"platform": [ARN], "teams": {LABEL: [ARN.replace("role", "user", 1)]}},
        addons={"aws-ebs-csi-driver": "v1.999.999-eksbuild.999"},
    )


def longest_catalogue(catalogue: dict[str, Any]) -> None:
    catalogue["teams"] = {LABEL: {"group": "g"}}
    service = {
        "owner": LABEL,
        "source": f"{'o' * 39}/{'r' * 100}",
        "branch": "b" * 244,
        "ci": "github-actions",
        "githubIds": {"owner": 2**63, "repository": 2**63},
        "delivery": "keel",
        "port": 65535,
    }
    circle = {
        **service,
        "ci": "circleci",
        "circleciProject": "1b8d7c5e-3a42-4f6e-8c11-7d2f9e0a4b61",
    }
    catalogue["namespaces"] = {
        L63: {"services": {LABEL: service, LABEL[:-1] + "d": circle}},
        LABEL: {"services": {L63: {**service, "packaging": "helm"}}},
    }


@pytest.fixture
def extreme(
    configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, Change], Recording]:
    """Both stacks renamed to the longest names and bent; returns what one of them registers."""
    monkeypatch.setattr(pulumi_config, "ROOT", configuration)

    def run(stack: str, change: Change) -> Recording:
        for old, new in (("dev", L32), ("prod", "p" * 32)):
            path = configuration / f"Pulumi.{old}.yaml"
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            change(content["config"])
            (configuration / f"Pulumi.{new}.yaml").write_text(yaml.safe_dump(content))
            path.unlink()
        path = configuration / "services.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        longest_catalogue(content)
        path.write_text(yaml.safe_dump(content))
        return record_program(stack, configuration, CHECKOUT / "__main__.py")

    return run


def refused(recording: Recording) -> list[str]:
    return [
        f"{resource.name} ({resource.type}): {refusal}"
        for resource in recording.resources
        if resource.type.startswith("aws:")
        for refusal in check.refusals(TABLE, resource.type, resource.inputs)
    ]


def without_a_line(recording: Recording) -> list[str]:
    """Inputs that tools/limits/members.py does not know."""
    return [
        f"add {name} of {resource.type} to tools/limits/members.py"
        for resource in recording.resources
        if resource.type.startswith("aws:")
        for calls in [members.TYPES.get(resource.type, ())]
        for name in sorted(resource.inputs.keys() - {n for c in calls for n in c.members()})
    ]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_committed_environments_are_accepted(stack: str) -> None:
    recording = record_program(stack, CHECKOUT, CHECKOUT / "__main__.py")

    assert without_a_line(recording) == []
    assert refused(recording) == []


@pytest.mark.parametrize("stack", [L32, "p" * 32], ids=["fast", "safe"])
def test_the_longest_names_are_accepted(
    stack: str, extreme: Callable[[str, Change], Recording]
) -> None:
    recording = extreme(stack, longest)

    assert len(recording.of("aws:eks/nodeGroup:NodeGroup")) == 30
    assert without_a_line(recording) == []
    assert refused(recording) == []


def test_keels_policy_is_as_large_as_iam_takes_and_no_larger(dev: Settings) -> None:
    """The settings refuse one service more; no services between the two."""
    service = next(s for _, _, s in dev.catalogue.entries() if s.delivery == "keel")

    def catalogue(count: int) -> Catalogue:
        services = {f"{LABEL[:-3]}{number:03d}": service for number in range(count)}
        homes = {L63: Namespace(services=services)}
        return dev.catalogue.model_copy(update={"namespaces": homes})

    def problems(count: int) -> list[str]:
        return [str(p) for p in quota_rules.check(dev.environments, catalogue(count))]

    most = next(count for count in range(1, 100) if problems(count + 1))
    arns = [dev.repository_arn(L63, name) for _, name, _ in catalogue(most).entries()]

    assert not problems(most)
    assert problems(most + 1) == [
        "Pulumi.dev.yaml: platform:keel: Keel's role would name their repositories in 10374 "
        f"characters, and IAM takes 10240 (given: {most + 1} services); deliver some of the "
        "services by commit (delivery: commit)"
    ]
    role_policy = "aws:iam/rolePolicy:RolePolicy"
    assert check.refusals(TABLE, role_policy, {"policy": pull_policy(arns)}) == []


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=70)
ODD = st.one_of(TEXT, st.from_regex(r"[a-zA-Z0-9./_-]{0,70}", fullmatch=True))


@examples(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
@given(name=ODD, key=ODD, value=ODD, type_=ODD, disk=st.integers(0, 20000))
def test_a_label_a_taint_or_a_type_that_aws_refuses_is_refused_by_the_settings(
    name: str, key: str, value: str, type_: str, disk: int
) -> None:
    """Each setting alone, beside good ones: what the model takes, the table takes."""
    good = {"name": "a", "instanceTypes": ["m7i.large"], "minSize": 1, "maxSize": 1}
    taint = {"key": "k", "value": "v", "effect": "NO_SCHEDULE"}
    for change in (
        {"labels": {key: "v"}},
        {"labels": {"k": value}},
        {"taints": [{**taint, "key": key}]},
        {"taints": [{**taint, "value": value}]},
        {"instanceTypes": [type_]},
        {"name": name},
        {"diskGib": disk},
    ):
        try:
            group = NodeGroup.model_validate({**good, **change})
        except ValueError:
            continue
        inputs = {
            "labels": {"node-group": group.name, **group.labels},
            "taints": [taint.model_dump() for taint in group.taints],
            "instanceTypes": group.instance_types,
        }
        assert check.refusals(TABLE, "aws:eks/nodeGroup:NodeGroup", inputs) == []
        disks = {"blockDeviceMappings": [{"ebs": {"volumeSize": group.disk_gib}}]}
        assert check.refusals(TABLE, "aws:ec2/launchTemplate:LaunchTemplate", disks) == []


# The table itself refuses what AWS refuses


REFUSED: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "a name too long": (
        "aws:eks/nodeGroup:NodeGroup",
        {"nodeGroupName": "x" * 64},
        "nodeGroupName: 64 is more than 63",
    ),
    "a taint's key": (
        "aws:eks/nodeGroup:NodeGroup",
        {"taints": [{"key": "x" * 64, "effect": "NO_SCHEDULE"}]},
        "taints[].key: 64 is more than 63",
    ),
    "a label without a value": (
        "aws:eks/nodeGroup:NodeGroup",
        {"labels": {"a": ""}},
        "labels{value}: 0 is less than 1",
    ),
    "a role": ("aws:iam/role:Role", {"name": "x" * 65}, "name: 65 is more than 64"),
    "a repository": (
        "aws:ecr/repository:Repository",
        {"name": "Upper/case"},
        "name: does not match [a-z0-9]",
    ),
    "a retention": (
        "aws:cloudwatch/logGroup:LogGroup",
        {"retentionInDays": 8},
        "retentionInDays: is none of 22",
    ),
    "a tag": (
        "aws:ec2/vpc:Vpc",
        {"tags": {"Name": "x" * 257}},
        "tags{value}: 257 is more than 256",
    ),
    "a tag of IAM": (
        "aws:iam/role:Role",
        {"tags": {"Name": "a&b"}},
        "tags{value}: does not match",
    ),
    "a trust policy": (
        "aws:iam/role:Role",
        {"assumeRolePolicy": '{"a": "' + "x" * 2048 + '"}'},
        "assumeRolePolicy: 2056 characters are more than 2048",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_the_table_refuses(case: tuple[str, Mapping[str, Any], str]) -> None:
    type_, inputs, expected = case
    found = check.refusals(TABLE, type_, inputs)

    path, _, limit = expected.partition(": ")
    assert any(line.startswith(f"{path}: ") and limit in line for line in found), found
