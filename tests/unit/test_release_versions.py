"""Version files: what releases write, and what they read of a file that somebody edited."""

from __future__ import annotations

import pytest

from gitops.version import UNRELEASED_HELM, UNRELEASED_KUSTOMIZE, released_helm, released_kustomize
from release.deployed import RENDERED, VERSION_FILE
from release.versions import NOTHING, UNREADABLE, Running, file_text, is_digest, is_version, read

SERVICE, IMAGE = "shop/cart", "1.dkr.ecr.eu-central-1.amazonaws.com/shop/cart"
VERSION, DIGEST = "v20261101-0123abc", f"sha256:{'a' * 64}"
OURS = Running(VERSION, DIGEST)
HEAD = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def test_a_release_writes_what_the_generator_would() -> None:
    assert file_text("kustomize", IMAGE, VERSION, DIGEST) == released_kustomize(
        IMAGE, VERSION, DIGEST
    )
    assert file_text("helm", IMAGE, VERSION, DIGEST) == released_helm(VERSION, DIGEST)


OUR_ENTRY = f"- name: {IMAGE}\n  newTag: {VERSION}\n  digest: {DIGEST}\n"
SIDECAR = "- name: side\n  newTag: v1\n"
IN_ANOTHER_ORDER = f"- newTag: &t {VERSION}\n  name: {IMAGE} # ours\n  digest: {DIGEST}\n"
FLOW = f'{HEAD}images: [{{name: {IMAGE}, newTag: {VERSION}, digest: "{DIGEST}"}}]'
OF_WINDOWS = released_kustomize(IMAGE, VERSION, DIGEST).replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("text", "running"),
    [
        (released_kustomize(IMAGE, VERSION, DIGEST), OURS),
        (released_kustomize(IMAGE, "dev"), Running("dev", "")),
        (UNRELEASED_KUSTOMIZE, NOTHING),
        (FLOW, OURS),
        (f"{HEAD}images:\n{IN_ANOTHER_ORDER}", OURS),
        (f"images:\n{SIDECAR}{OUR_ENTRY}", OURS),
        (f"images:\n{OUR_ENTRY}{SIDECAR}", OURS),
        (OF_WINDOWS, OURS),
        (f"images:\n- name: {IMAGE}\n  newTag: a\n  newTag: b\n", UNREADABLE),
        ("<<<<<<< HEAD\nimages: []\n=======\n>>>>>>> x\n", UNREADABLE),
        ("images:\n\t- name: x\n", UNREADABLE),
        ("- a\n", UNREADABLE),
        ("", NOTHING),
        ("images:\n- name: x/shop/card\n  newTag: v1\n", UNREADABLE),
        (released_kustomize(IMAGE.replace("cart", "card"), VERSION, DIGEST), UNREADABLE),
        (released_helm(VERSION, DIGEST), UNREADABLE),
        (f'images:\n- name: {IMAGE}\n  newTag: "a\\nRelease-Kind: build"\n', UNREADABLE),
        (f'images:\n- name: {IMAGE}\n  newTag: "\\x9b2J"\n', UNREADABLE),
        (f'images:\n- name: {IMAGE}\n  newTag: a\n  digest: "b c"\n', UNREADABLE),
        (released_kustomize(IMAGE, "vé"), UNREADABLE),
    ],
)
def test_what_a_version_file_names_is_read_however_yaml_says_it(
    text: str, running: Running
) -> None:
    assert read(text, "kustomize", SERVICE) == running


@pytest.mark.parametrize(
    ("text", "running"),
    [
        (released_helm(VERSION, DIGEST), OURS),
        (f"image: {{tag: '{VERSION}', digest: {DIGEST}}}", OURS),
        (UNRELEASED_HELM, NOTHING),
        ("image: [a]", UNREADABLE),
        ("image:\n  tag: [a]\n", UNREADABLE),
        ('image:\n  tag: "\\e[2J"\n', UNREADABLE),
    ],
)
def test_and_so_is_what_the_values_of_a_chart_name(text: str, running: Running) -> None:
    assert read(text, "helm", SERVICE) == running


def test_versions_and_digests_have_their_form_and_nothing_else() -> None:
    assert is_version(VERSION)
    assert is_digest(DIGEST)
    for text in ("", "v1", f"{VERSION}\n", VERSION.upper(), f" {VERSION}", "v20261101-0123abcd"):
        assert not is_version(text)
    for text in ("", "None", "sha256:abc", f"{DIGEST}\n", DIGEST.upper(), f"{DIGEST} # x"):
        assert not is_digest(text)


@pytest.mark.parametrize("tag", ["16", "7.40", "on", "2025.11.1-alpine_3"])
def test_a_tag_of_somebody_else_is_written_and_read_alike(tag: str) -> None:
    for packaging, text in (
        ("kustomize", released_kustomize(IMAGE, tag, DIGEST)),
        ("helm", released_helm(tag, DIGEST)),
    ):
        assert file_text(packaging, IMAGE, tag, DIGEST) == text
        assert read(text, packaging, IMAGE) == Running(tag, DIGEST)


@pytest.mark.parametrize(
    "name", ["shop/a\nb", "shop/\x1b[2J", "shop/\u2028", "Shop/cart", "a/../b"]
)
def test_a_folder_that_is_called_as_no_service_is_of_none(name: str) -> None:
    assert VERSION_FILE.fullmatch("environments/prod/shop/cart/version/values.yaml")
    assert not VERSION_FILE.fullmatch(f"environments/prod/{name}/version/values.yaml")
    assert RENDERED.fullmatch("rendered/prod/shop/cart/a\nb.yaml")
    assert not RENDERED.fullmatch(f"rendered/prod/{name}/a.yaml")
