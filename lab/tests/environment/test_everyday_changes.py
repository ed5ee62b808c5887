"""What a preview says to everyday changes: the table of docs/changes.md, by the real engine."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from lab.aws_account import MOTO_ACCOUNT, trust
from lab.daemons import charts
from lab.overrides import merged, overrides
from lab.program import ProgramError
from lab.site import CHECKOUT, HOST
from lab.tests.environment.changed_program import copied, read, write
from lab.tests.environment.conftest import Lab
from lab.tests.environment.everyday_changes import CHANGES, Change
from lab.toolchain import Toolchain

DOCUMENT = CHECKOUT / "docs" / "changes.md"
KINDS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
PRECIOUS = {
    "aws:ec2/vpc:Vpc": ("the VPC", "network"),
    "aws:eks/cluster:Cluster": ("the cluster", "cluster"),
    "aws:ecr/repository:Repository": ("a repository", "registry"),
}
"""What no everyday change may replace, by its type: its name, and its word in `unprotected`."""
AT_ONCE = 2

INTRODUCTION = """\
# What everyday changes do

Each line is one change of `services.yaml` or of a stack file. The real engine previews it against
two running environments and counts the resources that `pulumi up` would create, update, replace and
delete. `pytest lab/tests/environment/test_everyday_changes.py --regenerate` writes this table.

A change in an overlay of the GitOps repository, such as replicas, needs no `pulumi up`.

