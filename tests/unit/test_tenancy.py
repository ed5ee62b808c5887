"""Teams that share a cluster: how much each may use, who may call it, and what is refused.

That the API server refuses it is shown in the lab: lab/tests/environment/test_hostile_team.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components import wiring
from components.tenancy.tenancy import Tenancy
from settings.environment import Settings
from settings.loading import load_files
from settings.problems import SettingsError
from settings.tenancy import Tenant, tenants
from tests.unit.conftest import Bend
from tests.unit.recording import Recorded, Recording, record

QUOTA = "kubernetes:core/v1:ResourceQuota"
LIMITS = "kubernetes:core/v1:LimitRange"
NETWORK = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
BINDING = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding"
DIGEST = "sha256:" + "a" * 64
REDIS = {
    "owner": "tvhub",
    "image": {"name": "docker.io/library/redis", "version": "7.4.1", "digest": DIGEST},
    "port": 8080,
}


def build(settings: Settings) -> Recording:
    args = wiring.tenancy(settings, {name: name for name in settings.living.namespaces})
    return record(lambda: Tenancy("tenancy", args) and None)


@pytest.fixture(scope="module")
def fast(dev: Settings) -> Recording:
    return build(dev)


def tenant(configuration: Path, namespace: str, stack: str = "dev") -> Tenant:
    found = {one.namespace: one for one in tenants(load_files(stack, configuration))}
    return found[namespace]


def in_streaming(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda catalogue: change(catalogue["namespaces"]["streaming"])


def of(recording: Recording, type_: str, namespace: str) -> dict[str, Recorded]:
    return {
        one.inputs["metadata"]["name"]: one
        for one in recording.of(type_)
        if one.inputs["metadata"].get("namespace") == namespace
    }


# How much


@pytest.mark.parametrize(
    ("stack", "cpu", "memory", "pods"),
    [("dev", "8", "16Gi", "100"), ("prod", "32", "64Gi", "200")],
)
def test_a_namespace_may_use_what_its_speed_says(
    stack: str, cpu: str, memory: str, pods: str, request: pytest.FixtureRequest
) -> None:
    recording = build(request.getfixturevalue(stack))

    hard = of(recording, QUOTA, "streaming")["quota"].inputs["spec"]["hard"]
    assert hard["requests.cpu"] == cpu
    assert hard["requests.memory"] == memory
    assert hard["pods"] == pods
    assert hard["services.loadbalancers"] == "0"
    assert hard["services.nodeports"] == "0"


def test_the_catalogue_gives_a_namespace_more(configuration: Path, bend: Bend) -> None:
    more = {"quota": {"dev": {"cpu": 20, "pods": 300}}}
    bend("services.yaml", in_streaming(lambda namespace: namespace.update(more)))

    quota = tenant(configuration, "streaming").quota

    assert (quota.cpu, quota.pods, quota.memory) == ("20", 300, "16Gi")
    assert tenant(configuration, "streaming", "prod").quota.cpu == "32"
    assert tenant(configuration, "community").quota.cpu == "8"


def test_a_container_without_a_size_gets_the_usual_one(fast: Recording) -> None:
    limits = of(fast, LIMITS, "community")["defaults"]
    (container,) = limits.inputs["spec"]["limits"]

    assert container == {
        "type": "Container",
        "default": {"memory": "512Mi"},
        "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
    }
    assert fast.waits_for(of(fast, QUOTA, "community")["quota"], limits)


def test_limits_of_cpu_are_usual_where_the_speed_has_them(prod: Settings) -> None:
    (container,) = of(build(prod), LIMITS, "community")["defaults"].inputs["spec"]["limits"]

    assert container["default"] == {"cpu": "250m", "memory": "256Mi"}


# Who calls whom


def test_only_the_own_namespace_calls_a_pod(fast: Recording) -> None:
    policy = of(fast, NETWORK, "community")["platform-callers"].inputs["spec"]

    assert policy["podSelector"] == {}
    assert policy["policyTypes"] == ["Ingress"]
    assert policy["ingress"] == [{"from": [{"podSelector": {}}]}]


def test_named_namespaces_call_too(configuration: Path, bend: Bend) -> None:
    callers = {"callers": ["monitoring", "community"]}
    bend("services.yaml", in_streaming(lambda namespace: namespace.update(callers)))

    recording = build(load_files("dev", configuration))

    policy = of(recording, NETWORK, "streaming")["platform-callers"].inputs["spec"]
    selected = {
        "key": "kubernetes.io/metadata.name",
        "operator": "In",
        "values": ["community", "monitoring"],
    }
    assert policy["ingress"] == [
        {"from": [{"podSelector": {}}, {"namespaceSelector": {"matchExpressions": [selected]}}]}
    ]


def test_a_load_balancer_reaches_services_with_an_ingress_and_no_others(fast: Recording) -> None:
    policy = of(fast, NETWORK, "streaming")["platform-ingress"].inputs["spec"]

    assert policy["podSelector"]["matchExpressions"] == [
        {"key": "app.kubernetes.io/name", "operator": "In", "values": ["tv-frontend"]}
    ]
    assert policy["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}]}]


def test_a_namespace_without_an_ingress_has_no_way_in(configuration: Path, bend: Bend) -> None:
    bend("services.yaml", in_streaming(lambda n: n["services"]["tv-frontend"].pop("ingress")))

    recording = build(load_files("dev", configuration))

    assert of(recording, NETWORK, "streaming").keys() == {"platform-callers"}
    assert tenant(configuration, "streaming").hosts == ()


# What the API server refuses


def test_every_policy_is_bound_to_the_namespaces_of_services_alone(fast: Recording) -> None:
    bound = {one.inputs["spec"]["policyName"]: one for one in fast.of(BINDING)}

    assert bound.keys() == {
        "acme-dev-images",
        "acme-dev-ingresses",
        "acme-dev-routes",
        "acme-dev-services",
    }
    for one in bound.values():
        spec = one.inputs["spec"]
        assert spec["validationActions"] == ["Deny"]
        (selected,) = spec["matchResources"]["namespaceSelector"]["matchExpressions"]
        assert selected["values"] == ["community", "streaming"]
    assert {one.inputs["spec"]["failurePolicy"] for one in fast.of(POLICY)} == {"Fail"}


def test_warnings_leave_everything_as_it_was(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", lambda config: config.update({"platform:isolation": "warned"}))

    recording = build(load_files("dev", configuration))

    for one in recording.of(BINDING):
        assert one.inputs["spec"]["validationActions"] == ["Warn", "Audit"]
    for type_ in (QUOTA, LIMITS, NETWORK):
        recording.assert_none(type_)


def variables(recording: Recording, policy: str) -> Mapping[str, str]:
    spec = recording.one(POLICY, f"tenancy-{policy}").inputs["spec"]
    return {one["name"]: one["expression"] for one in spec["variables"]}


def test_hosts_are_those_of_the_namespaces_own_services(fast: Recording) -> None:
    table, _, end = variables(fast, "ingresses")["hosts"].partition("}")

    assert json.loads(table + "}") == {
        "community": ["tournaments.dev.acme.example"],
        "streaming": ["tv-frontend.dev.acme.example"],
    }
    assert end == "[?request.namespace].orValue([])"


def test_images_are_the_platforms_and_what_the_catalogue_names(
    configuration: Path, bend: Bend
) -> None:
    def change(namespace: dict[str, Any]) -> None:
        namespace["images"] = ["quay.io/acme/sidecar"]
        namespace["services"]["cache"] = REDIS
        namespace["services"]["tv-api"]["migrate"] = ["migrate"]

    bend("services.yaml", in_streaming(change))

    assert tenant(configuration, "streaming").images == (
        "docker.io/library/redis",
        "public.ecr.aws/docker/library/busybox",
        "public.ecr.aws/docker/library/python",
        "quay.io/acme/sidecar",
    )
    assert tenant(configuration, "community").images == ()


def test_images_that_take_the_helpers_place_may_run(configuration: Path, bend: Bend) -> None:
    def change(catalogue: dict[str, Any]) -> None:
        catalogue["namespaces"]["streaming"]["services"]["tv-api"]["migrate"] = ["migrate"]
        catalogue["helperImages"] = {
            "python": f"registry.acme.example:5000/tools/python:3.13@{DIGEST}",
            "busybox": f"registry.acme.example:5000/tools/busybox@{DIGEST}",
        }

    bend("services.yaml", change)

    assert tenant(configuration, "streaming").images == (
        "registry.acme.example:5000/tools/busybox",
        "registry.acme.example:5000/tools/python",
    )


def test_the_registry_is_matched_with_its_slash(fast: Recording) -> None:
    """Otherwise `<registry>.evil.example` would be the platform's."""
    strange = variables(fast, "images")["strange"]

    assert '!i.startsWith("123456789012.dkr.ecr.eu-central-1.amazonaws.com/")' in strange


