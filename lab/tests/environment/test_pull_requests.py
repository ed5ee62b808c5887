"""Releases by pull request: nobody pushes main, code owners review, releasers merge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest
import yaml

from gitops.tree import shared
from lab.gitea import USER, Account, GiteaError, administrator, create_person
from lab.site import CHECKOUT
from lab.tests.environment.conftest import Lab
from lab.tests.environment.test_releases import TV_API as SERVICE
from lab.tests.environment.test_releases import (
    build,
    history,
    live,
    require_waiting,
    tip,
    wait_until_live,
)
from lab.up import approve
from lab.waiting import wait_until_empty
from settings.loading import load_files
from tests.scripts.release_repository import (
    TV_API,
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
OWNERS = ".gitea/CODEOWNERS"
PROTECTION = {
    "rule_name": "main",
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
NOBODY_PUSHES = {
    "enable_push": False,
    # But for what a pipeline delivers to the fast environment.
    "unprotected_file_patterns": "environments/dev/*/*/version/**",
}
THE_PIPELINES_PUSH = {
    "enable_push": True,
    "enable_push_whitelist": True,
    "push_whitelist_usernames": [USER],
}


@dataclass(frozen=True)
class Repository:
    """A repository of the organisation, and the people who work with it."""

    host: Account
    people: dict[str, Account]
    path: str

    @property
    def url(self) -> str:
        return f"{self.host.url}/{self.path}.git"

    def clone(self, folder: Path, person: str) -> Path:
        """A clone in which `person` reads and pushes with their own token."""
        account = self.people[person.lower()]
        git(folder.parent, "clone", "--quiet", account.address(self.path), folder.name)
        git(folder, "remote", "set-url", "origin", self.url)
        secret = folder.parent / f"{folder.name}.credentials"
        secret.write_text(self.url.replace("://", f"://{account.name}:{account.token}@") + "\n")
        for key, value in {
            "user.name": person,
            "user.email": f"{person.lower()}@acme.example",
            "credential.helper": f"store --file={secret}",
        }.items():
            git(folder, "config", key, value)
        return folder

    def protect(self, pushes: dict[str, object]) -> None:
        """Closes main but for `pushes`; whoever changes what prod runs needs a releaser."""
        self.open()
        self.host.call("POST", f"/repos/{self.path}/branch_protections", **PROTECTION, **pushes)

    def open(self) -> None:
        """Lets everybody push main who may write."""
        discard(self.host, f"/repos/{self.path}/branch_protections/main")

    def proposed(self, said: str) -> int:
        """The number of the pull request whose address a script printed."""
        found = re.search(rf"proposed: {self.url.removesuffix('.git')}/pulls/(\d+)", said)
        assert found, said
        return int(found[1])

    def pull(self, number: int) -> dict[str, Any]:
        return dict(self.call("rhea", "GET", f"pulls/{number}"))

    def review(self, number: int) -> None:
        self.call("rhea", "POST", f"pulls/{number}/reviews", event="APPROVED")

    def merge(self, number: int, how: str, person: str = "rhea") -> None:
        """Merges as the page does it, which sends the title and the text of the pull request."""
        pull = self.pull(number)
        message = {
            "MergeTitleField": f"{pull['title']} (#{number})",
            "MergeMessageField": str(pull["body"]),
        }
        content = {"Do": how, **(message if how == "squash" else {})}

        def again() -> str:
            """Gitea says `try again` until it has looked at the branches."""
            try:
                self.call(person, "POST", f"pulls/{number}/merge", **content)
            except GiteaError as error:
                if "try again" not in str(error):
                    raise
                return str(error)
            return ""

        wait_until_empty(f"the merge of {number}", again, seconds=60)

    def require_a_releasers_review(self, number: int, how: str) -> None:
        """Nobody merges before a releaser has reviewed, and then only a releaser does."""
        for person in ("ada", "rhea"):
            with pytest.raises(GiteaError) as refused:
                self.merge(number, how, person)
            assert refused.value.status == NOT_ALLOWED
        self.review(number)
        with pytest.raises(GiteaError, match="not allowed to merge"):
            self.merge(number, how, "ada")

    def call(self, person: str, method: str, path: str, **content: object) -> Any:
        return self.people[person].call(method, f"/repos/{self.path}/{path}", **content)


class OnGitea(ReleaseRepository):
    """A GitOps repository on Gitea; `clone` is that of Ada, who may not push its main."""

    def __init__(self, root: Path, scaffold: Path, there: Repository, folder: Path) -> None:
        self.there = there
        self._publish(root / "published", scaffold)
        super().__init__(root, scaffold)
        self.origin = folder / f"{there.path}.git"

    def _publish(self, work: Path, scaffold: Path) -> None:
        """The generated tree as main of the new repository, which is protected from then on."""
        git(work.parent, "clone", "--quiet", str(scaffold), str(work))
        platform = work / "scripts" / "platform.json"
        told = json.loads(platform.read_text())
        told["git"]["url"] = self.there.url
        told["environments"]["prod"]["releases"] = "pull-request"
        platform.write_text(json.dumps(told))
        own_by_releasers(work, work.parent / "settings", self.there.url)
        git(work, "push", "--quiet", self.there.host.address(self.there.path), "HEAD:main")
        self.there.protect(NOBODY_PUSHES)

    def new_clone(self, name: str, person: str = "Ada") -> Path:
        return self.there.clone(self.root / name, person)

    def propose(self, script: str, *words: str) -> int:
        """A release by Ada, who has no other way; the number of its pull request."""
        before = self.tip
        environ = {**self.environ, "GITEA_TOKEN": self.there.people["ada"].token}
        ran = self.run(script, *words, "--service", "tv-api", "--yes", env=environ)
        assert ran.code == 0, ran.said
        assert self.tip == before, "main moved before anybody reviewed"
        return self.there.proposed(ran.out)

    def release(self, how: str, script: str, *words: str) -> int:
        """The same, reviewed and merged by a releaser."""
        number = self.propose(script, *words)
        self.there.review(number)
        self.there.merge(number, how)
        return number


def discard(host: Account, path: str) -> None:
    """Deletes what is at `path`, if there is something: a run that was killed leaves it behind."""
    if host.has(path):
        host.call("DELETE", path)


def commit(clone: Path, message: str) -> None:
    identity = ("-c", "user.name=Pulumi", "-c", "user.email=platform@acme.example")
    git(clone, "add", "--all")
    git(clone, *identity, "commit", "--quiet", "--allow-empty", "-m", message)


def own_by_releasers(clone: Path, folder: Path, url: str) -> None:
    """Commits who has to review what, as the generator says it of a repository at `url`."""
    folder.mkdir()
    for stack in ("dev", "prod"):
        text = yaml.safe_load((CHECKOUT / f"Pulumi.{stack}.yaml").read_text())
        text["config"]["platform:gitops"]["url"] = url
        (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(text))
    catalogue = yaml.safe_load((CHECKOUT / "services.yaml").read_text())
    catalogue["codeOwners"] = "acme/releasers"
    catalogue["teams"]["tvhub"]["github"] = "acme/developers"
    (folder / "services.yaml").write_text(yaml.safe_dump(catalogue))
    file = clone / OWNERS
    file.parent.mkdir(exist_ok=True)
    file.write_text(shared(load_files("dev", folder))[OWNERS].text)
    commit(clone, "Releasers own what prod runs")


@pytest.fixture(scope="module")
def people(lab: Lab) -> Iterator[dict[str, Account]]:
    """A releaser, a developer and a pipeline on the lab's Git host, for as long as needed."""
    host = administrator(lab.site)
    dismiss(host)
    people = {}
    for team, name in MEMBERS.items():
        people[name] = create_person(host, name)
        made = host.call(
            "POST",
            f"/orgs/{ORGANISATION}/teams",
            name=team,
            permission="write",
            units=["repo.code", "repo.pulls"],
            includes_all_repositories=True,
        )
        host.call("PUT", f"/teams/{made['id']}/members/{name}")
    yield people
    dismiss(host)


