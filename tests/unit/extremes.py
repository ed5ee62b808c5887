"""Both stacks with the longest and oddest values that the settings accept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import pulumi_config
from tests.committed import on_node_groups
from tests.unit.conftest import CHECKOUT
from tests.unit.recording import Recording
from tests.unit.whole_program import record_program

L63, L53 = "x" * 63, "y" * 53
"""The longest label, and the longest Helm release."""
FAST, SAFE = "e" * 32, "p" * 32
"""The names that the stacks dev and prod get."""
LABEL = "a" + "b" * 61 + "c"
ARN = f"arn:aws:iam::123456789012:role/{'p' * 255}/{'q' * 255}/{'r' * 64}"


def longest(config: dict[str, Any]) -> None:
    """The longest of everything, at once."""
    config["platform:organization"] = L63
    config["platform:registry"].update(owner=FAST, encryption="KMS")
    config["platform:network"].update(flowLogs=True)
    on_node_groups(config)
    config["platform:cluster"].update(
        publicAccess=[f"203.0.113.{number}/32" for number in range(40)],
        privateAccess=[f"10.99.{number}.0/24" for number in range(59)],
        nodeGroups=[
            {
                "name": LABEL[: 63 - len(str(number))] + str(number),
                "instanceTypes": ["m7i-flex.large", "u7inh-32tb.480xlarge"],
                "minSize": 1,
                "maxSize": 450,
                "diskGib": 16384,
                "labels": {LABEL: "9", "acme.example/" + "p" * 50: "v" * 63},
                "taints": [
                    {"key": f"k{n}", "value": "v" * 63, "effect": "NO_EXECUTE"} for n in range(49)
                ]
                + [{"key": LABEL, "effect": "NO_SCHEDULE"}],
            }
            for number in range(29)
        ]
        + config["platform:cluster"]["nodeGroups"],
        access={"platform": [ARN], "teams": {LABEL: [ARN.replace("role", "user", 1)]}},
        addons={"aws-ebs-csi-driver": "v1.999.999-eksbuild.999"},
    )
    if config["platform:speed"] == "fast":
        for group in config["platform:cluster"]["nodeGroups"]:
            group["schedule"] = {
                "stop": "59 23 31 dec sun",
                "start": "0 7 * * mon-fri",
                "timeZone": "America/Argentina/ComodRivadavia",
            }


def longest_catalogue(catalogue: dict[str, Any]) -> None:
    catalogue["teams"] = {LABEL: {"group": "g"}}
    service = {
        "owner": LABEL,
        "source": f"{'o' * 39}/{'r' * 100}",
        "branch": "b" * 244,
        "ci": "github-actions",
        "githubIds": {"owner": 2**63, "repository": 2**63},
        "delivery": "keel",
        "port": 65535,
    }
    circle = {
        **service,
        "ci": "circleci",
        "circleciProject": "1b8d7c5e-3a42-4f6e-8c11-7d2f9e0a4b61",
    }
    catalogue["namespaces"] = {
        L63: {"services": {LABEL: service, LABEL[:-1] + "d": circle}},
        LABEL: {"services": {L53: {**service, "packaging": "helm"}, L63: service}},
    }


def record_extreme(stack: str, configuration: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """What `stack`, FAST or SAFE, registers; `configuration` is a copy of the committed files."""
    monkeypatch.setattr(pulumi_config, "ROOT", configuration)
    for old, new in (("dev", FAST), ("prod", SAFE)):
        path = configuration / f"Pulumi.{old}.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        longest(content["config"])
        (configuration / f"Pulumi.{new}.yaml").write_text(yaml.safe_dump(content))
        path.unlink()
    path = configuration / "services.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    longest_catalogue(content)
    path.write_text(yaml.safe_dump(content))
    return record_program(stack, configuration, CHECKOUT / "__main__.py")
