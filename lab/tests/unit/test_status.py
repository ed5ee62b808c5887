"""What is told of a lab: written once, read by anybody, never about a stranger's process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab import state, supervisor
from lab.child import LONGEST_PAUSE, Child
from lab.process import Identity, describe_exit, tail
from lab.site import CHECKOUT, Site
from lab.state import DaemonStatus, Report
from settings.problems import UserError

US = Identity.of(os.getpid())
GONE = Identity(pid=os.getpid(), started=1)
"""Our own number, but of a process that started when the machine did."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(home=tmp_path, port_base=21000)


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    assert US is not None
    assert US.alive()
    assert not GONE.alive(), "a later process of the same number is taken for the recorded one"


def test_a_stranger_with_a_recorded_number_survives_a_stop(site: Site) -> None:
    state.write(
        state.supervisor_report(site),
        Report(
            phase="up", owner=GONE, daemons=(DaemonStatus(name="git", state="ready", process=GONE),)
        ),
    )

    supervisor.stop(site)  # would end this very test run

    assert supervisor.status(site) == []


def test_stopping_a_lab_that_never_ran_does_nothing(site: Site) -> None:
    supervisor.stop(site)

    assert not supervisor.running(site)


def test_a_report_is_read_as_it_was_written(site: Site) -> None:
    report = Report(
        phase="up",
        owner=US,
        daemons=(
            DaemonStatus(name="git", state="ready", process=US, port=1, seconds=0.5, restarts=2),
            DaemonStatus(name="authenticator", state="waiting", note="waits for aws"),
        ),
        message="all is well",
    )
    state.write(state.supervisor_report(site), report)

    assert state.read(state.supervisor_report(site)) == report


@pytest.mark.parametrize("text", ["", "{", "[]", '{"daemons": 3}', '{"daemons": [{"other": 1}]}'])
def test_a_report_that_cannot_be_read_counts_as_none(site: Site, text: str) -> None:
    path = state.supervisor_report(site)
    path.parent.mkdir(parents=True)
    path.write_text(text)

    assert state.read(path) == Report()


def test_a_report_in_another_layout_still_names_the_process_to_stop(site: Site) -> None:
    assert US is not None
    path = state.supervisor_report(site)
    path.parent.mkdir(parents=True)
    path.write_text(f'{{"owner": {{"pid": {US.pid}, "started": {US.started}}}, "parts": []}}')

    assert state.read(path) == Report(owner=US)


def test_a_daemon_whose_process_vanished_is_reported_with_its_log_and_a_remedy(
    site: Site,
) -> None:
    log = site.logs() / "dev-apiserver.log"
    log.parent.mkdir(parents=True)
    log.write_text("the last words\n")
    state.write(
        state.supervisor_report(site),
        Report(
            phase="up",
            daemons=(
                DaemonStatus(name="dev/apiserver", state="ready", process=GONE, log=str(log)),
            ),
        ),
    )

    (daemon,) = supervisor.status(site)

    assert (daemon.name, daemon.state, daemon.pid) == ("dev/apiserver", "stopped", None)
    assert "the last words" in daemon.note
    assert "make down && make up" in daemon.note


def test_pods_processes_stand_behind_the_daemons(site: Site) -> None:
    for path, title in (
        (state.processes_report(site, "dev"), "dev/keel"),
        (state.supervisor_report(site), "git"),
    ):
        state.write(path, Report(daemons=(DaemonStatus(name=title, state="waiting"),)))

    assert [daemon.name for daemon in supervisor.status(site)] == ["git", "dev/keel"]


def test_a_daemon_that_dies_again_and_again_pauses_longer_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("lab.child.time.monotonic", lambda: now[0])
    child = Child("git", log=tmp_path / "git.log", port=1)
    pauses = []
    for _ in range(9):
        child.record_failure("exited with code 1")
        pause = 0.0
        while not child.may_start:
            now[0] += 0.5
            pause += 0.5
        pauses.append(pause)

    assert pauses == [0, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert child.status.restarts == len(pauses)


def test_the_exit_of_a_daemon_is_reported_until_it_is_ready_and_in_short_afterwards(
    tmp_path: Path,
) -> None:
    log = tmp_path / "git.log"
    log.write_text("cannot open the box\n")
    child = Child("git", log=log, port=1)

    child.record_failure("was killed by SIGKILL")
    assert "was killed by SIGKILL" in child.status.note
    assert "cannot open the box" in child.status.note

    child.check(lambda: "nothing listens")
    assert "cannot open the box" in child.status.note

    child.check(lambda: None)
    assert child.status.state == "ready"
    assert child.status.note.endswith("was killed by SIGKILL.")


def test_a_daemon_that_is_not_ready_says_what_is_missing(tmp_path: Path) -> None:
    child = Child("git", log=tmp_path / "git.log", port=1)

    assert not child.check(lambda: "nothing accepts connections on port 1")
    assert child.status.note == "nothing accepts connections on port 1"


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exited with code 0"), (3, "exited with code 3"), (-9, "was killed by SIGKILL")],
)
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


def test_the_tail_of_a_log_is_short_and_indented(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))

    assert tail(log, lines=2) == "    line 98\n    line 99"
    assert tail(tmp_path / "none.log") == "    (it wrote nothing)"


def test_git_ignores_a_lab_wherever_in_a_checkout_it_is(tmp_path: Path) -> None:
    state.make_run_folder(Site(home=tmp_path / "mine", port_base=21000))
    assert (tmp_path / "mine" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("home", [".", ".."])
def test_a_lab_never_has_the_checkout_in_its_folder(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make clean` deletes the folder."""
    monkeypatch.setenv("LAB_HOME", str(CHECKOUT / home))
    with pytest.raises(UserError, match="name a folder for the lab alone"):
        Site.from_environment()


def test_to_ask_whether_a_lab_runs_that_never_did_leaves_no_trace(tmp_path: Path) -> None:
    site = Site(home=tmp_path / "mine", port_base=21000)
    assert not supervisor.running(site)
    assert not site.home.exists()
