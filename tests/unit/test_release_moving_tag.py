"""What runs the tag that every build moves has to move with it, however it got into Git."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from release.manifests import moving_problems, read, versionless

IMAGE = "registry.example/shop/web"
KEEL = {
    "keel.sh/policy": "force",
    "keel.sh/matchTag": "true",
    "keel.sh/monitorContainers": "^web$",
}
WEB = {"name": "web", "image": f"{IMAGE}:dev", "imagePullPolicy": "Always"}
STALE = {**WEB, "imagePullPolicy": "IfNotPresent"}
PROXY = {"name": "proxy", "image": "docker.io/acme/proxy:1"}


def workload(
    containers: list[dict[str, Any]],
    kind: str = "apps/v1/Deployment",
    first: list[dict[str, Any]] | None = None,
    annotations: dict[str, str] | None = None,
) -> str:
    version, _, name = kind.rpartition("/")
    pod = {"spec": {"containers": containers, **({"initContainers": first} if first else {})}}
    spec = {"jobTemplate": {"spec": {"template": pod}}} if name == "CronJob" else {"template": pod}
    metadata = {"name": "web", "annotations": KEEL if annotations is None else annotations}
    made = {"apiVersion": version, "kind": name, "metadata": metadata, "spec": spec}
    return yaml.safe_dump(made)


def problems(text: str) -> list[str]:
    return [*moving_problems(read(text), IMAGE, "dev")]


@pytest.mark.parametrize(
    "text",
    [
        workload([WEB]),
        workload([PROXY, WEB]),
        workload([WEB], kind="apps/v1/StatefulSet"),
        workload([PROXY], annotations={}),
        workload([{**WEB, "image": f"{IMAGE}:v20251126-abcdef1"}], annotations={}),
        workload([WEB], kind="batch/v1/CronJob", annotations={}),
        # Pulled by the first container of the image, and run by the others.
        workload([STALE], first=[{**WEB, "name": "image"}]),
    ],
)
def test_what_moves_with_the_tag_is_left_alone(text: str) -> None:
    assert problems(text) == []


def test_every_container_of_the_image_pulls_it_anew() -> None:
    sidecar = {**STALE, "name": "sidecar"}
    assert problems(workload([WEB, sidecar])) == [
        "Deployment web: its container sidecar runs the moving tag dev and does not pull it anew; "
        "set imagePullPolicy: Always"
    ]
    first = {**STALE, "name": "prepare"}
    assert problems(workload([WEB], first=[first])) == [
        "Deployment web: its container prepare runs the moving tag dev and does not pull it anew; "
        "set imagePullPolicy: Always"
    ]
    assert problems(workload([STALE], kind="batch/v1/CronJob", annotations={})) == [
        "CronJob web: its container web runs the moving tag dev and does not pull it anew; set "
        "imagePullPolicy: Always"
    ]


def test_a_workload_that_keel_does_not_roll_is_named() -> None:
    assert problems(workload([WEB], annotations={"note": "mine"})) == [
        "Deployment web: without Keel's annotations no build of the moving tag gets there; take "
        "them from the overlay of the service"
    ]
    assert problems(workload([{**WEB, "name": "server"}])) == [
        "Deployment web: Keel looks at containers called ^web$, and server has the moving tag; "
        "correct keel.sh/monitorContainers"
    ]
    assert problems(workload([WEB], kind="argoproj.io/v1alpha1/Rollout")) == [
        "Rollout web: Keel does not know this kind, so no build of the moving tag gets there"
    ]


def custom(**spec: Any) -> str:
    content = {"apiVersion": "acme.example/v1", "kind": "Robot", "metadata": {"name": "r"}}
    return yaml.safe_dump({**content, "spec": spec})


@pytest.mark.parametrize(
    ("text", "path", "remedy"),
    [
        (custom(image=IMAGE), "spec.image", "write a version there, or use a container"),
        (
            custom(steps=[{"run": "x"}, {"image": IMAGE}]),
            "spec.steps[1].image",
            "write a version there, or use a container",
        ),
        (
            workload([{"name": "web", "image": IMAGE}]),
            "spec.template.spec.containers[0].image",
            "the version file names another image; release a version of this one",
        ),
    ],
)
def test_an_image_without_a_version_is_named_wherever_it_stands(
    text: str, path: str, remedy: str
) -> None:
    (problem,) = versionless(read(text), IMAGE)
    assert f"{path} names the image without a version, " in problem
    assert problem.endswith(remedy)


@pytest.mark.parametrize(
    "text",
    [
        workload([WEB]),
        custom(image=f"{IMAGE}:v20251126-abcdef1"),
        custom(image=f"{IMAGE}-tools"),
        custom(note=IMAGE),
        workload([{**PROXY, "env": [{"name": "IMAGE", "value": IMAGE}]}]),
    ],
)
def test_another_image_and_one_with_a_version_are_left_alone(text: str) -> None:
    assert [*versionless(read(text), IMAGE)] == []
