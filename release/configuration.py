"""The configuration that the generator writes for the scripts: `scripts/platform.json`."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, Optional
from urllib.parse import urlsplit

from release.errors import PRECONDITION, USAGE, Failure
from release.versions import is_tag, is_version

PATH = "scripts/platform.json"
"""Old clones look for `scripts/platform.env`, do not find it, and stop: they render nothing."""
FORMAT = 1
PACKAGE = "chart"
"""The packaging of what somebody else makes a chart of."""
SEVERITIES = ("informational", "low", "medium", "high", "critical")
_NOT_UNDERSTOOD = (
    ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError,
)  # fmt: skip
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SCP_LIKE = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)")


class Environment(NamedTuple):
    """Where versions run."""

    name: str
    safe: bool
    account: str
    region: str
    registry: str
    """The host of the registry."""
    moving_tag: str
    """The tag that every build moves; empty where there is none."""
    releases: str
    """How promotions and rollbacks reach the branch: `push` or `pull-request`."""
    refuse: str
    """From which severity of a scan's findings on an image is refused; empty for none."""
    kubernetes: str = ""
    """The minor version of its cluster; empty where nobody knows."""


class Service(NamedTuple):
    """What is built and released."""

    delivery: str
    packaging: str
    image: str
    """The name of its image repository."""
    verified: bool
    """Whether a promotion asks for proof that the version was verified on the fast environment."""
    environments: frozenset[str] = frozenset()
    """The environments that have it; empty for all."""
    foreign: str = ""
    """The whole name of an image that others build, or of a chart; empty for our own."""
    kinds: frozenset[tuple[str, str]] = frozenset()
    """The kinds that it may deploy; empty for those of its namespace."""


class Platform(NamedTuple):
    """All of it."""

    url: str
    branch: str
    environments: dict[str, Environment]
    services: dict[str, Service]
    kinds: dict[str, frozenset[tuple[str, str]]]
    """What a namespace may have deployed, as (API group, kind); all where it is missing."""

    @property
    def fast(self) -> Environment:
        return next(e for e in self.environments.values() if not e.safe)

    @property
    def safe(self) -> list[str]:
        """The names of the safe environments; prod is the first, unless there is none."""
        names = [e.name for e in self.environments.values() if e.safe]
        return sorted(names, key=lambda name: (name != "prod", name))

    def target(self, name: Optional[str]) -> Environment:
        """The safe environment of that name. Raises Failure."""
        if name is None and self.safe:
            return self.environments[self.safe[0]]
        if name not in self.safe:
            raise Failure(
                USAGE,
                f"not an environment that is promoted to: {name!r}",
                f"choose one of: {' '.join(self.safe) or '(there is none)'}",
            )
        return self.environments[name]

    def image(self, environment: Environment, service: str) -> str:
        """The image of a service (namespace/name), without a tag."""
        known = self.services.get(service)
        own = f"{environment.registry}/{known.image if known else service}"
        return (known.foreign if known else "") or own

    def image_name(self, service: str) -> str:
        """What version files call the image of a service (namespace/name), without a registry."""
        known = self.services.get(service)
        return (known.foreign or known.image) if known else service

    def is_foreign(self, service: str) -> bool:
        """Whether others build its image, so that our registry does not have it."""
        known = self.services.get(service)
        return known is not None and bool(known.foreign)

    def is_version_of(self, service: str, text: str) -> bool:
        """Whether `text` may be a version of a service: of a foreign one, any tag."""
        return is_version(text) or (self.is_foreign(service) and is_tag(text))

    def followed(self, environment: str, service: str) -> str:
        """The tag that a service follows in an environment, rolled by Keel; empty for none."""
        there, known = self.environments.get(environment), self.services.get(service)
        return there.moving_tag if there and known and known.delivery == "keel" else ""

    def kinds_of(self, service: str) -> frozenset[tuple[str, str]]:
        """The kinds that a service may deploy; empty for all."""
        known = self.services.get(service)
        own = known.kinds if known else frozenset()
        return own or self.kinds.get(service.partition("/")[0], frozenset())

    def is_package(self, service: str) -> bool:
        """Whether it is a chart of others, with whatever images that names."""
        known = self.services.get(service)
        return known is not None and known.packaging == PACKAGE

    def lives_in(self, environment: str, service: str) -> bool:
        """Whether a service (namespace/name) is there at all."""
        known = self.services.get(service)
        return not (known and known.environments) or environment in known.environments

    def asks_for_verification(self, service: str) -> bool:
        known = self.services.get(service)
        return known is not None and known.verified


