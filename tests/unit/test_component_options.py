"""A component makes everything below itself, and with the provider that its maker chose."""

from __future__ import annotations

from pathlib import Path

import pulumi_aws as aws
import pytest
from pulumi import ComponentResource, Output, ResourceOptions

from components import wiring
from components.argocd.applications import Applications
from components.argocd.argocd import ArgoCd
from components.ci.ci_identity import CiIdentity
from components.cluster.access import Access
from components.cluster.cluster import Cluster
from components.gitops_checkout.gitops_checkout import GitOpsCheckout
from components.ingress.front_door import FrontDoor
from components.ingress.ingress import Ingress
from components.keel.keel import Keel
from components.network.network import Network
from components.observability.observability import Observability
from components.registry.registry import Registry
from components.registry.registry_reference import RegistryReference
from components.service_access.service_access import ServiceAccess
from components.tenancy.tenancy import Tenancy
from settings.environment import Settings
from settings.loading import load_files
from tests.unit.conftest import Bend
from tests.unit.existing import another_teams_cluster, use_existing_cluster
from tests.unit.recording import PROJECT, Recording, record
from tests.unit.test_resources_golden import SUBNETS, VPC, bounded, private
from tests.unit.whole_program import account


def a_parent() -> tuple[ComponentResource, aws.Provider]:
    """A component that has a provider of its own."""
    theirs = aws.Provider("theirs", region="eu-central-1")
    with_it = ResourceOptions(providers=[theirs])
    return ComponentResource("test:index:Root", "root", None, with_it), theirs


def everything(settings: Settings) -> None:
    root, theirs = a_parent()
    below = ResourceOptions(parent=root)
    network = Network("network", wiring.network(settings), below)
    GitOpsCheckout("gitops", wiring.gitops_checkout(settings), below)
    Registry("registry", wiring.registry(settings), below)
    RegistryReference("reference", wiring.registry_reference(settings), below)
    CiIdentity("ci", wiring.ci_identity(settings), below)
    cluster = Cluster("cluster", wiring.cluster(settings, network), below)
    inside = ResourceOptions(parent=root, providers=[theirs, cluster.provider])
    secrets = {"gitToken": Output.secret("hush")}
    argocd = ArgoCd("argocd", wiring.argocd(settings, cluster, secrets), inside)
    access = ServiceAccess("service-access", wiring.service_access(settings, cluster), inside)
    ingress = settings.config.ingress
    assert ingress
    way_in = Ingress("ingress", wiring.ingress(settings, ingress, network, cluster), inside)
    FrontDoor("front-door", wiring.front_door(settings, ingress, way_in, argocd), inside)
    deployed = wiring.applications(settings, argocd, access, way_in)
    namespaces = Applications("apps", deployed, inside).namespaces
    Access("access", wiring.access(settings, namespaces), inside)
    Tenancy("tenancy", wiring.tenancy(settings, namespaces), inside)
    keel, observability = settings.config.keel, settings.config.observability
    assert keel
    assert observability
    Keel("keel", wiring.keel(settings, keel, cluster, namespaces), inside)
    seen = wiring.observability(settings, observability, cluster, argocd, way_in)
    Observability("observability", seen, below)


@pytest.fixture
def made(configuration: Path, bend: Bend) -> Recording:
    bend("Pulumi.dev.yaml", bounded)
    bend("Pulumi.dev.yaml", lambda c: c.update({"platform:observability": {}}))
    bend("Pulumi.dev.yaml", lambda c: c.update({"platform:ci": {"existing": ["circleci"]}}))
    bend("services.yaml", private)
    settings = load_files("dev", configuration)
    urls = {name: f"registry.acme.example/{name}" for _, name, _ in settings.catalogue.built()}
    return record(
        lambda: everything(settings),
        answers=account(settings),
        stack_outputs={f"organization/{PROJECT}/dev": {"repositories": urls}},
        root=configuration,
    )


def test_every_resource_is_below_what_made_it(made: Recording) -> None:
    root = made.one("test:index:Root").urn
    reference = made.one("twospeed:index:RegistryReference")
    assert [*made.read.values()] == [reference.urn]
    parents = {resource.urn: resource.parent for resource in made.resources}
    parents.pop(root)
    for resource in made.resources:
        above = resource.urn
        while above in parents:
            above = parents[above]
        assert above == root or resource.name == "theirs", resource.name


def test_aws_makes_and_tells_everything_by_the_provider(made: Recording) -> None:
    theirs = made.one("pulumi:providers:aws").urn
    ours = [resource for resource in made.resources if resource.type.startswith("aws:")]
    assert [resource.name for resource in ours if not resource.provider.startswith(theirs)] == []
    assert all(call.provider.startswith(theirs) for call in made.calls)
    assert [(call.token.rpartition(":")[2], call.inputs) for call in made.calls] == [
        (
            "getOpenIdConnectProvider",
            {"url": "https://oidc.circleci.com/org/8e2a1f3c-6f0b-4a54-9d3b-0c1d5b7e9a10"},
        ),
        ("getZone", {"name": "dev.acme.example", "privateZone": False}),
    ]


def test_aws_tells_of_another_teams_cluster_by_the_provider(
    configuration: Path, bend: Bend
) -> None:
    network = {"vpc": VPC, "privateSubnets": list(SUBNETS)}
    bend("Pulumi.dev.yaml", lambda config: use_existing_cluster(config, network))
    settings = load_files("dev", configuration)

    def program() -> None:
        root, _ = a_parent()
        below = ResourceOptions(parent=root)
        network = Network("network", wiring.network(settings), below)
        Cluster("cluster", wiring.cluster(settings, network), below)

    made = record(program, answers=another_teams_cluster(VPC, SUBNETS))
    theirs = made.one("pulumi:providers:aws").urn
    assert all(call.provider.startswith(theirs) for call in made.calls)
    assert [(call.token.rpartition(":")[2], call.inputs) for call in made.calls] == [
        ("getVpcs", {"filters": [{"name": "vpc-id", "values": [VPC]}]}),
        ("getSubnets", {"filters": [{"name": "subnet-id", "values": list(SUBNETS)}]}),
        ("getVpc", {"id": VPC}),
        ("getSubnet", {"id": "subnet-0a1b2c3d"}),
        ("getSubnet", {"id": "subnet-0a1b2c3e"}),
        ("getClusters", {}),
        ("getCluster", {"name": "legacy"}),
        ("getCluster", {"name": "legacy"}),
    ]
