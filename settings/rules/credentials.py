"""Rules about credentials: which secrets a stack needs, and which exclude each other.

They know the names of the secrets that a stack sets, never their values.
"""

from __future__ import annotations

from collections.abc import Iterator

from settings.environment import Environment
from settings.git_url import parse_git_url
from settings.problems import Problem

_KNOWN_TO_ARGO_CD = frozenset(
    {
        "bitbucket.org", "github.com", "gitlab.com", "ssh.dev.azure.com", "ssh.github.com",
        "vs-ssh.visualstudio.com",
    }
)  # fmt: skip
"""The hosts whose SSH keys Argo CD brings."""
_BEGINNINGS = {"http": "https:// or http://", "ssh": "ssh:// or git@"}
_TRANSPORTS = {"gitPrivateKey": "ssh", "gitToken": "http", "gitops.githubApp": "http"}
"""Each way to read the GitOps repository, and the transport of the URLs that it goes with."""


def check(environment: Environment) -> Iterator[Problem]:
    """Every rule about the credentials of one environment."""
    yield from _one_credential(environment)
    yield from _fitting_url(environment)
    yield from _whole_github_app(environment)
    yield from _host_of_ones_own(environment)


def _credentials(environment: Environment) -> list[str]:
    """The keys below `platform:` that say how the GitOps repository is read."""
    app = {"gitops.githubApp"} if environment.config.gitops.github_app else set()
    return [key for key in _TRANSPORTS if key in environment.secrets | app]


def _one_credential(environment: Environment) -> Iterator[Problem]:
    keys = _credentials(environment)
    for key in keys[1:]:
        yield environment.problem(
            key,
            "",
            f"is a credential of the GitOps repository beside platform:{keys[0]}, and Argo CD "
            "takes one",
            "keep one of them and remove the other",
        )


def _fitting_url(environment: Environment) -> Iterator[Problem]:
    url = environment.config.gitops.url
    for key in _credentials(environment):
        if parse_git_url(url).transport != _TRANSPORTS[key]:
            yield environment.problem(
                "gitops.url",
                url,
                f"does not begin with {_BEGINNINGS[_TRANSPORTS[key]]}, as platform:{key} needs it",
                "write the repository's other URL, or set another credential: a deploy key goes "
                "with ssh://, a token and a GitHub App with https://",
            )


def _whole_github_app(environment: Environment) -> Iterator[Problem]:
    app, key = environment.config.gitops.github_app, "githubAppPrivateKey"
    if app and key not in environment.secrets:
        yield environment.problem(
            key,
            "",
            "is missing, and platform:gitops.githubApp proves itself by it",
            f"set it with `pulumi config set --secret platform:{key} < <file>.pem`",
        )
    if not app and key in environment.secrets:
        yield environment.problem(
            "gitops.githubApp",
            "",
            f"is missing, and platform:{key} belongs to a GitHub App",
            f"add the app's id and installation, or `pulumi config rm platform:{key}`",
        )


def _host_of_ones_own(environment: Environment) -> Iterator[Problem]:
    """Argo CD reads from a host only whose key or certificate it knows."""
    gitops = environment.config.gitops
    address = parse_git_url(gitops.url)
    over_ssh, known = address.transport == "ssh", bool(gitops.known_hosts)
    if over_ssh and not known and address.host not in _KNOWN_TO_ARGO_CD:
        yield environment.problem(
            "gitops.knownHosts",
            address.host,
            "is missing, and Argo CD reads over SSH only from hosts whose key it knows",
            f"add what `ssh-keyscan {address.host}` prints, compared with what the host publishes",
        )
    without_use = [
        *(["knownHosts"] if known and not over_ssh else []),
        *(["certificateAuthority"] if gitops.certificate_authority and over_ssh else []),
    ]
    for key in without_use:
        yield environment.problem(
            f"gitops.{key}",
            "",
            f"has no effect with {gitops.url}",
            "remove it, or write the repository's other URL: keys of hosts go with ssh://, a "
            "certificate authority with https://",
        )