def dismiss(host: Account) -> None:
    """Removes the people and their teams."""
    for team in host.call("GET", f"/orgs/{ORGANISATION}/teams"):
        if team["name"] in MEMBERS:
            discard(host, f"/teams/{team['id']}")
    for name in MEMBERS.values():
        if host.has(f"/users/{name}"):
            host.call("DELETE", f"/admin/users/{name}?purge=true")


@pytest.fixture(scope="module")
def scaffold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scaffold(tmp_path_factory.mktemp("scaffold"))


@pytest.fixture
def releases(
    tmp_path: Path,
    scaffold: Path,
    lab: Lab,
    people: dict[str, Account],
    request: pytest.FixtureRequest,
) -> Iterator[OnGitea]:
    """A repository in which the pipeline has delivered two versions to dev."""
    name = re.sub(r"\W+", "-", request.node.name).strip("-")[:90]
    there = Repository(administrator(lab.site), people, f"{ORGANISATION}/{name}")
    discard(there.host, f"/repos/{there.path}")
    there.host.call("POST", f"/orgs/{ORGANISATION}/repos", name=name, private=True)
    try:
        made = OnGitea(tmp_path, scaffold, there, lab.site.git_repositories)
        for version in (ONE, TWO):
            made.deliver(TV_API, version)
        git(made.clone, "pull", "--quiet")
        yield made
    finally:
        discard(there.host, f"/repos/{there.path}")


