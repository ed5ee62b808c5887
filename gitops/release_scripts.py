"""The release scripts of the GitOps repository: the package, and its configuration. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from gitops.context import Context
from settings.files import ROOT
from settings.kinds import Kind

PACKAGE = ROOT / "release"
_FORMAT = 1


def package(context: Context) -> Iterator[tuple[str, str]]:
    """File name and text of each module of the package, with a word on whose it is."""
    for name, text in _modules():
        yield name, f"# {context['managed']}\n{text}"


@cache
def _modules() -> tuple[tuple[str, str], ...]:
    return tuple(
        (path.name, path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.glob("*.py"))
    )


def platform(context: Context) -> str:
    """`platform.json`: what the package knows about the platform."""
    content: dict[str, Any] = {
        "comment": context["managed"],
        "format": _FORMAT,
        "git": {"url": context["gitops"]["url"], "branch": context["gitops"]["branch"]},
        "environments": {e["name"]: _environment(e, context) for e in context["environments"]},
        "services": {
            each["repository"]: _service(each)
            for each in sorted(
                (*context["services"], *context["packages"]),
                key=lambda each: (each["namespace"], each["name"]),
            )
        },
        "kinds": {namespace: _kinds(found) for namespace, found in context["kinds"].items()},
    }
    return json.dumps(content, indent=2) + "\n"


def _environment(environment: Context, context: Context) -> Context:
    fast = environment["speed"] == "fast"
    return {
        "speed": environment["speed"],
        "account": context["registry"]["account"],
        "region": context["registry"]["region"],
        "registry": context["registry"]["host"],
        **({"kubernetes": environment["kubernetes"]} if environment["kubernetes"] else {}),
        **({"moving_tag": environment["name"]} if environment["name"] == context["fast"] else {}),
        **({} if fast else {"releases": environment["releases"], "refuse": environment["refuse"]}),
    }


def _service(service: Context) -> Context:
    return {
        "delivery": service["delivery"],
        "packaging": service["packaging"],
        "environments": service["environments"],
        **({"foreign": service["image"]} if service["foreign"] else {}),
        "image": service["repository"],
        "verify": bool(service.get("verify")),
        **({"kinds": _kinds(service["kinds"])} if service["packaging"] == "chart" else {}),
    }


def _kinds(found: Iterable[Kind]) -> list[str]:
    return [f"{group}/{kind}" for group, kind in found]
