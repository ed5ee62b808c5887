"""The GitOps repository as a map from path to generated file."""

from __future__ import annotations

from collections.abc import Iterator

from gitops import codeowners, layout, packages, release_scripts
from gitops import context as contexts
from gitops.context import Context
from gitops.file import File, Ownership
from gitops.git_objects import tree_id
from gitops.rendering import render, render_folder
from gitops.version import version_file
from settings.environment import Settings

_Entries = Iterator[tuple[str, File]]


def scaffold(settings: Settings) -> dict[str, File]:
    """Everything that the settings' stack writes: the shared files and its own environment's."""
    return dict(sorted((shared(settings) | environment(settings)).items()))


def shared(settings: Settings) -> dict[str, File]:
    """The files that are the same whichever stack renders them."""
    context = contexts.shared(settings)
    scripts = _scripts(context)
    context |= {"release_package": _package_id(scripts)}
    return {
        **_rendered("shared", "", context, Ownership.MANAGED),
        **_rendered("checks", "", context, Ownership.MANAGED),
        **scripts,
        **dict(_reviewers(settings, context)),
        **{path: file for service in context["services"] for path, file in _base(service, context)},
        **{p: file for each in context["packages"] for p, file in packages.base(each, context)},
    }


def _scripts(context: Context) -> dict[str, File]:
    """The release scripts, and the package that they start."""
    package = {
        f"{layout.RELEASE_PACKAGE}/{name}": text for name, text in release_scripts.package(context)
    }
    texts = {**package, layout.PLATFORM: release_scripts.platform(context)}
    return {
        **_rendered("scripts", layout.SCRIPTS, context, Ownership.MANAGED),
        **{path: File(text=text, ownership=Ownership.MANAGED) for path, text in texts.items()},
    }


def _package_id(scripts: dict[str, File]) -> str:
    """Git's name of the package's folder, by which pipelines know it."""
    folder = f"{layout.RELEASE_PACKAGE}/"
    return tree_id(
        {
            path.removeprefix(folder): file
            for path, file in scripts.items()
            if path.startswith(folder)
        }
    )


def environment(settings: Settings) -> dict[str, File]:
    """The files below `environments/<stack>/`, and the folders that releases render into."""
    context = contexts.environment(settings)
    folder = layout.environment(settings.stack)
    return {
        **_rendered("environment", folder, context, Ownership.MANAGED),
        **{
            path: file
            for service in context["services"]
            for path, file in _overlay(service, context)
        },
        **{p: file for each in context["packages"] for p, file in packages.overlay(each, context)},
        **{
            path: file
            for each in (*context["services"], *context["packages"])
            for path, file in _release(each, context)
        },
    }


def _reviewers(settings: Settings, context: Context) -> _Entries:
    for path, text in codeowners.codeowners(settings, context["managed"]).items():
        yield path, File(text=text, ownership=Ownership.MANAGED)


def _base(service: Context, context: Context) -> _Entries:
    """A service's base, and the pipeline of its repository."""
    context = context | {"service": service, "chart": service["packaging"] == "helm"}
    base = layout.base(service["namespace"], service["name"])
    yield from _rendered(f"base/{service['packaging']}", base, context, Ownership.SEEDED).items()
    packaging = service["packaging"]
    for workload in service["workloads"]:
        text = render(
            f"workload/{packaging}/base.yaml",
            context | {"workload": workload},
        )
        path = f"{base}/{layout.template(packaging, workload['file'])}"
        yield path, File(text=text, ownership=Ownership.SEEDED)
    for name, text in service["config"].items():
        yield f"{base}/config/{name}", File(text=text, ownership=Ownership.SEEDED)
    if service["foreign"]:
        return
    pipeline = layout.pipeline(service["name"])
    files = _rendered(f"pipelines/{service['ci']}", pipeline, context, Ownership.MANAGED)
    for path, file in files.items():
        yield path.replace("release.yml", service["workflow"]), file


def _overlay(service: Context, context: Context) -> _Entries:
    """A service's overlay and version file in this environment."""
    context = context | {"service": service}
    environment = context["environment"]["name"]
    folder = layout.overlay(environment, service["namespace"], service["name"])
    yield from _rendered(
        f"overlay/{service['packaging']}", folder, context, Ownership.SEEDED
    ).items()
    if service["packaging"] == "kustomize":
        for workload in service["workloads"]:
            text = render("workload/kustomize/overlay.yaml", context | {"workload": workload})
            yield f"{folder}/{workload['file']}", File(text=text, ownership=Ownership.SEEDED)
    name, text = version_file(service["packaging"], service["image"], *service["runs"])
    yield f"{folder}/{layout.VERSION}/{name}", File(text=text, ownership=Ownership.VERSION)


def _release(service: Context, context: Context) -> _Entries:
    """The folder of what runs, which Git keeps only with a file in it, where releases render."""
    environment = context["environment"]
    if environment["rendered"]:
        folder = layout.rendered(environment["name"], service["namespace"], service["name"])
        yield from _rendered("rendered", folder, context, Ownership.MANAGED).items()


def _rendered(
    templates: str, folder: str, context: Context, ownership: Ownership
) -> dict[str, File]:
    """The files that the templates in one folder give, placed in `folder`."""
    return {
        f"{folder}/{name}" if folder else name: File(text=text, ownership=ownership)
        for name, text in render_folder(templates, context)
    }
