"""Every resource of an environment as the program registers it: inputs, options and order.

After an intended change: pytest tests/unit/test_resources_golden.py --regenerate
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.committed import on_node_groups
from tests.unit.conftest import CHECKOUT, Bend, hold
from tests.unit.existing import another_teams_cluster, use_existing_cluster
from tests.unit.recording import Answer, Recorded, Recording
from tests.unit.whole_program import record_program

GOLDEN = CHECKOUT / "tests" / "golden" / "resources"
VPC = "vpc-0a1b2c3d4e5f60718"
SUBNETS = {"subnet-0a1b2c3d": "eu-central-1a", "subnet-0a1b2c3e": "eu-central-1b"}
READ = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::acme-tv/*"]}
OPTIONS = (
    "protect",
    "retain_on_delete",
    "ignore_changes",
    "replace_on_changes",
    "replacement_trigger",
    "timeouts",
)


def described(recording: Recording) -> dict[str, Any]:
    """Each resource and its inputs, by type and name; what is empty or usual is left out."""
    names = {resource.urn: f"{resource.type} {resource.name}" for resource in recording.resources}
    return {
        names[resource.urn]: {
            key: value for key, value in _described(resource, names).items() if value
        }
        for resource in recording.resources
    }


def _described(resource: Recorded, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "inputs": {key: _readable(resource, key) for key in sorted(resource.inputs)},
        "secrets": sorted(resource.secret_inputs),
        "parent": names.get(resource.parent, ""),
        "provider": names.get(resource.provider.partition("::")[0], resource.provider[:1]),
        "after": sorted(names[urn] for urn in resource.depends_on if urn in names),
        "hooks": sorted(resource.hooks),
        "delete_before_replace": str(resource.delete_before_replace or ""),
        **{option: _plain(getattr(resource, option)) for option in OPTIONS},
    }


def _readable(resource: Recorded, key: str) -> Any:
    """Policies as what they say, and of the generated files, which are golden too, the paths."""
    value = resource.inputs[key]
    if key in ("managed", "seeded", "version") and isinstance(value, Mapping):
        return sorted(value)
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.loads(value)
    return "…" if key.startswith("__") else _plain(value)


def _plain(value: Any) -> Any:
    """The engine has every number as a fraction."""
    return json.loads(json.dumps(value), parse_float=lambda text: int(float(text)))


def committed(stack: str, root: Path, answers: Mapping[str, Answer] | None = None) -> Recording:
    return record_program(stack, root, CHECKOUT / "__main__.py", answers=answers)


def everything(config: dict[str, Any]) -> None:
    """What the committed fast environment leaves at its default, on node groups."""
    on_node_groups(config)
    config["platform:unprotected"] = ["cluster", "applications"]
    config["platform:observability"] = {"version": "v5.4.0-eksbuild.1"}
    config["platform:keel"]["metricsFrom"] = ["monitoring"]
    config["platform:registry"].update(encryption="KMS", untaggedDays=3, buildDays=30)
    config["platform:network"].update(flowLogs=True, nat="per-zone", zones=["a", "b", "c"])
    config["platform:cluster"].update(
        privateAccess=["10.99.0.0/16"],
        logs=["scheduler"],
        addons={"aws-ebs-csi-driver": "v1.63.1-eksbuild.1"},
    )
    groups = config["platform:cluster"]["nodeGroups"]
    groups[0]["schedule"] = {"stop": "0 20 * * mon-fri", "start": "0 7 * * mon-fri"}
    groups.append(
        {
            "name": "spare",
            "instanceTypes": ["m7i.large"],
            "minSize": 0,
            "maxSize": 2,
            "capacity": "spot",
            "diskGib": 80,
            "release": "1.35.2-20260710",
            "labels": {"pool": "spare"},
            "taints": [{"key": "spare", "value": "yes", "effect": "NO_EXECUTE"}],
        }
    )
    config["platform:cluster"]["access"]["readOnly"] = ["arn:aws:iam::123456789012:role/auditor"]
    config["platform:gitops"]["githubApp"] = {"id": 583231, "installation": 1296269}
    config["platform:argocd"].update(
        chart={"repository": "https://charts.acme.example", "version": "10.1.2"},
        sso={"github": {"organization": "acme"}, "clientId": "argocd"},
        notifications={"slackChannel": "deploys", "webhook": "https://hook.acme.example"},
        syncWindows=[
            {"schedule": "0 9 * * 1-4", "duration": "8h", "timeZone": "Europe/Berlin"},
            {"kind": "deny", "schedule": "0 0 20 12 *", "duration": "336h"},
        ],
    )
    hold(
        "githubAppPrivateKey", "gitWebhookSecret", "slackToken", "ssoClientSecret", "webhookToken"
    )(config)


def elsewhere(config: dict[str, Any]) -> None:
    """The committed safe environment in another team's cluster, with other ways to sign on."""
    use_existing_cluster(config, {"vpc": VPC, "privateSubnets": list(SUBNETS)})
    config["platform:gitops"].update(checkout="../other", releases="pull-request")
    config["platform:argocd"].update(
        sso={"issuer": "https://sso.acme.example", "clientId": "argocd", "groupsClaim": "teams"},
    )
    hold("gitToken", "ssoClientSecret", "webhookToken")(config)


def bounded(config: dict[str, Any]) -> None:
    config["platform:permissionsBoundary"] = "arn:aws:iam::123456789012:policy/boundary"


