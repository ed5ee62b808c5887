"""Each component gets the settings that are meant for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from components import wiring
from components.argocd.argocd import ArgoCd
from components.network.network import Network
from settings.aws_account import AwsAccount
from settings.environment import Settings
from settings.loading import load_files
from settings.observability import ObservabilityConfig
from tests.unit.clusters import a_cluster, keel_config
from tests.unit.conftest import Bend, change_service
from tests.unit.existing import THEIR_WAY_IN, existing_network, use_existing_cluster
from tests.unit.test_resources_golden import READ, bounded

DEV = AwsAccount(id="123456789012", region="eu-central-1")
PROD = AwsAccount(id="210987654321", region="eu-west-1")


@pytest.fixture
def apart(configuration: Path, bend: Bend) -> Settings:
    """dev, with prod in another account and region; prod owns the registry."""
    elsewhere = {"aws:allowedAccountIds": ["210987654321"], "aws:region": "eu-west-1"}
    bend("Pulumi.prod.yaml", lambda config: config.update(elsewhere))
    for file in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        bend(file, lambda config: config["platform:registry"].update(owner="prod"))
    return load_files("dev", configuration)


def test_keel_runs_in_its_own_account_and_reads_the_registrys(apart: Settings) -> None:
    args = wiring.keel(apart, keel_config(apart), a_cluster("acme-dev"), {})
    assert (args.account, args.registry) == (DEV, PROD)
    assert args.names.prefix == "acme-dev"


def test_a_stack_reads_the_registry_of_its_owner(apart: Settings) -> None:
    args = wiring.registry_reference(apart)
    assert args.owner == "prod"
    assert args.services == ["leaderboard", "tournaments", "tv-api", "tv-frontend"]


def test_the_accounts_of_all_environments_pull(configuration: Path, apart: Settings) -> None:
    args = wiring.registry(load_files("prod", configuration))
    assert args.pulling == [DEV, PROD]
    assert args.host == "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
    assert args.moving_tag == "dev"
    assert apart.registry_host == args.host, "both stacks name the same images"


def test_pipelines_enter_the_registrys_account(configuration: Path, apart: Settings) -> None:
    args = wiring.ci_identity(load_files("prod", configuration))
    assert args.account == PROD
    assert args.names.ci_role("tv-api") == "acme-prod-ci-tv-api"
    assert apart.stack == "dev"


def test_network_and_cluster_are_in_the_environments_own_account(apart: Settings) -> None:
    args = wiring.network(apart)
    assert args.account == DEV
    assert args.log_retention_days == 14
    assert args.file == "Pulumi.dev.yaml"


@pytest.mark.parametrize("unprotected", ["network", "registry", "applications"])
def test_each_component_is_protected_by_its_own_name(
    configuration: Path, bend: Bend, unprotected: str
) -> None:
    for file in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        bend(file, lambda config: config["platform:registry"].update(owner="prod"))
    bend("Pulumi.prod.yaml", lambda c: c.update({"platform:unprotected": [unprotected]}))
    settings = load_files("prod", configuration)
    protected = {
        "network": wiring.network(settings).protected,
        "registry": wiring.registry(settings).protected,
        "applications": settings.protects("applications"),
    }
    assert [name for name, value in protected.items() if not value] == [unprotected]


def test_argo_cd_knows_its_address_and_which_secrets_there_are(prod: Settings) -> None:
    wanted = wiring.argocd_installation(prod, frozenset({"gitToken"}))
    assert (wanted.environment, wanted.domain) == ("prod", "argocd.acme.example")
    assert wanted.secrets == frozenset({"gitToken"})


def test_the_checkout_gets_every_file(dev: Settings) -> None:
    args = wiring.gitops_checkout(dev)
    assert (args.checkout, args.url) == ("../gitops", "https://github.com/acme/gitops.git")
    assert "environments/dev/streaming/tv-api/kustomization.yaml" in args.files


def test_only_what_services_need_is_installed_for_them(configuration: Path, bend: Bend) -> None:
    def needed() -> tuple[bool, bool]:
        args = wiring.service_access(load_files("dev", configuration), a_cluster("acme-dev"))
        return args.secrets is not None, args.roles is not None

    assert needed() == (False, False)
    bend("Pulumi.dev.yaml", bounded)
    rights = {"dev": {"aws": {"statements": [READ]}}}
    change_service(bend, "streaming", "tv-frontend", overrides=rights)
    assert needed() == (False, True)
    change_service(bend, "streaming", "tv-frontend", overrides={}, secrets=["TOKEN"])
    assert needed() == (True, False)


def test_alarms_of_another_teams_cluster_know_neither_version_nor_certificate(
    configuration: Path, bend: Bend
) -> None:
    network = existing_network("vpc-0a1b2c3d4e5f60718")
    bend("Pulumi.dev.yaml", lambda config: use_existing_cluster(config, network))
    settings = load_files("dev", configuration)
    argocd = cast(ArgoCd, SimpleNamespace(release=None))
    config = ObservabilityConfig.model_validate({})
    args = wiring.observability(settings, config, a_cluster("legacy"), argocd)
    assert (args.support_ends, args.certificate) == (None, None)


def test_nodes_in_a_network_of_others_are_named_after_its_subnets(
    configuration: Path, bend: Bend
) -> None:
    network = existing_network("vpc-0a1b2c3d4e5f60718")
    bend("Pulumi.dev.yaml", lambda c: c.update({"platform:network": {"existing": network}}))
    bend("Pulumi.dev.yaml", lambda c: c.update({"platform:ingress": THEIR_WAY_IN}))
    subnets = cast(
        Network, SimpleNamespace(vpc_id="", control_plane_subnet_ids=[], private_subnet_ids=[])
    )
    args = wiring.cluster(load_files("dev", configuration), subnets)
    assert args.node_placement == ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"]
