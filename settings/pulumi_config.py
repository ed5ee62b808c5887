"""The settings of the stack that Pulumi is running: the only reader of Pulumi's configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG

from settings.environment import Settings
from settings.loading import load
from settings.problems import SettingsError
from settings.secret_keys import SECRETS

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the program, with its stack files and the catalogue."""


def load_stack() -> Settings:
    """The running stack's settings; every problem in one RunError, which Pulumi prints as it is."""
    config = {key: _value(key, text) for key, text in CONFIG.get().items()}
    try:
        return load(pulumi.get_stack(), config, ROOT, _standing())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _standing() -> Mapping[str, str]:
    """What this stack exported as `standing` when it was last applied; empty before that."""
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack})
    outputs: Mapping[str, Any] = (answer.value or {}).get("outputs", {})
    stands: Mapping[str, str] = outputs.get("standing", {})
    return stands


def secret(name: str) -> pulumi.Output[str] | None:
    """The secret `platform:<name>`, or None where the stack does not set it."""
    if name not in SECRETS:
        raise KeyError(f"{name} is not declared in settings.secret_keys.SECRETS")
    return pulumi.Config("platform").get_secret(name)


def _value(key: str, text: str) -> object:
    """Pulumi hands objects over as JSON and everything else as it stands.

    A secret stays as it stands too: it may begin with a bracket by chance, as a text may.
    """
    if key.removeprefix("platform:") in SECRETS or text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
