"""Admission policies, whichever component brings them, can be applied again by a later run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.conftest import CHECKOUT, Bend, change_service
from tests.unit.recording import Recording
from tests.unit.whole_program import record_program

POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
BINDING = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding"


@pytest.fixture
def recording(configuration: Path, bend: Bend, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """dev, with policies of teams and of secrets."""
    change_service(bend, "streaming", "tv-api", secrets=["DATABASE_URL"])
    bend("Pulumi.dev.yaml", lambda config: config.update({"platform:secrets": {}}))
    monkeypatch.setattr("settings.pulumi_config.ROOT", configuration)
    return record_program("dev", configuration, CHECKOUT / "__main__.py")


def test_nothing_is_left_for_the_api_server_to_fill_in(recording: Recording) -> None:
    """It fills in what is atomic to server-side apply: another field manager's apply conflicts."""
    policies = {one.inputs["metadata"]["name"]: one for one in recording.of(POLICY)}
    assert {"acme-dev-images", "acme-dev-ingresses", "acme-dev-services"} < policies.keys()
    assert any("secret" in name for name in policies)
    for name, policy in policies.items():
        matched = policy.inputs["spec"]["matchConstraints"]
        assert matched["matchPolicy"] == "Equivalent", name
        assert {"namespaceSelector", "objectSelector"} < matched.keys(), name
        assert {rule["scope"] for rule in matched["resourceRules"]} == {"*"}, name
        assert policy.inputs["spec"]["failurePolicy"] == "Fail", name
    for binding in recording.of(BINDING):
        if matched := binding.inputs["spec"].get("matchResources"):
            assert matched["matchPolicy"] == "Equivalent", binding.name
            assert {"namespaceSelector", "objectSelector"} < matched.keys(), binding.name
