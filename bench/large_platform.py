"""A platform of many services: its configuration, and a GitOps repository with a past."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gitops import checkout
from gitops.tree import scaffold
from gitops.version import released_helm, released_kustomize
from settings.files import ROOT
from settings.loading import load_files

CHECKOUT = ROOT
ENGINEER = ("Platform Engineer", "platform@acme.example")
NAMESPACES, SERVICES = 40, 500
BUILDS = 5
"""Of each service. All of them ran on dev; the first and the third were promoted."""
PROMOTED = (0, 2)
HELM_EVERY = 10
"""One service in so many is packaged as a chart."""
ENVIRONMENTS = ("dev", "prod")
RELEASES = SERVICES * (BUILDS + len(PROMOTED))


@cache
def places() -> list[str]:
    """namespace/service of every service."""
    return [f"team-{n % NAMESPACES:02}/service-{n:03}" for n in range(SERVICES)]


def is_chart(number: int) -> bool:
    """Whether the service of that number is packaged with Helm."""
    return number % HELM_EVERY == 0


def version(number: int, build: int) -> tuple[str, str]:
    """The version and digest of a build of the service of that number."""
    seed = hashlib.sha256(f"{number} {build}".encode()).hexdigest()
    return f"v202601{build + 1:02}-{seed[:7]}", f"sha256:{seed}"


def write_configuration(folder: Path) -> None:
    """The committed stack files, and a catalogue of services like the committed tv-frontend."""
    folder.mkdir()
    for environment in ENVIRONMENTS:
        shutil.copy(CHECKOUT / f"Pulumi.{environment}.yaml", folder)
    catalogue = yaml.safe_load((CHECKOUT / "services.yaml").read_text())
    model = catalogue["namespaces"]["streaming"]["services"]["tv-frontend"]
    grown: dict[str, Any] = {}
    for number, place in enumerate(places()):
        namespace, name = place.split("/")
        packaging = "helm" if is_chart(number) else "kustomize"
        services = grown.setdefault(namespace, {"services": {}})["services"]
        services[name] = model | {"packaging": packaging, "source": f"acme/{name}"}
    (folder / "services.yaml").write_text(yaml.safe_dump(catalogue | {"namespaces": grown}))


def make_repository(configuration: Path, origin: Path, clone: Path) -> None:
    """A bare `origin` with the generated files and RELEASES releases, and a clone of it."""
    git(origin.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    git(clone.parent, "clone", "--quiet", str(origin), str(clone))
    git(clone, "symbolic-ref", "HEAD", "refs/heads/main")
    for key, value in zip(("user.name", "user.email"), ENGINEER, strict=True):
        git(clone, "config", key, value)
    for environment in ENVIRONMENTS:
        settings = load_files(environment, configuration)
        # The scripts go where the configuration says; here that is the folder beside them.
        git(clone, "config", f"url.{origin}.insteadOf", settings.config.gitops.url)
        checkout.apply(clone, checkout.plan(clone, scaffold(settings)))
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Scaffold")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    subprocess.run(
        ["git", "fast-import", "--quiet"],
        cwd=origin,
        input="".join(_releases(settings.registry_host)).encode(),
        check=True,
    )
    git(clone, "pull", "--quiet", "--ff-only", "origin", "main")


def _releases(registry: str) -> Iterator[str]:
    yield "reset refs/heads/main\nfrom refs/heads/main^0\n\n"
    time = 1_767_225_600  # the first of January 2026, and a minute from one release to the next
    for build in range(BUILDS):
        for environment in ENVIRONMENTS if build in PROMOTED else ENVIRONMENTS[:1]:
            for number in range(SERVICES):
                time += 60
                yield _release(number, environment, build, registry=registry, time=time)


def _release(number: int, environment: str, build: int, *, registry: str, time: int) -> str:
    """One commit, in the words of `git fast-import`."""
    place = places()[number]
    tag, digest = version(number, build)
    chart = is_chart(number)
    text = released_helm(tag, digest)
    if not chart:
        text = released_kustomize(f"{registry}/{place}", tag, digest)
    earlier = build - 1 if environment == "dev" else build - 2
    message = (
        f"{environment}: {place.partition('/')[2]} {tag}\n\n"
        f"Release-Service: {place}\n"
        f"Release-Environment: {environment}\n"
        f"Release-Version: {tag}\n"
        f"Release-Digest: {digest}\n"
        f"Release-Previous: {version(number, earlier)[0] if earlier >= 0 else 'none'}\n"
        f"Release-Kind: {'build' if environment == 'dev' else 'promotion'}\n"
        f"Release-By: {ENGINEER[0]} <{ENGINEER[1]}>\n"
        f"Release-Subject: Change number {build}\n"
    )
    file = "values.yaml" if chart else "kustomization.yaml"
    return (
        f"commit refs/heads/main\n"
        f"committer {ENGINEER[0]} <{ENGINEER[1]}> {time} +0000\n"
        f"data {len(message)}\n{message}\n"
        f"M 100644 inline environments/{environment}/{place}/version/{file}\n"
        f"data {len(text)}\n{text}\n"
    )


def git(folder: Path, *arguments: str) -> None:
    """Runs git in `folder`; raises CalledProcessError."""
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)
