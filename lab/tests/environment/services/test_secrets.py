"""A secret arrives from AWS Secrets Manager, is rotated, and is refused to the neighbour."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from lab.kubectl import KubectlError
from lab.tests.environment.conftest import Lab
from lab.tests.environment.services.catalogue import SECRETS as NAMESPACE
from lab.tests.environment.services.conftest import Extended
from lab.up import unsettled
from lab.waiting import wait_until_empty

SERVICES = ("ledgers", "payments")
SECRET = "acme/dev/pay/payments/DATABASE_URL"
READER = "acme-dev-secrets-reader"
TRACKED_BY_LEDGERS = {"argocd.argoproj.io/tracking-id": "ledgers:apps/Deployment:pay/thief"}


@dataclass(frozen=True)
class Pay:
    """dev with two services of one namespace, one of which has its secret from the start."""

    lab: Lab

    def application(self, name: str) -> dict[str, Any]:
        return self.lab.argocd("dev").application(name, refresh=True)

    def settle(self, name: str) -> None:
        def missing() -> str:
            found = self.lab.argocd("dev").applications().get(name)
            return unsettled(found, automated=True)

        wait_until_empty(f"{name} Synced and Healthy", missing, seconds=150)

    def value(self, name: str) -> str | None:
        """What is in a Secret; None where there is none."""
        try:
            found = self.kubectl.get(f"secret/{name}", f"--namespace={NAMESPACE}")
        except KubectlError:
            return None
        return base64.b64decode(found["data"]["value"]).decode()

    @property
    def kubectl(self) -> Any:
        return self.lab.kubectl("dev")

    def refresh(self, name: str, mark: str) -> None:
        """Let External Secrets look now, as docs/services.md shows."""
        self.kubectl(
            "annotate", f"externalsecret/{name}", f"--namespace={NAMESPACE}", f"now={mark}",
            "--overwrite",
        )  # fmt: skip

    def deployment(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.kubectl.get(f"deployment/{name}", f"--namespace={NAMESPACE}")
        return found

    def pods(self, name: str) -> set[str]:
        found = self.kubectl.get(
            "pods", f"--namespace={NAMESPACE}", f"--selector=app.kubernetes.io/name={name}"
        )
        return {pod["metadata"]["uid"] for pod in found["items"]}

    def apply(self, manifest: dict[str, Any]) -> str:
        whole = {**manifest, "metadata": {"namespace": NAMESPACE, **manifest["metadata"]}}
        text = yaml.safe_dump(whole).replace("REGISTRY", self.lab.site.registry_host)
        return str(self.kubectl("create", "--filename=-", stdin=text))


@pytest.fixture(scope="module")
def pay(more: Extended) -> Pay:
    more.lab.aws("secretsmanager").create_secret(
        Name="acme/dev/pay/ledgers/key.pem", SecretString="a key"
    )
    for name in SERVICES:
        more.builds.build(name, f"{name}: the first build")
    return Pay(more.lab)


def test_a_missing_value_is_named_and_blocks_nothing_else(pay: Pay) -> None:
    pay.settle("ledgers")
    assert pay.value("ledgers.key.pem") == "a key"

    def not_degraded() -> str:
        found = pay.application("payments")["status"]
        said = [r for r in found.get("resources", []) if r["kind"] == "ExternalSecret"]
        degraded = [r["name"] for r in said if r.get("health", {}).get("status") == "Degraded"]
        return "" if degraded == ["payments.database-url"] else f"degraded: {degraded}"

    wait_until_empty("the missing value is named", not_degraded, seconds=90)
    assert pay.application("payments")["status"]["sync"]["status"] == "Synced"
    assert pay.value("payments.database-url") is None


def test_a_value_arrives_and_a_rotation_rolls_the_pods(pay: Pay) -> None:
    manager = pay.lab.aws("secretsmanager")
    manager.create_secret(Name=SECRET, SecretString="postgres://one")
    pay.refresh("payments.database-url", "first")
    wait_until_empty("the value", lambda: pay.value("payments.database-url") != "postgres://one")
    pay.settle("payments")
    wait_until_empty("the look at it", lambda: not noticed(pay), seconds=60)
    before, pods = pay.deployment("payments"), pay.pods("payments")
    assert changed(before) is None

    manager.put_secret_value(SecretId=SECRET, SecretString="postgres://two")
    pay.refresh("payments.database-url", "second")
    wait_until_empty(
        "the other value", lambda: pay.value("payments.database-url") != "postgres://two"
    )
    wait_until_empty(
        "other pods", lambda: pay.pods("payments") & pods or not pay.pods("payments"), seconds=90
    )
    assert changed(pay.deployment("payments"))
    pay.settle("payments")
    assert pay.application("payments")["status"]["sync"]["status"] == "Synced"
    assert changed(pay.deployment("payments")), "Argo CD took the annotation back"
    assert changed(pay.deployment("ledgers")) is None


def noticed(pay: Pay) -> bool:
    return "secrets-rollout/seen" in pay.deployment("payments")["metadata"]["annotations"]


def changed(deployment: dict[str, Any]) -> str | None:
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    found: str | None = annotations.get("secrets-rollout/changed")
    return found


def pod_spec(account: str, secret: str = "") -> dict[str, Any]:
    read = [{"name": "STOLEN", "valueFrom": {"secretKeyRef": {"name": secret, "key": "value"}}}]
    return {
        "serviceAccountName": account,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "thief",
                "image": "REGISTRY/acme/ledgers:1",
                "env": read if secret else [],
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }


def external_secret(name: str, store: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name},
        "spec": {
            "secretStoreRef": {"name": store},
            "data": [{"secretKey": "value", "remoteRef": {"key": "DATABASE_URL"}}],
            **spec,
        },
    }


def deployment(account: str) -> dict[str, Any]:
    labels = {"app": "thief"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "thief", "annotations": TRACKED_BY_LEDGERS},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(account)},
        },
    }


def pod(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "thief"}, "spec": spec}


def with_volume(account: str, volume: dict[str, Any]) -> dict[str, Any]:
    return {**pod_spec(account), "volumes": [{"name": "v", **volume}]}


MINE = "payments.database-url"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a variable": (pod(pod_spec("ledgers", MINE)), "names a Secret of another service"),
    "a volume": (
        pod(with_volume("ledgers", {"secret": {"secretName": MINE}})),
        "names a Secret of another service",
    ),
    "a projected volume": (
        pod(with_volume("default", {"projected": {"sources": [{"secret": {"name": MINE}}]}})),
        "names a Secret of another service",
    ),
    "another's account": (
        deployment("payments"),
        "the service account payments has secrets or rights in AWS",
    ),
    "another's store": (
        external_secret("ledgers.stolen", "payments"),
        "takes from the SecretStore that its own name begins with",
    ),
    "another's store by an entry": (
        external_secret(
            "ledgers.stolen",
            "ledgers",
            data=[
                {
                    "secretKey": "value",
                    "remoteRef": {"key": "DATABASE_URL"},
                    "sourceRef": {"storeRef": {"name": "payments"}},
                }
            ],
        ),
        "takes from no other source",
    ),
    "a Secret of another name": (
        external_secret("payments.copy", "payments", target={"name": "everybodys"}),
        "makes the Secret of its own name",
    ),
    "a template from another's Secret": (
        external_secret(
            "ledgers.stolen",
            "ledgers",
            target={
                "template": {
                    "templateFrom": [
                        {"secret": {"name": MINE, "items": [{"key": "value"}]}},
                    ]
                }
            },
        ),
        "a template of an ExternalSecret reads no other Secret",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_neighbour_is_refused(pay: Pay, case: str) -> None:
    manifest, reason = REFUSED[case]
    with pytest.raises(KubectlError, match=reason):
        pay.apply(manifest)


def test_what_is_ones_own_is_admitted(pay: Pay) -> None:
    pay.apply(pod(pod_spec("ledgers", "ledgers.key.pem")))
    pay.kubectl("delete", f"--namespace={NAMESPACE}", "pod/thief", "--wait=false")


@pytest.fixture
def enforced(lab: Lab) -> Iterator[None]:
    """AWS decides by the policies of the reader."""
    lab.site.checked_roles.write_text(f"{READER}\n")
    yield
    lab.site.checked_roles.unlink()


@pytest.mark.usefixtures("enforced")
@pytest.mark.parametrize(
    ("tags", "secret", "allowed"),
    [
        ({"namespace": "pay", "service": "ledgers"}, "acme/dev/pay/ledgers/key.pem", True),
        ({"namespace": "pay", "service": "ledgers"}, SECRET, False),
        ({"namespace": "pay", "service": "payments"}, "acme/prod/pay/payments/DATABASE_URL", False),
        ({"namespace": "pay", "service": "pay"}, SECRET, False),
        ({}, SECRET, False),
    ],
)
def test_aws_lets_the_reader_read_for_the_service_of_its_session_alone(
    pay: Pay, tags: dict[str, str], secret: str, allowed: bool
) -> None:
    manager = session(pay.lab, tags)
    if allowed:
        assert manager.get_secret_value(SecretId=secret)["SecretString"] == "a key"
        return
    with pytest.raises(ClientError, match="AccessDenied"):
        manager.get_secret_value(SecretId=secret)


def session(lab: Lab, tags: dict[str, str]) -> Any:
    """Secrets Manager, as the reader for a service."""
    owner = lab.builds.settings.registry_owner
    keys = lab.aws("sts").assume_role(
        RoleArn=f"arn:aws:iam::{owner.account}:role/{READER}",
        RoleSessionName="test",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )["Credentials"]
    connect: Any = boto3.client
    return connect(
        "secretsmanager",
        region_name=owner.region,
        endpoint_url=lab.site.url("aws"),
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
