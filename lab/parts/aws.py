"""AWS, played by moto, with the roles that the stack files name; ECR hears of the registry's pushes.

Beside AWS's own API it answers `GET /lab/ready` and `POST /lab/registry-events`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from lab.part import Part
from lab.readiness import http_ok
from lab.site import CHECKOUT, HOST, Site
from lab.state import write_atomically
from settings import Settings, load_files

MOTO_ACCOUNT = "123456789012"
"""Whoever has no known access key acts in this account."""
NOBODY = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}


def part(site: Site) -> Part:
    return Part(
        name="aws",
        port=site.port("aws"),
        ready=http_ok(f"{site.url('aws')}/lab/ready"),
        command=(sys.executable, "-m", "lab.parts.aws"),
    )


class Account:
    """boto3 clients for one account and region of the lab's AWS."""

    def __init__(self, site: Site, account: str, region: str) -> None:
        self._site = site
        self._region = region
        self._credentials = dict(NOBODY)
        if account != MOTO_ACCOUNT:
            self._credentials = self.assume(f"arn:aws:iam::{account}:role/lab")

    def client(self, service: str) -> Any:
        import boto3  # noqa: PLC0415 - the supervisor imports this file and needs no AWS

        return boto3.client(
            service,
            region_name=self._region,
            endpoint_url=self._site.url("aws"),
            **self._credentials,
        )

    def assume(self, role: str) -> dict[str, str]:
        """boto3's keyword arguments for a session of that role, named `lab`."""
        answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName="lab")
        keys = answer["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }


def roles(settings: Settings) -> list[str]:
    """The ARNs of every role that an environment lets into its cluster, sorted."""
    principals: set[str] = set()
    for environment in settings.environments:
        access = environment.config.cluster.access
        principals.update(access.platform, access.read_only, *access.teams.values())
    return sorted(arn for arn in principals if ":role/" in arn)


def create_roles(site: Site, settings: Settings) -> None:
    """Creates the roles that are not there yet; their own account may assume them."""
    region = settings.environment.region
    for arn in roles(settings):
        account, _, path = arn.split(":", 4)[4].partition(":role/")
        *folders, name = path.split("/")
        iam = Account(site, account, region).client("iam")
        if name in {role["RoleName"] for role in iam.list_roles()["Roles"]}:
            continue
        iam.create_role(
            RoleName=name,
            Path="/" + "".join(f"{folder}/" for folder in folders),
            AssumeRolePolicyDocument=json.dumps(_trusts(account)),
        )


def write_credentials(site: Site, settings: Settings) -> None:
    """Writes the AWS_* variables of the platform's role."""
    region = settings.environment.region
    platform = settings.config.cluster.access.platform[0]
    keys = Account(site, MOTO_ACCOUNT, region).assume(platform)
    variables = {
        **{name.upper(): value for name, value in keys.items()},
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": site.url("aws"),
    }
    text = "".join(f"{name}={value}\n" for name, value in variables.items())
    write_atomically(site.aws_credentials, text, mode=0o600)


def pushed_tags(events: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(repository, tag, digest) of every tag that a registry's notification says was pushed."""
    for event in events.get("events", []):
        target = event.get("target", {})
        if event.get("action") == "push" and target.get("tag"):
            yield target["repository"], target["tag"], target["digest"]


def record_pushes(site: Site, settings: Settings, tags: Iterable[tuple[str, str, str]]) -> None:
    """Tells ECR what the registry holds, so that it can list and describe it."""
    import requests  # noqa: PLC0415 - see Account.client
    from botocore.exceptions import ClientError  # noqa: PLC0415

    owner = settings.registry_owner
    ecr = Account(site, owner.account, owner.region).client("ecr")
    for repository, tag, digest in tags:
        manifest = requests.get(
            f"{site.url('registry')}/v2/{repository}/manifests/{digest}",
            headers={"Accept": "*/*"},
            timeout=5,
        )
        try:
            manifest.raise_for_status()
            ecr.put_image(
                repositoryName=repository,
                imageManifest=manifest.text,
                imageManifestMediaType=manifest.headers["Content-Type"],
                imageTag=tag,
                imageDigest=digest,
            )
            print(f"{repository}:{tag} is {digest}", flush=True)
        except (ClientError, requests.RequestException) as error:
            print(f"{repository}:{tag} was not recorded: {error}", flush=True)


class _App:
    """The lab's two routes, and AWS behind them."""

    def __init__(self, site: Site, settings: Settings, aws: Any) -> None:
        self._site = site
        self._settings = settings
        self._aws = aws
        self.ready = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/lab/ready":
                status = HTTPStatus.OK if self.ready else HTTPStatus.SERVICE_UNAVAILABLE
            case "/lab/registry-events":
                body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                record_pushes(self._site, self._settings, pushed_tags(json.loads(body)))
                status = HTTPStatus.OK
            case _:
                answer: Iterable[bytes] = self._aws(environ, start_response)
                return answer
        start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain")])
        return [status.phrase.encode()]


def journal(site: Site) -> Path:
    return site.home / "aws" / "journal.jsonl"


def main() -> None:
    from moto.backends import get_backend  # noqa: PLC0415 - see Account.client
    from moto.moto_api._internal import mock_random  # noqa: PLC0415
    from moto.server import (  # noqa: PLC0415
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415
    from werkzeug.test import EnvironBuilder  # noqa: PLC0415

    from lab.aws_journal import JournaledApp  # noqa: PLC0415

    site = Site.from_environment()
    settings = load_files(site.environments[0], CHECKOUT)
    # Each region's default network is made at the first touch: always here, always the same.
    for account, region in sorted({(e.account, e.region) for e in settings.environments}):
        mock_random.seed(0)
        _ = get_backend("ec2")[account][region]
    aws = JournaledApp(DomainDispatcherApplication(create_backend_app), journal(site))
    began = time.monotonic()
    count = aws.replay(EnvironBuilder(base_url=site.url("aws")).get_environ())
    print(f"{count} requests played again in {time.monotonic() - began:.1f} s", flush=True)
    app = _App(site, settings, aws)
    server = make_server(
        HOST, site.port("aws"), app, threaded=True, request_handler=MotoRequestHandler
    )
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    create_roles(site, settings)
    write_credentials(site, settings)
    app.ready = True
    serving.join()


def _trusts(account: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }


if __name__ == "__main__":
    main()
