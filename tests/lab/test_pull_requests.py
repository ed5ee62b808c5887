"""Releases by pull request on a real Gitea: main is closed, code owners review, releasers merge."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.gitea import Account, Gitea, GiteaError, running
from lab.parts.gitea import repositories
from lab.site import Site
from lab.toolchain import Toolchain
from lab.waiting import wait_until_empty
from tests.scripts.release_repository import (
    TV_API,
    Ran,
    ReleaseRepository,
    git,
    make_build,
    make_scaffold,
    version_text,
)

ORGANISATION = "acme"
ONE, TWO = make_build("1"), make_build("2", "20261102")
NOT_ALLOWED = 405
MEMBERS = {"releasers": "rhea", "developers": "ada", "pipelines": "bo"}
CODE_OWNERS = """\
environments/prod/.* @acme/releasers
rendered/prod/.* @acme/releasers
base/.* @acme/releasers
"""
"""Gitea's rules are regular expressions, and those of `.github/CODEOWNERS` are not read."""
PROTECTION = {
    "rule_name": "main",
    # Nobody pushes, but for what a pipeline delivers to the fast environment.
    "enable_push": False,
    "unprotected_file_patterns": "environments/dev/*/*/version/**",
    "enable_merge_whitelist": True,
    "merge_whitelist_teams": ["releasers"],
    "required_approvals": 1,
    "enable_approvals_whitelist": True,
    "approvals_whitelist_teams": ["releasers"],
    "block_on_rejected_reviews": True,
    # Code owners are asked for a review when a pull request opens; this waits for them.
    "block_on_official_review_requests": True,
    "dismiss_stale_approvals": True,
    "block_admin_merge_override": True,
}


@dataclass(frozen=True)
class Organisation:
    """The people of an organisation on a Git host, and where the host keeps repositories."""

    gitea: Gitea
    people: dict[str, Account]
    folder: Path


class OnGitea(ReleaseRepository):
    """A GitOps repository on Gitea; `clone` is that of Ada, who may not push its main."""

    def __init__(self, root: Path, scaffold: Path, organisation: Organisation, name: str) -> None:
        self.organisation = organisation
        self.path = f"{ORGANISATION}/{name}"
        self.url = f"{organisation.gitea.url}/{self.path}.git"
        self._publish(root / "published", scaffold)
        super().__init__(root, scaffold)
        self.origin = organisation.folder / f"{self.path}.git"

    def _publish(self, work: Path, scaffold: Path) -> None:
        """The generated tree as main of a new repository, which is protected from then on."""
        owner = self.organisation.gitea.owner
        name = self.path.rpartition("/")[2]
        owner.call("POST", f"/orgs/{ORGANISATION}/repos", name=name, private=True)
        git(work.parent, "clone", "--quiet", str(scaffold), str(work))
        platform = work / "scripts" / "platform.json"
        told = json.loads(platform.read_text())
        told["git"]["url"] = self.url
        told["environments"]["prod"]["releases"] = "pull-request"
        platform.write_text(json.dumps(told))
        (work / ".gitea").mkdir()
        (work / ".gitea" / "CODEOWNERS").write_text(CODE_OWNERS)
        git(work, "add", "--all")
        identity = ("-c", "user.name=Pulumi", "-c", "user.email=platform@acme.example")
        git(work, *identity, "commit", "--quiet", "-m", "On Gitea")
        git(work, "push", "--quiet", owner.address(self.path), "HEAD:main")
        owner.call("POST", f"/repos/{self.path}/branch_protections", **PROTECTION)

    def new_clone(self, name: str, person: str = "Ada") -> Path:
        """A clone in which `person` reads and pushes with their own token."""
        account = self.organisation.people[person.lower()]
        clone = self.root / name
        git(self.root, "clone", "--quiet", account.address(self.path), name)
        git(clone, "remote", "set-url", "origin", self.url)
        secret = self.root / f"{name}.credentials"
        secret.write_text(self.url.replace("://", f"://{account.name}:{account.token}@") + "\n")
        for key, value in {
            "user.name": person,
            "user.email": f"{person.lower()}@acme.example",
            "credential.helper": f"store --file={secret}",
        }.items():
            git(clone, "config", key, value)
        return clone

    def propose(self, script: str, *words: str) -> int:
        """A release by Ada, who has no other way; the number of its pull request."""
        tip = self.tip
        environ = {**self.environ, "GITEA_TOKEN": self.organisation.people["ada"].token}
        ran: Ran = self.run(script, *words, "--service", "tv-api", "--yes", env=environ)
        found = re.search(rf"proposed: {self.url.removesuffix('.git')}/pulls/(\d+)", ran.out)
        assert (ran.code, found is not None) == (0, True), ran.said
        assert self.tip == tip, "main moved before anybody reviewed"
        assert found
        return int(found[1])

    def approve(self, number: int) -> None:
        self.call("rhea", "POST", f"pulls/{number}/reviews", event="APPROVED")

    def merge(self, number: int, how: str, person: str = "rhea", **message: str) -> None:
        """Merges as a person; Gitea says `try again` until it has looked at the branches."""

        def again() -> str:
            try:
                self.call(person, "POST", f"pulls/{number}/merge", Do=how, **message)
            except GiteaError as error:
                if "try again" not in str(error):
                    raise
                return str(error)
            return ""

        wait_until_empty(f"the merge of {number}", again, seconds=60)

    def merge_on_the_page(self, number: int, how: str) -> None:
        """Merges as the page does it, which sends the title and the text of the pull request."""
        pull = self.call("rhea", "GET", f"pulls/{number}")
        message = {
            "MergeTitleField": f"{pull['title']} (#{number})",
            "MergeMessageField": str(pull["body"]),
        }
        self.merge(number, how, **(message if how == "squash" else {}))

    def call(self, person: str, method: str, path: str, **content: object) -> dict[str, Any]:
        answer: dict[str, Any] = self.organisation.people[person].call(
            method, f"/repos/{self.path}/{path}", **content
        )
        return answer


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """An organisation with a releaser, a developer and a pipeline, on a Gitea of its own."""
    site = Site(tmp_path_factory.mktemp("gitea"), Site.from_environment().port_base)
    with running(site, Toolchain()) as gitea:
        gitea.owner.call("POST", "/orgs", username=ORGANISATION)
        people = {}
        for team, name in MEMBERS.items():
            people[name] = gitea.create(name)
            made = gitea.owner.call(
                "POST",
                f"/orgs/{ORGANISATION}/teams",
                name=team,
                permission="write",
                units=["repo.code", "repo.pulls"],
                includes_all_repositories=True,
            )
            gitea.owner.call("PUT", f"/teams/{made['id']}/members/{name}")
        yield Organisation(gitea, people, repositories(site))


