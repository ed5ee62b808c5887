"""A platform of sixty services: it loads, renders and previews, and nobody edits a file for it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops.tree import scaffold
from settings.environment import Settings
from settings.loading import load_files
from tests.committed import CHECKOUT
from tests.sixty_services import NAMESPACES, NEEDS, TOOLS, catalogue, package, plain, written
from tests.unit.whole_program import record_program


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("sixty") / "settings", catalogue())


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for namespace in catalogue()["namespaces"].values():
        found |= namespace["services"]
    return found


def test_the_sixty_need_what_real_platforms_need() -> None:
    def count(key: str, process: str = "") -> int:
        return sum(
            process in one.get("processes", {}) if process else key in one
            for one in services().values()
        )

    assert len(services()) == 60
    assert {
        "worker": count("", "worker"),
        "cron job": count("", "nightly"),
        "migration": count("migrate"),
        "foreign image": count("image"),
        "other probes": count("health"),
        "one environment": count("environments"),
        "storage": count("storage"),
        "autoscaler": count("scale"),
        "secrets": count("secrets"),
        "rights in AWS": count("aws"),
    } == {
        "worker": 38,
        "cron job": 21,
        "migration": 23,
        "foreign image": 10,
        "other probes": 16,
        "one environment": 5,
        "storage": 2,
        "autoscaler": 6,
        "secrets": 50,
        "rights in AWS": 4,
    }
    assert catalogue() == catalogue()


def texts(settings: Settings) -> dict[str, str]:
    return {path: file.text for path, file in scaffold(settings).items()}


def test_the_same_catalogue_is_rendered_to_the_same_files(root: Path) -> None:
    first, second = (texts(load_files("dev", root)) for _ in range(2))
    assert first == second
    folders = {path.split("/")[2] for path in first if path.startswith("base/")}
    packages = {f"{name}-{tool}" for name in NAMESPACES for tool in TOOLS}
    assert folders == set(services()) | packages


def test_every_manifest_of_kustomize_can_be_read(root: Path) -> None:
    files = {**texts(load_files("dev", root)), **texts(load_files("prod", root))}
    read = [
        document
        for path, text in files.items()
        if path.startswith(("base/", "environments/"))
        and path.endswith(".yaml")
        and "/templates/" not in path
        for document in yaml.load_all(text, yaml.CSafeLoader)
    ]
    kinds = Counter(document["kind"] for document in read if "kind" in document)
    assert kinds["CronJob"] > 0
    assert kinds["StatefulSet"] > 0


def test_no_value_of_a_chart_is_null(root: Path) -> None:
    """Helm stops where a template wants a map and the values have a key with nothing behind it."""
    files = {**texts(load_files("dev", root)), **texts(load_files("prod", root))}
    values = {path: text for path, text in files.items() if path.endswith("values.yaml")}
    assert len(values) == 130
    assert {path for path, text in values.items() if has_null(yaml.safe_load(text))} == set()


def has_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    return value is None


@pytest.mark.parametrize(("stack", "applications"), [("dev", 70), ("prod", 65)])
def test_both_stacks_preview_it(
    root: Path, stack: str, applications: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settings.pulumi_config.ROOT", root)
    recording = record_program(stack, root, CHECKOUT / "__main__.py", preview=True)
    kinds = Counter(resource.type for resource in recording.resources)
    assert kinds["kubernetes:argoproj.io/v1alpha1:Application"] == applications
    assert kinds["kubernetes:argoproj.io/v1alpha1:AppProject"] == 15
    assert kinds["aws:ecr/repository:Repository"] == (50 if stack == "dev" else 0)


def lines(content: dict[str, Any]) -> int:
    return len(yaml.safe_dump(content).splitlines())


def test_the_guide_tells_how_many_lines_each_need_takes() -> None:
    found = {"a web service": lines(plain(0)), "a chart that others make": lines(package("redis"))}
    for need, (_, _, add) in NEEDS.items():
        service = plain(0)
        add(service)
        found[need] = lines(service) - lines(plain(0))
    guide = (CHECKOUT / "docs" / "services.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([a-zA-Z' ]+) \| ([+-]?)(\d+) \|", guide, re.MULTILINE)
    assert {name: int(f"{sign}{number}") for name, sign, number in told} == found
