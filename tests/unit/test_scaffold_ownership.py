"""Whose a generated file is: edits are kept, everything else follows its template."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from stat import S_IMODE
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops import checkout, layout, lock, report
from gitops.checkout import Change, Plan
from gitops.file import File, Ownership, Tree
from gitops.lock import LockError
from gitops.ownership import Action
from gitops.safe_paths import UnsafePathError
from gitops.version import UNRELEASED_KUSTOMIZE, released_kustomize

MANAGED, SEEDED, VERSION = Ownership.MANAGED, Ownership.SEEDED, Ownership.VERSION
README = "README.md"
OVERLAY = "environments/dev/shop/cart/deployment.yaml"
RUNS = "environments/dev/shop/cart/version/kustomization.yaml"
RELEASE = released_kustomize(
    "registry.example/shop/cart", "v20250819-f3b8541", "sha256:" + "a" * 64
)
MOVING = released_kustomize("registry.example/shop/cart", "dev")


def tree(
    readme: str = "readme\n", overlay: str = "replicas: 1\n", runs: str = UNRELEASED_KUSTOMIZE
) -> dict[str, File]:
    return {
        README: File(text=readme, ownership=MANAGED),
        OVERLAY: File(text=overlay, ownership=SEEDED),
        RUNS: File(text=runs, ownership=VERSION),
    }


def write(root: Path, wanted: Tree) -> checkout.Plan:
    """Plans and applies; gives back the plan."""
    planned = checkout.plan(root, wanted)
    checkout.apply(root, planned)
    return planned


def actions(root: Path, wanted: Tree) -> dict[str, Action]:
    return {change.path: change.action for change in checkout.plan(root, wanted).changes}


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout into which `tree()` was written."""
    folder = tmp_path / "gitops"
    write(folder, tree())
    return folder


# --- nothing was touched


def test_everything_is_created_in_an_empty_folder(tmp_path: Path) -> None:
    assert set(actions(tmp_path / "new", tree()).values()) == {Action.CREATE}
    write(tmp_path / "new", tree())
    assert (tmp_path / "new" / OVERLAY).read_text() == "replicas: 1\n"


def test_writing_again_changes_nothing(root: Path) -> None:
    planned = checkout.plan(root, tree())
    assert not planned.changes
    assert not planned.writes


def test_an_untouched_file_follows_its_template(root: Path) -> None:
    changed = tree(readme="new\n", overlay="replicas: 2\n")
    assert actions(root, changed) == {README: Action.UPDATE, OVERLAY: Action.UPDATE}
    write(root, changed)
    assert (root / OVERLAY).read_text() == "replicas: 2\n"
    assert not checkout.plan(root, changed).writes


# --- edits


def test_an_edited_seeded_file_is_the_teams_own(root: Path) -> None:
    (root / OVERLAY).write_text("replicas: 5\n")
    assert actions(root, tree()) == {OVERLAY: Action.KEEP_OWN}
    write(root, tree())
    assert (root / OVERLAY).read_text() == "replicas: 5\n"


def test_an_edited_seeded_file_stays_when_its_template_moves_on_and_that_is_said(
    root: Path,
) -> None:
    (root / OVERLAY).write_text("replicas: 5\n")
    for _ in range(2):
        planned = write(root, tree(overlay="replicas: 2\n"))
        assert planned.changes[0].action is Action.KEEP_BEHIND
        assert (root / OVERLAY).read_text() == "replicas: 5\n"


def test_an_edited_managed_file_is_kept_and_is_drift(root: Path) -> None:
    (root / README).write_text("mine\n")
    planned = write(root, tree(readme="new\n"))
    assert [change.path for change in planned.drift] == [README]
    assert (root / README).read_text() == "mine\n"


def test_deleting_an_edited_managed_file_brings_the_generated_one_back(root: Path) -> None:
    (root / README).write_text("mine\n")
    (root / README).unlink()
    assert actions(root, tree()) == {README: Action.CREATE}
    write(root, tree())
    assert (root / README).read_text() == "readme\n"


def test_an_edit_taken_back_makes_the_file_follow_its_template_again(root: Path) -> None:
    (root / OVERLAY).write_text("replicas: 5\n")
    write(root, tree(overlay="replicas: 2\n"))
    (root / OVERLAY).write_text("replicas: 1\n")
    assert actions(root, tree(overlay="replicas: 2\n")) == {OVERLAY: Action.UPDATE}


