"""The way in: names in Route 53, and what answers behind them."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from gitops.version import version_file
from lab import gitea, names
from lab.gitops_checkout import commit_and_push, git
from lab.identity_provider import id_token
from lab.tests.environment.conftest import Lab
from lab.waiting import wait_until_empty
from settings.addresses import hosts
from settings.files import ROOT
from settings.loading import load_files

STACKS = ["dev", "prod"]


def curl(lab: Lab, stack: str, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """curl by the name alone: the proxy asks Route 53 where it leads."""
    return subprocess.run(
        [
            "curl",
            "--silent",
            "--show-error",
            "--proxy",
            lab.site.url("names"),
            "--cacert",
            str(lab.site.authority_of_names(stack)),
            *options,
            url,
        ],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def records(lab: Lab) -> dict[tuple[str, str], Any]:
    return {
        (one["Name"], one["Type"]): one
        for environment in lab.site.environments
        for one in names.records(lab.site, environment)
    }


def test_every_reachable_service_of_dev_has_a_name_that_leads_to_the_load_balancer(
    lab: Lab,
) -> None:
    settings = load_files("dev", ROOT)
    wanted = [settings.config.argocd_domain, *hosts(settings)]

    wait_until_empty(
        "the names of dev",
        lambda: [host for host in wanted if names.environment_of(lab.site, host) != "dev"],
        seconds=90,
    )
    found = records(lab)
    for host in wanted:
        alias = found[f"{host}.", "A"]["AliasTarget"]
        assert alias["DNSName"].startswith("k8s-acmedev-")
        (mark,) = found[f"a-{host}.", "TXT"]["ResourceRecords"]
        assert "external-dns/owner=acme-dev" in mark["Value"]


def test_curl_by_name_reaches_the_pod_of_a_service(lab: Lab) -> None:
    done = curl(lab, "dev", "https://tournaments.dev.acme.example/anything")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    pods = lab.kubectl("dev").get("pods", "--namespace", "community")
    running = {one["metadata"]["name"] for one in pods["items"]}
    assert answer["namespace"] == "community"
    assert answer["pod"] in running
    assert "/community/tournaments:" in answer["image"]


@pytest.mark.parametrize("stack", STACKS)
def test_curl_by_name_reaches_the_api_of_argo_cd(lab: Lab, stack: str) -> None:
    host = load_files(stack, ROOT).config.argocd_domain
    token = id_token(lab.site, "rhea", "argocd")
    done = curl(
        lab,
        stack,
        f"https://{host}/api/v1/applications?fields=items.metadata.name",
        "--header",
        f"Authorization: Bearer {token}",
    )
    assert done.returncode == 0, done.stderr
    found = {one["metadata"]["name"] for one in json.loads(done.stdout)["items"]}
    assert {"tournaments", "tv-api"} <= found


def test_a_name_that_nobody_has_leads_nowhere(lab: Lab) -> None:
    done = curl(lab, "dev", "https://nobody.dev.acme.example/")
    assert done.returncode != 0
    assert "502" in done.stderr


def test_http_is_redirected(lab: Lab) -> None:
    done = curl(
        lab,
        "dev",
        "http://tournaments.dev.acme.example/x",
        "--write-out",
        "%{http_code} %{redirect_url}",
    )
    assert done.stdout == "301 https://tournaments.dev.acme.example/x"


def test_the_certificate_is_proven_by_records_in_the_zone(lab: Lab) -> None:
    for environment, domain in (("dev", "*.dev.acme.example"), ("prod", "*.acme.example")):
        acm = lab.aws("acm", environment)
        (one,) = acm.list_certificates()["CertificateSummaryList"]
        certificate = acm.describe_certificate(CertificateArn=one["CertificateArn"])["Certificate"]
        assert certificate["DomainName"] == domain
        assert certificate["Status"] == "ISSUED"
        (option,) = certificate["DomainValidationOptions"]
        proof = option["ResourceRecord"]
        assert (proof["Name"], "CNAME") in records(lab)


def test_git_tells_argo_cd_of_a_push_by_its_name(lab: Lab, tmp_path: Path) -> None:
    """Within seconds, and not at the next poll."""
    argocd = lab.argocd("dev")
    checkout = lab.clone(tmp_path / "gitops")
    file, _ = version_file("kustomize", "")
    note = checkout / "environments" / "dev" / "streaming" / "tv-api" / "version" / file
    note.write_text(note.read_text() + f"# {time.time()}\n")
    commit_and_push(checkout, "A comment beside the version")
    pushed = git(checkout, "rev-parse", "HEAD").strip()

    def missing() -> str:
        revision = argocd.application("tv-api")["status"]["sync"].get("revision")
        return "" if revision == pushed else f"Argo CD knows {revision}"

    wait_until_empty("Argo CD hears of the push", missing, seconds=20)
    logs = (lab.site.logs() / "dev-argocd-server.log").read_text(encoding="utf-8", errors="replace")
    assert "Received push event" in logs


def test_git_knows_argo_cd_by_its_name_alone(lab: Lab) -> None:
    hooks = gitea.administrator(lab.site).call("GET", "/repos/acme/gitops/hooks")
    assert sorted(hook["config"]["url"] for hook in hooks) == [
        "https://argocd.acme.example/api/webhook",
        "https://argocd.dev.acme.example/api/webhook",
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_the_outputs_say_where_everything_is(lab: Lab, stack: str) -> None:
    outputs = lab.program.outputs(stack)
    domain = load_files(stack, ROOT).config.domain
    assert outputs["addresses"]["tournaments"] == f"https://tournaments.{domain}"
    assert outputs["addresses"]["Argo CD"] == f"https://argocd.{domain}"
    (left,) = outputs["leftToDo"]
    assert f"argocd.{domain}/api/webhook" in left
