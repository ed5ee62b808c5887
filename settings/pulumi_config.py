"""The settings of the stack that Pulumi is running: the only reader of Pulumi's configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
from pulumi.runtime.config import CONFIG

from settings.loading import SECRETS, Settings, load


def load_stack() -> Settings:
    """The running stack's settings. Raises SettingsError with every problem found."""
    config = {key: _value(text) for key, text in CONFIG.get().items()}
    return load(pulumi.get_stack(), config, Path(pulumi.get_root_directory()))


def secret(name: str) -> pulumi.Output[str] | None:
    """The secret `platform:<name>`, or None where the stack does not set it."""
    if name not in SECRETS:
        raise KeyError(f"{name} is not declared in settings.loading.SECRETS")
    return pulumi.Config("platform").get_secret(name)


def _value(text: str) -> object:
    """Pulumi hands objects over as JSON and everything else as it stands."""
    return json.loads(text) if text[:1] in ("{", "[") else text
