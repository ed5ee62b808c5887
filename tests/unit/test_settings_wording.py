"""Refusals speak to somebody who writes YAML: place, value, rule and remedy, in plain words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from settings.catalogue import BuiltService, Catalogue, Namespace
from settings.loading import load_files
from settings.model import Model
from settings.parsing import raw_value
from settings.problems import Problem, SettingsError
from settings.stack import StackConfig
from settings.workload import FurtherProcess, ServiceOverride

STACK, CATALOGUE = "Pulumi.dev.yaml", "services.yaml"
SERVICE = "namespaces.community.services.tournaments"

CASES = {
    "a version that YAML reads as a number": (
        STACK,
        ('"1.35"', "1.35"),
        "platform:cluster.version: must be text (given: 1.35); put it in quotes",
    ),
    "one value where a list belongs": (
        STACK,
        ('["123456789012"]', '"123456789012"'),
        "aws:allowedAccountIds: must be a list (given: 123456789012); "
        "write [one, two], or one entry a line behind a hyphen",
    ),
    "a word where a number belongs": (
        CATALOGUE,
        ("port: 8080", "port: http"),
        f"{SERVICE}.port: must be a whole number (given: http); correct the value",
    ),
    "a choice that there is not": (
        CATALOGUE,
        ("delivery: keel #", "delivery: kell #"),
        f"{SERVICE}.delivery: must be 'keel' or 'commit' (given: kell); correct the value",
    ),
    "a number as an environment variable": (
        CATALOGUE,
        ("MATCHMAKING: elo", "MATCHMAKING: 1"),
        f"{SERVICE}.env.MATCHMAKING: must be text (given: 1); put it in quotes",
    ),
    "keys that are not indented": (
        CATALOGUE,
        ("  gaming:\n    group:", "  gaming:\n  group:"),
        "teams.gaming: is empty; give it a value, with its keys indented below it, or remove it",
    ),
    "the last variable is gone": (
        CATALOGUE,
        ("env:\n          MATCHMAKING: elo\n", "env:\n"),
        f"{SERVICE}.env: is empty; give it a value, with its keys indented below it, or remove it",
    ),
    "a variable without a value": (
        CATALOGUE,
        ("MATCHMAKING: elo", "MATCHMAKING:"),
        f'{SERVICE}.env.MATCHMAKING: is empty; write "" for an empty text, or remove it',
    ),
    "an item without a value": (
        STACK,
        ("zones: [a, b]", "zones: [a, ~]"),
        'platform:network.zones[1]: is empty; write "" for an empty text, or remove it',
    ),
    "a helper image without a version": (
        CATALOGUE,
        ("releasers:", "helperImages: {python: docker.io/library/python}\nreleasers:"),
        "helperImages.python: must be an image with its registry and a tag, a digest or both, such "
        "as docker.io/library/busybox:1.37.0@sha256: and 64 hexadecimal digits (given: "
        "docker.io/library/python); correct the value",
    ),
    "a project id that is none": (
        CATALOGUE,
        ("1b8d7c5e-3a42-4f6e-8c11-7d2f9e0a4b61", "tournaments"),
        f"{SERVICE}.circleciProject: must be a UUID (given: tournaments); correct the value",
    ),
    "a secret in the open": (
        STACK,
        ("config:\n", "config:\n  platform:slackToken: xoxb-1\n"),
        "platform:slackToken: is a secret and not encrypted; "
        "set it with `pulumi config set --secret platform:slackToken`, and make a new one: "
        "this one is known",
    ),
    "a webhook that is no URL": (
        STACK,
        ("https://hooks.acme.example/argocd", "hooks.acme.example"),
        "platform:argocd.notifications.webhook: must be a URL that begins with https:// or "
        "http:// (given: hooks.acme.example); correct the value",
    ),
}


@pytest.mark.parametrize(("file", "change", "expected"), CASES.values(), ids=CASES)
def test_a_refusal_says_what_is_wrong_and_what_to_do(
    configuration: Path, file: str, change: tuple[str, str], expected: str
) -> None:
    assert f"{file}: {expected}" in refusal(configuration, file, *change)


def test_a_report_sorts_by_line_and_begins_with_what_has_none() -> None:
    places = [("b", None), ("a", 1), ("c", 2)]
    problems = [Problem("a.yaml", path, "", "is wrong", "mend it", line) for path, line in places]
    assert [(p.path, p.line) for p in SettingsError(problems).problems] == [
        ("b", None),
        ("a", 1),
        ("c", 2),
    ]


OPTIONAL = {
    BuiltService: (CATALOGUE, SERVICE),
    ServiceOverride: (CATALOGUE, f"{SERVICE}.overrides.dev"),
    FurtherProcess: (CATALOGUE, f"{SERVICE}.processes.worker"),
    Namespace: (CATALOGUE, "namespaces.community"),
    Catalogue: (CATALOGUE, ""),
    StackConfig: (STACK, "config"),
}
"""Where each of these models is in a file."""


@pytest.mark.parametrize("model", OPTIONAL, ids=lambda model: model.__name__)
def test_no_key_may_be_without_a_value(configuration: Path, model: type[Model]) -> None:
    file, place = OPTIONAL[model]
    prefix = "platform:" if model is StackConfig else ""
    keys = {f"{prefix}{field.alias}" for field in model.model_fields.values()}
    content = yaml.safe_load((configuration / file).read_text())
    where = content
    for step in filter(None, place.split(".")):
        where = where.setdefault(step, {})
    where |= dict.fromkeys(keys)
    (configuration / file).write_text(yaml.safe_dump(content))
    with pytest.raises(SettingsError) as caught:
        load_files("dev", configuration)
    told = {p.path.rpartition(".")[2] for p in caught.value.problems if p.rule == "is empty"}
    assert told == keys, "a bare key means the default to one reader, and nothing to another"


def test_a_stack_file_without_configuration_lists_what_is_missing(configuration: Path) -> None:
    (configuration / STACK).write_text("encryptionsalt: v1:x\n")
    problems = refusal(configuration, STACK, "encryptionsalt", "encryptionsalt")
    assert f"{STACK}: platform:speed: is missing; add it: see docs/reference.md" in problems


def refusal(configuration: Path, file: str, old: str, new: str) -> list[str]:
    """The problems, a line each, once `old` in the text of `file` has become `new`."""
    path = configuration / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(SettingsError) as caught:
        load_files("dev", configuration)
    return [str(replace(problem, line=None)) for problem in caught.value.problems]


def test_a_key_that_resembles_none_is_answered_with_those_that_there_are(
    configuration: Path,
) -> None:
    assert refusal(configuration, STACK, "    url:", "    zzz: 1\n    url:") == [
        f"{STACK}: platform:gitops.zzz: is not a key known here; remove it; known keys: branch, "
        "certificateAuthority, checkout, githubApp, knownHosts, releases, url"
    ]


def test_a_number_below_the_least_is_told_with_the_least(configuration: Path) -> None:
    assert refusal(configuration, CATALOGUE, "port: 8080", "port: 80") == [
        f"{CATALOGUE}: {SERVICE}.port: must be greater than or equal to 1024 (given: 80); correct "
        "the value"
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("platform:gitops", {"url": "u"}),
        ("platform:gitops.url", "u"),
        ("platform:gitops.url.more", None),
        ("platform:gitops.branch", None),
        ("platform:keel", None),
    ],
)
def test_a_raw_value_is_found_by_its_path_or_is_none(path: str, value: object) -> None:
    assert raw_value({"platform:gitops": {"url": "u"}}, path) == value
