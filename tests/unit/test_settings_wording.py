"""Refusals speak to somebody who writes YAML: place, value, rule and remedy, in plain words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from settings import SettingsError, load_files
from settings.parsing import raw_value

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
        "teams.gaming: must be a mapping; indent its keys below it",
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
