"""Argo CD as the program installs it: settings, rights, secrets and messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi_kubernetes as k8s
import pytest
import yaml
from pulumi import ResourceOptions

from components import wiring
from components.argocd import notifications
from components.argocd import rbac as argocd_rbac
from components.argocd import values as argocd_values
from components.argocd.argocd import ArgoCd
from settings.environment import Settings
from settings.loading import load_files
from settings.pulumi_config import load_secrets
from settings.secret_keys import SECRETS
from tests.unit.clusters import a_cluster, argocd_policy, chart_values
from tests.unit.conftest import Bend, hold
from tests.unit.recording import Recorded, Recording, record

RELEASE = "kubernetes:helm.sh/v3:Release"
SECRET = "kubernetes:core/v1:Secret"
NAMESPACE = "kubernetes:core/v1:Namespace"

Tell = Callable[..., Settings]


@pytest.fixture
def tell(configuration: Path, bend: Bend) -> Tell:
    """`tell("prod", domain="cd.example")` is that environment with `platform:argocd` changed.

    A key that becomes None is removed.
    """

    def load(stack: str, **changes: object) -> Settings:
        def change(config: dict[str, Any]) -> None:
            changed = config["platform:argocd"] | changes
            config["platform:argocd"] = {k: v for k, v in changed.items() if v is not None}

        bend(f"Pulumi.{stack}.yaml", change)
        return load_files(stack, configuration)

    return load


def install(settings: Settings, **secrets: str) -> Recording:
    config = {f"platform:{name}": value for name, value in secrets.items()}

    def program() -> None:
        provider = k8s.Provider("kubernetes", kubeconfig="{}")
        args = wiring.argocd(settings, a_cluster(), load_secrets())
        ArgoCd("argocd", args, ResourceOptions(provider=provider))

    return record(program, stack=settings.stack, config=config, secrets=config)


def secrets_of(recording: Recording) -> dict[str, Recorded]:
    return {secret.inputs["metadata"]["name"]: secret for secret in recording.of(SECRET)}


def cm(settings: Settings, *secrets: str) -> dict[str, str]:
    return argocd_values.config_map(wiring.argocd_installation(settings, frozenset(secrets)))


# The release


def test_chart_and_version_are_pinned(prod: Settings) -> None:
    release = install(prod).one(RELEASE)
    assert release.inputs["chart"] == "argo-cd"
    assert release.inputs["version"] == "10.1.1"
    assert release.inputs["repositoryOpts"] == {"repo": "https://argoproj.github.io/argo-helm"}


def test_another_chart_repository_and_version_can_be_named(tell: Tell) -> None:
    settings = tell("prod", chart={"repository": "https://charts.example", "version": "10.2.0"})
    release = install(settings).one(RELEASE)
    assert release.inputs["version"] == "10.2.0"
    assert release.inputs["repositoryOpts"] == {"repo": "https://charts.example"}


def test_a_release_that_does_not_become_ready_is_taken_back(prod: Settings) -> None:
    release = install(prod).one(RELEASE)
    assert release.inputs["atomic"] is True
    assert release.inputs["cleanupOnFail"] is True


def test_secrets_are_there_before_the_processes_that_read_them(prod: Settings) -> None:
    recording = install(prod, slackToken="t")
    for secret in recording.of(SECRET):
        assert recording.waits_for(recording.one(RELEASE), secret), secret.name


def test_prod_survives_the_loss_of_a_node_and_dev_is_cheap(dev: Settings, prod: Settings) -> None:
    for settings, replicas in ((dev, 1), (prod, 2)):
        values = chart_values(settings, ())
        for process in ("server", "repoServer"):
            assert values[process]["replicas"] == replicas, (settings.stack, process)
            assert values[process]["pdb"]["enabled"] is (replicas > 1)


def test_every_process_says_what_it_needs(prod: Settings, tell: Tell) -> None:
    noisy = tell("dev", notifications={"slackChannel": "deploys"})
    for settings in (prod, noisy):
        values = chart_values(settings, ())
        for process in ("controller", "server", "repoServer", "redis"):
            assert {"requests", "limits"} <= values[process]["resources"].keys(), process
    assert "requests" in chart_values(noisy, ())["notifications"]["resources"]


def test_nothing_is_installed_that_nobody_uses(tell: Tell) -> None:
    values = argocd_values.values(
        wiring.argocd_installation(tell("dev", notifications={}), frozenset())
    )
    assert values["dex"] == {"enabled": False}
    assert values["applicationSet"] == {"replicas": 0}
    assert values["notifications"] == {"enabled": False}


def test_the_crds_of_prod_outlive_the_release(dev: Settings, prod: Settings) -> None:
    assert chart_values(prod, ())["crds"]["keep"] is True
    assert chart_values(dev, ())["crds"]["keep"] is False


def test_its_pods_are_restricted_like_everybodys(dev: Settings) -> None:
    labels = install(dev).one(NAMESPACE).inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


# argocd-cm and argocd-cmd-params-cm


def test_git_is_read_as_often_as_the_settings_say(tell: Tell) -> None:
    settings = tell("dev", reconciliationSeconds=10)
    assert cm(settings)["timeout.reconciliation"] == "10s"
    assert cm(settings)["timeout.reconciliation.jitter"] == "2s"


def test_who_may_sync_may_neither_choose_a_revision_nor_roll_back(prod: Settings) -> None:
    assert cm(prod)["application.sync.requireOverridePrivilegeForRevisionSync"] == "true"
    assert cm(prod)["server.rbac.rollback.enforce.enable"] == "true"


def test_nobody_gets_a_shell_and_nobody_replaces(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        values = chart_values(settings, ())
        assert values["configs"]["cm"]["exec.enabled"] == "false"
        assert values["configs"]["params"]["server.sync.replace.allowed"] == "false"


def test_the_administrator_goes_when_single_sign_on_comes(tell: Tell) -> None:
    alone = tell("prod", sso=None)
    assert cm(alone)["admin.enabled"] == "true", "nobody else could sign in"
    settings = tell("prod", sso={"issuer": "https://id.example", "clientId": "argocd"})
    assert cm(settings)["admin.enabled"] == "false"


def test_single_sign_on_refers_to_its_secret(tell: Tell) -> None:
    settings = tell("prod", sso={"issuer": "https://id.example", "clientId": "argocd"})
    oidc = yaml.safe_load(cm(settings, "ssoClientSecret")["oidc.config"])
    assert oidc["issuer"] == "https://id.example"
    assert oidc["clientSecret"] == "$argocd-platform:ssoClientSecret"
    assert "groups" in oidc["requestedScopes"], "rights are given to groups"


def test_a_client_without_a_secret_proves_itself_by_pkce(tell: Tell) -> None:
    settings = tell("prod", sso={"issuer": "https://id.example", "clientId": "argocd"})
    oidc = yaml.safe_load(cm(settings)["oidc.config"])
    assert "clientSecret" not in oidc
    assert oidc["enablePKCEAuthentication"] is True


GITHUB = {"github": {"organization": "acme"}, "clientId": "Ov23liExample"}


@pytest.fixture
def by_github(tell: Tell, bend: Bend) -> Settings:
    """prod, where people sign in by GitHub."""
    bend("Pulumi.prod.yaml", hold("ssoClientSecret"))
    return tell("prod", sso=GITHUB)


def test_github_is_spoken_to_by_dex_and_dex_by_argo_cd(by_github: Settings) -> None:
    settled = cm(by_github, "ssoClientSecret")
    assert "oidc.config" not in settled
    assert settled["admin.enabled"] == "false"
    (connector,) = yaml.safe_load(settled["dex.config"])["connectors"]
    assert (connector["type"], connector["id"]) == ("github", "github")
    assert connector["config"] == {
        "clientID": "Ov23liExample",
        "clientSecret": "$argocd-platform:ssoClientSecret",
        "orgs": [{"name": "acme"}],
        "teamNameField": "slug",
        "useLoginAsID": False,
    }
    dex = chart_values(by_github, ())["dex"]
    assert dex["enabled"] is True
    assert {"requests", "limits"} <= dex["resources"].keys()


def test_a_github_of_ones_own_is_named(tell: Tell, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", hold("ssoClientSecret"))
    own = GITHUB | {"github": {"organization": "acme", "host": "github.acme.example"}}
    settled = cm(tell("prod", sso=own), "ssoClientSecret")
    (connector,) = yaml.safe_load(settled["dex.config"])["connectors"]
    assert connector["config"]["hostName"] == "github.acme.example"


def test_dex_is_configured_only_where_people_sign_in_by_github(dev: Settings, tell: Tell) -> None:
    for settings in (dev, tell("prod", sso=None)):
        assert "dex.config" not in cm(settings, *SECRETS)
        assert chart_values(settings, SECRETS)["dex"] == {"enabled": False}


# Secrets


@pytest.mark.parametrize(
    "sso", [{"issuer": "https://id.example", "clientId": "argocd"}, GITHUB], ids=["oidc", "github"]
)
def test_values_hold_references_and_never_a_secret(
    tell: Tell, bend: Bend, sso: dict[str, Any]
) -> None:
    bend("Pulumi.prod.yaml", hold("ssoClientSecret"))
    settings = tell(
        "prod",
        sso=sso,
        notifications={"slackChannel": "deploys", "webhook": "https://hook.example"},
    )
    given = {name: f"the-{name}-itself" for name in SECRETS}
    release = install(settings, **given).one(RELEASE)
    assert not release.secret_inputs
    for secret in given.values():
        assert secret not in json.dumps(release.inputs["values"])


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("ssoClientSecret", "argocd-platform"),
        ("gitWebhookSecret", "argocd-platform"),
        ("slackToken", "argocd-notifications-secret"),
        ("webhookToken", "argocd-notifications-secret"),
    ],
)
def test_each_secret_lands_where_it_is_read(prod: Settings, name: str, secret: str) -> None:
    found = secrets_of(install(prod, **{name: "hush"}))[secret]
    assert found.inputs["stringData"] == {name: "hush"}
    assert found.secret_inputs == {"stringData"}, "it must be encrypted in the state"
    assert found.inputs["metadata"]["labels"]["app.kubernetes.io/part-of"] == "argocd"


def test_a_token_opens_the_gitops_repository_and_no_other(prod: Settings) -> None:
    found = secrets_of(install(prod, gitToken="hush"))["gitops-repository"]
    assert found.inputs["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "repository"
    assert found.inputs["stringData"] == {
        "type": "git",
        "url": "https://github.com/acme/gitops.git",
        "username": "git",
        "password": "hush",
    }


def test_a_deploy_key_needs_no_user_name(prod: Settings) -> None:
    found = secrets_of(install(prod, gitPrivateKey="key"))["gitops-repository"]
    assert found.inputs["stringData"].keys() == {"type", "url", "sshPrivateKey"}


@pytest.mark.parametrize("api", [None, "https://github.example/api/v3"])
def test_a_github_app_opens_the_gitops_repository(
    configuration: Path, bend: Bend, api: str | None
) -> None:
    app = {"id": 583231, "installation": 1296269, **({"api": api} if api else {})}
    bend("Pulumi.prod.yaml", lambda config: config["platform:gitops"].update(githubApp=app))
    bend("Pulumi.prod.yaml", hold("githubAppPrivateKey"))
    settings = load_files("prod", configuration)
    found = secrets_of(install(settings, githubAppPrivateKey="hush"))["gitops-repository"]
    assert found.inputs["stringData"] == {
        "type": "git",
        "url": "https://github.com/acme/gitops.git",
        "githubAppID": "583231",
        "githubAppInstallationID": "1296269",
        "githubAppPrivateKey": "hush",
        **({"githubAppEnterpriseBaseUrl": api} if api else {}),
    }
    assert found.secret_inputs == {"stringData"}, "it must be encrypted in the state"


@pytest.mark.parametrize("name", ["gitToken", "gitPrivateKey"])
def test_every_credential_of_the_gitops_repository_is_encrypted(prod: Settings, name: str) -> None:
    found = secrets_of(install(prod, **{name: "hush"}))["gitops-repository"]
    assert found.secret_inputs == {"stringData"}


def test_an_open_repository_needs_no_credentials(prod: Settings) -> None:
    assert "gitops-repository" not in secrets_of(install(prod))


def test_announced_pushes_are_believed_only_when_signed(prod: Settings) -> None:
    signed = argocd_values.values(
        wiring.argocd_installation(prod, frozenset(["gitWebhookSecret"]))
    )["configs"]["secret"]
    assert signed == {"githubSecret": "$argocd-platform:gitWebhookSecret"}
    assert chart_values(prod, ())["configs"]["secret"] == {"githubSecret": ""}


# Rights


def rights(settings: Settings) -> dict[str, set[tuple[str, str, str]]]:
    """What each role may do, as (resource, action, object)."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for role, resource, action, object_ in argocd_rbac.rules(
        settings.catalogue, owners_sync=settings.speed.owners_sync
    ):
        found.setdefault(role, set()).add((resource, action, object_))
    return found