A change that would replace the VPC, the cluster or a repository is **refused** in every environment
([operate](operate.md#change)). A node group can be replaced: the new nodes come first, the old ones
are drained after.

| change | on | + | ~ | ± | - | which |
| --- | --- | ---: | ---: | ---: | ---: | --- |
"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the preview of one change on one stack says."""

    change: str
    stack: str
    resources: dict[str, list[str]]
    """The names of what is created, updated, replaced and deleted."""
    lost: list[str]
    """The names of what is precious among those replaced and deleted."""
    refused: str
    """Why the preview fails; empty if it does not."""

    @property
    def row(self) -> str:
        if self.refused:
            counts, which = [""] * len(KINDS), f"**refused**: {self.refused}"
        else:
            counts = [str(len(names) or "") for names in self.resources.values()]
            which = "; ".join(
                f"{KINDS[kind]} {', '.join(f'`{name}`' for name in names)}"
                for kind, names in self.resources.items()
                if names
            )
        return f"| {' | '.join([self.change, self.stack, *counts, which])} |\n"


class Copy:
    """A copy of the program, to change and to preview against the lab's state."""

    def __init__(self, lab: Lab, folder: Path, next_charts: str) -> None:
        self.lab = lab
        self.folder = copied(lab.site, folder)
        self.next_charts = next_charts

    def preview(self, change: Change, stack: str) -> Outcome:
        """Makes the change and previews it; raises ProgramError unless it can be done or is
        refused because something is protected."""
        command = self._command(stack, self._stack_file(change, stack))
        done = subprocess.run(
            command,
            env=self.lab.program.environment_of(stack),
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            raise ProgramError(command, done.returncode, done.stdout + done.stderr) from None
        refused = _refusal(answer.get("diagnostics", ()))
        if done.returncode and not refused:
            raise ProgramError(command, done.returncode, json.dumps(answer["diagnostics"]))
        urns = {
            kind: sorted((step["urn"] for step in answer["steps"] if step["op"] == kind), key=_name)
            for kind in KINDS
        }
        return Outcome(
            change=change.what,
            stack=stack,
            resources={kind: [_name(urn) for urn in found] for kind, found in urns.items()},
            lost=[_name(urn) for urn in urns["replace"] + urns["delete"] if _type(urn) in PRECIOUS],
            refused=refused,
        )

    def _stack_file(self, change: Change, stack: str) -> Path:
        """Changes the copy's files and writes the stack file that the lab previews it with."""
        for sibling in self.lab.site.environments:
            shutil.copy(CHECKOUT / f"Pulumi.{sibling}.yaml", self.folder)
        committed = read(CHECKOUT / f"Pulumi.{stack}.yaml")
        catalogue = read(CHECKOUT / "services.yaml")
        change.edit(committed["config"], catalogue)
        write(self.folder / "services.yaml", catalogue)
        write(self.folder / f"Pulumi.{stack}.yaml", committed)
        running = read(self.lab.site.home / f"Pulumi.{stack}.yaml")
        running["config"] = merged(committed["config"], overrides(self.lab.site))
        for part in ("argocd", "keel"):
            chart = running["config"].get(f"platform:{part}", {}).get("chart", {})
            if "version" in chart:
                chart["repository"] = self.next_charts
        return write(self.folder / f"lab.{stack}.yaml", running)

    def _command(self, stack: str, stack_file: Path) -> Sequence[str]:
        where = ("--stack", stack, "--cwd", str(self.folder), "--config-file", str(stack_file))
        return (str(self.lab.program.pulumi), "preview", "--json", "--non-interactive", *where)


def _refusal(diagnostics: Sequence[dict[str, Any]]) -> str:
    """Why the preview fails, in the words of the table; empty for reasons that are none of ours."""
    for message, urn in ((d["message"], d.get("urn")) for d in diagnostics):
        if reported := re.search(r"^  - \S+ (platform:\S+: .*?)(?: \(given|;)", message, re.M):
            return reported[1]
        if "unprotect" in message:
            thing, part = PRECIOUS[_type(str(urn))]
            return f"{thing} is protected, as part `{part}`"
        if "owns the registry" in message:
            return str(message).removeprefix("error: ").strip()
    return ""


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


@pytest.fixture(scope="module")
def next_charts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a repository with the next version of every chart."""
    folder = tmp_path_factory.mktemp("charts")
    sources = shutil.copytree(charts.SOURCES, folder / "sources")
    for file in sources.glob("*/Chart.yaml"):
        chart = read(file)
        major, minor, patch = chart["version"].split(".")
        write(file, {**chart, "version": f"{major}.{minor}.{int(patch) + 1}"})
    served = folder / "served"
    served.mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        address = f"http://{HOST}:{server.server_port}"
        tools = Toolchain()
        crds = tools.module_dir(charts.ARGO_CD_MODULE) / "manifests" / "crds"
        charts.pack(tools.path("helm"), sources, crds, served, address)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()


@pytest.fixture(scope="module")
def outcomes(
    lab: Lab, next_charts: str, tmp_path_factory: pytest.TempPathFactory
) -> Sequence[Outcome]:
    """The outcome of every change, in the order of the table."""
    work = [(change, stack) for change in CHANGES for stack in change.stacks]
    home = tmp_path_factory.mktemp("program")

    def every_so_many(first: int) -> list[Outcome]:
        copy = Copy(lab, home / str(first), next_charts)
        return [copy.preview(*one) for one in work[first::AT_ONCE]]

    with new_roles(lab, "chat", "support"), ThreadPoolExecutor(AT_ONCE) as pool:
        shares = list(pool.map(every_so_many, range(AT_ONCE)))
    return [one for row in zip_longest(*shares) for one in row if one]


@contextmanager
def new_roles(lab: Lab, *names: str) -> Iterator[None]:
    """Roles that changes name, in the account of dev."""
    iam = lab.aws("iam")
    for name in names:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(MOTO_ACCOUNT))
    try:
        yield
    finally:
        for name in names:
            iam.delete_role(RoleName=name)


def test_everyday_changes_do_what_the_documentation_says(
    outcomes: Sequence[Outcome], regenerate: bool
) -> None:
    text = INTRODUCTION + "".join(outcome.row for outcome in outcomes)
    if regenerate:
        DOCUMENT.write_text(text, encoding="utf-8")
    assert text == DOCUMENT.read_text(encoding="utf-8")


def test_no_change_replaces_the_vpc_the_cluster_or_a_repository(
    outcomes: Sequence[Outcome],
) -> None:
    lost = {
        f"{outcome.change} on {outcome.stack}": outcome.lost
        for outcome in outcomes
        if outcome.lost and not outcome.refused
    }
    assert lost == {}


def test_a_change_that_would_is_refused_and_says_why(outcomes: Sequence[Outcome]) -> None:
    refused = "\n".join(outcome.refused for outcome in outcomes)
    for why in (
        "platform:network.cidr: cannot change from 10.10.0.0/16",
        "platform:cluster.serviceCidr: cannot change from 172.20.0.0/16",
        "platform:registry.encryption: cannot change from AES256",
        "platform:cluster.version: the cluster runs 1.35, and Kubernetes has no downgrade",
        "a repository is protected, as part `registry`",
    ):
        assert why in refused, refused
