"""What a team adds to base/ with the service's image: it has the service's version, or is named."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.manifests import image_problem, moving_problems, read, versionless
from tests.programs import program
from tests.scripts.release_repository import HOST, ONE, TOURNAMENTS, version_text, write_tree

IMAGE = f"{HOST}/{TOURNAMENTS}"
BASE = f"base/{TOURNAMENTS}"
KEEL = {
    "keel.sh/policy": "force",
    "keel.sh/matchTag": "true",
    "keel.sh/trigger": "poll",
    "keel.sh/monitorContainers": "^main$",
}
ENDING = {"batch/v1/CronJob", "batch/v1/Job", "v1/Pod"}
KINDS = ["apps/v1/DaemonSet", "apps/v1/Deployment", "apps/v1/StatefulSet", *sorted(ENDING)]


def own(kind: str, *, moves: bool) -> dict[str, Any]:
    """An object of the team's own; with `moves`, as the check asks for it."""
    version, _, name = kind.rpartition("/")
    pull = {"imagePullPolicy": "Always"} if moves else {}
    pod = {
        "initContainers": [{"name": "first", "image": IMAGE, **pull}],
        "containers": [
            {"name": "proxy", "image": "docker.io/acme/proxy:1"},
            {"name": "main", "image": IMAGE, **pull},
        ],
    }
    template = {"metadata": {"labels": {"app": "own"}}, "spec": pod}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "own"}}, "template": template}
    if name == "CronJob":
        spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}
    elif name == "Job":
        spec = {"template": template}
    elif name == "Pod":
        spec = pod
    annotations = {"annotations": KEEL} if moves and kind not in ENDING else {}
    return {
        "apiVersion": version,
        "kind": name,
        "metadata": {"name": f"own-{name.lower()}", **annotations},
        "spec": spec,
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The generated repository, in which prod has a release of the service."""
    write_tree(tmp_path)
    version = tmp_path / f"environments/prod/{TOURNAMENTS}/version/kustomization.yaml"
    version.write_text(version_text(TOURNAMENTS, ONE), encoding="utf-8")
    return tmp_path


def add(tree: Path, *objects: dict[str, Any]) -> None:
    """Put objects into the service's base, as its team does."""
    (tree / BASE / "own.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    file = tree / BASE / "kustomization.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["resources"].append("own.yaml")
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def rendered(tree: Path, environment: str) -> str:
    folder = tree / "environments" / environment / TOURNAMENTS
    done = subprocess.run(
        [program("kustomize"), "build", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def containers(text: str, name: str) -> list[dict[str, Any]]:
    """Every container and init container of the object of that name that has the image."""
    found = [one for one in yaml.safe_load_all(text) if one["metadata"]["name"] == name]
    listed = [*_below(found, "initContainers"), *_below(found, "containers")]
    return [one for one in listed if one["image"].startswith(IMAGE)]


def _below(content: Any, key: str) -> list[dict[str, Any]]:
    if isinstance(content, dict):
        own_ones = content.get(key, [])
        return [*own_ones, *(one for value in content.values() for one in _below(value, key))]
    if isinstance(content, list):
        return [one for value in content for one in _below(value, key)]
    return []


def test_every_kind_has_the_moving_tag_on_dev_and_the_digest_on_prod(tree: Path) -> None:
    add(tree, *(own(kind, moves=True) for kind in KINDS))
    dev, prod = rendered(tree, "dev"), rendered(tree, "prod")
    for kind in KINDS:
        name = f"own-{kind.rpartition('/')[2].lower()}"
        assert [one["image"] for one in containers(dev, name)] == [f"{IMAGE}:dev"] * 2
        pinned = f"{IMAGE}:{ONE.version}@{ONE.digest}"
        assert [one["image"] for one in containers(prod, name)] == [pinned] * 2
    assert [*moving_problems(read(dev), IMAGE, "dev"), *versionless(read(dev), IMAGE)] == []
    assert image_problem(read(prod), IMAGE, ONE.version, ONE.digest) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_would_stand_still_is_named_with_its_remedy(tree: Path, kind: str) -> None:
    add(tree, own(kind, moves=False))
    problems = "\n".join(moving_problems(read(rendered(tree, "dev")), IMAGE, "dev"))
    name = kind.rpartition("/")[2]
    what = f"{name} own-{name.lower()}"
    for container in ("first", "main"):
        assert (
            f"{what}: its container {container} runs the moving tag dev and does not pull it anew; "
            "set imagePullPolicy: Always" in problems
        )
    annotations = f"{what}: without Keel's annotations no build of the moving tag gets there"
    assert (annotations in problems) == (kind not in ENDING)


def test_a_sidecar_of_the_generated_deployment_moves_with_it(tree: Path) -> None:
    file = tree / BASE / "deployment.yaml"
    deployment = yaml.safe_load(file.read_text(encoding="utf-8"))
    pod = deployment["spec"]["template"]["spec"]
    pod["containers"].append({"name": "side", "image": IMAGE, "imagePullPolicy": "Always"})
    pod["initContainers"] = [{"name": "first", "image": IMAGE, "imagePullPolicy": "Always"}]
    file.write_text(yaml.safe_dump(deployment), encoding="utf-8")
    dev = rendered(tree, "dev")
    images = {one["name"]: one["image"] for one in containers(dev, "tournaments")}
    assert images == dict.fromkeys(("first", "tournaments", "side"), f"{IMAGE}:dev")
    assert [*moving_problems(read(dev), IMAGE, "dev")] == []


def test_an_image_where_kustomize_sets_no_version_is_named(tree: Path) -> None:
    robot = {
        "apiVersion": "acme.example/v1",
        "kind": "Robot",
        "metadata": {"name": "own-robot"},
        "spec": {"image": IMAGE},
    }
    add(tree, robot)
    for environment in ("dev", "prod"):
        (problem,) = versionless(read(rendered(tree, environment)), IMAGE)
        assert problem.startswith("Robot own-robot: spec.image names the image without a version")