def test_teams_sync_their_own_dev_applications(dev: Settings) -> None:
    for namespace, name, service in dev.catalogue.entries():
        own = rights(dev)[f"role:team-{service.owner}"]
        assert ("applications", "sync", f"{namespace}/{name}") in own


def test_teams_do_not_even_see_what_others_own(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        owned = {
            f"role:team-{team}": {
                f"{namespace}/{name}"
                for namespace, name, service in settings.catalogue.entries()
                if service.owner == team
            }
            for team in settings.catalogue.teams
        }
        for role, objects in owned.items():
            assert {object_ for _, _, object_ in rights(settings)[role]} == objects


def test_only_releasers_sync_prod(prod: Settings) -> None:
    syncing = {
        role
        for role, _, action, _ in argocd_rbac.rules(
            prod.catalogue, owners_sync=prod.speed.owners_sync
        )
        if action == "sync"
    }
    assert syncing == {"role:releaser"}


def test_nobody_may_do_more_than_look_and_sync(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        for role, granted in rights(settings).items():
            actions = {(resource, action) for resource, action, _ in granted}
            assert actions <= {
                ("applications", "get"),
                ("applications", "sync"),
                ("logs", "get"),
                ("projects", "get"),
            }, role


def test_who_is_in_no_group_sees_nothing(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        assert (
            argocd_rbac.rbac(settings.catalogue, owners_sync=True, groups_claim="groups")[
                "policy.default"
            ]
            == ""
        )


def test_rights_are_given_to_the_groups_of_the_catalogue(prod: Settings) -> None:
    lines = argocd_policy(prod).splitlines()
    assert "g, acme:gaming, role:team-gaming" in lines
    assert "g, acme:releasers, role:releaser" in lines


# Notifications


def loud(tell: Tell, **channels: str) -> Settings:
    return tell("prod", notifications=channels)


def notified(settings: Settings, *secrets: str) -> dict[str, Any]:
    return notifications.notifications(
        settings.config.argocd.notifications, environment=settings.stack, secrets=secrets
    )


def test_slack_and_webhook_hear_of_all_four_events(tell: Tell) -> None:
    said = notified(loud(tell, slackChannel="deploys", webhook="https://hook.example"))
    assert said["subscriptions"] == [
        {
            "recipients": ["slack:deploys", "platform"],
            "triggers": [
                "on-deployed",
                "on-health-degraded",
                "on-sync-failed",
                "waiting-for-approval",
            ],
        }
    ]


def test_every_trigger_sends_a_template_that_exists(tell: Tell) -> None:
    said = notified(loud(tell, slackChannel="deploys"))
    for text in said["triggers"].values():
        for condition in yaml.safe_load(text):
            for template in condition["send"]:
                assert f"template.{template}" in said["templates"]


def test_a_service_is_told_only_where_somebody_listens(tell: Tell) -> None:
    assert notified(loud(tell, slackChannel="deploys"))["notifiers"].keys() == {"service.slack"}
    assert notified(loud(tell, webhook="https://hook.example"))["notifiers"].keys() == {
        "service.webhook.platform"
    }


def test_the_webhook_carries_a_token_where_one_is_set(tell: Tell) -> None:
    settings = loud(tell, webhook="https://hook.example")
    for secrets, expected in (((), False), (("webhookToken",), True)):
        service = notified(settings, *secrets)["notifiers"]["service.webhook.platform"]
        assert ("Authorization" in service) is expected


def test_messages_say_what_where_and_which_revision(tell: Tell) -> None:
    for text in notified(loud(tell, slackChannel="deploys"))["templates"].values():
        template = yaml.safe_load(text)
        report = json.loads(template["webhook"]["platform"]["body"])
        assert {"event", "service", "environment", "revision", "runs", "url"} <= report.keys()
        assert "/applications/" in template["message"]
        (attachment,) = json.loads(template["slack"]["attachments"])
        assert attachment["title_link"] == report["url"]
