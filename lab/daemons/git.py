"""The Git host: Gitea, with people, teams, protected branches, pull requests and push webhooks."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit

from lab import names
from lab.daemon import Daemon
from lab.readiness import http_ok
from lab.site import HOST, Site
from lab.state import write_atomically
from lab.toolchain import Toolchain


def daemon(site: Site, tools: Toolchain) -> Daemon:
    module = tools.module_dir("gitea.dev")
    return Daemon(
        name="git",
        port=site.port("git"),
        variables={"SSL_CERT_FILE": str(_authorities(site))},
        prepare=lambda: _prepare(site, module),
        ready=http_ok(f"{site.url('git')}/api/healthz"),
        command=(*command(site, tools), "web"),
    )


def _prepare(site: Site, module: Path) -> None:
    write_atomically(_file(site), settings(site, module), mode=0o600)
    trusted = [names.certificate(site, each)[0] for each in site.environments]
    write_atomically(_authorities(site), "".join(Path(file).read_text() for file in trusted))


def command(site: Site, tools: Toolchain) -> tuple[str | Path, ...]:
    """How a command of Gitea starts that acts on this lab's."""
    file = _file(site)
    return (tools.path("gitea"), "--work-path", file.parent, "--config", file)


def settings(site: Site, module: Path) -> str:
    """The content of app.ini: Git over HTTP and the API, and nothing that leaves the machine.

    `module` is the folder with the texts and pages that it reads. Its secrets are new at each
    start: nothing that it keeps depends on them.
    """
    return f"""\
RUN_MODE = prod
WORK_PATH = {_file(site).parent}
; Without it Gitea refuses root, whom containers run as.
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true

[server]
HTTP_ADDR = {HOST}
HTTP_PORT = {site.port("git")}
ROOT_URL = {site.url("git")}/
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
; Argo CD hears of pushes here, and under its name, to which the lab's proxy knows the way.
ALLOWED_HOST_LIST = {", ".join(["loopback", *_names(site)])}

[webhook]
PROXY_URL = {site.url("names")}
PROXY_HOSTS = {", ".join(_names(site))}

[oauth2]
ENABLED = false

[service]
DISABLE_REGISTRATION = true

[repository]
ROOT = {site.git_repositories}
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


def _names(site: Site) -> list[str]:
    """The host names of Argo CD."""
    urls = (urlsplit(names.argocd_url(site, each)) for each in site.environments)
    return [url.hostname or "" for url in urls if url.scheme == "https"]


def _authorities(site: Site) -> Path:
    """Whom Gitea trusts: the load balancers."""
    return site.home / "git" / "authorities.crt"


def _file(site: Site) -> Path:
    return site.home / "git" / "app.ini"