def test_an_edit_equal_to_the_new_template_counts_as_untouched_from_then_on(root: Path) -> None:
    (root / OVERLAY).write_text("replicas: 2\n")
    write(root, tree(overlay="replicas: 2\n"))
    assert actions(root, tree(overlay="replicas: 3\n")) == {OVERLAY: Action.UPDATE}


def test_a_deleted_seeded_file_stays_deleted(root: Path) -> None:
    (root / OVERLAY).unlink()
    for wanted in (tree(), tree(overlay="replicas: 2\n")):
        assert actions(root, wanted) == {OVERLAY: Action.KEEP_DELETED}
        write(root, wanted)
        assert not (root / OVERLAY).exists()


def test_a_file_of_ones_own_at_a_generated_path_is_kept(tmp_path: Path) -> None:
    for path in (README, OVERLAY):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("mine\n")
    for _ in range(2):
        planned = write(tmp_path, tree())
        skipped = {change.path: change.action for change in planned.skipped}
        assert skipped == {README: Action.KEEP_FOREIGN, OVERLAY: Action.KEEP_FOREIGN}
        assert (tmp_path / README).read_text() == "mine\n"


def test_a_file_that_nothing_generates_is_never_looked_at(root: Path) -> None:
    (root / "base").mkdir()
    (root / "base" / "notes.txt").write_bytes(b"\xff\x00")
    (root / "elsewhere").symlink_to("/etc")
    assert not checkout.plan(root, tree()).changes


def test_a_script_that_lost_its_mode_gets_it_back(tmp_path: Path) -> None:
    wanted = {"scripts/x.sh": File(text="#!/bin/sh\n", ownership=MANAGED), **tree()}
    write(tmp_path, wanted)
    modes = {
        path: S_IMODE((tmp_path / path).stat().st_mode)
        for path in ("scripts/x.sh", README, ".scaffold/shared.json")
    }
    assert modes == {"scripts/x.sh": 0o755, README: 0o644, ".scaffold/shared.json": 0o644}
    (tmp_path / "scripts/x.sh").chmod(0o644)
    assert actions(tmp_path, wanted) == {"scripts/x.sh": Action.UPDATE}
    write(tmp_path, wanted)
    assert os.access(tmp_path / "scripts/x.sh", os.X_OK)


# --- versions


def test_a_release_is_no_edit(root: Path) -> None:
    (root / RUNS).write_text(RELEASE)
    planned = write(root, tree())
    assert not planned.changes
    assert (root / RUNS).read_text() == RELEASE


def test_a_version_that_no_release_could_have_written_is_kept_and_reported(root: Path) -> None:
    (root / RUNS).write_text(RELEASE + "# my own\n")
    planned = write(root, tree())
    assert [change.path for change in planned.drift] == [RUNS]
    assert (root / RUNS).read_text() == RELEASE + "# my own\n"


def test_a_version_file_that_is_no_text_is_kept_too(root: Path) -> None:
    (root / RUNS).write_bytes(b"\xff")
    write(root, tree(runs=MOVING))
    assert (root / RUNS).read_bytes() == b"\xff"


def test_a_service_that_begins_to_follow_the_moving_tag_leaves_its_version(root: Path) -> None:
    (root / RUNS).write_text(RELEASE)
    write(root, tree(runs=MOVING))
    assert (root / RUNS).read_text() == MOVING


def test_a_service_that_stops_following_the_tag_keeps_running_until_it_is_released(
    tmp_path: Path,
) -> None:
    write(tmp_path, tree(runs=MOVING))
    write(tmp_path, tree())
    assert (tmp_path / RUNS).read_text() == MOVING


# --- no longer generated


def test_what_is_no_longer_generated_is_removed_when_untouched(root: Path) -> None:
    wanted = {README: tree()[README], "environments/dev/x": File(text="x", ownership=SEEDED)}
    assert actions(root, wanted)[OVERLAY] is Action.REMOVE
    write(root, wanted)
    assert not (root / "environments/dev/shop").exists(), "empty folders go too"
    assert not checkout.plan(root, wanted).writes


def test_what_is_no_longer_generated_is_kept_when_edited(root: Path) -> None:
    (root / OVERLAY).write_text("replicas: 5\n")
    wanted = {README: tree()[README], "environments/dev/x": File(text="x", ownership=SEEDED)}
    for _ in range(2):
        planned = write(root, wanted)
        assert [change.action for change in planned.skipped] == [Action.KEEP_OBSOLETE]
        assert (root / OVERLAY).read_text() == "replicas: 5\n"


