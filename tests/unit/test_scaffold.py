"""What the generated GitOps repository says about every service and environment."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops import context
from gitops.file import Ownership
from gitops.layout import scope_of
from gitops.tree import environment, scaffold, shared
from settings.environment import Settings
from settings.files import ROOT
from settings.loading import load_files
from settings.problems import SettingsError
from tests.unit.conftest import Bend

CHECKOUT = ROOT


def document(settings: Settings, path: str) -> Any:
    return yaml.load(scaffold(settings)[path].text, yaml.CSafeLoader)


def documents(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Every plain YAML manifest; chart templates become YAML only through Helm."""
    for path, file in scaffold(settings).items():
        chart = "/templates/" in path
        if path.startswith(("base/", "environments/")) and path.endswith(".yaml") and not chart:
            yield path, yaml.load(file.text, yaml.CSafeLoader)


# --- both stacks, one repository


def test_every_stack_renders_the_shared_part_alike(dev: Settings, prod: Settings) -> None:
    assert shared(dev) == shared(prod)


def test_the_shared_part_ignores_where_a_stack_is_run_with_other_addresses(
    configuration: Path, bend: Bend
) -> None:
    """As in a lab: the running stack's own file is replaced, its siblings are as committed."""
    trees = []
    for stack in ("dev", "prod"):
        content = yaml.safe_load((configuration / f"Pulumi.{stack}.yaml").read_text())
        content["config"]["platform:gitops"] |= {"url": "http://127.0.0.1:1/gitops.git"}
        content["config"]["platform:registry"] |= {"host": "127.0.0.1:2"}
        other = configuration / f"{stack}-elsewhere.yaml"
        other.write_text(yaml.safe_dump(content))
        trees.append(shared(load_files(stack, configuration, other)))
    assert trees[0] == trees[1]
    assert "127.0.0.1:2/streaming/tv-api" in trees[0]["base/streaming/tv-api/deployment.yaml"].text


def test_a_stack_writes_the_shared_part_and_its_own_environment(dev: Settings) -> None:
    assert {scope_of(path) for path in scaffold(dev)} == {"shared", "dev"}
    assert all(path.startswith("environments/dev/") for path in environment(dev))


def test_releases_have_a_folder_for_every_service_of_a_safe_environment(
    dev: Settings, prod: Settings
) -> None:
    """To Argo CD a folder without manifests is nothing to sync, and a missing one an error."""
    folders = {path for path in scaffold(prod) if path.startswith("rendered/")}
    assert folders == {
        "rendered/prod/community/leaderboard/.gitkeep",
        "rendered/prod/community/tournaments/.gitkeep",
        "rendered/prod/streaming/tv-api/.gitkeep",
        "rendered/prod/streaming/tv-frontend/.gitkeep",
    }
    assert {scope_of(path) for path in folders} == {"prod"}
    assert not [path for path in scaffold(dev) if path.startswith("rendered/")]


def test_rendering_twice_gives_the_same_in_the_same_order(dev: Settings) -> None:
    first, second = scaffold(dev), scaffold(dev)
    assert list(first.items()) == list(second.items())
    assert list(first) == sorted(first)


def test_every_file_says_whose_it_is(dev: Settings, prod: Settings) -> None:
    texts = context.shared(dev)
    for path, file in {**scaffold(dev), **scaffold(prod)}.items():
        if file.ownership is Ownership.VERSION or "/config/" in path:
            continue  # versions say it in words of their own, config files may be in any format
        header = texts["seeded" if file.ownership is Ownership.SEEDED else "managed"]
        own = texts["pipeline"] if path.startswith("pipelines/") else header
        assert own in "".join(file.text.splitlines(keepends=True)[:3]), path


def test_scripts_are_executable_and_manifests_are_not(dev: Settings) -> None:
    tree = scaffold(dev)
    assert tree["scripts/history.sh"].executable
    assert not tree["README.md"].executable


def test_nothing_of_a_template_is_left(dev: Settings, prod: Settings) -> None:
    for path, file in {**scaffold(dev), **scaffold(prod)}.items():
        assert not re.search(r"\[% | %\]|\[# | #\]", file.text), path


def test_every_text_file_ends_in_exactly_one_newline(dev: Settings) -> None:
    for path, file in scaffold(dev).items():
        assert file.text.endswith("\n"), path
        assert not file.text.endswith("\n\n"), path


# --- environments


def overlay(settings: Settings, service: str) -> Any:
    return document(settings, f"environments/{settings.stack}/{service}/deployment.yaml")


def container(manifest: Any) -> Any:
    return manifest["spec"]["template"]["spec"]["containers"][0]


