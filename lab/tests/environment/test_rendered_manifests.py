"""What the real kustomize and helm make of the generated repository; needs no running lab."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops import checkout
from gitops.tree import scaffold
from gitops.version import released_helm, released_kustomize
from lab.toolchain import MissingToolError, Toolchain
from settings.environment import Settings
from settings.files import ROOT
from settings.loading import load_files

VERSION, DIGEST = "v20250819-f3b8541", "sha256:" + "a" * 64
STACKS = ("dev", "prod")
SERVICES = (
    "community/leaderboard",
    "community/tournaments",
    "streaming/tv-api",
    "streaming/tv-frontend",
)
KEEL = frozenset({"community/leaderboard", "community/tournaments"})

Manifests = Mapping[tuple[str, str], Any]
"""Rendered objects by kind and name."""


@pytest.fixture(params=["kustomize", "helm"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The generated repository, nothing promoted yet; every service packaged either way."""
    configuration = tmp_path / "configuration"
    configuration.mkdir()
    for stack in STACKS:
        shutil.copy(ROOT / f"Pulumi.{stack}.yaml", configuration)
    catalogue = yaml.safe_load((ROOT / "services.yaml").read_text())
    for namespace in catalogue["namespaces"].values():
        for service in namespace["services"].values():
            service["packaging"] = request.param
    (configuration / "services.yaml").write_text(yaml.safe_dump(catalogue))
    folder = tmp_path / "gitops"
    for stack in STACKS:
        tree = scaffold(load_files(stack, configuration))
        checkout.apply(folder, checkout.plan(folder, tree))
    return folder


def settings_of(stack: str) -> Settings:
    return load_files(stack, ROOT)


def render(repository: Path, stack: str, service: str) -> Manifests:
    """The objects of a service, as Argo CD would render them; any warning fails."""
    base, overlay = repository / "base" / service, repository / "environments" / stack / service
    namespace, name = service.split("/")
    if (base / "Chart.yaml").exists():
        values = [overlay / "values.yaml", overlay / "version/values.yaml"]
        options = [option for file in values for option in ("--values", str(file))]
        command = ["template", name, str(base), "--namespace", namespace, *options]
        text = _run("helm", *command)
    else:
        text = _run("kustomize", "build", str(overlay))
    objects = [each for each in yaml.safe_load_all(text) if each]
    found = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    assert len(found) == len(objects)
    return found


def _run(tool: str, *arguments: str) -> str:
    try:
        path = Toolchain().path(tool)
    except MissingToolError as error:
        pytest.skip(str(error))
    done = subprocess.run([str(path), *arguments], check=True, capture_output=True, text=True)
    assert done.stderr == "", "deprecated fields warn here"
    return done.stdout


def release(repository: Path, stack: str, service: str) -> None:
    folder = repository / "environments" / stack / service / "version"
    image = f"{settings_of(stack).registry_host}/{service}"
    if (folder / "values.yaml").exists():
        (folder / "values.yaml").write_text(released_helm(VERSION, DIGEST))
    else:
        text = released_kustomize(image, VERSION, DIGEST)
        (folder / "kustomization.yaml").write_text(text)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_was_never_promoted_renders_to_nothing(
    repository: Path, service: str
) -> None:
    assert render(repository, "prod", service) == {}


@pytest.mark.parametrize("service", SERVICES)
def test_dev_starts_with_what_keel_rolls_and_waits_for_what_ci_commits(
    repository: Path, service: str
) -> None:
    manifests = render(repository, "dev", service)
    if service not in KEEL:
        assert manifests == {}
        return
    name = service.split("/")[1]
    deployment = manifests["Deployment", name]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(f"/{service}:dev")
    assert container["imagePullPolicy"] == "Always"
    assert deployment["metadata"]["annotations"]["keel.sh/matchTag"] == "true"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("stack", STACKS)
def test_a_release_runs_exactly_that_version_and_digest(
    repository: Path, stack: str, service: str
) -> None:
    release(repository, stack, service)
    manifests = render(repository, stack, service)
    name = service.split("/")[1]
    deployment = manifests["Deployment", name]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(f"/{service}:{VERSION}@{DIGEST}")
    assert {"Service", "ServiceAccount"} <= {kind for kind, _ in manifests}
    assert (("PodDisruptionBudget", name) in manifests) == (stack == "prod")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("stack", STACKS)
def test_what_is_rendered_fits_together(repository: Path, stack: str, service: str) -> None:
    release(repository, stack, service)
    manifests = render(repository, stack, service)
    namespace, name = service.split("/")
    pod = manifests["Deployment", name]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    selectors = [
        manifests["Deployment", name]["spec"]["selector"]["matchLabels"],
        manifests["Service", name]["spec"]["selector"],
        *(
            spread["labelSelector"]["matchLabels"]
            for spread in pod["spec"]["topologySpreadConstraints"]
        ),
    ]
    if stack == "prod":
        selectors.append(manifests["PodDisruptionBudget", name]["spec"]["selector"]["matchLabels"])
    assert all(selector.items() <= labels.items() for selector in selectors)
    assert pod["spec"]["serviceAccountName"] == name
    assert pod["metadata"]["annotations"]
    for (kind, _), each in manifests.items():
        assert each["metadata"].get("namespace", namespace) == namespace, kind
    (container,) = pod["spec"]["containers"]
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    assert variables["ENVIRONMENT"] == stack
    assert variables["PORT"] == str(container["ports"][0]["containerPort"])
    assert container["resources"]["limits"]["memory"]
    used = [v["configMap"]["name"] for v in pod["spec"]["volumes"] if "configMap" in v]
    assert used == [config for kind, config in manifests if kind == "ConfigMap"]


def test_a_changed_config_file_rolls_the_pods(repository: Path) -> None:
    service, name = "streaming/tv-frontend", "tv-frontend"
    release(repository, "dev", service)
    before = render(repository, "dev", service)["Deployment", name]["spec"]["template"]
    (repository / "base" / service / "config/theme.json").write_text('{"palette": "light"}\n')
    after = render(repository, "dev", service)["Deployment", name]["spec"]["template"]
    assert before != after


@pytest.mark.parametrize("stack", STACKS)
def test_an_ingress_has_the_host_of_its_environment(repository: Path, stack: str) -> None:
    release(repository, stack, "streaming/tv-frontend")
    manifests = render(repository, stack, "streaming/tv-frontend")
    spec = manifests["Ingress", "tv-frontend"]["spec"]
    host = f"tv-frontend.{settings_of(stack).config.domain}"
    assert [rule["host"] for rule in spec["rules"]] == [host]
    assert spec["tls"] == [{"hosts": [host]}]
