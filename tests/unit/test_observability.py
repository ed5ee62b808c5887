"""What CloudWatch collects of an environment, and what raises an alarm."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from components.keel import values as keel_values
from components.observability import agent
from components.observability.alarms import alarms
from settings.environment import Settings
from settings.keel import KeelConfig
from settings.loading import load_files
from settings.problems import SettingsError
from tests.committed import on_node_groups
from tests.unit.clusters import chart_values, keel_config
from tests.unit.conftest import CHECKOUT, Bend
from tests.unit.recording import Recording
from tests.unit.whole_program import record_program

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
ADDON = "aws:eks/addon:Addon"
NIGHTS = {"stop": "0 20 * * mon-fri", "start": "0 7 * * mon-fri"}
NOTHING: dict[str, Any] = {
    "degraded": False,
    "support_ends": None,
    "certificate": False,
    "nodes_stop": False,
}
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"


def switched_on(
    stack: str,
    configuration: Path,
    bend: Bend,
    monkeypatch: pytest.MonkeyPatch,
    **observability: object,
) -> Recording:
    key = "platform:observability"
    bend(f"Pulumi.{stack}.yaml", lambda config: config.update({key: observability}))
    monkeypatch.setattr("settings.pulumi_config.ROOT", configuration)
    return record_program(stack, configuration, CHECKOUT / "__main__.py")


@pytest.fixture
def prod_recorded(configuration: Path, bend: Bend, monkeypatch: pytest.MonkeyPatch) -> Recording:
    return switched_on("prod", configuration, bend, monkeypatch)


def named(recording: Recording) -> dict[str, Any]:
    return {one.inputs["name"]: one.inputs for one in recording.of(ALARM)}


def test_nothing_is_installed_unless_the_stack_says_so() -> None:
    recording = record_program("prod", CHECKOUT, CHECKOUT / "__main__.py")
    for type_ in (ALARM, "aws:sns/topic:Topic"):
        recording.assert_none(type_)
    addons = {one.inputs["addonName"] for one in recording.of(ADDON)}
    assert "amazon-cloudwatch-observability" not in addons


def test_prod_has_every_alarm(prod_recorded: Recording) -> None:
    assert {*named(prod_recorded)} == {
        "acme-prod-application-degraded",
        "acme-prod-argocd-not-reconciling",
        "acme-prod-certificate-expires",
        "acme-prod-nodes-not-ready",
        "acme-prod-support-ends",
    }


def test_a_degraded_application_is_everyday_life_on_dev(
    configuration: Path, bend: Bend, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {*named(switched_on("dev", configuration, bend, monkeypatch))} == {
        "acme-dev-argocd-not-reconciling",
        "acme-dev-certificate-expires",
        "acme-dev-nodes-not-ready",
        "acme-dev-support-ends",
    }


def test_an_application_is_degraded_for_fifteen_minutes(prod_recorded: Recording) -> None:
    alarm = named(prod_recorded)["acme-prod-application-degraded"]
    assert alarm["metricQueries"] == [
        {
            "id": "metric",
            "returnData": True,
            "metric": {
                "namespace": "ContainerInsights/Prometheus",
                "metricName": "argocd_app_info",
                "dimensions": {"ClusterName": "acme-prod", "health_status": "Degraded"},
                "stat": "Maximum",
                "period": 300,
            },
        }
    ]
    assert (alarm["evaluationPeriods"], alarm["threshold"]) == (3, 1)
    assert alarm["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["treatMissingData"] == "notBreaching"


def test_a_controller_that_nobody_sees_raises_an_alarm(prod_recorded: Recording) -> None:
    alarm = named(prod_recorded)["acme-prod-argocd-not-reconciling"]
    assert alarm["treatMissingData"] == "breaching"
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert alarm["metricQueries"][0]["metric"]["stat"] == "Sum"


def test_the_agents_configuration_is_written_in_one_order() -> None:
    text = agent.configuration_values("acme-dev", "eu-central-1")
    assert text == json.dumps(json.loads(text), sort_keys=True)


def test_a_degraded_application_raises_an_alarm_that_says_where_to_look() -> None:
    first, *_ = alarms(**{**NOTHING, "degraded": True})
    assert (first.purpose, first.description) == (
        "application-degraded",
        "An Application has been Degraded for 15 minutes. Look at Argo CD, and at "
        "scripts/history.sh for what was released.",
    )


def test_support_ends_at_one_time_wherever_the_program_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    *_, last = alarms(**{**NOTHING, "support_ends": "2027-03-27"})
    monkeypatch.undo()
    time.tzset()
    assert last.expression == "(1806105600 - EPOCH(metric)) / 86400"


def test_the_end_of_support_is_told_sixty_days_before(prod_recorded: Recording) -> None:
    alarm = named(prod_recorded)["acme-prod-support-ends"]
    metric, watched = alarm["metricQueries"]
    assert not metric.get("returnData")
    assert watched["returnData"] is True
    # 2027-03-27, when standard support of 1.35 ends.
    assert watched["expression"] == "(1806105600 - EPOCH(metric)) / 86400"
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 60)
    assert "2027-03-27" in alarm["alarmDescription"]


def test_a_certificate_that_was_not_renewed_is_told_thirty_days_before(
    prod_recorded: Recording,
) -> None:
    alarm = named(prod_recorded)["acme-prod-certificate-expires"]
    (query,) = alarm["metricQueries"]
    certificate = prod_recorded.one("aws:acm/certificateValidation:CertificateValidation")
    assert query["metric"] == {
        "namespace": "AWS/CertificateManager",
        "metricName": "DaysToExpiry",
        "dimensions": {"CertificateArn": certificate.inputs["certificateArn"]},
        "stat": "Minimum",
        "period": 86400,
    }
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 30)


def test_no_alarm_on_a_certificate_that_others_bring(
    configuration: Path, bend: Bend, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"platform:ingress": {"class": "theirs"}}
    bend("Pulumi.prod.yaml", lambda config: config.update(theirs))
    recording = switched_on("prod", configuration, bend, monkeypatch)
    assert "acme-prod-certificate-expires" not in named(recording)


def test_no_end_of_support_where_the_version_is_not_known() -> None:
    purposes = [alarm.purpose for alarm in alarms(**NOTHING)]
    assert purposes == ["argocd-not-reconciling", "nodes-not-ready"]


@pytest.mark.parametrize(("schedule", "silence"), [(NIGHTS, "notBreaching"), (None, "breaching")])
def test_silence_is_no_alarm_where_all_nodes_stop_at_night(
    configuration: Path,
    bend: Bend,
    monkeypatch: pytest.MonkeyPatch,
    schedule: dict[str, str] | None,
    silence: str,
) -> None:
    bend("Pulumi.dev.yaml", on_node_groups)
    if schedule:
        bend(
            "Pulumi.dev.yaml",
            lambda config: config["platform:cluster"]["nodeGroups"][0].update(schedule=schedule),
        )

    made = named(switched_on("dev", configuration, bend, monkeypatch))

    for alarm in ("argocd-not-reconciling", "nodes-not-ready"):
        assert made[f"acme-dev-{alarm}"]["treatMissingData"] == silence


def test_every_alarm_tells_a_new_topic_when_it_starts_and_when_it_ends(
    prod_recorded: Recording,
) -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:topic/acme-prod-alarms"
    assert prod_recorded.one("aws:sns/topic:Topic").inputs["name"] == "acme-prod-alarms"
    for alarm in prod_recorded.of(ALARM):
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [topic]


def test_a_named_topic_is_told_and_none_is_made(
    configuration: Path, bend: Bend, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = switched_on("prod", configuration, bend, monkeypatch, topic=TOPIC)
    recording.assert_none("aws:sns/topic:Topic")
    for alarm in recording.of(ALARM):
        assert alarm.inputs["alarmActions"] == [TOPIC]


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        (
            TOPIC.replace("eu-central-1", "us-east-1"),
            "is in us-east-1 of aws, and alarms of eu-central-1 in aws tell no topic elsewhere "
            "(given: arn:aws:sns:us-east-1:123456789012:on-call); name a topic in eu-central-1",
        ),
        (TOPIC.replace(":aws:", ":aws-cn:"), "is in eu-central-1 of aws-cn, and alarms of"),
        (f"{TOPIC}.fifo", "must be the ARN of a standard SNS topic"),
        ("on-call", "must be the ARN of a standard SNS topic"),
    ],
)
def test_a_topic_that_cannot_be_told_is_refused(
    topic: str, said: str, configuration: Path, bend: Bend
) -> None:
    bend(
        "Pulumi.prod.yaml",
        lambda config: config.update({"platform:observability": {"topic": topic}}),
    )
    with pytest.raises(SettingsError) as refused:
        load_files("prod", configuration)
    assert "platform:observability.topic" in str(refused.value)
    assert said in str(refused.value)


def test_the_agents_of_one_cluster_have_a_role_that_no_other_pod_can_take(
    prod_recorded: Recording,
) -> None:
    role = prod_recorded.one("aws:iam/role:Role", "observability-role").inputs
    (trust,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert trust["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-central-1:210987654321:cluster/acme-prod",
        "aws:RequestTag/kubernetes-namespace": "amazon-cloudwatch",
        "aws:RequestTag/kubernetes-service-account": "cloudwatch-agent",
    }
    addon = prod_recorded.one(ADDON, "observability-addon")
    (association,) = addon.inputs["podIdentityAssociations"]
    assert association["serviceAccount"] == "cloudwatch-agent"
    argocd = prod_recorded.one("kubernetes:helm.sh/v3:Release", "argocd-release")
    assert prod_recorded.waits_for(addon, argocd)


def test_the_metrics_that_alarms_read_are_those_that_the_agent_sends() -> None:
    configured = json.loads(agent.configuration_values("acme-prod", "eu-central-1"))
    (_, of_argocd) = configured["agents"]
    assert of_argocd["config"]["agent"] == {"region": "eu-central-1"}
    collected = of_argocd["config"]["logs"]["metrics_collected"]["prometheus"]
    sent = {
        (selector.strip("^$"), frozenset(dimensions))
        for declared in collected["emf_processor"]["metric_declaration"]
        for selector in declared["metric_selectors"]
        for dimensions in declared["dimensions"]
    }
    read = {
        (alarm.metric, frozenset({"ClusterName", *alarm.dimensions}))
        for alarm in alarms(**{**NOTHING, "degraded": True})
        if alarm.namespace == collected["emf_processor"]["metric_namespace"]
    }
    assert read == sent
    (job,) = of_argocd["prometheus"]["config"]["scrape_configs"]
    (kept,) = job["metric_relabel_configs"]
    assert all(re.fullmatch(kept["regex"], metric) for metric, _ in sent)


def test_the_agent_reads_the_service_that_argo_cds_chart_makes(prod: Settings) -> None:
    values = chart_values(prod, ())
    assert values["controller"]["metrics"]["enabled"] is True
    assert agent.CONTROLLER == "argocd-application-controller-metrics.argocd.svc:8082"


def test_every_process_of_argo_cd_is_found_by_whoever_scrapes(dev: Settings) -> None:
    values = chart_values(dev, ())
    assert values["global"]["addPrometheusAnnotations"] is True
    for process in ("controller", "server", "repoServer"):
        assert values[process]["metrics"] == {
            "enabled": True,
            "serviceMonitor": {"enabled": True},
        }


def test_nobody_reaches_keel_unless_the_stack_names_who_reads_its_metrics(dev: Settings) -> None:
    closed = keel_config(dev)
    assert keel_values.network_policy(closed) == {
        "pod_selector": {},
        "policy_types": ["Ingress"],
    }
    assert "podAnnotations" not in keel_values.values(closed, region="", namespaces=[])
    opened = KeelConfig.model_validate({"metricsFrom": ["monitoring"]})
    (allowed,) = keel_values.network_policy(opened)["ingress"]
    (peer,) = allowed["from_"]
    assert peer["namespace_selector"]["match_expressions"] == [
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["monitoring"]}
    ]
    assert allowed["ports"] == [{"port": 9300}]
    assert keel_values.values(opened, region="", namespaces=[])["podAnnotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9300",
        "prometheus.io/path": "/metrics",
    }
