"""A stack is upgraded, destroyed, created while processes are killed, and destroyed for good."""

from __future__ import annotations

import contextlib
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import IO

import psutil
import pytest

from lab import names, supervisor
from lab.aws_api.record import recorded
from lab.kubectl import KubectlError
from lab.program import Program
from lab.site import CHECKOUT
from lab.tests.environment.conftest import Lab
from lab.tests.environment.least_privilege import restrict_to_the_policies
from lab.tests.environment.neighbour import neighbour
from lab.waiting import wait_until_empty
from settings.loading import load_files
from tests.committed import committed

ANEW = ["applications", "cluster", "network"]
REPOSITORIES = [
    "community/leaderboard",
    "community/tournaments",
    "streaming/tv-api",
    "streaming/tv-frontend",
]
SEEN: dict[str, object] = {"platform:observability": {}}
"""What the committed stacks leave out: whoever switches it on needs rights for it too."""
NOTHING_LEFT = "Nothing in AWS carries the tags of prod that no state knows.\n"


pytestmark = pytest.mark.takes_lab_apart


@pytest.fixture
def program(lab: Lab) -> Program:
    """The program, both stacks up and seen by CloudWatch, with nothing protected but the images.

    It runs with the permissions of `python -m tools.iam` and no others.
    """
    if lab.condition in ("extended", "destroyed"):
        lab.recreate()
    if lab.condition == "whole":
        lab.condition = "unprotected"
        for stack in ("dev", "prod"):
            lab.program.trying[stack] = dict(SEEN)
        restrict_to_the_policies(lab)
        unprotect(lab.program, prod=ANEW, dev=ANEW)
    for stack in ("dev", "prod"):
        if lab.program.changes(stack):
            lab.program.read("up", "--yes", stack=lab.program.selected(stack))
    return lab.program


def unprotect(program: Program, **stacks: list[str]) -> None:
    for stack, named in stacks.items():
        program.trying.setdefault(stack, {})["platform:unprotected"] = named
        program.read("up", "--yes", stack=program.selected(stack))


def destroy(program: Program, stack: str, *options: str) -> str:
    return program.read("destroy", "--yes", *options, stack=program.selected(stack))


def cli(process: subprocess.Popen[str], _: Lab) -> None:
    """Kill Pulumi's command; its providers finish what they have begun."""
    process.kill()


def aws_provider(process: subprocess.Popen[str], _: Lab) -> None:
    children = psutil.Process(process.pid).children(recursive=True)
    providers = [child for child in children if child.name() == "pulumi-resource-aws"]
    assert providers, "there is none to kill"
    for provider in providers:
        provider.kill()


def api_server(_: subprocess.Popen[str], lab: Lab) -> None:
    lab.kill("prod/apiserver")


Kill = Callable[[subprocess.Popen[str], Lab], None]
MOMENTS: tuple[tuple[Kill, str, int], ...] = (
    (cli, "aws:", 1),
    (aws_provider, "aws:", 3),
    (cli, "aws:", 4),
    (aws_provider, "aws:", 3),
    (cli, "aws:", 3),
    (aws_provider, "aws:", 3),
    (cli, "aws:", 2),
    (api_server, "kubernetes:", 2),
    (cli, "kubernetes:", 3),
    (api_server, "kubernetes:", 2),
)
"""What is killed, once how many resources of whose kind this run has created.

All of them together are far fewer than there are, for a run creates some more before it ends.
"""


