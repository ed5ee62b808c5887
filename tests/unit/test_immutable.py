"""What a stack was made with and cannot change is refused in words, before the engine is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from settings.environment import Settings
from settings.loading import load
from settings.problems import SettingsError
from settings.pulumi_config import load_stack
from settings.rules import immutable
from tests.committed import committed
from tests.unit.conftest import CHECKOUT
from tests.unit.existing import THEIR_WAY_IN, existing_network
from tests.unit.recording import as_texts, record


def refusal(
    stack: str, config: Mapping[str, Any], applied: Mapping[str, str], root: Path = CHECKOUT
) -> str:
    with pytest.raises(SettingsError) as refused:
        load(stack, config, root, applied)
    return str(refused.value)


@pytest.fixture
def config() -> dict[str, Any]:
    return committed("dev")


def test_what_stands_is_said_in_the_keys_of_the_stack_file(dev: Settings, prod: Settings) -> None:
    assert immutable.values(dev) == {
        "aws:region": "eu-central-1",
        "platform:organization": "acme",
        "platform:network.cidr": "10.10.0.0/16",
        "platform:network.zones": "a and b",
        "platform:cluster.serviceCidr": "172.20.0.0/16",
        "platform:cluster.compute": "auto",
        "platform:cluster.version": "1.35",
        "platform:registry.encryption": "AES256",
    }
    assert "platform:registry.encryption" not in immutable.values(prod), (
        "it is another stack's to lose"
    )


def test_a_stack_that_was_never_applied_may_be_anything(config: dict[str, Any]) -> None:
    load("dev", config, CHECKOUT, {})


def test_an_unchanged_stack_is_accepted(dev: Settings, config: dict[str, Any]) -> None:
    load("dev", config, CHECKOUT, immutable.values(dev))


@pytest.mark.parametrize(
    ("path", "old", "value"),
    [
        ("platform:network.cidr", "10.10.0.0/16", "10.40.0.0/16"),
        ("platform:cluster.serviceCidr", "172.20.0.0/16", "172.21.0.0/16"),
    ],
)
def test_a_change_that_would_replace_says_how_it_is_allowed(
    dev: Settings, config: dict[str, Any], path: str, old: str, value: str
) -> None:
    change(config, path, value)
    report = refusal("dev", config, immutable.values(dev))
    refused = f"{path}: cannot change from {old} to {value}: that would replace"
    assert refused in report
    assert f"put {old} back" in report
    assert "naming applications, cluster, network in platform:unprotected" in report

    some = {**config, "platform:unprotected": ["network"]}
    assert refused in refusal("dev", some, immutable.values(dev))
    every = {**config, "platform:unprotected": ["network", "cluster", "applications"]}
    load("dev", every, CHECKOUT, immutable.values(dev))


@pytest.mark.parametrize(
    ("path", "old", "value"),
    [
        ("aws:region", "eu-central-1", "eu-west-1"),
        ("platform:registry.encryption", "AES256", "KMS"),
    ],
)
def test_nothing_allows_what_would_lose_the_images(
    dev: Settings, config: dict[str, Any], path: str, old: str, value: str
) -> None:
    change(config, path, value)
    config["platform:unprotected"] = ["applications", "cluster", "network", "registry"]
    report = refusal("dev", config, immutable.values(dev))
    assert f"{path}: cannot change from {old} to {value}: that would replace" in report


def change(config: dict[str, Any], path: str, value: str) -> None:
    section, _, key = path.partition(".")
    if key:
        config[section][key] = value
    else:
        config[section] = value


def test_a_value_that_is_left_out_is_its_default(dev: Settings, config: dict[str, Any]) -> None:
    applied = {**immutable.values(dev), "platform:cluster.serviceCidr": "172.21.0.0/16"}
    report = refusal("dev", config, applied)
    assert "cannot change from 172.21.0.0/16 to 172.20.0.0/16" in report


@pytest.mark.parametrize(
    ("zones", "fits"), [(["b", "a", "c"], True), (["b", "c"], False), (["c", "a", "b"], False)]
)
def test_the_control_plane_stays_in_its_two_zones(
    dev: Settings, config: dict[str, Any], zones: list[str], fits: bool
) -> None:
    config["platform:network"]["zones"] = zones
    if fits:
        load("dev", config, CHECKOUT, immutable.values(dev))
    else:
        assert "platform:network.zones: cannot change from a and b to " in refusal(
            "dev", config, immutable.values(dev)
        )


def test_an_own_vpc_is_not_given_up_for_an_existing_one_unnoticed(
    dev: Settings, config: dict[str, Any]
) -> None:
    config["platform:network"] = {"existing": existing_network("vpc-0a1b2c3d4e5f60718")}
    config["platform:ingress"] = THEIR_WAY_IN
    assert "cannot change from 10.10.0.0/16: that would" in refusal(
        "dev", config, immutable.values(dev)
    )


def test_a_cluster_stays_in_the_vpc_that_it_was_given(
    dev: Settings, config: dict[str, Any]
) -> None:
    config["platform:network"] = {"existing": existing_network("vpc-0a1b2c3d4e5f60718")}
    config["platform:ingress"] = THEIR_WAY_IN
    applied = immutable.values(load("dev", config, CHECKOUT))

    load("dev", config, CHECKOUT, applied)
    config["platform:network"] = {"existing": existing_network("vpc-0f0f0f0f0f0f0f0f0")}
    assert (
        "platform:network.existing.vpc: cannot change from vpc-0a1b2c3d4e5f60718 to "
        "vpc-0f0f0f0f0f0f0f0f0: that would replace the cluster, which lives in it; put"
    ) in refusal("dev", config, applied)


@pytest.mark.parametrize(
    ("runs", "wanted", "words"),
    [
        ("1.36", "1.35", "the cluster runs 1.36, and Kubernetes has no downgrade"),
        ("1.34", "1.36", "one minor version at a time (given: 1.36); take 1.35 first"),
    ],
)
def test_kubernetes_goes_up_one_minor_version_at_a_time(
    dev: Settings, config: dict[str, Any], runs: str, wanted: str, words: str
) -> None:
    config["platform:cluster"]["version"] = wanted
    assert words in refusal(
        "dev", config, {**immutable.values(dev), "platform:cluster.version": runs}
    )


def test_an_environment_that_is_made_anew_may_begin_with_an_older_version(
    dev: Settings, config: dict[str, Any]
) -> None:
    config["platform:cluster"]["version"] = "1.34"
    config["platform:unprotected"] = ["cluster"]
    load("dev", config, CHECKOUT, immutable.values(dev))


def test_the_next_minor_version_is_welcome(dev: Settings, config: dict[str, Any]) -> None:
    config["platform:cluster"]["version"] = "1.36"
    load("dev", config, CHECKOUT, immutable.values(dev))


def test_everything_wrong_with_a_running_environment_is_in_one_report(prod: Settings) -> None:
    config = committed("prod")
    config["platform:network"].update({"cidr": "10.20.0.0/23", "zones": ["a"]})
    config["platform:cluster"].update({"version": "1.34", "access": {"platform": ["no-role"]}})
    config["platform:argocd"]["automated"] = True
    report = refusal("prod", config, immutable.values(prod))
    for expected in (
        "platform:network.cidr: is too small for the subnets",
        "platform:network.cidr: cannot change from 10.20.0.0/16",
        "platform:network.zones: must name 2 at least",
        "platform:cluster.version: the cluster runs 1.35, and Kubernetes has no downgrade",
        "platform:cluster.access.platform[0]: must be the ARN of an IAM role or user",
        "platform:argocd.automated: is not a key known here",
    ):
        assert expected in report, report


ANEW = (
    "; or make the environment anew, which starts with naming applications, cluster, network in "
    "platform:unprotected: docs/operate.md"
)
CLUSTER = "platform:cluster.version"


@pytest.mark.parametrize(
    ("applied", "config", "problems"),
    [
        ({"aws:region": "a"}, {"aws:region": "a"}, []),
        (
            {"aws:region": "a"},
            {"aws:region": "b"},
            ["aws:region: cannot change from a to b: that would replace everything; put a back"],
        ),
        (
            {"platform:organization": "a"},
            {"platform:organization": "b"},
            [
                "platform:organization: cannot change from a to b: that would replace whatever is "
                f"named after it, such as the cluster; put a back{ANEW}"
            ],
        ),
        (
            {"platform:network.cidr": "10.0.0.0/16"},
            {},
            [
                "platform:network.cidr: cannot change from 10.0.0.0/16: that would replace the VPC "
                f"and all that is in it; put 10.0.0.0/16 back{ANEW}"
            ],
        ),
        ({"platform:network.zones": "a and b"}, {}, []),
        ({"platform:network.zones": "a and b"}, {"platform:network": {"zones": ["b", "a"]}}, []),
        (
            {"platform:network.zones": "a and b"},
            {"platform:network": {"zones": 7}},
            [
                "platform:network.zones: cannot change from a and b to 7: that would replace the "
                "cluster, whose control plane stays in its first two zones; put a and b back" + ANEW
            ],
        ),
        ({"platform:cluster.serviceCidr": "172.20.0.0/16"}, {}, []),
        (
            {"platform:registry.encryption": "KMS"},
            {},
            [
                "platform:registry.encryption: cannot change from KMS to AES256: that would "
                "replace every image repository; put KMS back"
            ],
        ),
        ({CLUSTER: "1.34"}, {"platform:cluster": {"version": "1.35"}}, []),
        ({CLUSTER: "1.34"}, {"platform:cluster": {"version": "1.34"}}, []),
        (
            {CLUSTER: "1.34"},
            {"platform:cluster": {"version": "1.33"}},
            [
                f"{CLUSTER}: the cluster runs 1.34, and Kubernetes has no downgrade (given: 1.33); "
                "put 1.34 back"
            ],
        ),
        (
            {CLUSTER: "1.34"},
            {"platform:cluster": {"version": "1.36"}},
            [
                f"{CLUSTER}: the cluster runs 1.34, and EKS upgrades by one minor version at a "
                "time (given: 1.36); take 1.35 first"
            ],
        ),
        ({CLUSTER: "1.34"}, {"platform:cluster": {"version": "2.0"}}, []),
        ({CLUSTER: "1.34"}, {"platform:cluster": {"version": "1.x"}}, []),
        ({CLUSTER: "1.34"}, {"platform:cluster": {}}, []),
        (
            {CLUSTER: "1.34"},
            {"platform:cluster": {"version": "1.3"}, "platform:unprotected": ["cluster"]},
            [],
        ),
    ],
)
def test_a_change_of_what_cannot_change_is_told_with_both_values(
    applied: dict[str, str], config: dict[str, Any], problems: list[str]
) -> None:
    found = [str(problem) for problem in immutable.check("dev", config, applied)]
    assert found == [f"Pulumi.dev.yaml: {problem}" for problem in problems]


def test_a_stack_that_exported_nothing_was_never_applied() -> None:
    config = as_texts(committed("prod"))
    record(
        lambda: load_stack() and None,
        stack="prod",
        config=config,
        answers={"pulumi:pulumi:readStackOutputs": lambda _: {}},
    )


def test_what_was_applied_is_read_from_the_outputs_of_the_stack_itself() -> None:
    asked: list[dict[str, Any]] = []

    def outputs(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(dict(inputs))
        return {"outputs": {"standing": {"aws:region": "us-east-1"}}}

    config = as_texts(committed("prod"))
    with pytest.raises(pulumi.RunError) as refused:
        record(
            lambda: load_stack() and None,
            stack="prod",
            config=config,
            answers={"pulumi:pulumi:readStackOutputs": outputs},
        )
    assert "aws:region: cannot change from us-east-1 to eu-central-1" in str(refused.value)
    assert asked == [{"name": "organization/two-speed-gitops/prod"}]
