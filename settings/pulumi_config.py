"""The settings of the stack that Pulumi is running: the only reader of Pulumi's configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG

from settings.environment import Settings
from settings.files import ROOT
from settings.loading import load
from settings.problems import SettingsError
from settings.rules import immutable
from settings.secret_keys import SECRETS


def load_stack() -> Settings:
    """The running stack's settings; every problem in one RunError, which Pulumi prints as it is."""
    config = {key: _value(text) for key, text in CONFIG.get().items()}
    try:
        return load(pulumi.get_stack(), config, ROOT, _applied())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def load_secrets() -> Mapping[str, pulumi.Output[str]]:
    """The secrets that the running stack sets, by their names in SECRETS."""
    config = pulumi.Config("platform")
    found = {name: config.get_secret(name) for name in sorted(SECRETS)}
    return {name: value for name, value in found.items() if value is not None}


def _applied() -> Mapping[str, str]:
    """What this stack exported as immutable when it was last applied; empty before that."""
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack})
    outputs: Mapping[str, Any] = (answer.value or {}).get("outputs", {})
    applied: Mapping[str, str] = outputs.get(immutable.OUTPUT, {})
    return applied


def _value(text: str) -> object:
    """Pulumi hands objects over as JSON, else text, which is empty for a key without a value."""
    if not text:
        return None
    try:
        return json.loads(text) if text[0] in "{[" else text
    except json.JSONDecodeError:
        return text
