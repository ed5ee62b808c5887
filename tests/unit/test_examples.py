"""Whole catalogues below docs/examples: each is a services.yaml that needs no edited file."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from gitops.tree import scaffold
from settings.loading import load_files
from tests.unit.conftest import CHECKOUT, copied

SHOP = CHECKOUT / "docs" / "examples" / "shop.yaml"


def shop(folder: Path) -> Path:
    """A project with the example as its services.yaml."""
    shutil.copy(SHOP, copied(folder) / "services.yaml")
    for stack in ("dev", "prod"):
        file = folder / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        cluster = content["config"]["platform:cluster"]
        cluster["access"]["teams"] = {}
        if stack == "prod":  # Auto Mode has a driver of its own
            cluster["addons"] = {"aws-ebs-csi-driver": "v1.40.0-eksbuild.1"}
        file.write_text(yaml.safe_dump(content))
    return folder


def test_the_shop_is_eleven_services_a_cache_and_a_load_generator(tmp_path: Path) -> None:
    root = shop(tmp_path)
    dev, prod = (load_files(stack, root) for stack in ("dev", "prod"))
    names = [name for _, name, _ in dev.living.entries()]
    assert len(names) == 13
    built = {name for _, name, _ in dev.catalogue.built()}
    assert built == {*names} - {"cache"}
    assert {*names} - {name for _, name, _ in prod.living.entries()} == {"loadgenerator"}


def test_the_shop_has_the_kinds_of_objects_of_such_a_shop(tmp_path: Path) -> None:
    root = shop(tmp_path)
    files = {**scaffold(load_files("dev", root)), **scaffold(load_files("prod", root))}
    base = [path.removeprefix("base/shop/") for path in files if path.startswith("base/shop/")]
    assert "cache/statefulset.yaml" in base
    assert "frontend/ingress.yaml" in base
    assert "loadgenerator/service.yaml" not in base
    assert sum(path.endswith("/deployment.yaml") for path in base) == 12
    assert sum(path.endswith("/service.yaml") for path in base) == 12
    assert "environments/dev/shop/frontend/horizontalpodautoscaler.yaml" in files