def test_a_released_version_goes_with_its_service(root: Path) -> None:
    (root / RUNS).write_text(RELEASE)
    write(root, {README: tree()[README], "environments/dev/x": File(text="x", ownership=SEEDED)})
    assert not (root / RUNS).exists()


def test_a_file_that_went_and_came_back_is_new(root: Path) -> None:
    without = {README: tree()[README], "environments/dev/x": File(text="x", ownership=SEEDED)}
    write(root, without)
    assert actions(root, {**without, OVERLAY: tree()[OVERLAY]}) == {OVERLAY: Action.CREATE}


# --- stacks beside each other


def test_stacks_that_write_in_turn_never_disturb_each_other(tmp_path: Path) -> None:
    def of(stack: str) -> dict[str, File]:
        own = File(text=f"{stack}\n", ownership=SEEDED)
        return {README: tree()[README], f"environments/{stack}/file": own}

    for stack in ("dev", "prod", "dev", "prod"):
        write(tmp_path, of(stack))
    assert not checkout.plan(tmp_path, of("dev")).changes
    assert not checkout.plan(tmp_path, of("prod")).changes
    locks = sorted(path.name for path in (tmp_path / ".scaffold").iterdir())
    assert locks == ["dev.json", "prod.json", "shared.json"]


# --- refused


@pytest.mark.parametrize("path", [OVERLAY, "environments/dev/shop", "environments"])
def test_a_symbolic_link_on_the_way_is_refused_and_nothing_is_written(
    path: str, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    (root / path).rename(outside)
    (root / path).symlink_to(outside)
    before = files(tmp_path)
    with pytest.raises(UnsafePathError) as refused:
        checkout.plan(root, tree(overlay="replicas: 9\n"))
    assert str(refused.value) == (
        f"{root}: nothing was written; move these away first:\n"
        f"  - {path}: is a symbolic link, which may lead out of the checkout"
    )
    assert files(tmp_path) == before


def test_everything_in_the_way_is_named_in_one_report(tmp_path: Path) -> None:
    (tmp_path / README).mkdir()
    (tmp_path / "environments").write_text("a file\n")
    with pytest.raises(UnsafePathError) as refused:
        checkout.plan(tmp_path, tree())
    assert str(refused.value) == (
        f"{tmp_path}: nothing was written; move these away first:\n"
        "  - README.md: is no file, and a generated file belongs there\n"
        "  - environments: is no folder, and generated files belong in it"
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("<<<<<<< ours\n", "is not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("[]", "has no mapping `files`"),
        ('{"files": []}', "has no mapping `files`"),
        *(
            (
                json.dumps({"files": {name: "a" * 64}}),
                f"names {name!r}, which is no path inside the repository",
            )
            for name in (
                "../../etc/passwd",
                "/etc/passwd",
                ".git/config",
                ".git",
                "",
                "a//b",
                "./a",
            )
        ),
        (
            json.dumps({"files": {"environments/prod/x": "a" * 64}}),
            "names 'environments/prod/x', which belongs into another lock",
        ),
        (json.dumps({"files": {"README.md": 7}}), "has no SHA-256 hash for 'README.md'"),
        (json.dumps({"files": {"README.md": "a" * 65}}), "has no SHA-256 hash for 'README.md'"),
    ],
)
def test_a_broken_lock_is_refused_with_a_remedy(content: str, complaint: str, root: Path) -> None:
    (root / ".scaffold/shared.json").write_text(content)
    with pytest.raises(LockError) as refused:
        checkout.plan(root, tree())
    assert str(refused.value) == (
        f".scaffold/shared.json: {complaint}; take the file from the last commit (git checkout "
        "HEAD -- .scaffold/shared.json), or delete it: then every file that differs from what is "
        "generated counts as edited"
    )


def test_a_lock_that_is_no_text_is_refused_as_another_broken_one(root: Path) -> None:
    (root / ".scaffold/shared.json").write_bytes(b"\xff")
    with pytest.raises(LockError, match=r"\.scaffold/shared\.json: "):
        checkout.plan(root, tree())


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("environments/dev/streaming/tv-api/version/values.yaml", "dev"),
        ("rendered/prod/README.md", "prod"),
        ("environments/README.md", "shared"),
        ("rendered", "shared"),
        ("base/dev/tv-api/kustomization.yaml", "shared"),
        ("README.md", "shared"),
    ],
)
def test_a_file_belongs_to_its_environment_or_to_all(path: str, scope: str) -> None:
    assert layout.scope_of(path) == scope


