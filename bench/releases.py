"""How long the tools of a GitOps repository take on a platform of 500 services.

`make bench` prints medians. The release tool finds kustomize and helm on PATH. The registry is left
out: Git knows every version here (`--offline`), and the remote is a folder on this machine.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.large_platform import (
    BUILDS,
    CHECKOUT,
    HELM_EVERY,
    NAMESPACES,
    RELEASES,
    SERVICES,
    is_chart,
    make_repository,
    places,
    version,
    write_configuration,
)

RUNS = 3
PROMOTE = ("scripts/promote-to-prod.sh", "--offline")
CARRY_OVER = (
    "bash",
    "-ec",
    "scripts/render.sh --write prod && git add rendered && "
    "git commit --quiet --message 'Rendered manifests of prod as they run' && "
    "git push --quiet origin HEAD:main",
)
ROLL_BACK = ("scripts/rollback-prod.sh", "--offline")

Command = Sequence[str]


class BenchError(Exception):
    """A command that is measured failed."""

    def __init__(self, command: Command, output: str) -> None:
        super().__init__(f"{' '.join(command)} failed:\n{output}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        clone = root / "clone"
        write_configuration(root / "configuration")
        make_repository(root / "configuration", root / "origin.git", clone)
        print(f"{SERVICES} services, one in {HELM_EVERY} with Helm, in {NAMESPACES} namespaces;")
        print(f"{RELEASES} releases in the history; {os.cpu_count()} processors\n")
        print(" seconds  processor")
        for what, commands in measured(root):
            took, busy = zip(*(timed(command, clone) for command in commands), strict=True)
            median = f"{statistics.median(took):8.2f}  {statistics.median(busy):9.2f}"
            print(f"{median}  {what}", flush=True)


def measured(root: Path) -> Iterator[tuple[str, Sequence[Command]]]:
    """What is measured, and the commands of each run; promotions move what comes after them."""
    folders = [f"--out={root / f'rendered-{run}'}" for run in range(RUNS)]
    render = (sys.executable, "-m", "gitops", "render", f"--root={root / 'configuration'}")
    yield "render a stack into an empty folder", [(*render, "--stack=dev", out) for out in folders]
    check = (*render, "--stack=dev", "--check")
    yield "check a folder against a stack", [(*check, out) for out in folders]
    yield "render what prod runs into Git", [CARRY_OVER]
    yield "list every service with its versions", [PROMOTE] * RUNS
    numbers = [n for n in range(SERVICES) if not is_chart(n)][:RUNS]
    named = [("--service", places()[n], "--yes") for n in numbers]
    newest = [version(n, BUILDS - 1)[0] for n in numbers]
    yield (
        "promote one service",
        [(*PROMOTE, tag, *words) for tag, words in zip(newest, named, strict=True)],
    )
    yield "roll one service back", [(*ROLL_BACK, *words) for words in named]
    yield "history, the newest 50", [("scripts/history.sh",)] * RUNS
    yield "history of everything as JSON", [("scripts/history.sh", "--json")] * RUNS
    yield "promote every service in one commit", [(*PROMOTE, "--from-dev", "--yes")]


def timed(command: Command, clone: Path) -> tuple[float, float]:
    """Runs a command in the clone; returns the seconds that it took, and those of processor time.

    The second tells what the first would be on a machine with nothing else to do. Raises
    BenchError.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
    }
    start, used = time.perf_counter(), processor_time()
    done = subprocess.run(
        command,
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds, busy = time.perf_counter() - start, processor_time() - used
    if done.returncode:
        raise BenchError(command, done.stdout)
    return seconds, busy


def processor_time() -> float:
    """The processor seconds of every process that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
