"""The charts of Argo CD and Keel, rendered by the real helm with the values of both stacks.

Always the lab's charts. The real ones too, when CHARTS_DIR names a folder that holds `argo-cd` and
`keel` as their projects publish them (docs/decisions/0025 says how to get them).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import wiring
from components.argocd import argocd
from components.argocd import rbac as argocd_rbac
from components.argocd import values as argocd_values
from components.keel import keel
from components.keel import values as keel_values
from lab.toolchain import Toolchain
from settings.argocd import Notifications
from settings.environment import Settings
from settings.files import ROOT
from settings.keel import KeelConfig
from settings.loading import load_files
from settings.secret_keys import SECRETS
from settings.sign_on import GROUPS, Sso
from tests.unit.clusters import keel_config

CHECKOUT = ROOT
LAB = CHECKOUT / "lab" / "charts"
REAL = os.environ.get("CHARTS_DIR")
KUBERNETES = "1.35.0"
PROCESSES = ("application-controller", "repo-server", "server", "notifications-controller")
SOURCES = ["lab", "real"]
STACKS = ["dev", "prod"]

NAMED_IN_COMMENTS = {"extraVolumes", "extraVolumeMounts"}
"""Values of the keel chart without a default; the folder for its data shows that they work."""

Object = dict[str, Any]


def folder(source: str) -> Path:
    """The charts of that source, or a skipped test."""
    if source == "lab":
        return LAB
    if REAL is None:
        pytest.skip("CHARTS_DIR does not name a folder with the real charts")
    return Path(REAL)


@dataclass(frozen=True)
class Rendered:
    """What helm makes of a chart."""

    objects: tuple[Object, ...]

    def of(self, kind: str) -> Iterator[Object]:
        return (found for found in self.objects if found["kind"] == kind)

    def named(self, kind: str, name: str) -> Object:
        found: Object
        (found,) = [found for found in self.of(kind) if found["metadata"]["name"] == name]
        return found

    def data(self, name: str) -> dict[str, str]:
        return self.named("ConfigMap", name).get("data") or {}

    def pods(self) -> Iterator[Object]:
        for kind in ("Deployment", "StatefulSet", "Job"):
            for workload in self.of(kind):
                yield workload["spec"]["template"]["spec"]

    def container(self, name: str) -> Object:
        found: Object
        (found,) = [
            container
            for pod in self.pods()
            for container in pod["containers"]
            if container["name"] == name
        ]
        return found


def loud(stack: str) -> Settings:
    """The committed environment, with a receiver of notifications."""
    channels = {"slackChannel": "deploys", "webhook": "https://hook.example"}
    return told(load_files(stack, CHECKOUT), notifications=Notifications.model_validate(channels))


def by_github(stack: str) -> Settings:
    """The same, with single sign-on by GitHub."""
    sso = {"github": {"organization": "acme"}, "clientId": "Ov23liExample"}
    return told(loud(stack), sso=Sso.model_validate(sso))


def installation(settings: Settings) -> argocd_values.Installation:
    return wiring.argocd_installation(settings, frozenset(SECRETS))


def told(settings: Settings, **argo_cd: object) -> Settings:
    """`settings` with `platform:argocd` changed."""
    changed = settings.config.argocd.model_copy(update=argo_cd)
    config = settings.config.model_copy(update={"argocd": changed})
    return replace(settings, environment=replace(settings.environment, config=config))


def render(chart: Path, release: str, values: dict[str, Any], scratch: Path) -> Rendered:
    given = scratch / "values.yaml"
    given.write_text(yaml.safe_dump(values))
    done = subprocess.run(
        [
            Toolchain().path("helm"),
            "template",
            release,
            str(chart),
            f"--namespace={release}",
            f"--kube-version={KUBERNETES}",
            f"--values={given}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Rendered(tuple(filter(None, yaml.safe_load_all(done.stdout))))


def argo_cd(source: str, settings: str | Settings, scratch: Path) -> Rendered:
    """The chart of Argo CD with the values of a committed stack, or of `settings`."""
    wanted = loud(settings) if isinstance(settings, str) else settings
    values = argocd_values.values(wiring.argocd_installation(wanted, frozenset(SECRETS)))
    return render(folder(source) / "argo-cd", "argocd", values, scratch)


def keel_release(source: str, scratch: Path) -> Rendered:
    settings = loud("dev")
    values = keel_values.values(
        keel_config(settings),
        region=settings.environment.region,
        namespaces=[*keel_values.served(settings.catalogue)],
    )
    return render(folder(source) / "keel", "keel", values, scratch)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("chart", "pinned"), [("argo-cd", argocd.CHART_VERSION), ("keel", keel.CHART_VERSION)]
)
def test_the_pinned_version_is_rendered(source: str, chart: str, pinned: str) -> None:
    assert yaml.safe_load((folder(source) / chart / "Chart.yaml").read_text())["version"] == pinned


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("stack", STACKS)
def test_settings_and_rights_arrive_as_they_were_given(
    source: str, stack: str, tmp_path: Path
) -> None:
    rendered, settings = argo_cd(source, stack, tmp_path), loud(stack)
    assert (
        argocd_values.config_map(installation(settings)).items()
        <= rendered.data("argocd-cm").items()
    )
    assert argocd_values.PARAMS.items() <= rendered.data("argocd-cmd-params-cm").items()
    assert rendered.data("argocd-rbac-cm") == argocd_rbac.rbac(
        settings.catalogue, owners_sync=settings.speed.owners_sync, groups_claim=GROUPS
    )
    assert rendered.data("argocd-cm")["url"] == f"https://{settings.config.argocd_domain}"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("stack", STACKS)
def test_sign_on_by_github_arrives_as_it_was_given(source: str, stack: str, tmp_path: Path) -> None:
    settings = by_github(stack)
    settled = argo_cd(source, settings, tmp_path).data("argocd-cm")
    assert argocd_values.config_map(installation(settings)).items() <= settled.items()
    assert "oidc.config" not in settled, "Argo CD would ask it in place of Dex"


@pytest.mark.parametrize("stack", STACKS)
def test_dex_runs_where_people_sign_in_by_github_and_the_server_finds_it(
    stack: str, tmp_path: Path
) -> None:
    rendered = argo_cd("real", by_github(stack), tmp_path)
    assert_restricted(rendered)
    assert rendered.container("dex-server")["resources"]["limits"] == {"memory": "256Mi"}
    assert rendered.named("Deployment", "argocd-dex-server")["spec"]["replicas"] == 1
    address = rendered.data("argocd-cmd-params-cm")["server.dex.server"]
    service = rendered.named("Service", "argocd-dex-server")
    assert address == f"https://argocd-dex-server:{service['spec']['ports'][0]['port']}"
    others = argo_cd("real", stack, tmp_path)
    assert "argocd-dex-server" not in {one["metadata"]["name"] for one in others.of("Deployment")}


def test_only_argo_cds_server_reaches_the_administrative_port_of_dex(tmp_path: Path) -> None:
    rendered = argo_cd("real", by_github("prod"), tmp_path)
    policy = rendered.named("NetworkPolicy", "argocd-dex-server")["spec"]
    (server,) = [rule for rule in policy["ingress"] if "grpc" in {p["port"] for p in rule["ports"]}]
    (peer,) = server["from"]
    assert peer.keys() == {"podSelector"}
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "argocd-server"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("stack", STACKS)
def test_notifications_arrive_as_they_were_given(source: str, stack: str, tmp_path: Path) -> None:
    said = argo_cd(source, stack, tmp_path).data("argocd-notifications-cm")
    given = argocd_values.values(wiring.argocd_installation(loud(stack), frozenset(SECRETS)))[
        "notifications"
    ]
    for part in ("notifiers", "templates", "triggers"):
        assert given[part].items() <= said.items()
    assert yaml.safe_load(said["subscriptions"]) == given["subscriptions"]
    assert yaml.safe_load(said["context"])["environment"] == stack


@pytest.mark.parametrize("source", SOURCES)
def test_the_schedule_of_git_reaches_controller_and_repo_server(
    source: str, tmp_path: Path
) -> None:
    rendered = argo_cd(source, "dev", tmp_path)
    for process in ("application-controller", "repo-server"):
        variables = {entry["name"]: entry for entry in rendered.container(process)["env"]}
        reference = variables["ARGOCD_RECONCILIATION_TIMEOUT"]["valueFrom"]["configMapKeyRef"]
        assert (reference["name"], reference["key"]) == ("argocd-cm", "timeout.reconciliation")


@pytest.mark.parametrize("source", SOURCES)
def test_prod_has_two_servers_and_a_budget_for_them(source: str, tmp_path: Path) -> None:
    rendered = argo_cd(source, "prod", tmp_path)
    for name in ("argocd-server", "argocd-repo-server"):
        assert rendered.named("Deployment", name)["spec"]["replicas"] == 2
        assert rendered.named("PodDisruptionBudget", name)["spec"]["minAvailable"] == 1


@pytest.mark.parametrize("source", SOURCES)
def test_no_chart_makes_a_secret_with_our_secrets_in_it(source: str, tmp_path: Path) -> None:
    rendered = argo_cd(source, "prod", tmp_path)
    names = {secret["metadata"]["name"] for secret in rendered.of("Secret")}
    assert not names & {"argocd-platform", "argocd-notifications-secret", "gitops-repository"}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("stack", STACKS)
def test_every_pod_of_argo_cd_is_admitted_where_pods_are_restricted(
    source: str, stack: str, tmp_path: Path
) -> None:
    assert_restricted(argo_cd(source, stack, tmp_path))


@pytest.mark.parametrize("source", SOURCES)
def test_keels_pod_is_admitted_where_pods_are_restricted(source: str, tmp_path: Path) -> None:
    assert_restricted(keel_release(source, tmp_path))


@pytest.mark.parametrize("source", SOURCES)
def test_keels_chart_grants_it_nothing(source: str, tmp_path: Path) -> None:
    rendered = keel_release(source, tmp_path)
    for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"):
        assert [*rendered.of(kind)] == [], kind


@pytest.mark.parametrize("source", SOURCES)
def test_keel_is_not_exposed(source: str, tmp_path: Path) -> None:
    rendered = keel_release(source, tmp_path)
    assert [*rendered.of("Service"), *rendered.of("Ingress")] == []


@pytest.mark.parametrize("source", SOURCES)
def test_keel_polls_its_namespace_and_stays_quiet_about_tokens(source: str, tmp_path: Path) -> None:
    container = keel_release(source, tmp_path).container("keel")
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert variables["POLL"] == "true"
    assert variables["POLL_DEFAULTSCHEDULE"] == "@every 15s"
    assert variables["RESTRICTED_NAMESPACE"] == "community"
    assert not variables.keys() & {"DEBUG", "HELM3_PROVIDER", "AWS_SECRET_ACCESS_KEY"}


@pytest.mark.parametrize("source", SOURCES)
def test_keel_writes_to_its_data_folder_only(source: str, tmp_path: Path) -> None:
    container = keel_release(source, tmp_path).container("keel")
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("process", "port"), [("application-controller", 8082), ("server", 8083), ("repo-server", 8084)]
)
def test_metrics_of_argo_cd_have_a_service_that_whoever_scrapes_finds(
    source: str, process: str, port: int, tmp_path: Path
) -> None:
    rendered = argo_cd(source, "prod", tmp_path)
    service = rendered.named("Service", f"argocd-{process}-metrics")
    assert service["metadata"]["annotations"] == {
        "prometheus.io/port": str(port),
        "prometheus.io/scrape": "true",
    }
    assert [one["port"] for one in service["spec"]["ports"]] == [port]
    (pods,) = [
        workload["spec"]["template"]["metadata"]["labels"]
        for kind in ("Deployment", "StatefulSet")
        for workload in rendered.of(kind)
        if workload["metadata"]["name"] == f"argocd-{process}"
    ]
    assert service["spec"]["selector"].items() <= pods.items()
    assert [*rendered.of("ServiceMonitor")] == [], "the cluster does not know the kind"


@pytest.mark.parametrize("source", SOURCES)
def test_keels_pod_says_where_its_metrics_are_when_somebody_may_read_them(
    source: str, tmp_path: Path
) -> None:
    opened = KeelConfig.model_validate({"metricsFrom": ["monitoring"]})
    values = keel_values.values(opened, region="eu-central-1", namespaces=["community"])
    (deployment,) = render(folder(source) / "keel", "keel", values, tmp_path).of("Deployment")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == "9300"
    assert annotations["prometheus.io/path"] == "/metrics"


@pytest.mark.parametrize("chart", ["argo-cd", "keel"])
def test_the_real_chart_knows_every_value_that_we_pass(chart: str) -> None:
    known = yaml.safe_load((folder("real") / chart / "values.yaml").read_text())
    for settings in (loud("dev"), by_github("dev")):
        passed = {
            "argo-cd": argocd_values.values(
                wiring.argocd_installation(settings, frozenset(SECRETS))
            ),
            "keel": keel_values.values(
                keel_config(settings), region=settings.environment.region, namespaces=["community"]
            ),
        }[chart]
        assert {*unknown(passed, known)} <= NAMED_IN_COMMENTS


@pytest.mark.parametrize("process", PROCESSES)
def test_the_lab_wires_settings_as_the_real_chart_does(process: str, tmp_path: Path) -> None:
    real = argo_cd("real", "dev", tmp_path).container(process)
    wired = {
        (entry["name"], reference["name"], reference["key"])
        for entry in real["env"]
        if (reference := entry.get("valueFrom", {}).get("configMapKeyRef"))
    }
    wiring = yaml.safe_load((LAB / "argo-cd" / "wiring.yaml").read_text())[process]
    ours = {
        (variable, map_, key)
        for map_, variables in wiring.items()
        for variable, key in variables.items()
    }
    assert ours <= wired


@pytest.mark.parametrize("process", PROCESSES)
def test_the_lab_gives_the_rights_that_the_real_chart_gives(process: str, tmp_path: Path) -> None:
    real, lab = argo_cd("real", "prod", tmp_path), argo_cd("lab", "prod", tmp_path)
    for kind in ("ClusterRole", "Role"):
        assert rights(lab, kind, process) == rights(real, kind, process), kind


def assert_restricted(rendered: Rendered) -> None:
    for pod in rendered.pods():
        around = pod.get("securityContext") or {}
        for container in pod["containers"] + (pod.get("initContainers") or []):
            own = {**around, **container["securityContext"]}
            name = container["name"]
            assert own["runAsNonRoot"] is True, name
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["capabilities"]["drop"] == ["ALL"], name
            assert own["seccompProfile"]["type"] == "RuntimeDefault", name


def unknown(passed: Object, known: Object, place: str = "") -> Iterator[str]:
    """The paths of `passed` that a chart's own values do not have; an empty mapping there takes
    anything, and so do the mappings that become ConfigMaps."""
    for key, value in passed.items():
        path = f"{place}.{key}".lstrip(".")
        if path in {"configs.cm", "configs.params", "configs.rbac"}:
            continue
        if key not in known:
            yield path
        elif isinstance(value, dict) and known[key]:
            yield from unknown(value, known[key], path)


def rights(rendered: Rendered, kind: str, process: str) -> set[tuple[str, str, str, str]]:
    """(group or URL, resource, its name, verb) of every right in the role of `process`."""
    name = f"argocd-{process}"
    return {
        (group, resource, only, verb)
        for role in rendered.of(kind)
        if role["metadata"]["name"] == name
        for rule in role["rules"] or ()
        for group in rule.get("apiGroups", rule.get("nonResourceURLs", []))
        for resource in rule.get("resources", ["(URL)"])
        for only in rule.get("resourceNames", ["(any)"])
        for verb in rule["verbs"]
    }