PACKAGE = {
    "owner": "tvhub",
    "chart": {
        "repository": "https://charts.example.com",
        "name": "valkey",
        "version": "1.2.3",
        "digest": DIGEST,
    },
}


def test_a_package_brings_its_own_and_its_neighbours_stay_bound(
    configuration: Path, bend: Bend
) -> None:
    bend("services.yaml", in_streaming(lambda n: n.update(packages={"cache": PACKAGE})))

    recording = build(load_files("dev", configuration))

    for policy in recording.of(POLICY):
        conditions = {c["name"]: c["expression"] for c in policy.inputs["spec"]["matchConditions"]}
        assert '{"streaming": ["cache"]}' in conditions["of-no-package"]
    hard = {
        namespace: of(recording, QUOTA, namespace)["quota"].inputs["spec"]["hard"]
        for namespace in ("community", "streaming")
    }
    assert "services.loadbalancers" in hard["community"]
    assert "services.loadbalancers" not in hard["streaming"]
    guarded = of(recording, NETWORK, "streaming")["platform-callers"].inputs["spec"]["podSelector"]
    assert guarded["matchExpressions"][0]["values"] == ["tv-api", "tv-frontend"]


def test_a_namespace_of_packages_alone_guards_nothing(configuration: Path, bend: Bend) -> None:
    """A selector that selects among no values is refused by Kubernetes."""
    packages = {"services": {}, "packages": {"cache": PACKAGE}}
    bend("services.yaml", lambda catalogue: catalogue["namespaces"].update(tools=packages))

    assert of(build(load_files("dev", configuration)), NETWORK, "tools") == {}


