"""Names that the settings accept are accepted by everything that reads them later.

The rules are those that the consumers publish: ECR's and IAM's API models, Helm's chart utilities,
Kubernetes' validation package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from components.argocd.application_manifests import project_name
from settings import rules
from settings.catalogue import Catalogue, Service
from settings.files import CATALOGUE_FILE
from settings.naming import Names
from settings.packages import Package
from settings.parsing import parse
from settings.problems import Problem
from settings.workload import FurtherProcess
from tests.unit.conftest import CHECKOUT

ECR_REPOSITORY = (
    r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
    256,
)
HELM_RELEASE = (r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", 53)
LABEL_VALUE = (r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", 63)
DNS_1123_LABEL = (r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", 63)
DNS_1035_LABEL = (r"[a-z]([-a-z0-9]*[a-z0-9])?", 63)
DNS_1123_SUBDOMAIN = (r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", 253)
CRON_JOB = (DNS_1123_LABEL[0], 52)
CONFIG_MAP_KEY = (r"(?!\.\.?$)[-._a-zA-Z0-9]+", 253)
IAM_ROLE = (r"[\w+=,.@-]+", 64)

Rule = tuple[str, int]
"""A pattern and the most characters."""

names = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,70}", fullmatch=True),
    st.integers(40, 66).map(lambda length: "n" * length),
    st.sampled_from(["on", "no", "a--b", "a-", "1a", "a.b", "A", "ä", "a_b", "null", "y", "x"]),
)
shapes = st.sampled_from(["plain", "helm", "storage", "migrate", "foreign"])


def base() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((CHECKOUT / "services.yaml").read_text())
    return content


COMMITTED = base()
DIGEST = "sha256:" + "a" * 64
SERVICE = {"owner": "tvhub", "source": "acme/x", "ci": "github-actions", "delivery": "commit"}
SHAPES: dict[str, dict[str, Any]] = {
    "plain": {**SERVICE, "port": 8080},
    "helm": {**SERVICE, "port": 8080, "packaging": "helm"},
    "storage": {**SERVICE, "storage": {"data": {"path": "/data", "size": "1Gi"}}},
    "migrate": {**SERVICE, "migrate": ["x"]},
    "foreign": {
        "owner": "tvhub",
        "image": {"name": "docker.io/library/redis", "version": "7", "digest": DIGEST},
    },
}
PACKAGE = {
    "owner": "tvhub",
    "chart": {
        "repository": "https://charts.example.com",
        "name": "redis",
        "version": "1.0.0",
        "digest": DIGEST,
    },
}


def accepted(namespaces: dict[str, Any]) -> Catalogue | None:
    """The catalogue with these namespaces alone, if the settings accept it."""
    problems: list[Problem] = []
    catalogue = parse(Catalogue, {**COMMITTED, "namespaces": namespaces}, CATALOGUE_FILE, problems)
    return catalogue if catalogue and not [*rules.of_catalogue(catalogue)] else None


def consumed(catalogue: Catalogue) -> Iterator[tuple[str, Rule, str]]:
    """(who reads a name, its rule, the name), of everything in the catalogue."""
    for namespace, name, what in catalogue.owned():
        yield "a namespace", DNS_1123_LABEL, namespace
        yield "an Application", DNS_1123_SUBDOMAIN, name
        yield "a project", DNS_1123_SUBDOMAIN, project_name(namespace, name, what)
        yield "a label", LABEL_VALUE, name
        yield "a role", IAM_ROLE, Names("o" * 63, "s" * 32).ci_role(name)
        if isinstance(what, Package):
            yield "a release", HELM_RELEASE, name
        if isinstance(what, Service):
            yield from _of_service(name, what)
    for namespace, name, _ in catalogue.built():
        yield "ECR", ECR_REPOSITORY, Names.repository(namespace, name)


def _of_service(name: str, service: Service) -> Iterator[tuple[str, Rule, str]]:
    if service.packaging == "helm":
        yield "a release", HELM_RELEASE, name
    if service.port or service.ports:
        yield "a Service", DNS_1035_LABEL, name
    if service.storage:
        yield "a label of its pods", LABEL_VALUE, f"{name}-{'1' * 10}"
    if service.migrate:
        yield "a Job", DNS_1123_LABEL, f"{name}-migrate-{'1' * 10}"
    for process, what in service.processes.items():
        scheduled = isinstance(what, FurtherProcess) and what.schedule
        yield "a process", CRON_JOB if scheduled else LABEL_VALUE, f"{name}-{process}"
    for file in service.config:
        yield "a ConfigMap", CONFIG_MAP_KEY, file


def refused_later(catalogue: Catalogue) -> list[str]:
    return [
        f"{who} refuses {name!r}"
        for who, (pattern, most), name in consumed(catalogue)
        if len(name) > most or not re.fullmatch(pattern, name)
    ]


@settings(max_examples=200, deadline=None)
@given(namespace=names, name=names, shape=shapes)
def test_accepted_services_are_accepted_by_all(namespace: str, name: str, shape: str) -> None:
    catalogue = accepted({namespace: {"services": {name: SHAPES[shape]}}})
    assert catalogue is None or refused_later(catalogue) == []


@settings(max_examples=100, deadline=None)
@given(namespace=names, name=names)
def test_accepted_packages_are_accepted_by_all(namespace: str, name: str) -> None:
    catalogue = accepted({namespace: {"packages": {name: PACKAGE}}})
    assert catalogue is None or refused_later(catalogue) == []


@settings(max_examples=100, deadline=None)
@given(name=names, process=names, scheduled=st.booleans())
def test_accepted_processes_are_accepted_by_all(name: str, process: str, scheduled: bool) -> None:
    what = {"command": ["x"], **({"schedule": "0 3 * * *"} if scheduled else {})}
    service = {**SHAPES["plain"], "processes": {process: what}}
    catalogue = accepted({"shop": {"services": {name: service}}})
    assert catalogue is None or refused_later(catalogue) == []


@settings(max_examples=100, deadline=None)
@given(file=st.text(max_size=10) | st.integers(250, 256).map(lambda length: "n" * length))
def test_accepted_files_are_accepted_by_all(file: str) -> None:
    service = {**SHAPES["plain"], "config": {file: "x"}}
    catalogue = accepted({"shop": {"services": {"cart": service}}})
    assert catalogue is None or refused_later(catalogue) == []


@pytest.mark.parametrize(
    ("namespaces", "taken"),
    [
        ({"shop": {"services": {"n" * 63: SHAPES["plain"]}}}, True),
        ({"shop": {"services": {"n" * 64: SHAPES["plain"]}}}, False),
        ({"shop": {"services": {"n" * 53: SHAPES["helm"]}}}, True),
        ({"shop": {"services": {"n" * 54: SHAPES["helm"]}}}, False),
        ({"shop": {"services": {"n" * 52: SHAPES["storage"]}}}, True),
        ({"shop": {"services": {"n" * 53: SHAPES["storage"]}}}, False),
        ({"shop": {"services": {"n" * 44: SHAPES["migrate"]}}}, True),
        ({"shop": {"services": {"n" * 45: SHAPES["migrate"]}}}, False),
        ({"shop": {"packages": {"n" * 53: PACKAGE}}}, True),
        ({"shop": {"packages": {"n" * 54: PACKAGE}}}, False),
        ({"a--b": {"services": {"cart": SHAPES["plain"]}}}, False),
        ({"a--b": {"services": {"cart": SHAPES["foreign"]}}}, True),
    ],
)
def test_the_longest_names_are_taken_and_no_longer_ones(
    namespaces: dict[str, Any], taken: bool
) -> None:
    assert (accepted(namespaces) is not None) == taken
