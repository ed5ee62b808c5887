"""Charts of somebody else: what a package becomes, and what is refused of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import wiring
from components.argocd.rbac import rules
from gitops.packages import described
from gitops.tree import scaffold
from gitops.version import UNRELEASED_CHART, is_version_file, released_chart
from release.versions import NOTHING, UNREADABLE, Running, file_text, read
from settings.environment import Settings
from settings.loading import load_files
from settings.problems import SettingsError
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.recording import Recorded
from tests.unit.test_applications import APPLICATION, PROJECT, applied, by_name
from tests.unit.test_settings import report

GUIDE = CHECKOUT / "docs" / "packages.md"
ADDRESS = "https://charts.example.com/rabbitmq"
DIGEST = "sha256:5d6f1be8c6dc95e5a3fb9ddb8a2ab4aa3b3e7f4f3d2c1b0a99887766554433ff"
OURS = Running("14.3.1", DIGEST)
QUEUE = """\
# What runs here. Only a release moves this file.
apiVersion: v2
name: package
version: 0.0.0
dependencies:
  - name: rabbitmq
    repository: https://charts.example.com
    version: "14.3.1"
annotations:
  digest: sha256:5d6f1be8c6dc95e5a3fb9ddb8a2ab4aa3b3e7f4f3d2c1b0a99887766554433ff