def private(catalogue: dict[str, Any]) -> None:
    """Whatever the committed catalogue lacks: secrets, rights in AWS, a migration, packages."""
    catalogue["namespaces"]["data"] = {
        "packages": {
            "queue": {
                "owner": "tvhub",
                "chart": {
                    "repository": "oci://registry.example.com/charts",
                    "name": "rabbitmq",
                    "version": "14.3.1",
                    "digest": f"sha256:{'5' * 64}",
                },
                "kinds": ["Secret"],
                "clusterKinds": ["rbac.authorization.k8s.io/ClusterRole"],
            }
        },
        "services": {
            "cache": {
                "owner": "gaming",
                "image": {
                    "name": "docker.io/library/redis",
                    "version": "7.4",
                    "digest": f"sha256:{'7' * 64}",
                },
                "port": 6379,
                "health": {"tcp": 6379},
            }
        },
        "kinds": ["gateway.networking.k8s.io/HTTPRoute"],
        "callers": ["streaming"],
        "images": ["docker.io/library/busybox"],
        "quota": {"dev": {"cpu": 4, "pods": 50}},
    }
    services = catalogue["namespaces"]["streaming"]["services"]
    services["tv-api"].update(
        secrets={"env": ["DATABASE_URL"], "files": ["client.pem"]},
        aws={"statements": [READ], "policies": ["arn:aws:iam::aws:policy/media/ReadTv"]},
        environments=["dev"],
    )
    services["tv-frontend"].update(
        migrate={"command": ["/migrate"]}, overrides={"dev": {"aws": {"statements": [READ]}}}
    )


CASES: Mapping[str, tuple[str, Any, Mapping[str, Answer]]] = {
    "dev": ("dev", None, {}),
    "prod": ("prod", None, {}),
    "dev-with-everything": ("dev", everything, {}),
    "prod-in-another-cluster": ("prod", elsewhere, another_teams_cluster(VPC, SUBNETS)),
}


@pytest.fixture
def made(case: str, configuration: Path, bend: Bend, monkeypatch: pytest.MonkeyPatch) -> Recording:
    stack, change, answers = CASES[case]
    if not change:
        return committed(stack, CHECKOUT)
    bend(f"Pulumi.{stack}.yaml", change)
    bend("Pulumi.dev.yaml", bounded)
    bend("services.yaml", private)
    monkeypatch.setattr("settings.pulumi_config.ROOT", configuration)
    return committed(stack, configuration, answers)


@pytest.mark.parametrize("case", CASES)
def test_the_resources_are_the_golden_ones(made: Recording, case: str, regenerate: bool) -> None:
    found = described(made)
    text = yaml.dump(found, Dumper=yaml.CSafeDumper, allow_unicode=True, width=100)
    file = GOLDEN / f"{case}.yaml"
    if regenerate:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    expected = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    assert found.keys() == expected.keys()
    for name, resource in found.items():
        assert resource == expected[name], name


OUTPUTS: dict[str, dict[str, list[str]]] = {
    "dev": {
        "Access": [],
        "Addons": [],
        "Applications": ["namespaces"],
        "ArgoCd": ["namespace", "url"],
        "AutoNodes": [],
        "CiIdentity": ["roleArns"],
        "Certificate": ["arn"],
        "Cluster": ["arn", "endpoint", "kubeconfig", "name"],
        "ControlPlane": ["arn", "endpoint", "name"],
        "Dns": [],
        "FrontDoor": [],
        "Ingress": ["class"],
        "Keel": ["namespace", "roleArn"],
        "Network": ["privateSubnetIds", "publicSubnetIds", "vpcId"],
        "Registry": ["urls"],
        "Repository": ["checkout"],
        "Tenancy": [],
    },
    "dev-with-everything": {
        "Access": [],
        "Addons": [],
        "Applications": ["namespaces"],
        "ArgoCd": ["namespace", "url"],
        "Certificate": ["arn"],
        "CiIdentity": ["roleArns"],
        "Cluster": ["arn", "endpoint", "kubeconfig", "name"],
        "ControlPlane": ["arn", "endpoint", "name"],
        "Dns": [],
        "ExternalSecrets": ["readerArn"],
        "FrontDoor": [],
        "Ingress": ["class"],
        "Isolation": [],
        "Keel": ["namespace", "roleArn"],
        "LoadBalancerController": [],
        "Migrations": [],
        "Network": ["privateSubnetIds", "publicSubnetIds", "vpcId"],
        "Nodes": ["roleArn"],
        "Observability": ["topic"],
        "Registry": ["urls"],
        "Repository": ["checkout"],
        "SecretStores": [],
        "ServiceAccess": [],
        "ServiceRoles": [],
        "Tenancy": [],
    },
    "prod": {
        "Access": [],
        "Addons": [],
        "Applications": ["namespaces"],
        "ArgoCd": ["namespace", "url"],
        "Certificate": ["arn"],
        "Cluster": ["arn", "endpoint", "kubeconfig", "name"],
        "ControlPlane": ["arn", "endpoint", "name"],
        "Dns": [],
        "FrontDoor": [],
        "Ingress": ["class"],
        "LoadBalancerController": [],
        "Network": ["privateSubnetIds", "publicSubnetIds", "vpcId"],
        "Nodes": ["roleArn"],
        "RegistryReference": ["urls"],
        "Repository": ["checkout"],
        "Tenancy": [],
    },
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_every_component_shows_what_it_made(made: Recording, case: str) -> None:
    assert {
        resource.type.removeprefix("twospeed:index:"): sorted(made.component_outputs[resource.urn])
        for resource in made.resources
        if resource.type.startswith("twospeed:")
    } == OUTPUTS[case]
