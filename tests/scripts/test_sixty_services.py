"""The check of a platform of sixty services, and of ten charts of others: it finds no fault."""

from __future__ import annotations

from pathlib import Path

import yaml

from gitops.version import released_helm, released_kustomize, version_file
from settings.loading import load_files
from tests.scripts.chart_repository import ChartRepository, serving
from tests.scripts.release_repository import (
    HOST,
    ReleaseRepository,
    make_build,
    make_scaffold,
)
from tests.sixty_services import NAMESPACES, TOOLS, catalogue, written

STACKS = ("dev", "prod")


def platform(folder: Path, charts: ChartRepository) -> Path:
    """The settings, with charts that can be had."""
    content = catalogue()
    published = {tool: charts.publish(tool, "1.2.3") for tool in TOOLS}
    for namespace in content["namespaces"].values():
        for package in namespace["packages"].values():
            chart = package["chart"]
            chart |= {"repository": charts.url, "digest": published[chart["name"]]}
    return written(folder, content)


def released(settings: Path) -> dict[str, str]:
    """The version files of a platform on which every service was released everywhere."""
    build = make_build("sixty")
    files = {}
    for stack in STACKS:
        loaded = load_files(stack, settings)
        for namespace, name, service in loaded.living.entries():
            image = f"{HOST}/{namespace}/{name}"
            if "image" in service.model_fields_set:
                continue  # dev's version is in the catalogue
            file, _ = version_file(service.packaging, "")
            text = (
                released_helm(build.version, build.digest)
                if service.packaging == "helm"
                else released_kustomize(image, build.version, build.digest)
            )
            files[f"environments/{stack}/{namespace}/{name}/version/{file}"] = text
    return files


def test_the_check_renders_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "made").mkdir()
    with serving(tmp_path / "charts") as charts:
        settings = platform(tmp_path / "settings", charts)
        releases = ReleaseRepository(tmp_path, make_scaffold(tmp_path / "made", settings))
        releases.edit(released(settings), "Every service, everywhere")
        check = releases.start("render.sh", str(tmp_path / "out"), clone=tmp_path / "elsewhere")
        said = "".join(check.communicate(timeout=600))
    assert check.returncode == 0, said
    rendered = [file for file in (tmp_path / "out" / "dev").rglob("*.yaml") if file.stat().st_size]
    assert len(rendered) == 60 + len(NAMESPACES) * len(TOOLS)
    found = (
        document["kind"]
        for file in rendered
        for document in yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    )
    assert set(found) == {
        "CronJob",
        "Deployment",
        "ExternalSecret",
        "HorizontalPodAutoscaler",
        "Service",
        "ServiceAccount",
        "StatefulSet",
    }
