"""The lab's AWS inside the process: boto3 clients whose requests go to the WSGI application."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.validate import ParamValidator
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

from lab.aws_account import NOBODY
from lab.aws_api.api_request import ApiRequest, StandIn
from lab.aws_api.backend import Backend
from lab.aws_api.calls import Body
from lab.aws_api.frontend import Frontend
from lab.aws_api.record import recorded
from lab.aws_api.stand_ins import STAND_INS
from lab.aws_journal import JournaledApp
from lab.site import Site

REGION = "eu-central-1"
ACCOUNT = "123456789012"
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"AWS":"arn:aws:iam::123456789012:root"}}]}'
)


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@dataclass(frozen=True)
class LabAws:
    """One life of the lab's AWS; its journal is below the site's home."""

    site: Site
    app: Frontend

    def client(self, service: str, **credentials: str) -> Any:
        """A boto3 client that leaves every check to the server."""
        connect: Any = boto3.client
        made = connect(
            service,
            region_name=REGION,
            endpoint_url="http://127.0.0.1:1",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
            **(credentials or NOBODY),
        )
        made.meta.events.register("before-send", self._send)
        return made

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        address = urlsplit(request.url)
        body = request.body or b""
        status, headers, content = self.http(
            method=request.method,
            path=address.path,
            query_string=address.query,
            headers={
                name: value.decode() if isinstance(value, bytes) else value
                for name, value in request.headers.items()
            },
            data=body.encode() if isinstance(body, str) else body,
        )
        raw: Any = _Body(content)
        return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), raw)

    def http(self, **request: Any) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content of the answer to a plain HTTP request."""
        environ = EnvironBuilder(**request).get_environ()
        parts, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return int(status.partition(" ")[0]), dict(headers), b"".join(parts)

    def calls(self) -> list[dict[str, Any]]:
        return recorded(self.site.aws_calls)

    def session(self, role: str) -> dict[str, str]:
        """Credentials of a session of the role."""
        keys = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="lab"
        )["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }


def begin(home: Path) -> LabAws:
    """AWS with what the journal below `home` says, and otherwise empty."""
    moto_api_backend.reset()
    site = Site(home=home)
    moto = DomainDispatcherApplication(create_backend_app)
    stand_ins = {key: _checked(key, stand_in) for key, stand_in in STAND_INS.items()}
    remembered = JournaledApp(Backend(moto, site, stand_ins), site.home / "aws" / "journal.jsonl")
    remembered.replay(EnvironBuilder(base_url=site.url("aws")).get_environ())
    return LabAws(site, Frontend(remembered, site))


asked: set[tuple[str, str]] = set()
"""The stand-ins that were asked in this process."""


def _checked(key: tuple[str, str], stand_in: StandIn) -> StandIn:
    """A stand-in whose every answer must fit the output shape of AWS's model."""

    def check(call: ApiRequest) -> Body:
        asked.add(key)
        result = stand_in(call)
        shape = call.call.operation.output_shape
        if shape is not None:
            report = ParamValidator().validate(result, shape)
            assert not report.has_errors(), f"{key}: {report.generate_report()}"
        return result

    return check


def two_subnets(aws: LabAws, cidr: str = "10.0.0.0/16") -> list[str]:
    """Subnets in two zones of a new VPC."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    prefix = cidr.rsplit(".", 2)[0]
    return [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"{prefix}.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]


def cluster(aws: LabAws, **changes: Any) -> Any:
    """A cluster named acme-dev in subnets of its own, and EKS's answer."""
    wanted = {
        "name": "acme-dev",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/acme-dev-cluster",
        "version": "1.35",
        "resourcesVpcConfig": {"subnetIds": two_subnets(aws)},
        "accessConfig": {
            "authenticationMode": "API",
            "bootstrapClusterCreatorAdminPermissions": False,
        },
    }
    return aws.client("eks").create_cluster(**{**wanted, **changes})["cluster"]
