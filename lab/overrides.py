"""The committed stack files with `overrides.yaml` merged over them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any

import yaml

from lab.site import CHECKOUT, Site

OVERRIDES = Path(__file__).with_name("overrides.yaml")


def stack_file(
    site: Site, environment: str, changes: Mapping[str, object] = MappingProxyType({})
) -> Path:
    """Write the stack file that the lab uses for `environment`; returns its path.

    `changes` replace keys of the committed file. What Pulumi has written into the file, the salt of
    its secrets, stays.
    """
    target = site.home / f"Pulumi.{environment}.yaml"
    written = yaml.safe_load(target.read_text()) if target.exists() else {}
    committed = yaml.safe_load((CHECKOUT / f"Pulumi.{environment}.yaml").read_text())
    content = {**written, **committed}
    content["config"] = merged({**committed["config"], **changes}, overrides(site))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(content, sort_keys=False))
    return target


def overrides(site: Site) -> dict[str, Any]:
    """`overrides.yaml` with the addresses of `site` filled in."""
    text = Template(OVERRIDES.read_text()).substitute(
        aws=site.url("aws"),
        charts=site.url("charts"),
        gitops_url=site.gitops_url,
        gitops_checkout=os.path.relpath(site.gitops_checkout, CHECKOUT),
        webhook_receiver=f"{site.url('webhook-receiver')}/argocd",
        identity_provider=site.url("identity-provider"),
        registry_host=site.registry_host,
    )
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def merged(config: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`config`, overridden by `over`; `platform:` keys that `config` lacks are left out."""
    result = deepcopy(config)
    for key, value in over.items():
        if key in config:
            result[key] = _deep(config[key], value)
        elif not key.startswith("platform:"):
            result[key] = value
    return result


def _deep(under: object, over: object) -> object:
    """`over` laid over `under`; a key that is null in `over` is removed."""
    if isinstance(under, dict) and isinstance(over, dict):
        both = under | {key: _deep(under.get(key), value) for key, value in over.items()}
        return {key: value for key, value in both.items() if value is not None}
    return over