@pytest.fixture(scope="module")
def scaffold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scaffold(tmp_path_factory.mktemp("scaffold"))


@pytest.fixture
def releases(
    tmp_path: Path, scaffold: Path, organisation: Organisation, request: pytest.FixtureRequest
) -> OnGitea:
    """A repository in which the pipeline has delivered two versions to dev."""
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    made = OnGitea(tmp_path, scaffold, organisation, name[:90])
    for build in (ONE, TWO):
        made.deliver(TV_API, build)
    git(made.clone, "pull", "--quiet")
    return made


@pytest.mark.parametrize("person", ["ada", "bo", "rhea"])
def test_nobody_pushes_what_prod_runs(releases: OnGitea, person: str) -> None:
    before = releases.tip
    clone = releases.new_clone(f"of-{person}", person)
    path = clone / "environments" / "prod" / TV_API / "version" / "kustomization.yaml"
    path.write_text(version_text(TV_API, ONE))
    git(clone, "commit", "--all", "--quiet", "-m", "Straight to prod")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        git(clone, "push", "--quiet", "origin", "HEAD:main")
    assert "protected branch" in refused.value.stderr
    assert releases.tip == before


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_promotion_and_its_rollback_are_reviewed_and_merged_by_a_releaser(
    releases: OnGitea, how: str
) -> None:
    for build in (ONE, TWO):
        number = releases.propose("promote-to-prod.sh", build.version)
        for person in ("ada", "rhea"):
            with pytest.raises(GiteaError) as refused:
                releases.merge(number, how, person)
            assert refused.value.status == NOT_ALLOWED
        releases.approve(number)
        with pytest.raises(GiteaError, match="not allowed to merge"):
            releases.merge(number, how, "ada")
        releases.merge_on_the_page(number, how)
        assert releases.runs("prod", TV_API) == version_text(TV_API, build)

    told = releases.history("--environment", "prod")[0]
    assert (told["kind"], told["version"]) == ("promotion", TWO.version)
    assert told["by"] == "Ada <ada@acme.example>"

    number = releases.propose("rollback-prod.sh")
    releases.approve(number)
    releases.merge_on_the_page(number, how)
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    told = releases.history("--environment", "prod")[0]
    assert (told["kind"], told["version"]) == ("rollback", ONE.version)


def test_the_code_owners_are_asked(releases: OnGitea) -> None:
    number = releases.propose("promote-to-prod.sh", ONE.version)
    asked = releases.call("rhea", "GET", f"pulls/{number}")["requested_reviewers_teams"]
    assert [team["name"] for team in asked] == ["releasers"]


def test_a_release_that_is_proposed_again_updates_the_pull_request_that_is_open(
    releases: OnGitea,
) -> None:
    numbers = []
    for script, words in (
        ("promote-to-prod.sh", (ONE.version,)),
        ("promote-to-prod.sh", (TWO.version,)),
        ("rollback-prod.sh", ()),
    ):
        numbers.append(releases.propose(script, *words))
        releases.approve(numbers[-1])
        releases.merge_on_the_page(numbers[-1], "merge")
    again = releases.propose("promote-to-prod.sh", TWO.version)
    assert again not in numbers, "that one is merged"
    releases.deliver(TV_API, make_build("3", "20261103"))
    assert releases.propose("promote-to-prod.sh", TWO.version) == again
