"""Names and tags of everything in AWS: the one place that composes them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

_ROLE = 64
"""The longest name of an IAM role."""
_HASH = 9
"""A hyphen and eight digits, at the end of a name that was cut."""


@dataclass(frozen=True)
class Names:
    """The names of one environment, all with the prefix `<organization>-<stack>`."""

    organization: str
    stack: str

    @property
    def prefix(self) -> str:
        return f"{self.organization}-{self.stack}"

    @property
    def cluster(self) -> str:
        return self.prefix

    def of(self, purpose: str) -> str:
        """`<organization>-<stack>-<purpose>`."""
        return f"{self.prefix}-{purpose}"

    @staticmethod
    def repository(namespace: str, service: str) -> str:
        """An image repository, `<namespace>/<service>`: the folders of the GitOps repository."""
        return f"{namespace}/{service}"

    def role(self, purpose: str) -> str:
        """An IAM role, 64 characters at most."""
        return _at_most(_ROLE, self.of(purpose))

    @property
    def role_beginning(self) -> str:
        """How the name of every role begins, also of one that was cut."""
        return self.of("")[: _ROLE - _HASH]

    def secrets(self, namespace: str, service: str) -> str:
        """How the names of a service's secrets begin in Secrets Manager.

        `<organization>/<stack>/<namespace>/<service>/`, and the secret's own name behind it.
        """
        return f"{self.organization}/{self.stack}/{namespace}/{service}/"

    def service_role(self, service: str) -> str:
        """The IAM role of a service's pods."""
        return self.role(f"service-{service}")

    def ci_role(self, service: str) -> str:
        """The IAM role with which a service's pipeline pushes its images."""
        return self.role(f"ci-{service}")

    def launch_template(self, part: str) -> str:
        """A launch template, 125 characters at most: what Pulumi's provider allows."""
        return _at_most(125, self.of(part))

    @staticmethod
    def node_group(name: str, *made_of: str) -> str:
        """A node group within its cluster, 63 characters at most: `<name>-<hash of made_of>`.

        made_of: whatever replaces the group when it changes. The name then changes too, so that
        the new group can be there before the old one goes.
        """
        mark = sha256("\n".join(made_of).encode()).hexdigest()[:8]
        return f"{_at_most(54, name)}-{mark}"

    def tags(self, **extra: str) -> dict[str, str]:
        """The tags that everything carries, and `extra` ones."""
        return {
            "Organization": self.organization,
            "Environment": self.stack,
            "ManagedBy": "pulumi",
            **extra,
        }


def _at_most(length: int, name: str) -> str:
    """`name`, or its beginning and a hash of the whole where AWS would refuse it as too long."""
    if len(name) <= length:
        return name
    return f"{name[: length - _HASH]}-{sha256(name.encode()).hexdigest()[:8]}"
