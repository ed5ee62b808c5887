"""AWS accounts of the lab: clients for them, what is in them, the platform's credentials."""

from __future__ import annotations

import json
from typing import Any

import boto3

from lab.site import Site
from lab.state import write_atomically
from settings.environment import Settings

MOTO_ACCOUNT = "123456789012"
"""The account of callers whose access key moto does not know."""
SESSION_SECONDS = 12 * 3600
"""The longest session that AWS allows."""
NOBODY = {"aws_access_key_id": "lab", "aws_secret_access_key": "lab"}


class Account:
    """boto3 clients for one account and region of the lab's AWS."""

    def __init__(self, site: Site, account: str, region: str) -> None:
        self._site = site
        self._region = region
        self._credentials = dict(NOBODY)
        if account != MOTO_ACCOUNT:
            self._credentials = self.assume(f"arn:aws:iam::{account}:role/lab")

    def client(self, service: str) -> Any:
        connect: Any = boto3.client
        return connect(
            service,
            region_name=self._region,
            endpoint_url=self._site.url("aws"),
            **self._credentials,
        )

    @property
    def variables(self) -> dict[str, str]:
        """The AWS_* variables with which a program is in this account, whatever it had before."""
        keys = {name.upper(): value for name, value in self._credentials.items()}
        return {"AWS_SESSION_TOKEN": "", **keys}

    def assume(self, role: str) -> dict[str, str]:
        """boto3's keyword arguments for a session of that role, named `lab`."""
        answer = self.client("sts").assume_role(
            RoleArn=role, RoleSessionName="lab", DurationSeconds=SESSION_SECONDS
        )
        keys = answer["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }


def roles(settings: Settings) -> list[str]:
    """The ARNs of every role that may access the cluster of an environment, sorted."""
    principals: set[str] = set()
    for environment in settings.environments:
        access = environment.config.cluster.access
        principals.update(access.platform, access.read_only, *access.teams.values())
    return sorted(arn for arn in principals if ":role/" in arn)


def create_roles(site: Site, settings: Settings) -> None:
    """Create the roles that do not exist; their own account may assume them."""
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
            AssumeRolePolicyDocument=trust(account),
        )


def create_zones(site: Site, settings: Settings) -> None:
    """Create the public hosted zones that environments name and that do not exist."""
    for environment in settings.environments:
        zone = environment.config.ingress and environment.config.ingress.zone
        if not zone:
            continue
        route53 = Account(site, environment.account, environment.region).client("route53")
        known = {one["Name"] for one in route53.list_hosted_zones()["HostedZones"]}
        if f"{zone}." not in known:
            route53.create_hosted_zone(Name=zone, CallerReference=zone)


def write_credentials(site: Site, settings: Settings) -> None:
    """Write the AWS_* variables of each environment's platform role, in its account, to a file."""
    for environment in settings.environments:
        region = environment.region
        platform = environment.config.cluster.access.platform[0]
        keys = Account(site, environment.account, region).assume(platform)
        variables = {
            **{name.upper(): value for name, value in keys.items()},
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": site.url("aws"),
        }
        text = "".join(f"{name}={value}\n" for name, value in variables.items())
        write_atomically(site.aws_credentials(environment.name), text, mode=0o600)


def trust(account: str) -> str:
    """The trust policy of a role that its own account may assume."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
