"""One pod whose containers run as processes, one after the other, until it ends or is ready."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from lab import pod as pods
from lab import process
from lab.pod import Lookup, Object, UnresolvedError, Workload
from lab.pod_images import Node, PullError
from lab.pod_status import ContainerState, Phase, status
from lab.pod_volumes import Token, Volumes, translated
from lab.process import Identity

LONGEST_PAUSE = 10.0
"""The longest pause, in seconds, before a container that failed starts again."""
CANNOT_START = 128
"""The exit code of a container whose program is not there."""
GRACE = 1.0


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the lab gives a pod.

    Attributes:
        folder: where its volumes and the files of its images are.
        log: what its containers print.
        variables: the address of the API server, as a kubelet gives it.
        node: the images of its node.
    """

    folder: Path
    log: Path
    variables: dict[str, str]
    node: Node
    lookup: Lookup
    token: Token


class PodWorker:
    """Runs the init containers of a pod, and of a Job's pod its containers too."""

    def __init__(self, pod: Object, around: Surroundings) -> None:
        spec = pod["spec"]
        self.pod = pod
        self.around = around
        self.init = [ContainerState(one) for one in spec.get("initContainers", ())]
        self.containers = [ContainerState(one) for one in spec["containers"]]
        self.volumes = Volumes(around.folder / "volumes", pod, around.lookup, around.token)
        self.failed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def step(self) -> None:
        """Start the next container, or notice how the running one ended."""
        one = self._current()
        if self.failed or one is None:
            return
        if self._process is None:
            if time.monotonic() >= self._not_before:
                self._begin(one)
        elif (code := self._process.poll()) is not None:
            self._process = None
            self._ended(one, code)

    @property
    def phase(self) -> Phase:
        if self.failed:
            return "Failed"
        if not all(one.over for one in self.init):
            return "Pending"
        if all(one.exit_code == 0 for one in self.containers):
            return "Succeeded"
        return "Running" if any(one.runs for one in self.containers) else "Pending"

    def status(self) -> dict[str, Any]:
        return status(self.pod, self.phase, self.init, self.containers)

    def stop(self) -> None:
        """Stop its process and delete its files; its log stays."""
        if self._process is not None:
            if running := Identity.of(self._process.pid):
                process.stop([running], GRACE)
            self._process.wait()
            self._process = None
        shutil.rmtree(self.around.folder, ignore_errors=True)

    def _current(self) -> ContainerState | None:
        """The container that runs now or next; None when there is nothing left to run."""
        return next((one for one in (*self.init, *self.containers) if not one.over), None)

    def _serves(self, one: ContainerState) -> bool:
        """A sidecar, or a container of a pod that has no end."""
        sidecar: bool = one.spec.get("restartPolicy") == "Always"
        return sidecar or (one in self.containers and not belongs_to_a_job(self.pod))

    def _begin(self, one: ContainerState) -> None:
        """Start a container, or note why it cannot start yet."""
        try:
            one.image_id = self.around.node.image_id(one.spec)
            if self._serves(one):
                one.serve()
                return
            root = self.around.node.root(one.image_id, self.around.folder / one.spec["name"])
            self._start(one, root)
        except (PullError, requests.RequestException) as trouble:
            self._pause(one, "ImagePullBackOff", str(trouble))
        except UnresolvedError as missing:
            self._pause(one, "CreateContainerConfigError", str(missing))

    def _start(self, one: ContainerState, root: Path | None) -> None:
        container = Workload.of_pod(self.pod, one.spec)
        given = pods.variables(container, self.around.lookup) | self.around.variables
        places = self.volumes.mount(one.spec)
        words = [
            _found(translated(pods.expand(word, given), places), root)
            for word in (*one.spec.get("command", ()), *one.spec.get("args", ()))
        ]
        one.run()
        if root is None or not words:
            one.end(0)  # an image that the lab cannot run counts as one that has succeeded
            return
        search = (str(root / "bin"), str(Path(sys.executable).parent), os.environ["PATH"])
        variables = {**given, "PATH": os.pathsep.join(search), "HOME": str(root)}
        try:
            self._process = process.start(
                words, log=self.around.log, variables=variables, folder=root
            )
        except OSError as error:
            self._note(f"{words[0]} cannot be started: {error}")
            self._ended(one, CANNOT_START)

    def _ended(self, one: ContainerState, code: int) -> None:
        one.end(code)
        if code == 0:
            return
        if self.pod["spec"].get("restartPolicy") == "Never":
            self.failed = True
            return
        one.restarts += 1
        self._pause(one, "CrashLoopBackOff", f"{process.describe_exit(code)}; it starts again")

    def _pause(self, one: ContainerState, reason: str, message: str) -> None:
        one.wait(reason, message)
        self._not_before = time.monotonic() + min(2.0**one.restarts, LONGEST_PAUSE)

    def _note(self, text: str) -> None:
        self.around.log.parent.mkdir(parents=True, exist_ok=True)
        with self.around.log.open("a") as log:
            log.write(f"{text}\n")


def belongs_to_a_job(pod: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences", ())
    return any(owner["kind"] == "Job" for owner in owners)


def _found(word: str, root: Path | None) -> str:
    """An absolute path of the image as the place where that file is."""
    if root and word.startswith("/") and (root / word[1:]).exists():
        return str(root / word[1:])
    return word
