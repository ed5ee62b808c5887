"""kubectl against one of the lab's clusters, as its administrator or as another user."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.site import Site
from lab.toolchain import Toolchain
from settings.problems import UserError


class KubectlError(UserError):
    """kubectl failed."""

    def __init__(self, arguments: tuple[str, ...], output: str) -> None:
        super().__init__(f"kubectl {' '.join(arguments)} failed: {output.strip()}")


class Kubectl:
    """Runs kubectl with one kubeconfig."""

    def __init__(self, kubeconfig: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = (str(Toolchain().path("kubectl")), f"--kubeconfig={kubeconfig}")
        self.environment = dict(environment) if environment is not None else None

    @classmethod
    def admin(cls, site: Site, environment: str) -> Kubectl:
        """As the lab's own administrator, without the authenticator."""
        return cls(site.admin_kubeconfig(environment))

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl prints; raises KubectlError when it fails."""
        done = subprocess.run(
            [*self.command, *arguments],
            env=self.environment,
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise KubectlError(arguments, done.stderr or done.stdout)
        return done.stdout

    def get(self, *arguments: str) -> dict[str, Any]:
        """`kubectl get … --output=json`, parsed."""
        content: dict[str, Any] = json.loads(self("get", *arguments, "--output=json"))
        return content

    def allows(self, *arguments: str) -> bool:
        """`kubectl auth can-i …` says yes."""
        done = subprocess.run(
            [*self.command, "auth", "can-i", "--quiet", *arguments],
            env=self.environment,
            check=False,
            capture_output=True,
        )
        return done.returncode == 0
