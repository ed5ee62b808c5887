"""What the program passes to the charts of Argo CD and Keel, against what the charts take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from components.argocd import argocd
from components.argocd import values as argocd_values
from components.keel import keel
from components.keel import values as keel_values
from settings.environment import Settings
from settings.loading import load_files
from settings.secret_keys import SECRETS
from tests.unit.clusters import chart_values, keel_config
from tests.unit.conftest import CHECKOUT, Bend, hold

CHARTS = CHECKOUT / "lab" / "charts"


def complaints(chart: str, values: dict[str, Any]) -> list[str]:
    """Why the lab's chart refuses `values`."""
    schema = yaml.safe_load((CHARTS / chart / "values.schema.json").read_text())
    return [error.message for error in Draft7Validator(schema).iter_errors(values)]


def test_the_lab_takes_every_value_that_argo_cd_is_given(dev: Settings, prod: Settings) -> None:
    for settings in (dev, prod):
        assert (
            complaints(
                "argo-cd",
                chart_values(settings, SECRETS),
            )
            == []
        )


def test_the_lab_takes_what_sign_on_by_github_brings(configuration: Path, bend: Bend) -> None:
    sso = {"github": {"organization": "acme"}, "clientId": "argocd"}
    bend("Pulumi.prod.yaml", lambda config: config["platform:argocd"].update(sso=sso))
    bend("Pulumi.prod.yaml", hold("ssoClientSecret"))
    values = chart_values(load_files("prod", configuration), SECRETS)
    assert complaints("argo-cd", values) == []
    assert complaints("argo-cd", values | {"dex": {"enabled": True, "replicas": 2}})


def test_the_lab_takes_every_value_that_keel_is_given(dev: Settings) -> None:
    assert (
        complaints(
            "keel",
            keel_values.values(
                keel_config(dev), region=dev.environment.region, namespaces=["community"]
            ),
        )
        == []
    )


def test_the_lab_refuses_values_that_would_do_nothing_there(dev: Settings) -> None:
    values = chart_values(dev, SECRETS)
    assert complaints("argo-cd", values | {"commitServer": {"enabled": True}})
    assert complaints("argo-cd", values | {"server": {"autoscaling": {"enabled": True}}})


def test_every_parameter_reaches_a_process_in_the_lab() -> None:
    wiring = yaml.safe_load((CHARTS / "argo-cd" / "wiring.yaml").read_text())
    wired = {
        key for maps in wiring.values() for key in maps.get("argocd-cmd-params-cm", {}).values()
    }
    assert argocd_values.PARAMS.keys() <= wired


@pytest.mark.parametrize(
    ("chart", "pinned"), [("argo-cd", argocd.CHART_VERSION), ("keel", keel.CHART_VERSION)]
)
def test_the_lab_serves_the_versions_that_are_pinned(chart: str, pinned: str) -> None:
    assert yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())["version"] == pinned
