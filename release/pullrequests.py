"""Pull requests on GitHub, GitHub Enterprise, Gitea and Forgejo, by their REST APIs."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, NamedTuple, Optional
from urllib.parse import quote, urlsplit

from release.configuration import identity
from release.errors import PRECONDITION, REMOTE, Failure
from release.terminal import one_line

_TIMEOUT = 30
_OK = 200
_PAGES = 100
_TOKEN = re.compile(r"[!-~]+")
_TOKENS = {
    "github": ("GH_TOKEN", "GITHUB_TOKEN"),
    "enterprise": ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"),
    "gitea": ("GITEA_TOKEN", "FORGEJO_TOKEN"),
}


class PullRequest(NamedTuple):
    """One that is open."""

    number: int
    address: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token goes to the host that it is for, and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Host:
    """The Git host of a repository."""

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        """`url` is the repository's. Raises Failure where no token is there for its host."""
        self._opener = urllib.request.build_opener(_NoRedirect)
        name, path = identity(url)
        self.owner, _, self.repository = path.rpartition("/")
        parts = urlsplit(url)
        scheme = parts.scheme if parts.scheme in ("http", "https") else "https"
        self._kind, self._api = self._find(scheme, name)
        variables = _TOKENS[self._kind]
        variable = next((v for v in variables if environ.get(v, "").strip()), variables[0])
        self._token = environ.get(variable, "").strip()
        if not _TOKEN.fullmatch(self._token):
            raise Failure(
                PRECONDITION,
                f"what {variable} has is no token"
                if self._token
                else f"a pull request on {name} needs a token of yours in {variable}",
                "one that may write pull requests of the GitOps repository; nothing was changed",
            )

    def _find(self, scheme: str, name: str) -> tuple[str, str]:
        if name in ("github.com", "ssh.github.com"):
            return "github", "https://api.github.com"
        for kind, api, sign in (
            ("gitea", f"{scheme}://{name}/api/v1", "version"),
            ("enterprise", f"{scheme}://{name}/api/v3", "meta"),
        ):
            status, answered = self._request("GET", f"{api}/{sign}", None, "")
            # A house that is closed to strangers says so as its kind does.
            if status in (_OK, 401, 403) and isinstance(answered, dict):
                return kind, api
        raise Failure(
            REMOTE,
            f"{name} answers neither as GitHub nor as Gitea or Forgejo does",
            "release by push, or ask the administrator of the Git host; nothing was changed",
        )

    # --- pull requests

    def find(self, branch: str, base: str) -> Optional[PullRequest]:
        """The open pull request of a branch.

        Gitea does not filter by branch, and asked for one it may name an old pull request; no
        host's filter is relied on.
        """
        onto, head = quote(base, safe=""), quote(f"{self.owner}:{branch}", safe="")
        narrowed = f"base_branch={onto}" if self._kind == "gitea" else f"base={onto}&head={head}"
        for page in range(1, _PAGES + 1):
            _, answered = self._call("GET", f"pulls?state=open&{narrowed}&page={page}")
            if not isinstance(answered, list) or not answered:
                return None
            for each in answered:
                if _joins(each, branch, base):
                    return _pull_request(each)
        return None

    def open(self, branch: str, base: str, title: str, text: str) -> PullRequest:
        """Opens one, or gives the one that is open a new title and text. Raises Failure."""
        there = self.find(branch, base)
        if there:
            content = {"title": title, "body": text}
            status, answered = self._call("PATCH", f"pulls/{there.number}", content)
        else:
            content = {"title": title, "body": text, "head": branch, "base": base}
            status, answered = self._call("POST", "pulls", content)
        if status not in (_OK, 201) or not isinstance(answered, dict):
            raise Failure(
                REMOTE,
                f"the Git host refuses the pull request ({status}): {_reason(answered)}",
                f"the branch {branch} was pushed; {base} is as it was",
            )
        return _pull_request(answered)

    def _call(self, method: str, path: str, content: Any = None) -> tuple[int, Any]:
        place = f"{self._api}/repos/{quote(self.owner)}/{quote(self.repository)}/{path}"
        return self._request(method, place, content, self._token)

    def _request(self, method: str, address: str, content: Any, token: str) -> tuple[int, Any]:
        request = urllib.request.Request(  # noqa: S310 - the address of the configuration
            address,
            method=method,
            data=json.dumps(content).encode() if content is not None else None,
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": "gitops-release",
                **({"Authorization": f"token {token}"} if token else {}),
            },
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                return answer.status, _parsed(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _parsed(error.read())
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Failure(
                REMOTE,
                f"{urlsplit(address).netloc} does not answer: {one_line(str(reason))}",
                "look whether the pull request is there before you try again",
            ) from error


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _joins(answered: Any, branch: str, base: str) -> bool:
    """Whether a pull request is for two branches of one repository; forks have branches, too."""
    try:
        head, onto = answered["head"], answered["base"]
        ours, theirs = (side.get("repo_id") or side["repo"]["id"] for side in (head, onto))
        return bool(ours == theirs and (head["ref"], onto["ref"]) == (branch, base))
    except (KeyError, TypeError, AttributeError):
        return False


def _pull_request(answered: Any) -> PullRequest:
    try:
        return PullRequest(int(answered["number"]), one_line(str(answered["html_url"])))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Failure(REMOTE, "the Git host answers what is no pull request") from error


def _reason(answered: Any) -> str:
    if not isinstance(answered, dict):
        return "it said nothing"
    words = [str(answered.get("message") or "")]
    errors = answered.get("errors") or []
    for error in errors if isinstance(errors, list) else [errors]:
        words.append(str(error.get("message") or error) if isinstance(error, dict) else str(error))
    return one_line("; ".join(word for word in words if word))[:300] or "it said nothing"


def branch_name(environment: str, kind: str, names: Sequence[str], identity_of_plan: str) -> str:
    """The branch of a release: the same for the same services and versions."""
    what = names[0] if len(names) == 1 else f"{len(names)}-services"
    return (
        f"release/{environment}-{kind}-{re.sub(r'[^a-z0-9-]', '-', what)}-{identity_of_plan[:10]}"
    )