def test_nothing_is_exempt_where_no_package_is(fast: Recording) -> None:
    for policy in fast.of(POLICY):
        assert [c["name"] for c in policy.inputs["spec"]["matchConditions"]] == ["changed"]


# Refused in the report


def refusal(configuration: Path) -> list[str]:
    """Every problem, without its line."""
    with pytest.raises(SettingsError) as refused:
        load_files("dev", configuration)
    return [str(replace(problem, line=None)) for problem in refused.value.problems]


CASES: Mapping[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a quota of no environment": (
        lambda namespace: namespace.update(quota={"stage": {"cpu": 4}}),
        "services.yaml: namespaces.streaming.quota.stage: is no environment: there is no such "
        "Pulumi.<stack>.yaml (given: stage); name one of dev, prod",
    ),
    "a namespace that calls itself": (
        lambda namespace: namespace.update(callers=["streaming"]),
        "services.yaml: namespaces.streaming.callers: is the namespace itself, whose pods call "
        "each other anyway (given: streaming); remove it",
    ),
    "services that do not fit": (
        lambda namespace: namespace.update(quota={"prod": {"cpu": 1}}),
        "services.yaml: namespaces.streaming: asks for more cpu on prod than its quota, 1, has: "
        "all its services at their most, while they are rolled (given: 1.5); raise quota.prod, or "
        "give its services less",
    ),
    "memory that does not fit": (
        lambda namespace: namespace["services"]["tv-api"].update(
            scale={"max": 200, "cpu": 70}, resources={"requests": {"memory": "512Mi"}}
        ),
        "services.yaml: namespaces.streaming: asks for more memory on prod than its quota, 64Gi, "
        "has: all its services at their most, while they are rolled (given: 125.75Gi); raise "
        "quota.prod, or give its services less",
    ),
}


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES.keys())
def test_what_cannot_be_is_refused(
    change: Callable[[dict[str, Any]], object], expected: str, configuration: Path, bend: Bend
) -> None:
    bend("services.yaml", in_streaming(change))

    assert expected in refusal(configuration)
