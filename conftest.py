"""Options of every test run."""

from __future__ import annotations

import gc
import signal

import pytest

# The SDKs are a million objects that never go. Looking through them takes a third of a run.
gc.set_threshold(100_000, 50, 1000)

# Whoever starts the tests in the background leaves Ctrl-C ignored, and every program that they
# interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# The same for nohup and a closed terminal; the tests themselves go on.
signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write the golden files anew instead of comparing with them",
    )
    parser.addoption(
        "--backwards",
        action="store_true",
        help="run the tests in the opposite order: none may need another one before it",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--backwards"):
        items.reverse()


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written anew."""
    return bool(request.config.getoption("--regenerate"))