def test_a_lock_is_sorted_and_has_a_line_for_each_file() -> None:
    assert lock.dump({"b": "1", "a": "2"}) == (
        "{\n"
        '  "comment": "Hashes of the generated files as last written, to tell untouched from '
        'edited. Not to edit.",\n'
        '  "files": {\n'
        '    "a": "2",\n'
        '    "b": "1"\n'
        "  }\n"
        "}\n"
    )
    assert lock.parse("shared", lock.dump({"a": "2" * 64})) == {"a": "2" * 64}
    assert lock.hash_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_without_a_lock_nothing_that_differs_is_overwritten(root: Path) -> None:
    (root / OVERLAY).write_text("replicas: 5\n")
    (root / ".scaffold/dev.json").unlink()
    planned = write(root, tree(overlay="replicas: 2\n"))
    assert {change.path: change.action for change in planned.skipped} == {
        OVERLAY: Action.KEEP_FOREIGN
    }


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, __: Path) -> None:
        raise OSError("the disk is full")

    before = files(root)
    planned = checkout.plan(root, tree(readme="new\n"))
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="the disk is full"):
        checkout.apply(root, planned)
    assert files(root) == before


def test_a_file_is_written_beside_the_one_that_it_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only within a disk is a replacement one step."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "another disk"))
    write(tmp_path / "gitops", tree())
    assert (tmp_path / "gitops" / README).read_text() == "readme\n"


def test_the_checkout_itself_stays_and_what_is_gone_already_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/a.yaml").touch()
    paths = ("base/a.yaml", "base/b.yaml")
    gone = tuple(Change(path=path, action=Action.REMOVE, file=None, before=None) for path in paths)
    checkout.apply(tmp_path, Plan(changes=gone, locks={}))
    assert [*tmp_path.iterdir()] == []


def test_an_interrupted_write_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = checkout.plan(tmp_path, tree())
    monkeypatch.setattr(checkout, "_write", _failing_after(2))
    with pytest.raises(OSError, match="the disk is full"):
        checkout.apply(tmp_path, planned)
    monkeypatch.undo()
    write(tmp_path, tree())
    assert not checkout.plan(tmp_path, tree()).writes
    assert actions(tmp_path, tree(readme="new\n")) == {README: Action.UPDATE}


def _failing_after(count: int) -> object:
    real, left = checkout._write, [count]

    def write_or_fail(target: Path, text: str, *, executable: bool) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError("the disk is full")
        real(target, text, executable=executable)

    return write_or_fail


# --- in words


def test_an_edit_that_is_no_text_is_shown_as_far_as_it_can_be(root: Path) -> None:
    (root / README).write_bytes(b"\xff\n")
    assert "-\ufffd\n" in "".join(report.diff(checkout.plan(root, tree())))


def test_the_report_has_a_line_for_each_file_and_says_why(root: Path) -> None:
    (root / OVERLAY).write_text("replicas: 5\n")
    (root / README).unlink()
    lines = list(report.lines(checkout.plan(root, tree())))
    assert lines == ["+ README.md", f"= {OVERLAY}: edited; kept, it is the team's own"]


def test_every_reason_to_write_or_to_keep_a_file_has_its_words() -> None:
    changes = tuple(
        Change(path=f"{action.name}.txt", action=action, file=None, before=None)
        for action in reversed(Action)
    )
    assert list(report.lines(Plan(changes=changes, locks={".scaffold/dev.json": ""}))) == [
        "+ CREATE.txt",
        "~ UPDATE.txt",
        "- REMOVE.txt: no longer generated, and untouched",
        "= KEEP_DRIFT.txt: edited, though it is generated; kept. Delete it to get it back",
        "= KEEP_OWN.txt: edited; kept, it is the team's own",
        "= KEEP_BEHIND.txt: edited; kept. Its template has changed since: compare with a fresh "
        "render",
        "= KEEP_DELETED.txt: deleted by the team; stays deleted",
        "= KEEP_FOREIGN.txt: a file of your own, where one is generated; kept. Move it to get ours",
        "= KEEP_OBSOLETE.txt: no longer generated, but edited; kept. Delete it when it is not "
        "needed",
    ]


def test_a_lock_that_is_written_alone_is_told() -> None:
    assert list(report.lines(Plan(changes=(), locks={".scaffold/dev.json": "{}"}))) == [
        "~ .scaffold/dev.json: notes files that already are as generated"
    ]


