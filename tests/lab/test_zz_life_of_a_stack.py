"""A stack is destroyed, made anew while things are killed around it, and destroyed for good.

Runs last: it takes the lab apart.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import socket
import subprocess
from collections.abc import Callable
from typing import IO

import psutil
import pytest

from lab import supervisor
from lab.kubectl import KubectlError
from lab.program import Program
from lab.site import CHECKOUT
from lab.waiting import wait_until_empty
from settings import load_files
from tests.committed import committed
from tests.lab.conftest import Lab
from tests.lab.neighbour import neighbour

ANEW = ["applications", "cluster", "network"]
REPOSITORIES = [
    "community/leaderboard",
    "community/tournaments",
    "streaming/tv-api",
    "streaming/tv-frontend",
]
TRIALS = int(os.environ.get("KILLS", "10"))
"""How many times something is killed; the victims take turns."""


@pytest.fixture(scope="module")
def program(lab: Lab) -> Program:
    """The program with nothing protected but the images; the lab is of no use afterwards."""
    lab.taken_apart = True
    unprotect(lab.program, prod=ANEW, dev=ANEW)
    return lab.program


def unprotect(program: Program, **parts: list[str]) -> None:
    for stack, named in parts.items():
        program.trying.setdefault(stack, {})["platform:unprotected"] = named
        program.read("up", "--yes", stack=program.selected(stack))


def destroy(program: Program, stack: str, *options: str) -> str:
    return program.read("destroy", "--yes", *options, stack=program.selected(stack))


def cli(process: subprocess.Popen[str], _: Lab) -> None:
    """Nothing of Pulumi is left but what its providers have begun."""
    process.kill()


def aws_provider(process: subprocess.Popen[str], _: Lab) -> None:
    children = psutil.Process(process.pid).children(recursive=True)
    providers = [child for child in children if child.name() == "pulumi-resource-aws"]
    assert providers, "there is none to kill"
    for provider in providers:
        provider.kill()


def api_server(_: subprocess.Popen[str], lab: Lab) -> None:
    lab.kill("prod/apiserver")


VICTIMS: tuple[tuple[Callable[[subprocess.Popen[str], Lab], None], range], ...] = (
    (cli, range(1, 65)),
    (aws_provider, range(1, 40)),
    (api_server, range(48, 65)),
)
"""What is killed, and once how many of some 70 resources are there: while it has work to do."""


def updating(program: Program) -> subprocess.Popen[str]:
    return subprocess.Popen(
        program.command(("up", "--yes", "--skip-preview"), program.selected("prod")),
        env=program.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def follow(output: IO[str] | None, resources: int) -> None:
    """Reads what `up` says until it has created that many resources."""
    assert output
    created = 0
    for line in output:
        created += " created (" in line
        if created == resources:
            return
    pytest.fail(f"the update ended after {created} resources, before it could be disturbed")


def test_kubernetes_is_upgraded_in_place(lab: Lab, program: Program) -> None:
    eks = lab.aws("eks")
    before = eks.describe_cluster(name="acme-prod")["cluster"]
    cluster = committed("prod")["platform:cluster"]
    program.trying["prod"]["platform:cluster"] = {**cluster, "version": "1.36"}

    program.read("up", "--yes", stack=program.selected("prod"))

    assert program.changes("prod") == {}
    after = eks.describe_cluster(name="acme-prod")["cluster"]
    assert after["createdAt"] == before["createdAt"], "it was made anew"
    assert after["version"] == "1.36"
    assert lab.kubectl("prod").get("--namespace=argocd", "deployment/argocd-server")


@pytest.mark.parametrize("trial", range(TRIALS))
def test_an_update_that_was_killed_converges_when_it_is_run_again(
    lab: Lab, program: Program, trial: int
) -> None:
    kill, moments = VICTIMS[trial % len(VICTIMS)]
    chance = random.Random(trial)  # noqa: S311 - another moment each trial, the same each run
    before = numbers(lab)
    destroy(program, "prod")
    with updating(program) as update:
        follow(update.stdout, chance.choice(moments))
        started = psutil.Process(update.pid).children(recursive=True)
        kill(update, lab)
        update.communicate(timeout=300)
    converge(lab, program)
    assert numbers(lab) == before, "something was made twice, or not at all"
    end_official_providers(started)
    wait_until_empty(
        "the end of what the update had started",
        lambda: [str(process) for process in started if process.is_running()],
    )


def end_official_providers(started: list[psutil.Process]) -> None:
    """Pulumi's own providers look every five minutes only whether its engine is still there."""
    for process in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() in ("pulumi-resource-aws", "pulumi-resource-kubernetes"):
                process.kill()


def numbers(lab: Lab) -> dict[str, int]:
    """How many of each kind the program has made in AWS."""
    return {what: len(found) for what, found in ours(lab).items()}


def test_helm_killed_at_work_is_in_nobodys_way(lab: Lab, program: Program) -> None:
    destroy(program, "prod")
    with updating(program) as update:
        wait_until_empty("Helm's beginning", lambda: no_record(lab), every=0.1)
        cli(update, lab)
        update.communicate(timeout=300)
    output = converge(lab, program)
    assert "removed Helm's record of argocd" in output


def no_record(lab: Lab) -> str:
    """What is missing until Helm has noted that it is installing Argo CD."""
    pending = "--selector=owner=helm,name=argocd,status=pending-install"
    try:
        found = lab.kubectl("prod").get("--namespace=argocd", "secrets", pending)
    except KubectlError as error:
        return str(error)
    return "" if found["items"] else "a record that says pending-install"


