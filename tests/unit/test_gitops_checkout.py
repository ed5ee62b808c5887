"""The checkout of the GitOps repository, as Pulumi previews and writes it."""

from __future__ import annotations

import io
import pickle
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider

from components import wiring
from components.gitops_checkout.gitops_checkout import GitOpsCheckout
from components.gitops_checkout.provider import CheckoutProvider, Properties
from gitops import worktree
from gitops.file import Ownership
from gitops.tree import scaffold
from settings.environment import Settings
from settings.git_url import parse_git_url
from tests.unit.recording import record

URL = "https://github.com/acme/gitops.git"
PROVIDER = CheckoutProvider()
SEEDED, MANAGED = "base/a.yaml", "README.md"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty checkout of the GitOps repository."""
    checkout = tmp_path / "gitops"
    checkout.mkdir()
    git(checkout, "init", "--quiet")
    git(checkout, "remote", "add", "origin", "git@github.com:acme/gitops.git")
    return checkout


def inputs(folder: Path, seeded: str = "a: 1\n", managed: str = "readme\n") -> Properties:
    return {
        "checkout": str(folder),
        "url": URL,
        "managed": {MANAGED: managed},
        "seeded": {SEEDED: seeded},
        "version": {},
    }


class Stack:
    """What the engine keeps between runs: the inputs that check gave, and whether there is one."""

    def __init__(self) -> None:
        self.inputs: Properties = {}

    def preview(self, news: Properties) -> tuple[Properties, bool]:
        """The checked inputs, and whether the engine would call create or update."""
        checked = PROVIDER.check(self.inputs, news)
        assert checked.failures == []
        if not self.inputs:
            return checked.inputs, True
        answer = PROVIDER.diff("checkout", self.inputs, checked.inputs).changes
        differs = self.inputs != checked.inputs if answer is None else answer
        return checked.inputs, differs

    def up(self, news: Properties) -> bool:
        """Runs like `pulumi up`; tells whether anything was created or updated."""
        checked, changes = self.preview(news)
        kept = {"checkout": checked["checkout"], "url": URL}
        if changes and self.inputs:
            assert PROVIDER.update("checkout", self.inputs, checked).outs == kept
        elif changes:
            made = PROVIDER.create(checked)
            assert (made.id, made.outs) == ("checkout", kept)
        self.inputs = checked
        return changes


@pytest.fixture
def stack(folder: Path) -> Stack:
    """A stack that wrote `inputs(folder)` into its checkout."""
    first = Stack()
    assert first.up(inputs(folder))
    return first


def test_up_writes_the_files_and_a_second_up_changes_nothing(stack: Stack, folder: Path) -> None:
    assert (folder / SEEDED).read_text() == "a: 1\n"
    assert (folder / ".scaffold/shared.json").exists()
    assert not stack.up(inputs(folder))


def test_a_preview_writes_nothing(folder: Path) -> None:
    Stack().preview(inputs(folder))
    assert [path.name for path in folder.iterdir()] == [".git"]


def test_a_preview_differs_by_exactly_the_files_that_will_be_written(
    stack: Stack, folder: Path
) -> None:
    before = stack.inputs
    after, changes = stack.preview(inputs(folder, seeded="a: 2\n"))
    assert changes
    assert {key for key in after if after[key] != before[key]} == {"seeded"}


def test_a_preview_shows_no_difference_in_a_file_that_is_kept(stack: Stack, folder: Path) -> None:
    (folder / SEEDED).write_text("a: 7\n")
    after, changes = stack.preview(inputs(folder, seeded="a: 2\n", managed="new\n"))
    assert changes
    assert after["managed"] == {MANAGED: "new\n"}
    assert after["seeded"] == stack.inputs["seeded"]


def test_a_preview_names_every_file_that_is_written_or_kept(
    stack: Stack, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / MANAGED).write_text("mine\n")
    capsys.readouterr()
    stack.preview(inputs(folder, seeded="a: 2\n"))
    said = capsys.readouterr().out
    assert f"{folder}: ~ {SEEDED}\n" in said
    assert f"{folder}: = {MANAGED}: edited" in said


def test_an_edit_of_the_team_is_kept_and_is_no_change(stack: Stack, folder: Path) -> None:
    (folder / SEEDED).write_text("a: 7\n")
    assert not stack.up(inputs(folder))
    assert not stack.up(inputs(folder, seeded="a: 2\n")), "a kept file is nothing to update"
    assert (folder / SEEDED).read_text() == "a: 7\n"


def test_an_edit_taken_back_lets_the_new_template_through(stack: Stack, folder: Path) -> None:
    (folder / SEEDED).write_text("a: 7\n")
    stack.up(inputs(folder, seeded="a: 2\n"))
    (folder / SEEDED).write_text("a: 1\n")
    assert stack.up(inputs(folder, seeded="a: 2\n"))
    assert (folder / SEEDED).read_text() == "a: 2\n"


def test_a_managed_file_missing_from_the_checkout_is_a_change_every_time(
    stack: Stack, folder: Path
) -> None:
    for _ in range(3):
        (folder / MANAGED).unlink()
        assert stack.up(inputs(folder)), "the engine must see a difference, or nothing is written"
        assert (folder / MANAGED).read_text() == "readme\n"
    assert not stack.up(inputs(folder))


def test_a_new_stack_previews_the_lock_that_a_checkout_lost(stack: Stack, folder: Path) -> None:
    (folder / ".scaffold/shared.json").unlink()
    after, _ = Stack().preview(inputs(folder))
    assert after["pending"] == {".scaffold/shared.json": "update"}


def test_a_new_stack_takes_the_text_of_a_file_that_is_kept(stack: Stack, folder: Path) -> None:
    (folder / SEEDED).write_text("a: 7\n")
    after, _ = Stack().preview(inputs(folder))
    assert after["seeded"] == {SEEDED: "a: 1\n"}


def test_what_is_said_reaches_pulumi_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(pipe))
    PROVIDER.delete("checkout", inputs(folder))
    assert b": every file stays: delete and commit" in pipe.getvalue()


def test_a_lost_lock_is_written_again(stack: Stack, folder: Path) -> None:
    for _ in range(2):
        (folder / ".scaffold/shared.json").unlink()
        assert stack.up(inputs(folder))
        assert (folder / ".scaffold/shared.json").exists()


def test_a_fresh_clone_of_what_was_committed_needs_nothing(stack: Stack, folder: Path) -> None:
    git(folder, "add", "--all")
    identity = ["-c", "user.name=x", "-c", "user.email=x@y"]
    git(folder, *identity, "commit", "--quiet", "--message", "scaffold")
    fresh = folder.with_name("fresh")
    git(folder, "clone", "--quiet", str(folder), str(fresh))
    git(fresh, "remote", "set-url", "origin", URL)
    other = Stack()
    other.inputs = {**stack.inputs, "checkout": str(fresh)}
    assert not other.up(inputs(fresh))


def test_delete_leaves_every_file_and_says_so(
    stack: Stack, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = PROVIDER.create(stack.inputs).outs
    assert outputs == {"checkout": str(folder), "url": URL}
    PROVIDER.delete("checkout", outputs)
    assert (folder / SEEDED).exists()
    assert capsys.readouterr().out == (
        f"{folder}: every file stays: delete and commit what is no longer needed\n"
    )


# --- refused at preview


def reason(props: Properties) -> str:
    checked = PROVIDER.check({}, props)
    assert checked.inputs == props
    failures = checked.failures
    assert [failure.property for failure in failures] == ["checkout"]
    return failures[0].reason


def test_a_missing_checkout_says_how_to_clone_it(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert reason(inputs(missing)) == (
        f"there is no checkout of the GitOps repository at {missing}; run: git clone {URL} "
        f"{missing}"
    )


def test_a_folder_that_is_no_work_tree_is_refused(tmp_path: Path) -> None:
    assert reason(inputs(tmp_path)) == (
        f"{tmp_path} is not the top of a Git work tree; move it away and run: git clone {URL} "
        f"{tmp_path}"
    )


def test_a_folder_inside_another_work_tree_is_refused(folder: Path) -> None:
    (folder / "inner").mkdir()
    assert "not the top of a Git work tree" in reason(inputs(folder / "inner"))


def belongs_elsewhere(folder: Path, where: str) -> str:
    return (
        f"{folder} {where}, but platform:gitops.url is {URL}; correct one of the two, or move the "
        f"folder away and run: git clone {URL} {folder}"
    )


def test_a_checkout_of_another_repository_is_refused(folder: Path) -> None:
    git(folder, "remote", "set-url", "origin", "https://github.com/acme/other.git")
    git(folder, "remote", "add", "fork", "/srv/a folder/gitops.git")
    assert reason(inputs(folder)) == belongs_elsewhere(
        folder, "belongs to https://github.com/acme/other.git, /srv/a folder/gitops.git"
    )
    assert list(folder.iterdir()) == [folder / ".git"]


def test_a_checkout_without_a_remote_is_refused(folder: Path) -> None:
    git(folder, "remote", "remove", "origin")
    assert reason(inputs(folder)) == belongs_elsewhere(folder, "has no remote")


def test_one_of_several_remotes_is_enough(folder: Path) -> None:
    git(folder, "remote", "rename", "origin", "upstream")
    git(folder, "remote", "add", "fork", "https://github.com/someone/gitops.git")
    assert not PROVIDER.check({}, inputs(folder)).failures


def test_a_symbolic_link_in_the_checkout_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (folder / "base").symlink_to(tmp_path / "outside")
    assert "base: is a symbolic link" in reason(inputs(folder))


def test_what_git_says_is_taken_as_it_is_unless_it_refuses(folder: Path) -> None:
    git(folder, "remote", "set-url", "origin", "https://github.com/acme/toolX")
    assert worktree._git(folder, "config", "remote.origin.url") == "https://github.com/acme/toolX"
    # It prints HEAD and refuses: there is no commit.
    assert worktree._git(folder, "rev-parse", "--abbrev-ref", "HEAD") is None


def test_git_variables_of_the_caller_do_not_mislead(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(folder / ".git"))
    assert "not the top of a Git work tree" in reason(inputs(tmp_path))


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/gitops.git",
        "https://github.com/acme/gitops",
        "https://token@github.com/acme/gitops/",
        "git@github.com:acme/gitops.git",
        "ssh://git@github.com:22/acme/gitops.git",
        "https://GitHub.com/acme/gitops.git",
    ],
)
def test_every_spelling_of_a_url_is_the_same_repository(url: str) -> None:
    assert parse_git_url(url).identity == parse_git_url(URL).identity


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/gitops2.git",
        "https://gitlab.com/acme/gitops.git",
        "https://github.com:8443/acme/gitops.git",
        "/srv/git/gitops.git",
    ],
)
def test_another_host_port_or_path_is_another_repository(url: str) -> None:
    assert parse_git_url(url).identity != parse_git_url(URL).identity


# --- the component


def registered(settings: Settings) -> Any:
    recording = record(lambda: GitOpsCheckout("gitops", wiring.gitops_checkout(settings)))
    return recording.one("pulumi-python:dynamic/gitops:Checkout")


def test_the_inputs_hold_every_file_by_ownership_and_nothing_of_the_machine(dev: Settings) -> None:
    resource = registered(dev)
    tree = scaffold(dev)
    for ownership in Ownership:
        expected = {path: file.text for path, file in tree.items() if file.ownership is ownership}
        assert resource.inputs[ownership.value] == expected
    assert resource.inputs["checkout"] == "../gitops"
    assert str(Path(__file__).parents[2]) not in str(resource.inputs)


def test_the_state_refers_to_the_provider_instead_of_holding_its_code() -> None:
    """Otherwise every change of the code would be a change of the resource."""
    pickled = b64decode(serialize_provider(CheckoutProvider()))
    assert b"components.gitops_checkout.provider" in pickled
    assert len(pickled) < 200
    assert CheckoutProvider.serialize_as_secret_always is False


def test_a_state_that_names_the_former_module_still_finds_the_provider() -> None:
    """What the state of an environment says that was applied before the module moved."""
    recorded = (
        b"\x80\x04\x95:\x00\x00\x00\x00\x00\x00\x00\x8c\x1ecomponents.repository_provider"
        b"\x94\x8c\x10CheckoutProvider\x94\x93\x94)\x81\x94."
    )
    assert isinstance(pickle.loads(recorded), CheckoutProvider)  # noqa: S301 -- our own bytes
