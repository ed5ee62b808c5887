"""Whatever the settings accept, AWS and Pulumi's provider accept too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from components.keel.values import pull_policy
from settings.catalogue import BuiltService, Catalogue, ForeignService, Namespace
from settings.environment import Settings
from settings.keel_repositories import repositories
from settings.nodes import NodeGroup
from settings.rules import quotas
from tests.unit.conftest import CHECKOUT
from tests.unit.extremes import FAST, L63, SAFE, record_extreme
from tests.unit.recording import Recording
from tests.unit.whole_program import record_program
from tools.limits import check, members

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
TABLE = check.committed()


def test_the_table_is_what_the_installed_botocore_says() -> None:
    assert check.generated() == check.FILE.read_text(encoding="utf-8"), (
        "run `python -m tools.limits`, and look at what changed"
    )


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


@pytest.mark.parametrize("stack", [FAST, SAFE], ids=["fast", "safe"])
def test_the_longest_names_are_accepted(
    stack: str, configuration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = record_extreme(stack, configuration, monkeypatch)

    assert len(recording.of("aws:eks/nodeGroup:NodeGroup")) == 30
    assert without_a_line(recording) == []
    assert refused(recording) == []


@pytest.fixture
def keel_catalogue(dev: Settings) -> Callable[[int, int], Catalogue]:
    """A catalogue of so many namespaces with so many services each, with the longest names."""
    service = next(s for _, _, s in dev.catalogue.delivered_by("keel"))

    def build(namespaces: int, services: int) -> Catalogue:
        each: dict[str, BuiltService | ForeignService] = {
            f"{L63[:-3]}{number:03d}": service for number in range(services)
        }
        homes = {f"{L63[:-3]}{n:03d}": Namespace(services=each) for n in range(namespaces)}
        return dev.catalogue.model_copy(update={"namespaces": homes})

    return build


def test_keel_reads_its_repositories_by_name_as_long_as_one_policy_holds_them(
    dev: Settings, keel_catalogue: Callable[[int, int], Catalogue]
) -> None:
    registry = dev.registry_owner.aws_account

    def named(services: int) -> list[str]:
        return repositories(registry, keel_catalogue(1, services))

    most = next(count for count in range(1, 100) if len(named(count + 1)) == 1)
    assert len(named(most)) == most
    assert named(most + 1) == [f"arn:aws:ecr:eu-central-1:123456789012:repository/{L63[:-3]}000/*"]
    for arns in (named(most), named(most + 1)):
        assert check.refusals(TABLE, ROLE_POLICY, {"policy": pull_policy(arns)}) == []


def test_keels_policy_may_be_as_long_as_iam_takes(
    dev: Settings, keel_catalogue: Callable[[int, int], Catalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = keel_catalogue(1, 2)
    for _, _, service in catalogue.entries():
        monkeypatch.setitem(vars(service), "environments", ["dev"])
    environments = [*reversed(dev.environments)]

    def problems(characters: int) -> list[str]:
        for module in ("settings.keel_repositories", "settings.rules.quotas"):
            monkeypatch.setattr(f"{module}.ROLE_POLICY_CHARACTERS", characters)
        return [str(problem) for problem in quotas.of_keel(environments, catalogue)]

    registry = dev.registry_owner.aws_account
    assert problems(708) == []
    assert len(repositories(registry, catalogue)) == 2
    assert problems(707) == []
    assert len(repositories(registry, catalogue)) == 1
    # The one namespace takes 350 characters beside its ARN.
    assert problems(467) == []
    assert len(problems(466)) == 1


def test_more_namespaces_than_keels_policy_can_name_are_refused(
    dev: Settings, keel_catalogue: Callable[[int, int], Catalogue]
) -> None:
    def problems(namespaces: int) -> list[str]:
        catalogue = keel_catalogue(namespaces, 1)
        return [str(problem) for problem in quotas.of_keel(dev.environments, catalogue)]

    most = next(count for count in range(1, 200) if problems(count + 1))
    arns = repositories(dev.registry_owner.aws_account, keel_catalogue(most, 1))

    assert check.refusals(TABLE, ROLE_POLICY, {"policy": pull_policy(arns)}) == []
    (problem,) = problems(most + 1)
    assert problem.startswith(
        "Pulumi.dev.yaml: platform:keel: Keel's role would name their repositories in "
    )
    assert problem.endswith(
        f"and IAM takes 10240 (given: {most + 1} namespaces); deliver the services of some "
        "namespaces by commit (delivery: commit)"
    )


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
