"""Fixtures of the lab's unit tests: the product's committed configuration, and ways to bend it."""

from __future__ import annotations

import os

from tests.unit.conftest import bend, configuration, dev, prod

__all__ = ["bend", "configuration", "dev", "prod"]

# moto would make 1,300 machine images for every test. Nothing here starts one.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
