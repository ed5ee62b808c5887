"""Packages: charts of somebody else, fetched from a repository, promoted and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops import checkout, tree
from settings.loading import load_files
from tests.scripts.chart_repository import ChartRepository, serving
from tests.scripts.release_repository import (
    CHECKOUT,
    UNVERIFIED,
    ReleaseRepository,
    git,
    make_scaffold,
)

CACHE = "community/cache"
RENDERED = f"rendered/prod/{CACHE}/statefulset-cache-redis.yaml"


class Packages:
    """A GitOps repository whose catalogue has the package `cache`, and its chart repository."""

    def __init__(self, folder: Path, charts: ChartRepository) -> None:
        self._folder, self.charts = folder, charts
        self.settings = folder / "settings"
        self.settings.mkdir()
        for path in (CHECKOUT / "services.yaml", *CHECKOUT.glob("Pulumi.*.yaml")):
            (self.settings / path.name).write_text(path.read_text())
        self.name("21.2.0", charts.publish("redis", "21.2.0"))
        (folder / "made").mkdir()
        self.releases = ReleaseRepository(folder, make_scaffold(folder / "made", self.settings))

    def name(self, version: str, digest: str, **more: Any) -> None:
        """Writes a version of the chart into the catalogue."""
        path = self.settings / "services.yaml"
        catalogue = yaml.safe_load(path.read_text())
        chart = {
            "repository": self.charts.url, "name": "redis", "version": version, "digest": digest,
        }  # fmt: skip
        catalogue["namespaces"]["community"]["packages"] = {
            "cache": {
                "owner": "gaming",
                "chart": chart,
                "overrides": {"prod": {"values": {"replicas": 3}}},
                **more,
            }
        }
        path.write_text(yaml.safe_dump(catalogue))

    def commit(self) -> None:
        """What a person does after a change of the catalogue: `pulumi up` on dev, and a commit."""
        elsewhere = self.releases.root / "elsewhere"
        if not elsewhere.exists():
            self.releases.new_clone("elsewhere", "Bo")
        git(elsewhere, "pull", "--quiet", "--ff-only")
        files = tree.scaffold(load_files("dev", self.settings))
        checkout.apply(elsewhere, checkout.plan(elsewhere, files))
        git(elsewhere, "add", "--all")
        git(elsewhere, "commit", "--quiet", "-m", "Update the cache")
        git(elsewhere, "push", "--quiet")

    def container(self) -> dict[str, Any]:
        """Of what prod applies."""
        (container,) = self.rendered()["spec"]["template"]["spec"]["containers"]
        return {**container, "env": {e["name"]: e["value"] for e in container["env"]}}

    def rendered(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.releases.on_origin(RENDERED))
        return found


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[Packages]:
    (tmp_path / "charts").mkdir()
    with serving(tmp_path / "charts") as charts:
        yield Packages(tmp_path, charts)


def test_the_version_of_dev_is_promoted_and_committed_as_rendered(packages: Packages) -> None:
    ran = packages.releases.promote("--from-dev", "--service", "cache", "--yes")
    assert ran.code == 0, ran.said
    assert packages.rendered()["spec"]["replicas"] == 3
    container = packages.container()
    assert container["image"] == "docker.io/library/redis:21"
    assert container["env"] == {
        "VERSION": "21.2.0",
        "KUBERNETES": "v1.35.0",
        "LABEL": "cache by common",
    }
    assert "docker.io/library/redis:21" in ran.said
    assert "images by a tag alone" in ran.said
    (row,) = packages.releases.history("--service", "cache", "--environment", "prod")
    assert (row["version"], row["kind"]) == ("21.2.0", "promotion")


def test_an_upgrade_shows_its_difference_and_can_be_taken_back(packages: Packages) -> None:
    assert packages.releases.promote("--from-dev", "--service", "cache", "--yes").code == 0
    packages.name("22.0.1", packages.charts.publish("redis", "22.0.1"))
    packages.commit()
    ran = packages.releases.promote("22.0.1", "--service", "cache", "--yes")
    assert ran.code == 0, ran.said
    assert "-          value: 21.2.0" in ran.out
    assert "+          value: 22.0.1" in ran.out
    assert packages.container()["env"]["VERSION"] == "22.0.1"
    packages.charts.withdraw("redis", "21.2.0")
    ran = packages.releases.rollback("--service", "cache", "--yes")
    assert ran.code == 0, ran.said
    assert packages.container()["env"]["VERSION"] == "21.2.0"
    rows = packages.releases.history("--service", "cache", "--environment", "prod")
    assert [row["kind"] for row in rows] == ["rollback", "promotion", "promotion"]


def test_what_dev_never_ran_is_refused(packages: Packages) -> None:
    packages.charts.publish("redis", "23.0.0")
    ran = packages.releases.promote("23.0.0", "--service", "cache", "--yes")
    assert ran.code == UNVERIFIED
    assert "Git knows no version 23.0.0" in ran.err


def test_another_archive_under_the_same_version_is_refused(packages: Packages) -> None:
    digest = packages.charts.publish("redis", "21.2.0", {"other.yaml": "# nothing\n"})
    before = packages.releases.tip
    ran = packages.releases.promote("--from-dev", "--service", "cache", "--yes")
    assert ran.code == UNVERIFIED
    assert f"redis-21.2.0.tgz is {digest} in its repository now" in ran.err
    assert packages.releases.tip == before


def test_a_chart_that_cannot_be_had_is_one_report_and_changes_nothing(packages: Packages) -> None:
    packages.charts.withdraw("redis", "21.2.0")
    before = packages.releases.tip
    ran = packages.releases.promote("--from-dev", "--service", "cache", "--yes")
    assert ran.code == UNVERIFIED
    assert f"prod/{CACHE} does not render:" in ran.err
    assert "redis-21.2.0.tgz" in ran.err
    assert packages.releases.tip == before
    ran = packages.releases.run("render.sh", str(packages.releases.root / "out"))
    assert ran.code == UNVERIFIED
    assert f"dev/{CACHE} does not render:" in ran.err


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: password}\n"
ELSEWHERE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: kube-system}\n"
EVERYBODY = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SECRET, "Secret password: Argo CD's project does not allow this kind"),
        (ELSEWHERE, "ConfigMap a: is of the namespace kube-system"),
        (EVERYBODY, "ClusterRole all (rbac.authorization.k8s.io)"),
    ],
)
def test_what_argo_cd_would_refuse_is_refused(packages: Packages, text: str, said: str) -> None:
    digest = packages.charts.publish("redis", "21.3.0", {"object.yaml": text})
    packages.name("21.3.0", digest)
    packages.commit()
    ran = packages.releases.promote("--from-dev", "--service", "cache", "--yes")
    assert ran.code == UNVERIFIED
    assert said in ran.err
    packages.name(
        "21.3.0", digest, kinds=["Secret"], clusterKinds=["rbac.authorization.k8s.io/ClusterRole"]
    )
    packages.commit()
    ran = packages.releases.promote("--from-dev", "--service", "cache", "--yes")
    assert (ran.code == 0) == (text != ELSEWHERE), ran.said


def test_a_version_file_that_names_another_chart_is_refused(packages: Packages) -> None:
    path = f"environments/dev/{CACHE}/version/Chart.yaml"
    other = packages.releases.on_origin(path).replace("name: redis", "name: other")
    packages.releases.edit({path: other + "\n"})
    git(packages.releases.clone, "pull", "--quiet")
    ran = packages.releases.run("render.sh", str(packages.releases.root / "out"))
    assert ran.code == UNVERIFIED
    assert "its version file names another chart" in ran.err
    ran = packages.releases.promote("--from-dev", "--service", "cache", "--yes")
    assert ran.code == UNVERIFIED
