"""The programs that the tests run, beside Git and those of the Python environment."""

from __future__ import annotations

import shutil

import pytest


def program(name: str) -> str:
    """The path of a program on PATH; a test that needs a missing one fails."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(
            f"{name} is not on PATH. `make test-scripts` builds it and puts it there; "
            f"any other {name} on PATH will do as well.",
            pytrace=False,
        )
    return found
