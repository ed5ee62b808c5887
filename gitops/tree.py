"""The GitOps repository as a map: which templates make which files, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator

from gitops import context as contexts
from gitops import layout
from gitops.context import Context
from gitops.file import File, Ownership
from gitops.rendering import render_folder
from gitops.version import version_file
from settings import Settings

_Entries = Iterator[tuple[str, File]]


def scaffold(settings: Settings) -> dict[str, File]:
    """Everything that the settings' stack writes: the shared files and its own environment's."""
    return dict(sorted((shared(settings) | environment(settings)).items()))


def shared(settings: Settings) -> dict[str, File]:
    """The files that are the same whichever stack renders them."""
    context = contexts.shared(settings)
    return {
        **_rendered("shared", "", context, Ownership.MANAGED),
        **_rendered("checks", "", context, Ownership.MANAGED),
        **_rendered("scripts", layout.SCRIPTS, context, Ownership.MANAGED),
        **{path: file for service in context["services"] for path, file in _base(service, context)},
    }


def environment(settings: Settings) -> dict[str, File]:
    """The files below `environments/<stack>/`."""
    context = contexts.environment(settings)
    folder = layout.environment(settings.stack)
    return {
        **_rendered("environment", folder, context, Ownership.MANAGED),
        **{
            path: file
            for service in context["services"]
            for path, file in _overlay(service, context)
        },
    }


def _base(service: Context, context: Context) -> _Entries:
    """What never differs of a service, and the pipeline of its own repository."""
    context = context | {"service": service}
    base = layout.base(service["namespace"], service["name"])
    yield from _rendered(f"base/{service['packaging']}", base, context, Ownership.SEEDED).items()
    for name, text in service["config"].items():
        yield f"{base}/config/{name}", File(text=text, ownership=Ownership.SEEDED)
    pipeline = layout.pipeline(service["name"])
    yield from _rendered(f"pipelines/{service['ci']}", pipeline, context, Ownership.MANAGED).items()


def _overlay(service: Context, context: Context) -> _Entries:
    """What differs of a service in this environment, and the version that runs there."""
    context = context | {"service": service}
    environment = context["environment"]["name"]
    folder = layout.overlay(environment, service["namespace"], service["name"])
    yield from _rendered(
        f"overlay/{service['packaging']}", folder, context, Ownership.SEEDED
    ).items()
    tag = environment if service["follows_moving_tag"] else None
    name, text = version_file(service["packaging"], service["image"], tag)
    yield f"{folder}/{layout.VERSION}/{name}", File(text=text, ownership=Ownership.VERSION)


def _rendered(
    templates: str, folder: str, context: Context, ownership: Ownership
) -> dict[str, File]:
    """The files that the templates in one folder give, placed in `folder`."""
    return {
        f"{folder}/{name}" if folder else name: File(text=text, ownership=ownership)
        for name, text in render_folder(templates, context)
    }
