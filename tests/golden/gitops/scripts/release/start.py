# Managed: generated, so change services.yaml or the stack files instead.
"""What every command begins with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Optional

from release.clone import Clone
from release.context import Context
from release.git import Git
from release.handover import SCRATCH, root, to_the_newest
from release.processes import Processes
from release.repository import Repository, Unreachable
from release.terminal import Terminal
from release.workspace import Workspace


class Start:
    """What a command begins with, and what it leaves behind."""

    def __init__(
        self, terminal: Terminal, processes: Processes, name: str, words: Sequence[str]
    ) -> None:
        self.terminal, self.processes = terminal, processes
        self.name, self.words = name, words
        self.context: Optional[Context] = None
        self.reading = False
        """Whether the command only reads."""
        self._workspace: Optional[Workspace] = None

    def workspace(self) -> str:
        if self._workspace is None:
            self._workspace = Workspace(os.environ.get(SCRATCH, ""))
        return self._workspace.folder

    def git(self) -> Git:
        home = os.path.join(self.workspace(), "home")
        os.makedirs(home, exist_ok=True)
        return Git(self.processes, os.environ, home)

    def enter(self, *, borrow: Optional[bool] = None) -> Context:
        """The clone and its repository. Raises Failure where this is none."""
        git = self.git()
        clone = Clone(git, root())
        repository = Repository(git, clone, self.workspace(), borrow=borrow)
        repository.on_tip = lambda tip: to_the_newest(
            repository, tip, self.terminal, self.workspace(), [self.name, *self.words]
        )
        self.context = Context(
            self.terminal, self.processes, os.environ, self.workspace(), git, clone, repository
        )
        return self.context

    def end(self) -> None:
        if self._workspace is not None:
            self._workspace.remove()


def follow_or_last_known(context: Context) -> None:
    """The tip, or what this clone saw last, with a warning."""
    try:
        context.repository.follow()
    except Unreachable as error:
        age = context.repository.last_known()
        context.terminal.warn(error.message)
        context.terminal.warn(f"showing what this clone last knew, of {age}")
