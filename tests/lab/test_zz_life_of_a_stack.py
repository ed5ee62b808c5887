"""A stack is destroyed, made anew while things are killed around it, and destroyed for good.

Runs last: it takes the lab apart.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable

import psutil
import pytest

from lab import supervisor
from lab.kubectl import KubectlError
from lab.program import Program
from lab.waiting import wait_until_empty
from tests.lab.conftest import Lab

UNPROTECTED = {
    "prod": ["applications", "cluster", "network"],
    "dev": ["applications", "cluster", "network", "registry"],
}
TRIALS = int(os.environ.get("KILLS", "3"))
"""How many times something is killed; the victims take turns."""
HELM_STUCK = ("cannot re-use a name that is still in use", "another operation")


@pytest.fixture(scope="module")
def program(lab: Lab) -> Program:
    """The program with nothing protected; the lab is of no use afterwards."""
    lab.taken_apart = True
    lab.program.trying = {
        stack: {"platform:unprotected": parts} for stack, parts in UNPROTECTED.items()
    }
    for stack in UNPROTECTED:
        lab.program.read("up", "--yes", stack=lab.program.selected(stack))
    return lab.program


def destroy(program: Program, stack: str) -> str:
    return program.read("destroy", "--yes", stack=program.selected(stack))


def cli(process: subprocess.Popen[bytes], _: Lab) -> None:
    """Nothing of Pulumi is left but what its providers have begun."""
    process.kill()


def aws_provider(process: subprocess.Popen[bytes], _: Lab) -> None:
    for child in psutil.Process(process.pid).children(recursive=True):
        if "lab.aws.plugin" in child.cmdline():
            child.kill()


def api_server(_: subprocess.Popen[bytes], lab: Lab) -> None:
    (part,) = (p for p in supervisor.status(lab.site) if p.part == "prod/apiserver")
    assert part.pid
    os.kill(part.pid, signal.SIGKILL)


VICTIMS: tuple[Callable[[subprocess.Popen[bytes], Lab], None], ...] = (
    cli,
    aws_provider,
    api_server,
)


@pytest.mark.parametrize("trial", range(TRIALS))
def test_an_update_that_was_killed_converges_when_it_is_run_again(
    lab: Lab, program: Program, trial: int
) -> None:
    chance = random.Random(trial)  # noqa: S311 - another moment each trial, the same each run
    destroy(program, "prod")
    updating = subprocess.Popen(
        program.command(("up", "--yes", "--skip-preview"), program.selected("prod")),
        env=program.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(chance.uniform(2, 25))
    VICTIMS[trial % len(VICTIMS)](updating, lab)
    updating.wait(timeout=300)
    wait_until_empty(
        "the lab's recovery",
        lambda: [p.part for p in supervisor.status(lab.site) if p.state != "ready"],
        seconds=90,
    )
    converge(lab, program)
    assert program.changes("prod") == {}


def converge(lab: Lab, program: Program) -> None:
    """Runs `up` again; what Helm was in the middle of is freed as docs/operate.md says."""
    stack = program.selected("prod")
    program.run("cancel", "--yes", stack=stack)  # whoever was killed still holds the lock
    done = program.run("up", "--yes", stack=stack)
    output = done.stdout + done.stderr
    if done.returncode and any(sign in output for sign in HELM_STUCK):
        lab.kubectl("prod")("delete", "secret", "-n", "argocd", "-l", "owner=helm,name=argocd")
        done = program.run("up", "--yes", stack=stack)
        output = done.stdout + done.stderr
    assert done.returncode == 0, output


def test_destroying_both_stacks_leaves_the_images_and_says_so(lab: Lab, program: Program) -> None:
    destroy(program, "prod")
    with pytest.raises(KubectlError):
        lab.kubectl("prod").get("--namespace=argocd", "deployment/argocd-server")
    destroyed = destroy(program, "dev")
    assert "etain" in destroyed, "what is retained should be told"

    assert [r["repositoryName"] for r in lab.aws("ecr").describe_repositories()["repositories"]]
    ours = [{"Name": "tag:ManagedBy", "Values": ["pulumi"]}]
    assert lab.aws("ec2").describe_vpcs(Filters=ours)["Vpcs"] == []
    assert lab.aws("ec2").describe_subnets(Filters=ours)["Subnets"] == []
    assert lab.aws("eks").list_clusters()["clusters"] == []
    roles = [role["RoleName"] for role in lab.aws("iam").list_roles()["Roles"]]
    assert not [name for name in roles if name.startswith("acme-")]


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
    assert {part.state for part in supervisor.status(lab.site)} == {"ready"}