def test_a_fast_environment_is_relaxed_and_logs_everything(dev: Settings) -> None:
    manifest = overlay(dev, "streaming/tv-api")
    assert manifest["spec"]["replicas"] == 1
    assert {"name": "LOG_LEVEL", "value": "debug"} in container(manifest)["env"]
    assert "cpu" not in container(manifest)["resources"]["limits"]


def test_a_safe_environment_requests_what_it_limits_and_survives_a_drain(prod: Settings) -> None:
    manifest = overlay(prod, "streaming/tv-api")
    resources = container(manifest)["resources"]
    assert resources["requests"] == resources["limits"]
    assert manifest["spec"]["replicas"] > 1
    budget = document(prod, "environments/prod/streaming/tv-api/poddisruptionbudget.yaml")
    assert budget["spec"]["maxUnavailable"] == 1


def test_every_service_knows_its_environment(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        variables = container(overlay(settings, "streaming/tv-api"))["env"]
        assert {"name": "ENVIRONMENT", "value": settings.stack} in variables


def test_keel_rolls_the_moving_tag_of_that_container_only(dev: Settings) -> None:
    manifest = overlay(dev, "community/tournaments")
    assert manifest["metadata"]["annotations"] == {
        "keel.sh/policy": "force",
        "keel.sh/matchTag": "true",
        "keel.sh/trigger": "poll",
        "keel.sh/pollSchedule": "@every 15s",
        "keel.sh/monitorContainers": "^tournaments$",
    }
    assert container(manifest)["imagePullPolicy"] == "Always"
    version = document(dev, "environments/dev/community/tournaments/version/kustomization.yaml")
    assert version["images"] == [
        {
            "name": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/community/tournaments",
            "newTag": "dev",
        }
    ]


def test_keel_rolls_a_chart_the_same_way(dev: Settings) -> None:
    values = document(dev, "environments/dev/community/leaderboard/values.yaml")
    assert values["deploymentAnnotations"]["keel.sh/policy"] == "force"
    assert values["deploymentAnnotations"]["keel.sh/matchTag"] == "true"
    assert values["image"]["pullPolicy"] == "Always"
    version = document(dev, "environments/dev/community/leaderboard/version/values.yaml")
    assert version == {"image": {"tag": "dev"}}


def test_nothing_but_a_moving_tag_has_keel_annotations(dev: Settings, prod: Settings) -> None:
    assert "keel.sh" not in "".join(file.text for file in environment(prod).values())
    for name in ("tv-api", "tv-frontend"):
        assert "annotations" not in overlay(dev, f"streaming/{name}")["metadata"]


def test_nothing_runs_on_prod_before_a_promotion(prod: Settings) -> None:
    versions = {
        path: file.text
        for path, file in environment(prod).items()
        if file.ownership is Ownership.VERSION
    }
    assert len(versions) == 4
    for path, text in versions.items():
        content = yaml.safe_load(text)
        if path.endswith("values.yaml"):
            assert content == {"image": {"tag": "", "digest": ""}}
        else:
            local = {"config.kubernetes.io/local-config": "true"}
            assert content["commonAnnotations"] == local
            assert "images" not in content


def test_the_ingress_host_is_the_environments(dev: Settings, prod: Settings) -> None:
    for settings, host in (
        (dev, "tv-frontend.dev.acme.example"),
        (prod, "tv-frontend.acme.example"),
    ):
        patch = document(
            settings, f"environments/{settings.stack}/streaming/tv-frontend/ingress.yaml"
        )
        assert patch[0]["value"] == host
        assert patch[1]["value"] == [{"hosts": [host]}]


# --- what never differs


def test_a_deployment_passes_a_strict_review(dev: Settings) -> None:
    deployment = document(dev, "base/streaming/tv-frontend/deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert len(pod["topologySpreadConstraints"]) == 2
    assert {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}} in pod["volumes"]
    only = container(deployment)
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert only[probe]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_every_pod_template_has_an_annotation_of_its_own(dev: Settings) -> None:
    """Without one, Argo CD would undo what Keel writes there."""
    deployments = [
        manifest
        for path, manifest in documents(dev)
        if path.startswith("base/") and manifest.get("kind") == "Deployment"
    ]
    assert len(deployments) == 3
    for manifest in deployments:
        assert manifest["spec"]["template"]["metadata"]["annotations"]
    chart = scaffold(dev)["base/community/leaderboard/templates/deployment.yaml"].text
    assert "annotations:\n        kubectl.kubernetes.io/default-container: leaderboard" in chart


def test_variables_and_files_of_the_catalogue_reach_the_container(dev: Settings) -> None:
    tournaments = document(dev, "base/community/tournaments/deployment.yaml")
    assert {"name": "MATCHMAKING", "value": "elo"} in container(tournaments)["env"]
    frontend = document(dev, "base/streaming/tv-frontend/deployment.yaml")
    mounts = {mount["mountPath"]: mount for mount in container(frontend)["volumeMounts"]}
    assert mounts["/etc/tv-frontend"]["readOnly"] is True
    base = document(dev, "base/streaming/tv-frontend/kustomization.yaml")
    assert base["configMapGenerator"][0]["files"] == ["config/theme.json"]
    theme = scaffold(dev)["base/streaming/tv-frontend/config/theme.json"].text
    assert json.loads(theme) == {"palette": "dark"}


@pytest.mark.parametrize(
    "value", ["yes", "1", "", 'say "hi" # now', "line\nbreak", "\u2028\x85", "{{ x }}", "[[ x ]]"]
)
def test_a_variable_keeps_its_value_whatever_is_in_it(
    value: str, configuration: Path, bend: Bend
) -> None:
    def set_value(catalogue: dict[str, Any]) -> None:
        services = catalogue["namespaces"]["community"]["services"]
        services["tournaments"]["env"]["MATCHMAKING"] = value
        services["leaderboard"]["env"] = {"MATCHMAKING": value}

    bend("services.yaml", set_value)
    settings = load_files("dev", configuration)
    plain = document(settings, "base/community/tournaments/deployment.yaml")
    assert {"name": "MATCHMAKING", "value": value} in container(plain)["env"]
    chart = document(settings, "base/community/leaderboard/values.yaml")
    assert chart["env"]["MATCHMAKING"] == value


@pytest.mark.parametrize("name", ["Y", "n", "NO"])
def test_a_variable_that_helm_takes_for_a_truth_has_quotes(
    name: str, configuration: Path, bend: Bend
) -> None:
    def set_variable(catalogue: dict[str, Any]) -> None:
        catalogue["namespaces"]["community"]["services"]["leaderboard"]["env"] = {name: "1"}

    bend("services.yaml", set_variable)
    files = scaffold(load_files("dev", configuration))
    assert f'  "{name}": "1"\n' in files["base/community/leaderboard/values.yaml"].text


@pytest.mark.parametrize(
    "field", ["commonLabels", "bases", "patchesStrategicMerge", "patchesJson6902", "vars"]
)
def test_kustomizations_use_no_deprecated_field(field: str, dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        for path, manifest in documents(settings):
            if path.endswith("kustomization.yaml"):
                assert field not in manifest, path


def test_an_overlay_cannot_bring_back_what_was_never_released(
    dev: Settings, prod: Settings
) -> None:
    """Only resources that `version` sees are dropped, so overlays generate and retag nothing."""
    for settings in (dev, prod):
        for path, manifest in documents(settings):
            if path.startswith("environments/") and path.endswith("/kustomization.yaml"):
                forbidden = {"configMapGenerator", "secretGenerator", "images", "replicas"}
                if "/version/" not in path:
                    assert not forbidden & manifest.keys(), path


# --- the README


def test_the_readme_names_every_service_in_every_environment(dev: Settings) -> None:
    text = shared(dev)["README.md"].text
    for namespace, name, service in dev.catalogue.built():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| [{name}](")]
        assert service.owner in row
        assert service.source in row
        for each in ("dev", "prod"):
            assert f"](environments/{each}/{namespace}/{name})" in row


def test_every_link_and_script_of_a_readme_exists(dev: Settings, prod: Settings) -> None:
    tree = {**scaffold(dev), **scaffold(prod)}
    folders = {
        "/".join(path.split("/")[:n]) for path in tree for n in range(1, path.count("/") + 1)
    }
    for readme in (path for path in tree if path.endswith("README.md")):
        home = readme.removesuffix("README.md")
        links = re.findall(r"\]\((?!https?:)([^)]+)\)", tree[readme].text)
        assert links
        for link in links:
            assert f"{home}{link}" in folders | tree.keys(), f"{readme}: {link}"
        for script in re.findall(r"scripts/[\w.-]+\.sh", tree[readme].text):
            assert script in tree, f"{readme}: {script}"


def test_a_table_row_of_a_readme_is_one_line_with_all_its_cells(dev: Settings) -> None:
    for path in ("README.md", "environments/dev/README.md"):
        width = 0
        for line in scaffold(dev)[path].text.splitlines():
            cells = line.count("|") if line.startswith("|") else 0
            assert not (width and cells) or cells == width, f"{path}: {line}"
            width = cells


# --- size


def test_five_hundred_services_render_within_seconds(configuration: Path, bend: Bend) -> None:
    def grow(catalogue: dict[str, Any]) -> None:
        template = catalogue["namespaces"]["streaming"]["services"]["tv-frontend"]
        catalogue["namespaces"] = {
            f"team-{n}": {
                "services": {
                    f"service-{n}-{i}": template | {"delivery": ("keel", "commit")[i % 2]}
                    for i in range(13 if n < 20 else 12)
                }
            }
            for n in range(40)
        }

    bend("services.yaml", grow)
    settings = load_files("dev", configuration)
    started = time.process_time()
    tree = scaffold(settings)
    assert time.process_time() - started < 10
    assert len(list(settings.catalogue.entries())) == 500
    assert len(tree) > 500 * 10


DIFFERENCES: dict[str, tuple[str, object]] = {
    "account": ("aws:allowedAccountIds", ["210987654321"]),
    "region": ("aws:region", "eu-west-1"),
    "organization": ("platform:organization", "other"),
    "domain": ("platform:domain", "other.acme.example"),
    "network": ("platform:network", {"cidr": "10.77.0.0/16", "zones": ["b", "c"]}),
    "registry": ("platform:registry", {"owner": "dev", "encryption": "KMS", "untaggedDays": 3}),
    "registry host": ("platform:registry", {"owner": "dev", "host": "registry.acme.example"}),
    "registry owner": ("platform:registry", {"owner": "prod"}),
    "branch": ("platform:gitops", {"url": "https://github.com/acme/gitops.git", "branch": "x"}),
    "url": ("platform:gitops", {"url": "https://github.com/acme/other.git"}),
    "checkout": (
        "platform:gitops",
        {"url": "https://github.com/acme/gitops.git", "checkout": "../other"},
    ),
    "argocd": ("platform:argocd", {"domain": "cd.acme.example", "reconciliationSeconds": 60}),
    "ci": ("platform:ci", {"existing": ["github-actions"]}),
    "unprotected": ("platform:unprotected", ["applications"]),
}
REFUSED = {"registry host", "registry owner", "branch", "url"}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_stacks_that_differ_write_the_same_shared_files_or_are_refused(
    configuration: Path, bend: Bend, difference: str
) -> None:
    key, value = DIFFERENCES[difference]
    bend("Pulumi.prod.yaml", lambda config: config.update({key: value}))
    if difference in REFUSED:
        for stack in ("dev", "prod"):
            with pytest.raises(SettingsError):
                load_files(stack, configuration)
    else:
        ours, theirs = (shared(load_files(stack, configuration)) for stack in ("dev", "prod"))
        assert ours == theirs


def test_what_runs_beside_a_migration_is_what_the_catalogue_says(
    configuration: Path, bend: Bend
) -> None:
    digest = "sha256:" + "a" * 64
    images = {
        "python": f"registry.acme.example/tools/python@{digest}",
        "busybox": f"registry.acme.example/tools/busybox:1.37@{digest}",
    }

    def change(catalogue: dict[str, Any]) -> None:
        catalogue["namespaces"]["streaming"]["services"]["tv-api"]["migrate"] = ["migrate"]
        catalogue["helperImages"] = images

    bend("services.yaml", change)
    deployment = document(load_files("dev", configuration), "base/streaming/tv-api/deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    found = {container["name"]: container["image"] for container in pod["initContainers"]}
    assert found == {
        "tools": images["busybox"],
        "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/streaming/tv-api",
        "migrate": images["python"],
    }


@pytest.mark.parametrize(
    ("ci", "expected"), [("circleci", {".circleci/config.yml"}), ("github-actions", set())]
)
def test_circleci_checks_the_repository_where_it_builds_a_service(
    configuration: Path, bend: Bend, ci: str, expected: set[str]
) -> None:
    def change(catalogue: dict[str, Any]) -> None:
        for group in catalogue["namespaces"].values():
            for service in group["services"].values():
                service["ci"] = "github-actions"
        catalogue["namespaces"]["community"]["services"]["leaderboard"]["ci"] = ci

    bend("services.yaml", change)
    files = shared(load_files("dev", configuration))
    assert {path for path in files if path.startswith(".circleci/")} == expected
    assert (", `.circleci/` |" in files["README.md"].text) == bool(expected)
    assert ".github/workflows/render.yml" in files


def test_the_readme_lists_the_kinds_that_may_be_declared(dev: Settings) -> None:
    text = scaffold(dev)["README.md"].text
    for words in ("`Deployment` (apps)", "`ConfigMap`", "`PodMonitor` (monitoring.coreos.com)"):
        assert words in text
    assert "`ReplicaSet`" not in text, "the cluster makes it, nobody declares it"