@pytest.mark.parametrize("person", ["ada", "bo", "rhea"])
def test_nobody_pushes_what_prod_runs(releases: OnGitea, person: str) -> None:
    before = releases.tip
    clone = releases.new_clone(f"of-{person}", person)
    path = clone / "environments" / "prod" / TV_API / "version" / "kustomization.yaml"
    path.write_text(version_text(TV_API, ONE))
    git(clone, "commit", "--all", "--quiet", "-m", "Straight to prod")
    with pytest.raises(CalledProcessError) as refused:
        git(clone, "push", "--quiet", "origin", "HEAD:main")
    assert "protected branch" in refused.value.stderr
    assert releases.tip == before


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_promotion_and_its_rollback_are_reviewed_and_merged_by_a_releaser(
    releases: OnGitea, how: str
) -> None:
    for version in (ONE, TWO):
        number = releases.propose("promote-to-prod.sh", version.version)
        releases.there.require_a_releasers_review(number, how)
        releases.there.merge(number, how)
        assert releases.runs("prod", TV_API) == version_text(TV_API, version)

    told = releases.history("--environment", "prod")[0]
    assert (told["kind"], told["version"]) == ("promotion", TWO.version)
    assert told["by"] == "Ada <ada@acme.example>"

    releases.release(how, "rollback-prod.sh")
    assert releases.runs("prod", TV_API) == version_text(TV_API, ONE)
    told = releases.history("--environment", "prod")[0]
    assert (told["kind"], told["version"]) == ("rollback", ONE.version)


def test_three_releases_merged_in_three_ways_are_one_history(releases: OnGitea) -> None:
    for how, script, words in (
        ("squash", "promote-to-prod.sh", (ONE.version,)),
        ("rebase", "promote-to-prod.sh", (TWO.version,)),
        ("merge", "rollback-prod.sh", ()),
    ):
        releases.release(how, script, *words)
    told = releases.history("--environment", "prod")
    assert [(event["kind"], event["version"]) for event in told] == [
        ("rollback", ONE.version),
        ("promotion", TWO.version),
        ("promotion", ONE.version),
    ]


def test_the_code_owners_are_asked(releases: OnGitea) -> None:
    number = releases.propose("promote-to-prod.sh", ONE.version)
    asked = releases.there.pull(number)["requested_reviewers_teams"]
    assert [team["name"] for team in asked] == ["releasers"]


def test_the_team_of_a_service_is_asked_about_its_base_beside_the_releasers(
    releases: OnGitea,
) -> None:
    git(releases.clone, "switch", "--quiet", "--create", "probes")
    path = releases.clone / "base" / TV_API / "deployment.yaml"
    path.write_text(path.read_text() + "# changed\n")
    git(releases.clone, "commit", "--all", "--quiet", "-m", "Change a base")
    git(releases.clone, "push", "--quiet", "origin", "probes")
    content = {"title": "Change a base", "head": "probes", "base": "main"}
    opened = releases.there.call("ada", "POST", "pulls", **content)
    asked = releases.there.pull(opened["number"])["requested_reviewers_teams"]
    assert sorted(team["name"] for team in asked) == ["developers", "releasers"]


