"""Names that the GitOps repository could not carry are refused before anything is rendered."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings.loading import load_files
from settings.problems import SettingsError
from tests.unit.conftest import Bend


@pytest.mark.parametrize("name", ["shared", "on", "Staging", "x" * 33])
def test_a_stack_whose_name_cannot_be_a_folder_and_a_tag_is_refused(
    name: str, configuration: Path
) -> None:
    (configuration / "Pulumi.prod.yaml").rename(configuration / f"Pulumi.{name}.yaml")
    with pytest.raises(SettingsError, match=f"Pulumi.{name}.yaml.*choose another name"):
        load_files("dev", configuration)


@pytest.mark.parametrize("variable", ["PORT", "LOG_LEVEL", "ENVIRONMENT"])
def test_a_variable_that_the_platform_sets_is_refused(
    variable: str, configuration: Path, bend: Bend
) -> None:
    bend(
        "services.yaml",
        lambda catalogue: catalogue["namespaces"]["community"]["services"]["tournaments"][
            "env"
        ].update({variable: "x"}),
    )
    with pytest.raises(SettingsError, match=rf"tournaments\.env\.{variable}: is set by"):
        load_files("dev", configuration)


def test_a_service_named_as_yaml_would_misread_is_refused(configuration: Path, bend: Bend) -> None:
    def rename(catalogue: dict[str, dict[str, dict[str, dict[str, object]]]]) -> None:
        services = catalogue["namespaces"]["community"]["services"]
        services["null"] = services.pop("tournaments")

    bend("services.yaml", rename)
    with pytest.raises(SettingsError, match="no word that YAML reads"):
        load_files("dev", configuration)
