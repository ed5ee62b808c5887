"""The charts of the way in, rendered by the real helm with the values of both stacks.

That of external-dns is always its makers' own, as the Go module of the lab's program has it. That
of the AWS Load Balancer Controller is the lab's, and the real one when CHARTS_DIR names it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.ingress import controller, controller_values, dns, dns_values
from components.ingress.dns_values import OwnNames
from lab.daemons.charts import EXTERNAL_DNS_CHART, EXTERNAL_DNS_MODULE
from lab.tests.environment.test_charts import (
    SOURCES,
    Rendered,
    assert_restricted,
    folder,
    render,
    unknown,
)
from lab.toolchain import Toolchain

CONTROLLER = "aws-load-balancer-controller"
NAMES = OwnNames(
    domain="acme.example",
    argocd="argocd.acme.example",
    others=["dev.acme.example"],
    owner="acme-prod",
)


def controller_given() -> dict[str, Any]:
    return controller_values.values(
        cluster="acme-prod", region="eu-central-1", vpc="vpc-1", replicas=2
    )


def dns_given() -> dict[str, Any]:
    return dns_values.values(NAMES, ingress_class="alb", zone_id="Z1")


def external_dns() -> Path:
    return Toolchain().module_dir(EXTERNAL_DNS_MODULE) / EXTERNAL_DNS_CHART


@pytest.fixture(name="made")
def made_of_the_controller(request: pytest.FixtureRequest, tmp_path: Path) -> Rendered:
    chart = folder(request.param) / CONTROLLER
    return render(chart, CONTROLLER, controller_given(), tmp_path)


def test_the_pinned_versions_are_rendered() -> None:
    found = yaml.safe_load((external_dns() / "Chart.yaml").read_text())
    assert found["version"] == dns.CHART_VERSION


@pytest.mark.parametrize("source", SOURCES)
def test_the_pinned_version_of_the_controller_is_rendered(source: str) -> None:
    found = yaml.safe_load((folder(source) / CONTROLLER / "Chart.yaml").read_text())
    assert found["version"] == controller.CHART_VERSION


@pytest.mark.parametrize("made", SOURCES, indirect=True)
def test_the_controller_knows_its_cluster_and_makes_ip_targets(made: Rendered) -> None:
    arguments = made.container(CONTROLLER)["args"]
    assert {
        "--cluster-name=acme-prod",
        "--aws-region=eu-central-1",
        "--aws-vpc-id=vpc-1",
        "--default-target-type=ip",
    } <= {*arguments}


@pytest.mark.parametrize("made", SOURCES, indirect=True)
def test_the_controller_has_the_account_that_gets_the_role(made: Rendered) -> None:
    (pod,) = made.pods()
    assert pod["serviceAccountName"] == controller_values.SERVICE_ACCOUNT
    made.named("ServiceAccount", controller_values.SERVICE_ACCOUNT)


@pytest.mark.parametrize("made", SOURCES, indirect=True)
def test_the_controllers_pods_are_admitted_where_pods_are_restricted(made: Rendered) -> None:
    assert_restricted(made)


@pytest.mark.parametrize("made", SOURCES, indirect=True)
def test_the_chart_makes_no_class_and_stops_neither_services_nor_ingresses(made: Rendered) -> None:
    assert [*made.of("IngressClass"), *made.of("IngressClassParams")] == []
    stopping = {
        resource
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
        for found in made.of(kind)
        for hook in found["webhooks"]
        if hook["failurePolicy"] == "Fail" and not asked_for(hook)
        for rule in hook["rules"]
        for resource in rule["resources"]
    }
    assert not stopping & {"services", "ingresses", "pods"}


def asked_for(hook: dict[str, Any]) -> bool:
    """Whether a webhook looks only at what carries a label for it."""
    selectors = (hook.get(f"{what}Selector") or {} for what in ("namespace", "object"))
    return any(
        one["operator"] == "In"
        for selector in selectors
        for one in selector.get("matchExpressions", ())
    )


def test_the_real_controllers_chart_knows_every_value_that_we_pass() -> None:
    known = yaml.safe_load((folder("real") / CONTROLLER / "values.yaml").read_text())
    # What Kubernetes knows, and the chart passes on as it is.
    assert {*unknown(controller_given(), known)} == {
        "podSecurityContext.seccompProfile",
        "securityContext.capabilities",
    }


def test_external_dns_gets_its_fences_as_arguments(tmp_path: Path) -> None:
    made = render(external_dns(), "external-dns", dns_given(), tmp_path)
    container = made.container("external-dns")
    assert {
        "--source=ingress",
        "--policy=sync",
        "--registry=txt",
        "--txt-owner-id=acme-prod",
        "--domain-filter=acme.example",
        "--exclude-domains=dev.acme.example",
        "--provider=aws",
        "--aws-zone-match-parent",
        "--aws-zone-type=public",
        "--ingress-class=alb",
        "--zone-id-filter=Z1",
        "--events",
    } <= {*container["args"]}
    assert_restricted(made)


def test_external_dns_reads_ingresses_and_nothing_else(tmp_path: Path) -> None:
    made = render(external_dns(), "external-dns", dns_given(), tmp_path)
    (role,) = made.of("ClusterRole")
    assert [rule["resources"] for rule in role["rules"]] == [["ingresses"]]
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    (pod,) = made.pods()
    assert pod["serviceAccountName"] == dns_values.SERVICE_ACCOUNT
