"""Both environments with many more services, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.ci.builds import Builds
from lab.daemons.charts import folder
from lab.tests.environment.changed_program import extended
from lab.tests.environment.conftest import Lab
from lab.tests.environment.services.catalogue import DEFINITION, addition
from tests.scripts.chart_repository import ChartRepository


@dataclass(frozen=True)
class Extended:
    """The lab, the folder of the program with that catalogue, and the builds of its services."""

    lab: Lab
    program: Path
    charts: ChartRepository
    builds: Builds


@pytest.fixture(scope="package")
def more(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extended]:
    served = folder(lab.site) / "packages"
    served.mkdir(exist_ok=True)
    charts = ChartRepository(served, f"{lab.site.url('charts')}/packages")
    copy = tmp_path_factory.mktemp("more") / "program"
    with extended(lab, copy, addition(charts)) as program:
        yield Extended(lab, program, charts, Builds(lab.site, lab.program.environment, program))
    if not lab.temporary:
        for stack in lab.site.environments:  # a package's definition outlives its namespace
            lab.kubectl(stack)("delete", "--ignore-not-found", DEFINITION)


@pytest.fixture
def clone(lab: Lab, tmp_path: Path) -> Path:
    """A releaser's clone of the GitOps repository."""
    return lab.clone(tmp_path / "gitops")
