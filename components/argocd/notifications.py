"""What Argo CD reports, when and in which words: data of `argocd-notifications-cm`. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import yaml

from settings.argocd import Notifications

SECRET = "argocd-notifications-secret"  # noqa: S105 -- the Secret's name
SECRET_KEYS = ("slackToken", "webhookToken")
"""The keys of the Secret, as far as the stack sets them."""
WEBHOOK = "platform"

LINK = "{{.context.argocdUrl}}/applications/{{.app.metadata.namespace}}/{{.app.metadata.name}}"
REVISION = "{{.app.status.sync.revision}}"
IMAGES = "{{range $i, $image := .app.status.summary.images}}{{if $i}}, {{end}}{{$image}}{{end}}"


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event that is announced."""

    name: str
    when: str
    """An expression over `app`, as Argo CD's notifications know them."""
    once_per: str | None
    """Send once for each value of this expression; without it, whenever `when` becomes true."""
    headline: str
    colour: str


EVENTS = (
    Event(
        name="on-deployed",
        when="app.status?.operationState?.phase == 'Succeeded' "
        "and app.status?.health?.status == 'Healthy' "
        "and app.status?.sync?.status == 'Synced'",
        once_per="app.status?.operationState?.syncResult?.revision",
        headline="is deployed on",
        colour="#18be52",
    ),
    Event(
        name="on-health-degraded",
        when="app.status?.health?.status == 'Degraded'",
        # Without once_per: a version that recovers and fails again is worth a second message.
        once_per=None,
        headline="is degraded on",
        colour="#f4c030",
    ),
    Event(
        name="on-sync-failed",
        when="app.status?.operationState?.phase in ['Error', 'Failed']",
        once_per=None,  # a second attempt that fails is news too
        headline="failed to sync on",
        colour="#e96d76",
    ),
    Event(
        name="waiting-for-approval",
        when="app.status?.sync?.status == 'OutOfSync' "
        "and app.spec?.syncPolicy?.automated == nil "
        "and app.status?.operationState?.phase != 'Running'",
        # Every commit of the repository is a new revision, so once for each would be a flood.
        once_per=None,
        headline="waits for an approved sync on",
        colour="#0dadea",
    ),
)


def notifications(
    config: Notifications, *, environment: str, secrets: Collection[str]
) -> dict[str, Any]:
    """The chart's `notifications` values: services, templates, triggers, who hears of them.

    Without a receiver the controller is not installed.
    The tokens stay in the Secret, which the program makes; `secrets` are the names of those that
    are set.
    """
    recipients = _recipients(config)
    if not recipients:
        return {"enabled": False}
    return {
        "enabled": True,
        "secret": {"create": False, "name": SECRET},
        "context": {"environment": environment},
        "notifiers": _services(config, secrets),
        "templates": {f"template.{event.name}": _template(event) for event in EVENTS},
        "triggers": {f"trigger.{event.name}": _trigger(event) for event in EVENTS},
        # In one place, for every Application, also one that is created by hand.
        "subscriptions": [{"recipients": recipients, "triggers": [event.name for event in EVENTS]}],
        "resources": {
            "requests": {"cpu": "25m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
    }


def _recipients(config: Notifications) -> list[str]:
    slack = [f"slack:{config.slack_channel}"] if config.slack_channel else []
    return [*slack, *([WEBHOOK] if config.webhook else [])]


def _services(config: Notifications, secrets: Collection[str]) -> dict[str, str]:
    services: dict[str, str] = {}
    if config.slack_channel:
        services["service.slack"] = _yaml({"token": "$slackToken"})
    if config.webhook:
        headers = [{"name": "Content-Type", "value": "application/json"}]
        if "webhookToken" in secrets:
            headers.append({"name": "Authorization", "value": "Bearer $webhookToken"})
        services[f"service.webhook.{WEBHOOK}"] = _yaml({"url": config.webhook, "headers": headers})
    return services


def _template(event: Event) -> str:
    title = f"{{{{.app.metadata.name}}}} {event.headline} {{{{.context.environment}}}}"
    facts = [("Revision", REVISION), ("Runs", IMAGES)]
    attachment = {
        "title": title,
        "title_link": LINK,
        "color": event.colour,
        "fields": [{"title": fact, "value": value, "short": True} for fact, value in facts],
    }
    report = {
        "event": event.name,
        "service": "{{.app.metadata.name}}",
        "namespace": "{{.app.spec.destination.namespace}}",
        "environment": "{{.context.environment}}",
        "revision": REVISION,
        "runs": IMAGES,
        "url": LINK,
    }
    return _yaml(
        {
            "message": f"{title}: {LINK}",
            "slack": {"attachments": json.dumps([attachment], indent=2)},
            "webhook": {WEBHOOK: {"method": "POST", "body": json.dumps(report, indent=2)}},
        }
    )


def _trigger(event: Event) -> str:
    condition = {"when": event.when, "send": [event.name]}
    if event.once_per:
        condition["oncePer"] = event.once_per
    return _yaml([condition])


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=float("inf"))
