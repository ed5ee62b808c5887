"""Names of the lab: where they lead by Route 53's records, and what they are proven with."""

from __future__ import annotations

from typing import Any

from lab import load_balancer
from lab.aws_account import Account
from lab.kubernetes_api import KubernetesApi
from lab.pki import self_signed_once
from lab.site import CHECKOUT, Site
from settings.loading import load_files


def environment_of(site: Site, host: str) -> str | None:
    """The environment to whose load balancer a name leads; None where it leads nowhere."""
    target = target_of(site, host)
    if target is None:
        return None
    for environment in site.environments:
        if target in load_balancer.addresses(KubernetesApi(site, environment)):
            return environment
    return None


def target_of(site: Site, host: str) -> str | None:
    """The name that a record of the host leads to, as an alias or a CNAME."""
    for environment in site.environments:
        where = load_files(environment, CHECKOUT).environment
        zone = where.config.ingress and where.config.ingress.zone
        if zone and host.endswith(f".{zone}"):
            for record in records(site, environment):
                if record["Name"] == f"{host}." and (target := _target(record)):
                    return target
    return None


def argocd_url(site: Site, environment: str) -> str:
    """Where people and Git reach an environment's Argo CD: by its name, if it has one."""
    config = load_files(environment, CHECKOUT).config
    return (
        f"https://{config.argocd_domain}"
        if config.ingress
        else site.url("argocd-server", environment)
    )


def certificate(site: Site, environment: str) -> tuple[str, str]:
    """The files of the load balancer's certificate, which is its own authority, and of its key."""
    config = load_files(environment, CHECKOUT).config
    wanted = [f"*.{config.domain}", config.argocd_domain]
    return self_signed_once(site.authority_of_names(environment), wanted)


def records(site: Site, environment: str) -> list[dict[str, Any]]:
    """Every record of the environment's zone; none where it names no zone."""
    where = load_files(environment, CHECKOUT).environment
    route53 = Account(site, where.account, where.region).client("route53")
    zone = where.config.ingress and where.config.ingress.zone
    listed = route53.list_hosted_zones()["HostedZones"] if zone else []
    found: list[dict[str, Any]] = []
    for one in listed:
        if one["Name"] == f"{zone}.":
            answer = route53.list_resource_record_sets(HostedZoneId=one["Id"])
            found += answer["ResourceRecordSets"]
    return found


def _target(record: dict[str, Any]) -> str | None:
    if alias := record.get("AliasTarget"):
        return str(alias["DNSName"]).rstrip(".")
    values = record.get("ResourceRecords", ()) if record["Type"] == "CNAME" else ()
    return next((str(value["Value"]).rstrip(".") for value in values), None)
