"""Ports of a lab: checked together, reported together."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lab import ports
from lab.ports import Conflict, Holder, PortsTakenError
from lab.site import HOST, KEEL_PORT, Site

SITE = Site(home=Path("/nowhere"), port_base=21000)


def test_every_part_has_a_port_of_its_own() -> None:
    shared, clusters = 8, 18 * len(SITE.environments)

    assert len(ports.needed(SITE)) == shared + clusters + 1, "two daemons share a port"


def test_two_labs_at_the_proposed_bases_meet_at_keels_port_only() -> None:
    moved = Site(home=SITE.home, port_base=SITE.port_base + 2000)

    assert ports.needed(SITE).keys() & ports.needed(moved).keys() == {KEEL_PORT}


def test_all_taken_ports_are_found_with_who_holds_them() -> None:
    holder = Holder(pid=7, command="nginx")

    found = ports.conflicts(
        {21001: "registry", 21000: "aws", 21002: "git"},
        free=lambda port: port == 21002,
        who=lambda: {21000: holder},
    )

    assert found == [Conflict("aws", 21000, holder), Conflict("registry", 21001, None)]


def test_nobody_is_asked_who_holds_ports_when_all_are_free() -> None:
    def fail() -> dict[int, Holder]:
        raise AssertionError("looking through all processes is slow")

    assert ports.conflicts({21000: "aws"}, free=lambda _: True, who=fail) == []


def test_one_message_names_part_port_process_and_remedy() -> None:
    message = str(
        PortsTakenError(
            [
                Conflict("aws", 21000, Holder(7, "nginx -g daemon")),
                Conflict("dev/etcd", 21100, None),
            ],
            port_base=21000,
        )
    )

    assert message.splitlines() == [
        "2 ports are taken, nothing was started:",
        "  - 21000 for aws, used by process 7: nginx -g daemon",
        "  - 21100 for dev/etcd, used by a process that this user cannot see",
        "Stop the processes that use them; of another lab, by `make down` in its checkout.",
        "Or move this lab elsewhere: LAB_PORT_BASE=23000 make up",
    ]


def test_another_lab_is_named_with_the_command_that_stops_it() -> None:
    message = str(
        PortsTakenError([Conflict("aws", 21000, Holder(7, "python", lab="/a/.lab"))], 21000)
    )

    assert "Stop the lab in /a/.lab: LAB_HOME=/a/.lab make down" in message


def test_moving_the_lab_is_no_remedy_for_keels_port() -> None:
    message = str(PortsTakenError([Conflict("keel", KEEL_PORT, None)], 21000))

    assert "LAB_PORT_BASE" not in message
    assert f"Port {KEEL_PORT} is compiled into Keel" in message


@pytest.mark.parametrize("address", [HOST, "0.0.0.0"])  # noqa: S104 - a stranger may do so
def test_a_port_on_which_somebody_listens_is_not_free(address: str) -> None:
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.holders()[port].pid > 0
    assert ports.is_free(port), "a port counts as taken after its server has gone"
