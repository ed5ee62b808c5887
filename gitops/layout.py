"""Where everything is in the generated repository: the only place that composes its paths.

base/<namespace>/<service>/                       what is the same in every environment
components/                                       kustomize components that services share
environments/<environment>/<namespace>/<service>/ the overlay: what differs
    version/                                      what runs there; a release moves it
rendered/<environment>/<namespace>/<service>/     what runs where a release renders it
pipelines/<service>/                              for the service's own repository
scripts/                                          promotion, rollback, history
    release/                                      the package that they start
.github/CODEOWNERS                                who reviews what; on other Git hosts elsewhere
.scaffold/<scope>.json                            hashes of what was generated
"""

from __future__ import annotations

SCRIPTS = "scripts"
RELEASE_PACKAGE = f"{SCRIPTS}/release"
PLATFORM = f"{SCRIPTS}/platform.json"
"""What the release package knows about the platform."""
SHARED_COMPONENTS = "components"
"""The generator leaves this folder alone."""
CODEOWNERS_OF_GITEA = ".gitea/CODEOWNERS"
CODEOWNERS_OF_GITHUB = ".github/CODEOWNERS"
CODEOWNERS_OF_GITLAB = ".gitlab/CODEOWNERS"
VERSION = "version"
SHARED = "shared"
"""The scope of every file that belongs to no environment."""
_BASE = "base"
_ENVIRONMENTS = "environments"
_RENDERED = "rendered"


def base(namespace: str, service: str) -> str:
    return f"{_BASE}/{namespace}/{service}"


def environment(name: str) -> str:
    return f"{_ENVIRONMENTS}/{name}"


def overlay(name: str, namespace: str, service: str) -> str:
    return f"{environment(name)}/{namespace}/{service}"


def rendered(name: str, namespace: str, service: str) -> str:
    return f"{_RENDERED}/{name}/{namespace}/{service}"


def pipeline(service: str) -> str:
    return f"pipelines/{service}"


def template(packaging: str, file: str) -> str:
    """A workload's file, in the folder of its base."""
    return f"templates/{file}" if packaging == "helm" else file


def scope_of(path: str) -> str:
    """What `path` belongs to, and whose lock names it: an environment, or `shared`."""
    first, *rest = path.split("/")
    return rest[0] if first in (_ENVIRONMENTS, _RENDERED) and len(rest) > 1 else SHARED


def lock(scope: str) -> str:
    """The lock of one scope."""
    return f".scaffold/{scope}.json"