def converge(lab: Lab, program: Program) -> str:
    """Runs `up` again as docs/operate.md says, and returns what it said."""
    wait_until_empty("the lab's recovery", lab.unready, seconds=90)
    stack = program.selected("prod")
    program.run("cancel", "--yes", stack=stack)  # whoever was killed still holds the lock
    done = program.run("up", "--yes", stack=stack)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert program.changes("prod") == {}
    return output


def test_an_environment_made_anew_in_another_range_finds_its_images(
    lab: Lab, program: Program
) -> None:
    before = images(lab)
    assert all(before.values())
    destroy(program, "dev", "--exclude-protected")
    assert images(lab) == before

    elsewhere = {"cidr": "10.40.0.0/16", "zones": ["a", "b"], "nat": "single"}
    program.trying["dev"]["platform:network"] = elsewhere
    program.read("up", "--yes", stack=program.selected("dev"))
    assert program.changes("dev") == {}
    assert images(lab) == before


def images(lab: Lab) -> dict[str, list[str]]:
    """The digests of every image repository."""
    ecr = lab.aws("ecr")
    return {
        repository["repositoryName"]: sorted(
            image["imageDigest"]
            for image in ecr.list_images(repositoryName=repository["repositoryName"])["imageIds"]
        )
        for repository in sorted(
            ecr.describe_repositories()["repositories"], key=lambda one: one["repositoryName"]
        )
    }


def test_a_cluster_of_somebody_else_is_used_and_left_as_it_is(lab: Lab, program: Program) -> None:
    destroy(program, "prod")
    before_them = dict(program.trying["prod"])
    with neighbour(lab, load_files("prod", CHECKOUT)) as theirs:
        existing = {"vpc": theirs.vpc, "privateSubnets": theirs.subnets}
        access = committed("prod")["platform:cluster"]["access"]
        program.trying["prod"] |= {
            "platform:network": {"existing": existing},
            "platform:cluster": {"existing": theirs.cluster, "access": access},
        }
        before = ours(lab)
        program.read("up", "--yes", stack=program.selected("prod"))
        assert program.changes("prod") == {}
        assert ours(lab) == before, "nothing of AWS belongs to an environment that is adopted"
        applications = lab.kubectl("prod").get("--namespace=argocd", "applications")["items"]
        assert len(applications) == len(REPOSITORIES)

        destroy(program, "prod")
        assert theirs.cluster in ours(lab)["cluster"]
    program.trying["prod"] = before_them


def test_destroying_both_stacks_leaves_the_images_and_says_so(lab: Lab, program: Program) -> None:
    destroy(program, "prod")
    with pytest.raises(KubectlError, match="NotFound"):
        lab.kubectl("prod").get("--namespace=argocd", "deployment/argocd-server")
    unprotect(program, dev=[*ANEW, "registry"])
    destroyed = destroy(program, "dev")
    for repository in REPOSITORIES:
        service = repository.partition("/")[2]
        assert re.search(rf"registry-{service} delet\w+\[retain\]", destroyed), "not told"
        gone = destroyed.index(f"Application apps-{service} deleted")
        assert gone < destroyed.index("Release argocd-release deleting"), "Argo CD went first"

    assert [*images(lab)] == REPOSITORIES
    left = {what: found for what, found in ours(lab).items() if found}
    assert left == {}, "something outlived both environments"


def ours(lab: Lab) -> dict[str, list[str]]:
    """What the program made in AWS and would have to delete, by kind."""
    ec2, iam, logs, kms = (lab.aws(service) for service in ("ec2", "iam", "logs", "kms"))
    made = [{"Name": "tag:ManagedBy", "Values": ["pulumi"]}]
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    there = [*made, {"Name": "state", "Values": ["pending", "available"]}]
    nat_gateways = ec2.describe_nat_gateways(Filters=there)["NatGateways"]
    return {
        "VPC": [vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=made)["Vpcs"]],
        "gateway": [
            one["InternetGatewayId"]
            for one in ec2.describe_internet_gateways(Filters=made)["InternetGateways"]
        ],
        "endpoint": [
            one["VpcEndpointId"]
            for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]
            if one["State"] != "deleted"
        ],
        "security group": [
            one["GroupName"]
            for one in ec2.describe_security_groups()["SecurityGroups"]
            if one["GroupName"] != "default"
        ],
        "alias": [
            one["AliasName"]
            for one in kms.list_aliases()["Aliases"]
            if not one["AliasName"].startswith("alias/aws/")
        ],
        "subnet": [one["SubnetId"] for one in ec2.describe_subnets(Filters=made)["Subnets"]],
        "address": [one["PublicIp"] for one in ec2.describe_addresses()["Addresses"]],
        "NAT gateway": [gateway["NatGatewayId"] for gateway in nat_gateways],
        "launch template": [
            one["LaunchTemplateName"] for one in ec2.describe_launch_templates()["LaunchTemplates"]
        ],
        "cluster": lab.aws("eks").list_clusters()["clusters"],
        "role": [
            role["RoleName"]
            for role in iam.list_roles()["Roles"]
            if role["RoleName"].startswith("acme-")
        ],
        "OIDC provider": [
            provider["Arn"]
            for provider in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        ],
        "log group": [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]],
        "key": [key["KeyId"] for key in keys if key["KeyState"] == "Enabled"],
    }


def test_a_stopped_lab_leaves_no_process_and_no_port_and_starts_again(lab: Lab) -> None:
    pids = {part.pid for part in supervisor.status(lab.site) if part.pid}
    ports = [part.port for part in supervisor.status(lab.site) if part.port]
    assert len(pids) > 15

    supervisor.stop(lab.site)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"port {port} still listens"

    supervisor.start(lab.site)
    wait_until_empty("every part's readiness", lab.unready)