"""


@pytest.fixture
def guide(configuration: Path, bend: Bend) -> Path:
    """The configuration with the packages of the guide."""
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)

    def add(catalogue: dict[str, Any]) -> None:
        catalogue["teams"]["shop"] = {"group": "acme:shop"}
        catalogue["namespaces"] |= yaml.safe_load(block)

    bend("services.yaml", add)
    return configuration


@pytest.fixture
def files(guide: Path) -> dict[str, str]:
    """What both stacks write, by path."""
    both = {**scaffold(load_files("dev", guide)), **scaffold(load_files("prod", guide))}
    return {path: file.text for path, file in both.items()}


def test_the_fast_environment_runs_the_version_of_the_catalogue(files: dict[str, str]) -> None:
    assert files["environments/dev/shop/queue/version/Chart.yaml"] == QUEUE
    unreleased = yaml.safe_load(files["environments/prod/shop/queue/version/Chart.yaml"])
    assert unreleased == {"apiVersion": "v2", "name": "package", "version": "0.0.0"}
    assert "rendered/prod/shop/queue/.gitkeep" in files
    assert "rendered/dev/shop/queue/.gitkeep" not in files


def test_values_stand_below_the_charts_name(files: dict[str, str]) -> None:
    found = {
        path: yaml.safe_load(files[f"{path}/shop/queue/values.yaml"])
        for path in ("base", "environments/dev", "environments/prod")
    }
    assert found == {
        "base": {"rabbitmq": {"persistence": {"size": "8Gi"}}},
        "environments/dev": {"rabbitmq": {}},
        "environments/prod": {"rabbitmq": {"replicaCount": 3}},
    }


def test_a_value_is_what_it_was_where_helm_reads_it(guide: Path, bend: Bend) -> None:
    def modes(catalogue: dict[str, Any]) -> None:
        catalogue["namespaces"]["shop"]["packages"]["queue"]["values"] = {
            "mode": "n",
            "rate": "2e2",
        }

    bend("services.yaml", modes)
    values = scaffold(load_files("dev", guide))["base/shop/queue/values.yaml"].text
    assert values.endswith('rabbitmq:\n  mode: "n"\n  rate: "2e2"\n')


def test_the_scripts_know_the_chart_and_its_kinds(files: dict[str, str]) -> None:
    services = json.loads(files["scripts/platform.json"])["services"]
    queue = services["shop/queue"]
    assert "/Secret" in queue.pop("kinds")
    assert queue == {
        "delivery": "none",
        "packaging": "chart",
        "environments": ["dev", "prod"],
        "foreign": ADDRESS,
        "image": "shop/queue",
        "verify": False,
    }
    operator = services["shop/certificates"]["kinds"]
    assert "apiextensions.k8s.io/CustomResourceDefinition" in operator
    assert "/Secret" not in operator
    assert "kinds" not in services["community/leaderboard"]


def test_people_read_about_it(files: dict[str, str]) -> None:
    row = (
        f"| [shop/queue](base/shop/queue) | shop | `{ADDRESS}` | "
        "[14.3.1](environments/dev/shop/queue) | [promoted](environments/prod/shop/queue) |"
    )
    assert row in files["README.md"].splitlines()
    assert "The package `shop/queue` also: `Secret`." in files["README.md"].splitlines()


def test_there_is_no_image_repository_no_role_and_no_pipeline(files: dict[str, str]) -> None:
    assert not [path for path in files if path.startswith(("pipelines/queue", "base/shop/queue/t"))]


# --- Argo CD


def project(settings: Settings, name: str) -> Recorded:
    return by_name(applied(settings), PROJECT)[name]


def test_argo_cd_renders_it_on_a_fast_environment_and_applies_files_on_a_safe_one(
    guide: Path,
) -> None:
    found = {
        stack: by_name(applied(load_files(stack, guide)), APPLICATION)["queue"].inputs["spec"]
        for stack in ("dev", "prod")
    }
    assert found["dev"]["source"] == {
        "repoURL": "https://github.com/acme/gitops.git",
        "targetRevision": "main",
        "path": "environments/dev/shop/queue/version",
        "helm": {
            "releaseName": "queue",
            "valueFiles": [
                "/base/shop/queue/values.yaml",
                "/environments/dev/shop/queue/values.yaml",
            ],
        },
    }
    assert found["prod"]["source"]["path"] == "rendered/prod/shop/queue"
    assert "automated" not in found["prod"]["syncPolicy"]
    for spec in found.values():
        assert spec["project"] == "shop.queue"
        assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]


def test_a_package_alone_may_have_the_kinds_that_it_names(guide: Path) -> None:
    settings = load_files("prod", guide)
    secret = {"group": "", "kind": "Secret"}
    role = {"group": "rbac.authorization.k8s.io", "kind": "Role"}
    queue = project(settings, "shop.queue").inputs["spec"]
    assert secret in queue["namespaceResourceWhitelist"]
    assert role not in queue["namespaceResourceWhitelist"]
    assert queue["clusterResourceWhitelist"] == []
    assert queue["destinations"] == [
        {"server": "https://kubernetes.default.svc", "namespace": "shop"}
    ]
    operator = project(settings, "shop.certificates").inputs["spec"]
    assert role in operator["namespaceResourceWhitelist"]
    assert operator["clusterResourceWhitelist"] == [
        {"group": "apiextensions.k8s.io", "kind": "CustomResourceDefinition"},
        {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"},
        {"group": "rbac.authorization.k8s.io", "kind": "ClusterRoleBinding"},
    ]
    services = project(settings, "shop").inputs["spec"]
    assert secret not in services["namespaceResourceWhitelist"]
    assert services["clusterResourceWhitelist"] == []


def test_its_owners_and_the_releasers_have_the_same_rights_as_for_services(guide: Path) -> None:
    catalogue = load_files("prod", guide).catalogue
    on_prod = {*rules(catalogue, owners_sync=False)}
    assert ("role:team-shop", "applications", "get", "shop.queue/queue") in on_prod
    assert ("role:releaser", "applications", "sync", "shop.queue/*") in on_prod
    assert ("role:team-shop", "applications", "sync", "shop.queue/queue") not in on_prod
    on_dev = {*rules(catalogue, owners_sync=True)}
    assert ("role:team-shop", "applications", "sync", "shop.queue/queue") in on_dev


def test_it_lives_where_the_catalogue_says(guide: Path, bend: Bend) -> None:
    bend(
        "services.yaml",
        lambda c: c["namespaces"]["shop"]["packages"]["queue"].update(
            environments=["dev"], overrides={}
        ),
    )
    prod = load_files("prod", guide)
    assert "queue" not in by_name(applied(prod), APPLICATION)
    assert "shop.queue" not in by_name(applied(prod), PROJECT)
    assert not [path for path in scaffold(prod) if "/prod/shop/queue" in path]
    target = wiring.applications_target(prod)
    assert target.environment == "prod"
    dev = load_files("dev", guide)
    assert "shop.queue" in by_name(applied(dev), PROJECT)
    listed = {one["name"]: one["environments"] for one in described(dev)}
    assert listed["queue"] == ["dev"]
    assert [path for path in scaffold(dev) if "/dev/shop/queue" in path]


# --- version files


def test_a_release_writes_what_the_generator_would() -> None:
    assert released_chart(ADDRESS, "14.3.1", DIGEST) == QUEUE
    assert file_text("chart", ADDRESS, "14.3.1", DIGEST) == QUEUE
    assert is_version_file(QUEUE)
    assert is_version_file(UNRELEASED_CHART)
    assert not is_version_file(QUEUE + "icon: x\n")
    assert not is_version_file(QUEUE.replace("14.3.1", "14.x || 15"))


@pytest.mark.parametrize(
    ("text", "running"),
    [
        (QUEUE, OURS),
        (UNRELEASED_CHART, NOTHING),
        ("", NOTHING),
        (QUEUE.replace('"14.3.1"', "14.3.1"), OURS),
        (QUEUE.replace(f"\nannotations:\n  digest: {DIGEST}", ""), Running("14.3.1", "")),
        (QUEUE.replace("name: rabbitmq", "name: redis"), UNREADABLE),
        (QUEUE.replace("charts.example", "charts.other"), UNREADABLE),
        (QUEUE.replace('version: "', '- version: "'), UNREADABLE),
        (QUEUE.replace("dependencies:", "dependencies: all"), UNREADABLE),
        ("- a\n", UNREADABLE),
    ],
)
def test_what_a_version_file_names_is_read(text: str, running: Running) -> None:
    assert read(text, "chart", ADDRESS) == running


# --- what is refused

WHERE = "services.yaml: namespaces.community.packages.cache"
SOUND: dict[str, Any] = {
    "owner": "gaming",
    "chart": {
        "repository": "https://charts.example.com",
        "name": "redis",
        "version": "21.2.0",
        "digest": DIGEST,
    },
}
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a range": (
        {"chart": {**SOUND["chart"], "version": "^21.2"}},
        ".chart.version: must be one version of the chart such as 21.2.0, and no range (given: "
        "^21.2); write it as the repository lists it, in quotes",
    ),
    "a version that is a part of one": (
        {"chart": {**SOUND["chart"], "version": "21.2"}},
        ".chart.version: must be one version of the chart such as 21.2.0, and no range (given: "
        "21.2); write it as the repository lists it, in quotes",
    ),
    "a repository with a password": (
        {"chart": {**SOUND["chart"], "repository": "https://me:secret@charts.example.com"}},
        ".chart.repository: must be the address of a chart repository, without a password and "
        "without a slash at the end, such as https://charts.example.com or "
        "oci://registry.example.com/charts (given: https://me:secret@charts.example.com); correct "
        "the value",
    ),
    "no digest": (
        {"chart": {k: v for k, v in SOUND["chart"].items() if k != "digest"}},
        ".chart.digest: is missing; add it: see docs/reference.md",
    ),
    "values of another environment": (
        {"overrides": {"staging": {"values": {}}}},
        ".overrides.staging: is no environment: there is no such Pulumi.<stack>.yaml (given: "
        "staging); name one of dev, prod",
    ),
    "values of an environment where it does not live": (
        {"environments": ["dev"], "overrides": {"prod": {"values": {}}}},
        ".overrides.prod: is none of the environments in which the package lives (given: prod); "
        "add it to environments, or remove the override",
    ),
    "nowhere to try it": (
        {"environments": ["prod"]},
        ".environments: leaves out dev, from which every version of a package is promoted (given: "
        "prod); add dev",
    ),
    "another team": (
        {"owner": "nobody"},
        ".owner: is no team (given: nobody); name one of gaming, tvhub, or add it to teams",
    ),
    "a kind of the cluster among those of a namespace": (
        {"kinds": ["rbac.authorization.k8s.io/ClusterRole"]},
        ".kinds[0]: belongs to no namespace (given: rbac.authorization.k8s.io/ClusterRole); write "
        "it under clusterKinds",
    ),
    "a kind of a namespace among those of the cluster": (
        {"clusterKinds": ["Secret"]},
        ".clusterKinds[0]: belongs to a namespace (given: Secret); write it under kinds",
    ),
    "a kind of Argo CD": (
        {"kinds": ["argoproj.io/Application"]},
        ".kinds[0]: would let the package deploy whatever it likes (given: "
        "argoproj.io/Application); remove it",
    ),
    "a kind that every namespace has": (
        {"kinds": ["apps/StatefulSet"]},
        ".kinds[0]: may be declared in every namespace (given: apps/StatefulSet); leave it out",
    ),
}


@pytest.mark.parametrize(("change", "said"), CASES.values(), ids=CASES)
def test_what_cannot_work_is_refused(
    configuration: Path, bend: Bend, change: dict[str, Any], said: str
) -> None:
    assert said_of(configuration, bend, {"cache": {**SOUND, **change}}) == [f"{WHERE}{said}"]


def test_every_environment_that_a_package_names_is_told(configuration: Path, bend: Bend) -> None:
    found = said_of(configuration, bend, {"cache": {**SOUND, "environments": ["prod", "qa"]}})
    assert (
        f"{WHERE}.environments: leaves out dev, from which every version of a package is promoted "
        "(given: prod, qa); add dev"
    ) in found


def test_a_package_of_some_environments_may_differ_in_one_of_them(
    configuration: Path, bend: Bend
) -> None:
    cache = {**SOUND, "environments": ["dev"], "overrides": {"dev": {"values": {"a": 1}}}}
    bend("services.yaml", lambda c: c["namespaces"]["community"].update(packages={"cache": cache}))
    assert load_files("dev", configuration)


def test_everything_is_refused_at_once(configuration: Path, bend: Bend) -> None:
    long = "customer-notification-preferences-and-subscription-manager"
    found = said_of(
        configuration,
        bend,
        {
            long: SOUND,
            "leaderboard": SOUND,
            "cache": {**SOUND, "chart": {**SOUND["chart"], "version": "*"}},
        },
    )
    places = [problem.split(": ")[1].removeprefix("namespaces.community.") for problem in found]
    assert places == ["packages.cache.chart.version", f"packages.{long}", "packages.leaderboard"]
    assert found[1].endswith(
        f": has 58 characters, and a Helm release 53 at most (given: {long}); shorten it"
    )
    assert "the package leaderboard is named twice, also in community" in found[2]


def said_of(configuration: Path, bend: Bend, packages: dict[str, Any]) -> list[str]:
    """The problems of a catalogue with these packages, without their lines."""
    bend("services.yaml", lambda c: c["namespaces"]["community"].update(packages=packages))
    return report(configuration)


def test_a_namespace_has_something(configuration: Path, bend: Bend) -> None:
    bend("services.yaml", lambda c: c["namespaces"].update(empty={}))
    with pytest.raises(SettingsError, match=r"empty: has neither services nor packages"):
        load_files("dev", configuration)


def test_a_namespace_may_have_packages_alone(configuration: Path, bend: Bend) -> None:
    bend("services.yaml", lambda c: c["namespaces"].update(data={"packages": {"cache": SOUND}}))
    for stack in ("dev", "prod"):
        settings = load_files(stack, configuration)
        assert "cache" in by_name(applied(settings), APPLICATION)
        assert scaffold(settings)
