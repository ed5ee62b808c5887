"""Gitea: a Git host with people, teams, protected branches and pull requests.

`make up` does not start it: see docs/decisions/0007.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from lab.part import Part
from lab.readiness import http_ok
from lab.site import HOST, Site
from lab.state import write_atomically
from lab.toolchain import Toolchain


def part(site: Site, tools: Toolchain) -> Part:
    """The part; its repositories, its database and its settings are in `site`'s home."""
    return Part(
        name="gitea",
        port=site.port("gitea"),
        prepare=lambda: prepare(site, tools),
        ready=http_ok(f"{site.url('gitea')}/api/healthz"),
        command=(*command(site, tools), "web"),
    )


def command(site: Site, tools: Toolchain) -> tuple[str | Path, ...]:
    """How a command of Gitea starts that acts on this lab's."""
    home = folder(site)
    return (tools.path("gitea"), "--work-path", home, "--config", home / "app.ini")


def folder(site: Site) -> Path:
    return site.home / "gitea"


def repositories(site: Site) -> Path:
    """Where it keeps the bare repositories, as `owner/name.git`."""
    return folder(site) / "repositories"


def prepare(site: Site, tools: Toolchain) -> None:
    """Its settings, with secrets of its own; those of an earlier start stay."""
    file = folder(site) / "app.ini"
    if not file.exists():
        write_atomically(file, settings(site, tools.module_dir("gitea.dev")), mode=0o600)


def settings(site: Site, module: Path) -> str:
    """The content of app.ini: Git over HTTP and the API, and nothing that leaves the machine.

    `module` is the folder with the texts and pages that it reads.
    """
    home = folder(site)
    return f"""\
RUN_MODE = prod
WORK_PATH = {home}
; Without it Gitea refuses root, whom containers run as.
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true

[server]
HTTP_ADDR = {HOST}
HTTP_PORT = {site.port("gitea")}
ROOT_URL = {site.url("gitea")}/
STATIC_ROOT_PATH = {module}
OFFLINE_MODE = true
DISABLE_SSH = true
LFS_START_SERVER = false

[database]
DB_TYPE = sqlite3

[security]
INSTALL_LOCK = true
SECRET_KEY = {secrets.token_hex(32)}
INTERNAL_TOKEN = {secrets.token_hex(32)}

[oauth2]
ENABLED = false

[service]
DISABLE_REGISTRATION = true

[repository]
ROOT = {repositories(site)}
DEFAULT_BRANCH = main

[actions]
ENABLED = false

[packages]
ENABLED = false

[cron]
ENABLED = false

[indexer]
ISSUE_INDEXER_TYPE = db

[log]
MODE = console
LEVEL = warn
"""