def test_a_release_that_is_proposed_again_updates_the_pull_request_that_is_open(
    releases: OnGitea,
) -> None:
    merged = [
        releases.release("merge", "promote-to-prod.sh", ONE.version),
        releases.release("merge", "promote-to-prod.sh", TWO.version),
        releases.release("merge", "rollback-prod.sh"),
    ]
    again = releases.propose("promote-to-prod.sh", TWO.version)
    assert again not in merged
    releases.deliver(TV_API, make_build("3", "20261103"))
    assert releases.propose("promote-to-prod.sh", TWO.version) == again


@contextmanager
def closed_main(there: Repository, folder: Path) -> Iterator[None]:
    """Only the lab's own credential pushes main; afterwards it is open again."""
    clone = folder / "administrator"
    git(folder, "clone", "--quiet", there.host.address(there.path), clone.name)
    own_by_releasers(clone, folder / "settings", there.url)
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    there.protect(THE_PIPELINES_PUSH)
    try:
        yield
    finally:
        there.open()
        git(clone, "pull", "--quiet", "--rebase")
        (clone / OWNERS).unlink()
        commit(clone, "Open main again")
        git(clone, "push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def gitops(lab: Lab, people: dict[str, Account], tmp_path: Path) -> Iterator[Repository]:
    """The repository that Argo CD reads, with a closed main."""
    there = Repository(administrator(lab.site), people, f"{ORGANISATION}/gitops")
    with closed_main(there, tmp_path):
        yield there


def test_a_merged_proposal_waits_for_its_approval_goes_live_and_is_rolled_back_by_another(
    lab: Lab, gitops: Repository, tmp_path: Path
) -> None:
    ada = gitops.clone(tmp_path / "ada", "Ada")
    token = gitops.people["ada"].token

    def propose(*words: str) -> int:
        before = tip(lab)
        options = ("--service", "tv-api", "--pull-request", "--yes")
        done = lab.script(ada, *words, *options, GITEA_TOKEN=token)
        assert done.returncode == 0, done.stdout + done.stderr
        assert tip(lab) == before, "main moved before anybody reviewed"
        return gitops.proposed(done.stdout)

    def release(number: int, running: str, wanted: str) -> None:
        gitops.require_a_releasers_review(number, "squash")
        gitops.merge(number, "squash")
        require_waiting(lab, SERVICE, running)
        approve(lab.site, "prod", "tv-api")
        assert live(lab, "prod", SERVICE) == wanted

    approve(lab.site, "prod", "tv-api")
    before = live(lab, "prod", SERVICE)
    built = build(lab, SERVICE, "Answer by pull request")
    wait_until_live(lab, "dev", SERVICE, built)

    refused = lab.script(ada, "promote-to-prod.sh", "--from-dev", "--service=tv-api", "--yes")
    assert refused.returncode != 0, "Ada pushed main"
    assert "protected branch" in refused.stderr

    number = propose("promote-to-prod.sh", built.version)
    assert propose("promote-to-prod.sh", built.version) == number
    pulls = gitops.call("rhea", "GET", "pulls?state=open")
    assert [(pull["number"], pull["user"]["login"]) for pull in pulls] == [(number, "ada")]
    text = gitops.pull(number)["body"]
    assert re.search(rf"^\+ *(- )?image: {re.escape(built.image)}$", text, re.MULTILINE), text
    assert f"\nRelease-Version: {built.version}\nRelease-Digest: {built.digest}\n" in text

    release(number, before, built.image)
    release(propose("rollback-prod.sh"), built.image, before)

    told = history(lab, ada, SERVICE)[:3]
    assert [(event["environment"], event["kind"], event["by"]) for event in told] == [
        ("prod", "rollback", "Ada <ada@acme.example>"),
        ("prod", "promotion", "Ada <ada@acme.example>"),
        ("dev", "build", "Devon Developer <devon@acme.example>"),
    ]