@pytest.mark.parametrize(
    ("count", "lines"),
    [
        (20, [f"+ base/shop/cart/deep/{n}.yaml" for n in sorted(map(str, range(20)))]),
        (21, ["+ base/shop/cart/ (21 files)"]),
    ],
)
def test_many_files_are_summed_up_by_folder(tmp_path: Path, count: int, lines: list[str]) -> None:
    one = File(text="x\n", ownership=SEEDED)
    wanted = {f"base/shop/cart/deep/{n}.yaml": one for n in range(count)}
    assert list(report.lines(checkout.plan(tmp_path, wanted))) == lines


def test_a_folder_with_two_files_is_told_by_its_name(tmp_path: Path) -> None:
    one = File(text="x\n", ownership=SEEDED)
    wanted = {f"base/shop/{n:02d}/{name}.yaml": one for n in range(11) for name in "ab"}
    told = [f"+ base/shop/{n:02d}/ (2 files)" for n in range(11)]
    assert list(report.lines(checkout.plan(tmp_path, wanted))) == told


def test_a_folder_with_one_file_is_told_by_its_file(tmp_path: Path) -> None:
    one = File(text="x\n", ownership=SEEDED)
    wanted = {f"base/shop/{n}/x.yaml": one for n in range(20)} | {"top.txt": one, "a/b": one}
    assert list(report.lines(checkout.plan(tmp_path, wanted))) == [
        "+ a/b",
        "+ base/shop/ (20 files)",
        "+ top.txt",
    ]


def test_a_report_stays_short_however_many_services_there_are(tmp_path: Path) -> None:
    wanted = {
        **{f"base/shop/{n}/x.yaml": File(text="x\n", ownership=SEEDED) for n in range(500)},
        **{f"pipelines/{n}/x.yaml": File(text="x\n", ownership=MANAGED) for n in range(500)},
        README: tree()[README],
    }
    lines = list(report.lines(checkout.plan(tmp_path, wanted)))
    assert lines == ["+ README.md", "+ base/ (500 files)", "+ pipelines/ (500 files)"]


def test_the_difference_shows_what_would_be_written_and_the_drift(root: Path) -> None:
    (root / README).write_text("mine\n")
    text = "".join(report.diff(checkout.plan(root, tree(overlay="replicas: 2\n"))))
    assert text == (
        "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-mine\n+readme\n"
        f"--- a/{OVERLAY}\n+++ b/{OVERLAY}\n@@ -1 +1 @@\n-replicas: 1\n+replicas: 2\n"
    )


def test_the_difference_shows_what_comes_and_what_goes(root: Path) -> None:
    wanted = {
        README: tree()[README],
        RUNS: tree()[RUNS],
        "base/new": File(text="new\n", ownership=SEEDED),
    }
    assert "".join(report.diff(checkout.plan(root, wanted))) == (
        "--- /dev/null\n+++ b/base/new\n@@ -0,0 +1 @@\n+new\n"
        f"--- a/{OVERLAY}\n+++ /dev/null\n@@ -1 +0,0 @@\n-replicas: 1\n"
    )


# --- whatever people do

PATHS = [README, "base/a", OVERLAY, RUNS]
texts = st.sampled_from(["one\n", "two\n", "three\n"])


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Some of the paths, each of one ownership; both parts are always there."""
    chosen = draw(st.sets(st.sampled_from(PATHS)))
    always = {"x": "x\n", "environments/dev/x": "x\n"}
    wanted = {path: File(text=text, ownership=SEEDED) for path, text in always.items()}
    for path in chosen:
        ownership = {README: MANAGED, RUNS: VERSION}.get(path, SEEDED)
        options = st.sampled_from([UNRELEASED_KUSTOMIZE, MOVING]) if path == RUNS else texts
        wanted[path] = File(text=draw(options), ownership=ownership)
    return wanted


edits = st.dictionaries(
    st.sampled_from(PATHS), st.sampled_from([None, "mine\n", "yours\n", RELEASE])
)


def edit(root: Path, done: Mapping[str, str | None]) -> None:
    for path, text in done.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            (root / path).unlink(missing_ok=True)
        else:
            (root / path).write_text(text)


@given(steps=st.lists(st.tuples(trees(), edits), min_size=1, max_size=6), last=trees())
def test_no_edit_is_ever_lost_and_applying_twice_changes_nothing(
    steps: list[tuple[Tree, Mapping[str, str | None]]], last: Tree
) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for wanted, done in steps:
            write(root, wanted)
            edit(root, done)
        before = files(root)
        write(root, last)
        after = files(root)
        for path, content in before.items():
            if content in (b"mine\n", b"yours\n"):
                assert after[path] == content, f"the edit of {path} was lost"
        again = checkout.plan(root, last)
        assert not again.writes
        checkout.apply(root, again)
        assert files(root) == after
