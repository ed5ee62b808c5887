"""Bad configuration, answered by the real engine: one report, no traceback, nothing done."""

from __future__ import annotations

from copy import deepcopy

import pytest

from lab import supervisor
from lab.ports import PortsTakenError
from lab.site import Site
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty
from tests.committed import committed


def test_every_problem_is_in_one_report_and_nothing_is_created(lab: Lab) -> None:
    before = lab.program.read("stack", "export", stack="prod")
    lab.program.trying = {
        "prod": {
            "platform:speed": "warp",
            "platform:clutser": {},
            "platform:organization": "Not A Label",
            "platform:registry": {"owner": "dev", "untaggedDays": 0},
        }
    }
    try:
        done = lab.program.run("up", "--yes", stack=lab.program.selected("prod"))
    finally:
        lab.program.trying = {}
        lab.program.selected("prod")
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in output
    for expected in (
        "5 problems in the configuration, nothing was created",
        "Pulumi.prod.yaml: platform:speed",
        "Pulumi.prod.yaml: platform:clutser: is not a key known here; did you mean cluster?",
        "Pulumi.prod.yaml: platform:organization: must be a DNS label",
        "Pulumi.prod.yaml: platform:organization: cannot change from acme",
        "Pulumi.prod.yaml: platform:registry.untaggedDays",
    ):
        assert expected in output, output
    assert lab.program.read("stack", "export", stack="prod") == before


def test_what_aws_knows_is_told_in_one_report_and_nothing_is_created(lab: Lab) -> None:
    before = lab.program.read("stack", "export", stack="prod")
    cluster = deepcopy(committed("prod")["platform:cluster"])
    (account,) = committed("prod")["aws:allowedAccountIds"]
    cluster["access"]["readOnly"] = [f"arn:aws:iam::{account}:role/nobody"]
    cluster["nodeGroups"][0].update(minSize=17, maxSize=17)  # of 4 vCPUs each
    lab.program.trying = {"prod": {"platform:cluster": cluster}}
    try:
        done = lab.program.run("up", "--yes", stack=lab.program.selected("prod"))
    finally:
        lab.program.trying = {}
        lab.program.selected("prod")
    output = done.stdout + done.stderr
    assert done.returncode != 0
    for expected in (
        "2 problems in the configuration, nothing was created",
        "platform:cluster.access.readOnly[0]: does not exist, and EKS refuses an access entry",
        "platform:cluster.nodeGroups[0].minSize: needs 68 vCPUs of standard On-Demand instances; "
        "the quota of eu-central-1 is 64",
    ):
        assert expected in output, output
    assert "not checked" not in output
    assert lab.program.read("stack", "export", stack="prod") == before


def test_keel_is_refused_on_a_safe_environment_before_anything_is_created(lab: Lab) -> None:
    lab.program.trying = {"prod": {"platform:keel": {"schedule": "@every 15s"}}}
    try:
        done = lab.program.run("preview", stack=lab.program.selected("prod"))
    finally:
        lab.program.trying = {}
        lab.program.selected("prod")
    assert done.returncode != 0
    assert "platform:keel: Keel is not allowed where speed is safe" in done.stdout + done.stderr


def test_a_second_lab_on_the_same_ports_is_refused_as_a_whole(lab: Lab) -> None:
    other = Site(home=lab.site.home / "another", port_base=lab.site.port_base)
    with pytest.raises(PortsTakenError) as refused:
        supervisor.start(other)
    message = str(refused.value)
    assert "prod/apiserver" in message
    assert str(lab.site.port("apiserver", "prod")) in message
    assert "make down" in message
    assert not supervisor.status(other)


def test_a_killed_api_server_is_named_with_its_log_and_comes_back(lab: Lab) -> None:
    before = lab.kill("prod/apiserver")

    def named() -> str:
        (now,) = (p for p in supervisor.status(lab.site) if p.name == "prod/apiserver")
        return "" if "make down" in now.note or now.restarts > before.restarts else now.state

    wait_until_empty("the report of the killed API server", named, seconds=30, every=0.05)
    wait_until_empty("its return", lab.unready, seconds=90)
    assert lab.kubectl("prod").get("namespace", "argocd")
