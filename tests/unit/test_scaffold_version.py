"""The version files: the bytes on which Python, the release scripts and kustomize agree."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gitops.version import (
    UNRELEASED_HELM,
    UNRELEASED_KUSTOMIZE,
    is_version_file,
    released_helm,
    released_kustomize,
    version_file,
)

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/streaming/tv-api"
DIGEST = "sha256:" + "a" * 64

tags = st.from_regex(r"v[0-9]{8}-[0-9a-f]{7}", fullmatch=True)
digests = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)


def test_a_release_pins_version_and_digest_byte_for_byte() -> None:
    assert released_kustomize(IMAGE, "v20250819-f3b8541", DIGEST) == (
        "# What runs here. Only a release moves this file.\n"
        "apiVersion: kustomize.config.k8s.io/v1alpha1\n"
        "kind: Component\n"
        "images:\n"
        f"  - name: {IMAGE}\n"
        "    newTag: v20250819-f3b8541\n"
        f"    digest: {DIGEST}\n"
    )
    assert released_helm("v20250819-f3b8541", DIGEST) == (
        "# What runs here. Only a release moves this file.\n"
        "image:\n"
        "  tag: v20250819-f3b8541\n"
        f"  digest: {DIGEST}\n"
    )


def test_what_was_never_released_is_dropped_by_kustomize_and_by_the_charts() -> None:
    assert UNRELEASED_KUSTOMIZE == (
        "# Nothing was released here yet, so nothing is deployed. "
        "Only a release moves this file.\n"
        "apiVersion: kustomize.config.k8s.io/v1alpha1\n"
        "kind: Component\n"
        "commonAnnotations:\n"
        '  config.kubernetes.io/local-config: "true"\n'
    )
    assert yaml.safe_load(UNRELEASED_HELM) == {"image": {"tag": "", "digest": ""}}


@given(tag=tags, digest=digests)
def test_every_release_is_recognised(tag: str, digest: str) -> None:
    assert is_version_file(released_kustomize(IMAGE, tag, digest))
    assert is_version_file(released_helm(tag, digest))


@pytest.mark.parametrize(
    "text",
    [
        UNRELEASED_KUSTOMIZE,
        UNRELEASED_HELM,
        released_kustomize("127.0.0.1:21001/community/tournaments", "dev"),
        released_helm("dev"),
    ],
)
def test_unreleased_and_moving_forms_are_recognised(text: str) -> None:
    assert is_version_file(text)


@given(tag=tags, digest=digests, where=st.integers(0, 10_000), what=st.characters(codec="utf-8"))
def test_a_single_inserted_character_makes_it_somebodys_own_unless_it_is_another_version(
    tag: str, digest: str, where: int, what: str
) -> None:
    for text in (released_kustomize(IMAGE, tag, digest), released_helm(tag, digest)):
        at = where % (len(text) + 1)
        edited = text[:at] + what + text[at:]
        if is_version_file(edited):
            assert yaml.safe_load(edited).keys() == yaml.safe_load(text).keys()
            assert edited.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "image:\n  tag: v20250819-f3b8541\n",
        released_helm("v20250819-f3b8541", DIGEST) + "replicas: 3\n",
        released_helm("v20250819-f3b8541; rm -rf /", DIGEST),
        released_kustomize(IMAGE, "v20250819-f3b8541", "sha256:short"),
        released_kustomize(IMAGE, "latest/../x"),
        UNRELEASED_KUSTOMIZE.replace("\n", "\r\n"),
    ],
)
def test_anything_else_is_not_a_version_file(text: str) -> None:
    assert not is_version_file(text)


def test_a_tag_of_somebody_else_stays_text() -> None:
    """Without quotes YAML reads the versions of many images as numbers."""
    assert released_kustomize("docker.io/library/postgres", "16", DIGEST) == (
        "# What runs here. Only a release moves this file.\n"
        "apiVersion: kustomize.config.k8s.io/v1alpha1\n"
        "kind: Component\n"
        "images:\n"
        "  - name: docker.io/library/postgres\n"
        '    newTag: "16"\n'
        f"    digest: {DIGEST}\n"
    )
    assert yaml.safe_load(released_helm("7.40", DIGEST))["image"]["tag"] == "7.40"
    for text in (released_kustomize("quay.io/a/b", "16", DIGEST), released_helm("on", DIGEST)):
        assert is_version_file(text)


def test_a_file_has_a_digest_only_where_there_is_one() -> None:
    kustomize = (
        "# What runs here. Only a release moves this file.\n"
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "images:\n  - name: docker.io/library/redis\n    newTag: dev\n"
    )
    assert released_kustomize("docker.io/library/redis", "dev") == kustomize
    assert version_file("kustomize", "docker.io/library/redis", "dev") == (
        "kustomization.yaml",
        kustomize,
    )
    digest = "sha256:" + "a" * 64
    assert version_file("helm", "docker.io/library/redis", "8.2", digest) == (
        "values.yaml",
        "# What runs here. Only a release moves this file.\n"
        f'image:\n  tag: "8.2"\n  digest: {digest}\n',
    )