def updating(program: Program) -> subprocess.Popen[str]:
    """An update of three resources at a time: each kill leaves work for the next one."""
    return subprocess.Popen(
        program.command(
            ("up", "--yes", "--skip-preview", "--parallel=3"), program.selected("prod")
        ),
        env=program.environment_of("prod"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def follow(output: IO[str] | None, kind: str, resources: int) -> None:
    """Reads what `up` says until it has created that many resources of the kind."""
    assert output
    created = 0
    said = []
    for line in output:
        said.append(line)
        created += f" {kind}" in line and " created (" in line
        if created == resources:
            return
    pytest.fail(
        f"the update ended after {created} of {resources} {kind} before it was disturbed:\n"
        + "".join(said)
    )


def test_kubernetes_is_upgraded_in_place(lab: Lab, program: Program) -> None:
    eks = lab.aws("eks", "prod")
    before = eks.describe_cluster(name="acme-prod")["cluster"]
    cluster = committed("prod")["platform:cluster"]
    program.trying["prod"]["platform:cluster"] = {**cluster, "version": "1.36"}

    program.read("up", "--yes", stack=program.selected("prod"))

    assert program.changes("prod") == {}
    after = eks.describe_cluster(name="acme-prod")["cluster"]
    assert after["createdAt"] == before["createdAt"], "it was replaced"
    assert after["version"] == "1.36"
    assert lab.kubectl("prod").get("--namespace=argocd", "deployment/argocd-server")


def test_an_environment_that_is_killed_ten_times_on_its_way_comes_up(
    lab: Lab, program: Program
) -> None:
    before = numbers(lab)
    destroy(program, "prod")
    for kill, kind, resources in MOMENTS:
        with updating(program) as update:
            follow(update.stdout, kind, resources)
            started = psutil.Process(update.pid).children(recursive=True)
            kill(update, lab)
            update.communicate(timeout=300)
        end_official_providers(started)
        wait_until_empty("the end of what the update had started", partial(running, started))
        take_up(lab, program)
    converge(lab, program)
    assert numbers(lab) == before, "something was created twice, or not at all"


def running(processes: list[psutil.Process]) -> list[str]:
    return [str(process) for process in processes if process.is_running()]


def end_official_providers(started: list[psutil.Process]) -> None:
    """Pulumi's own providers check only every five minutes whether the engine still runs."""
    for process in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() in ("pulumi-resource-aws", "pulumi-resource-kubernetes"):
                process.kill()


def numbers(lab: Lab) -> dict[str, int]:
    """The number of resources of each kind that the program created in AWS.

    Without the names: external-dns makes those of services that run, which a person approves.
    """
    return {
        f"{what} of {stack}": len(found)
        for stack in ("dev", "prod")
        for what, found in ours(lab, stack).items()
        if what != "name"
    }


def test_a_killed_helm_release_does_not_block_the_next_update(lab: Lab, program: Program) -> None:
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


def take_up(lab: Lab, program: Program) -> None:
    """Do what docs/operate.md says about a killed run, before the next `up`."""
    wait_until_empty("the lab's recovery", lab.unready, seconds=90)
    program.run("cancel", "--yes", stack=program.selected("prod"))  # the killed one has the lock
    import_leftovers(lab, program)


def converge(lab: Lab, program: Program) -> str:
    """Import what a killed run left, run `up` to its end; returns its output."""
    take_up(lab, program)
    done = program.run("up", "--yes", stack=program.selected("prod"))
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert program.changes("prod") == {}
    assert find_leftovers(lab, program) == NOTHING_LEFT
    return output


def import_leftovers(lab: Lab, program: Program) -> None:
    """Runs the import commands that `python -m tools.leftovers` prints, until it prints none.

    An object inside another one has its name only once the other one is imported.
    """
    while commands := import_commands(find_leftovers(lab, program)):
        for words in commands:
            program.read(*words, "--yes", "--skip-preview", "--generate-code=false", stack="prod")


def import_commands(listed: str) -> list[list[str]]:
    """The words of each complete import command, without `pulumi` and the stack."""
    lines = [line.split(maxsplit=1)[1] for line in listed.splitlines() if "  import  " in line]
    commands = [shlex.split(line) for line in lines if "<name>" not in line]
    return [[command[1], *command[4:]] for command in commands]


def find_leftovers(lab: Lab, program: Program) -> str:
    """What `python -m tools.leftovers` prints of prod, with the states and a preview as files.

    It runs with the lab's own rights: the role that runs Pulumi may not read all that it reads.
    """
    folder = lab.site.home / "leftovers"
    folder.mkdir(exist_ok=True)
    words = ["--stack", "prod"]
    for stack in ("dev", "prod"):
        state = folder / f"{stack}.json"
        state.write_text(program.read("stack", "export", stack=program.selected(stack)))
        words += ["--state", str(state)]
    preview = folder / "preview.json"
    preview.write_text(program.read("preview", "--json", stack="prod"))
    done = subprocess.run(
        [sys.executable, "-m", "tools.leftovers", *words, "--preview", str(preview)],
        cwd=CHECKOUT,
        env=program.environment | lab.account("prod").variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def test_nothing_that_the_program_called_was_refused(lab: Lab) -> None:
    """A preview only warns of what it may not ask."""
    calls = recorded(lab.site.aws_calls)
    assert [one for one in calls if one["stack"] and one["answered"] == "refused"] == []


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


def test_a_cluster_of_another_team_is_used_and_not_changed(lab: Lab, program: Program) -> None:
    destroy(program, "prod")
    before_them = dict(program.trying["prod"])
    del program.trying["prod"]["platform:observability"]  # which is made in AWS
    with neighbour(lab, load_files("prod", CHECKOUT)) as theirs:
        existing = {"vpc": theirs.vpc, "privateSubnets": theirs.subnets}
        access = committed("prod")["platform:cluster"]["access"]
        program.trying["prod"] |= {
            "platform:network": {"existing": existing},
            "platform:cluster": {"existing": theirs.cluster, "access": access},
            "platform:ingress": {"class": "theirs"},
        }
        before = ours(lab, "prod")
        program.read("up", "--yes", stack=program.selected("prod"))
        assert program.changes("prod") == {}
        assert ours(lab, "prod") == before, (
            "an environment in an existing cluster creates nothing in AWS"
        )
        applications = lab.kubectl("prod").get("--namespace=argocd", "applications")["items"]
        assert len(applications) == len(REPOSITORIES)

        destroy(program, "prod")
        assert theirs.cluster in ours(lab, "prod")["cluster"]
    program.trying["prod"] = before_them


def test_destroying_both_stacks_leaves_the_images_and_says_so(lab: Lab, program: Program) -> None:
    lab.condition = "destroyed"
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
    for stack in ("dev", "prod"):
        left = {what: found for what, found in ours(lab, stack).items() if found}
        assert left == {}, f"something outlived {stack}"


def ours(lab: Lab, stack: str) -> dict[str, list[str]]:
    """What the program created in the account of `stack` and has to delete, by kind."""
    ec2, iam, logs, kms = (lab.aws(service, stack) for service in ("ec2", "iam", "logs", "kms"))
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
        "cluster": lab.aws("eks", stack).list_clusters()["clusters"],
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
        "alarm": [
            one["AlarmName"]
            for one in lab.aws("cloudwatch", stack).describe_alarms()["MetricAlarms"]
        ],
        "topic": [one["TopicArn"] for one in lab.aws("sns", stack).list_topics()["Topics"]],
        "certificate": [
            one["DomainName"]
            for one in lab.aws("acm", stack).list_certificates()["CertificateSummaryList"]
        ],
        "name": [
            one["Name"]
            for one in names.records(lab.site, stack)
            if one["Type"] not in ("NS", "SOA")
        ],
    }


def test_a_stopped_lab_leaves_no_process_and_no_port_and_starts_again(lab: Lab) -> None:
    pids = {daemon.pid for daemon in supervisor.status(lab.site) if daemon.pid}
    ports = [daemon.port for daemon in supervisor.status(lab.site) if daemon.port]
    assert len(pids) > 15

    supervisor.stop(lab.site)
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"port {port} still listens"

    supervisor.start(lab.site)
    wait_until_empty("every daemon's readiness", lab.unready)
