"""How long a preview of each stack from scratch takes, against the engine's floor.

`make bench-previews`, beside a lab that runs. The floor is a program that decides nothing: it
imports the SDKs' classes of the same resources and registers them with the same inputs, under the
same engine and providers. The provider that is Python code of ours is one that does nothing. Both
previews begin with an empty state, and AWS is not asked: the lab has these resources already.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from lab.program import Program
from lab.site import CHECKOUT, Site
from lab.toolchain import Toolchain

RUNS = 7
FLOOR = """\
import json
from importlib import import_module
from pathlib import Path

from pulumi import ComponentResource, CustomResource, ProviderResource, ResourceOptions
from pulumi.dynamic import Resource, ResourceProvider


class Nothing(ResourceProvider):
    serialize_as_secret_always = False


class Checkout(Resource, module="floor", name="Checkout"):
    pass


def load(type):
    package, module, name = type.split(":")
    if package == "aws":
        getattr(import_module(f"pulumi_aws.{module.partition('/')[0]}"), name)
    if package == "kubernetes":
        group, _, version = module.partition("/")
        try:
            getattr(import_module(f"pulumi_kubernetes.{group.partition('.')[0]}.{version}"), name)
        except (ImportError, AttributeError):  # a custom resource
            import_module("pulumi_kubernetes.apiextensions").CustomResource


made = {}
for one in json.loads(Path(__file__).with_name("resources.json").read_text()):
    parent, provider = made.get(one["parent"]), made.get(one["provider"])
    options = ResourceOptions(parent=parent, provider=provider)
    name, inputs = one["name"], one["inputs"]
    load(one["type"])
    if one["type"].startswith("pulumi:providers:"):
        resource = ProviderResource(one["type"].rpartition(":")[2], name, inputs, options)
    elif one["type"].startswith("pulumi-python:"):
        del inputs["__provider"]
        resource = Checkout(Nothing(), name, inputs, options)
    elif one["custom"]:
        resource = CustomResource(one["type"], name, inputs, options)
    else:
        resource = ComponentResource(one["type"], name, inputs, options)
    made[one["urn"]] = resource
"""
LEFT_OUT = "pulumi:pulumi:"
"""The stack itself and references to others."""


def main() -> None:
    site = Site.from_environment()
    for stack in site.environments:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            print(measured(site, stack, Path(folder)), flush=True)


def measured(site: Site, stack: str, folder: Path) -> str:
    """A line of the medians of both and of the ratio of each pair: the machine's speed drifts."""
    program = from_scratch(site, stack, folder)
    count = write_floor(program, stack, folder / "floor")
    ours, floor = [], []
    for _ in range(RUNS):
        ours.append(seconds(program, stack, CHECKOUT))
        floor.append(seconds(program, stack, folder / "floor"))
    ratio = statistics.median(mine / least for mine, least in zip(ours, floor, strict=True))
    return (
        f"{stack}: {statistics.median(ours):.2f} s; the engine's floor for {count} resources is "
        f"{statistics.median(floor):.2f} s; {ratio:.2f} times (medians of {RUNS} pairs)"
    )


def from_scratch(site: Site, stack: str, folder: Path) -> Program:
    """The program with a copy of the lab's state in `folder`, which does not know `stack`."""
    program = Program(site, Toolchain())
    shutil.copytree(program.home / "state", folder / "state")
    for file in (folder / "state").rglob(f"{stack}.json*"):
        file.unlink()
    program.environment |= {
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}?metadata=skip",
        "TWO_SPEED_OFFLINE": "1",
    }
    program.selected(stack)
    return program


def write_floor(program: Program, stack: str, folder: Path) -> int:
    """Write the program that registers what a preview of `stack` registers; returns how much."""
    steps = json.loads(program.read("preview", "--json", stack=stack))["steps"]
    states = [step["newState"] for step in steps]
    resources = [
        {
            "urn": state["urn"],
            "type": state["type"],
            "name": state["urn"].rpartition("::")[2],
            "custom": state["custom"],
            "inputs": state.get("inputs", {}),
            "parent": state.get("parent"),
            "provider": state.get("provider", "").rpartition("::")[0],
        }
        for state in states
        if not state["type"].startswith(LEFT_OUT)
    ]
    folder.mkdir()
    shutil.copy(CHECKOUT / "Pulumi.yaml", folder)
    (folder / "__main__.py").write_text(FLOOR)
    (folder / "resources.json").write_text(json.dumps(resources))
    return len(resources)


def seconds(program: Program, stack: str, folder: Path) -> float:
    """How long a preview of the program in `folder` takes."""
    begun = time.perf_counter()
    program.read("preview", stack=stack, folder=folder)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
