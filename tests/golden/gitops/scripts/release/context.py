# Managed: generated, so change services.yaml or the stack files instead.
"""What every command works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from release.clone import Clone
from release.git import Git
from release.processes import Processes
from release.registry import Registry
from release.repository import Repository
from release.terminal import Terminal


@dataclass
class Context:
    """The terminal, the programs, the clone and the repository of one run."""

    terminal: Terminal
    processes: Processes
    environ: Mapping[str, str]
    folder: str
    """A folder of our own, which goes when the command ends."""
    git: Git
    clone: Clone
    repository: Repository
    pushing: bool = False
    """Whether a push is under way, which may or may not arrive."""
    _registry: Optional[Registry] = field(default=None, repr=False)

    @property
    def registry(self) -> Registry:
        """Of the platform that the tip describes; it serves every environment."""
        if self._registry is None:
            self._registry = Registry(
                self.processes, self.environ, self.terminal, self.repository.platform.fast
            )
        return self._registry
