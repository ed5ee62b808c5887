"""What the lab's Gitea is told: to stay on this machine, and to need nothing but its folder."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from lab.parts.git import settings
from lab.site import Site

SITE = Site(home=Path("/lab"), port_base=21000)


def told(text: str) -> ConfigParser:
    parsed = ConfigParser()
    parsed.read_string(f"[DEFAULT]\n{text}")
    return parsed


def test_it_listens_on_the_loopback_address_at_a_port_of_its_own() -> None:
    server = told(settings(SITE, Path("/module")))["server"]
    assert (server["HTTP_ADDR"], server["HTTP_PORT"]) == ("127.0.0.1", "21002")
    assert server["ROOT_URL"] == "http://127.0.0.1:21002/"
    assert server["OFFLINE_MODE"] == "true"


def test_it_tells_of_pushes_on_this_machine_only() -> None:
    assert told(settings(SITE, Path("/module")))["security"]["ALLOWED_HOST_LIST"] == "loopback"


def test_all_that_it_writes_is_in_its_folder() -> None:
    parsed = told(settings(SITE, Path("/module")))
    assert parsed["server"]["WORK_PATH"] == "/lab/git"
    assert parsed["repository"]["ROOT"] == "/lab/git/repositories"
    assert SITE.git_repositories == Path("/lab/git/repositories")


def test_the_texts_that_it_reads_are_those_of_the_module() -> None:
    assert told(settings(SITE, Path("/module")))["server"]["STATIC_ROOT_PATH"] == "/module"


def test_every_lab_has_secrets_of_its_own() -> None:
    first, second = (told(settings(SITE, Path("/module")))["security"] for _ in range(2))
    for name in ("SECRET_KEY", "INTERNAL_TOKEN"):
        assert first[name] != second[name]
        assert len(first[name]) == 64