def parse(text: str, where: str) -> Platform:
    """The platform that `text` describes. Raises Failure, which names `where` it is."""
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise Failure(
                PRECONDITION,
                f"{where} has the format {content['format']!r}, and these scripts know {FORMAT}",
                "take the newest scripts: git pull",
            )
        environments = {name: _environment(name, e) for name, e in content["environments"].items()}
        platform = Platform(
            url=_address(content["git"]["url"]),
            branch=_branch(content["git"]["branch"]),
            environments=environments,
            services={
                name: Service(
                    delivery=s["delivery"],
                    packaging=s["packaging"],
                    image=s["image"],
                    verified=bool(s.get("verify")),
                    environments=frozenset(s.get("environments", ())),
                    foreign=str(s.get("foreign") or ""),
                    kinds=frozenset(_kind(kind) for kind in s.get("kinds", ())),
                )
                for name, s in content["services"].items()
            },
            kinds={
                namespace: frozenset(_kind(kind) for kind in kinds)
                for namespace, kinds in content.get("kinds", {}).items()
            },
        )
        platform.fast  # noqa: B018 - there has to be one
    except Failure:
        raise
    except _NOT_UNDERSTOOD as error:
        what = f"{type(error).__name__}: {error}" if str(error) else "no fast environment"
        raise Failure(
            PRECONDITION,
            f"{where} cannot be read: {what}",
            "it is generated: pulumi up writes it anew where it was deleted",
        ) from error
    return platform


def _environment(name: str, content: Any) -> Environment:
    if not _NAME.fullmatch(name):
        raise ValueError(f"an environment called {name!r}")
    return Environment(
        name=name,
        safe=_one_of(content["speed"], ("fast", "safe")) == "safe",
        account=str(content["account"]),
        region=str(content["region"]),
        registry=str(content["registry"]),
        moving_tag=str(content.get("moving_tag") or ""),
        releases=_one_of(content.get("releases") or "push", ("push", "pull-request")),
        refuse=_one_of(content.get("refuse") or "", ("", *SEVERITIES)),
        kubernetes=str(content.get("kubernetes") or ""),
    )


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return str(value)


def _kind(text: str) -> tuple[str, str]:
    group, _, kind = text.rpartition("/")
    return group, kind


def _branch(name: Any) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[\w][\w./-]*", name) or ".." in name:
        raise ValueError(f"a branch called {name!r}")
    return name


def _address(url: Any) -> str:
    if not isinstance(url, str) or not safe_address(url):
        raise ValueError(f"an address of Git that is not understood: {url!r}")
    return url


def safe_address(url: str) -> bool:
    """Whether `url` is an address and neither an option nor a program to run."""
    return bool(url) and not url.startswith("-") and "::" not in url.split("/", 1)[0]


def identity(url: str) -> tuple[str, str]:
    """Host and path of a Git address: equal for every spelling of the same repository."""
    scp_like = None if "://" in url else _SCP_LIKE.fullmatch(url)
    if scp_like:
        host, path = scp_like["host"], scp_like["path"]
    else:
        try:
            parts = urlsplit(url)
        except ValueError:  # such as of half an address of IPv6
            return "", url
        host, path = parts.hostname or "", parts.path
        if parts.scheme in ("http", "https") and ":" in parts.netloc.rpartition("@")[2]:
            host = parts.netloc.rpartition("@")[2]
    path = path.strip("/")
    return host.lower(), path[:-4] if path.endswith(".git") else path
