"""Fixtures of the lab's unit tests: the product's committed configuration, and ways to bend it."""

from __future__ import annotations

from tests.unit.conftest import bend, configuration, dev, prod

__all__ = ["bend", "configuration", "dev", "prod"]
