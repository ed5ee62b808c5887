"""What cannot be delivered is refused before anything is created."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops.tree import shared
from settings.catalogue import Catalogue
from settings.environment import Settings
from settings.loading import load_files
from settings.problems import Problem, SettingsError
from settings.rules import pipelines
from tests.committed import on_node_groups
from tests.unit.conftest import Bend, change_service

Edit = Callable[[dict[str, Any]], object]


def streaming(catalogue: dict[str, Any]) -> dict[str, Any]:
    services: dict[str, Any] = catalogue["namespaces"]["streaming"]["services"]
    return services


def worker_of(service: str, namespace: str) -> Edit:
    """A second service from the source of `service`."""

    def change(catalogue: dict[str, Any]) -> None:
        services = catalogue["namespaces"][namespace]["services"]
        services["worker"] = dict(services[service])

    return change


def at(bend: Bend, host: str) -> None:
    """The GitOps repository is on `host`."""

    def move(config: dict[str, Any]) -> None:
        config["platform:gitops"]["url"] = f"https://{host}/acme/gitops.git"
        config["platform:gitops"].pop("githubApp", None)

    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", move)


def groups(*types: str, **keys: Any) -> Edit:
    """Node groups of those instance types; `keys` are of the last one."""
    made = [
        {"name": f"n{number}", "instanceTypes": [kind], "minSize": 1, "maxSize": 2}
        for number, kind in enumerate(types)
    ]
    made[-1] |= keys

    def change(config: dict[str, Any]) -> None:
        on_node_groups(config)
        config["platform:cluster"].update(nodeGroups=made)

    return change


def refused(configuration: Path) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load_files("prod", configuration)
    return [str(replace(problem, line=None)) for problem in error.value.problems]


REFUSED: dict[str, tuple[str, Edit, str]] = {
    "two services that CircleCI builds of one source": (
        "services.yaml",
        worker_of("tournaments", "community"),
        "services.yaml: namespaces.community.services.worker.source: is the source of "
        "tournaments too, and CircleCI reads one pipeline of a repository (given: "
        "acme/tournaments); build one of the two with ci: github-actions, or move it to its own "
        "repository",
    ),
    "pull requests to a fast environment": (
        "Pulumi.dev.yaml",
        lambda c: c["platform:gitops"].update(releases="pull-request"),
        "Pulumi.dev.yaml: platform:gitops.releases: is about promotions, and none goes to an "
        "environment whose speed is fast (given: pull-request); set it where speed is safe",
    ),
    "a severity on a fast environment": (
        "Pulumi.dev.yaml",
        lambda c: c["platform:registry"].update(refuse="high"),
        "Pulumi.dev.yaml: platform:registry.refuse: is about promotions, and none goes to an "
        "environment whose speed is fast (given: high); set it where speed is safe",
    ),
    "an unknown severity": (
        "Pulumi.prod.yaml",
        lambda c: c["platform:registry"].update(refuse="severe"),
        "Pulumi.prod.yaml: platform:registry.refuse: must be 'critical', 'high', 'medium' or "
        "'low' (given: severe); correct the value",
    ),
    "pull requests where the scripts cannot make them": (
        "Pulumi.prod.yaml",
        lambda c: c["platform:gitops"].update(
            releases="pull-request", url="git@gitlab.com:acme/gitops.git"
        ),
        "Pulumi.prod.yaml: platform:gitops.releases: needs GitHub, Gitea or Forgejo, and "
        "gitops.url leads to gitlab.com (given: pull-request); release by push, or move the "
        "repository",
    ),
    "pull requests at another port of such a host": (
        "Pulumi.prod.yaml",
        lambda c: c["platform:gitops"].update(
            releases="pull-request", url="https://bitbucket.org:8443/acme/gitops.git"
        ),
        "Pulumi.prod.yaml: platform:gitops.releases: needs GitHub, Gitea or Forgejo, and "
        "gitops.url leads to bitbucket.org (given: pull-request); release by push, or move the "
        "repository",
    ),
    "a command and a job": (
        "services.yaml",
        lambda c: streaming(c)["tv-api"].update(verify={"command": "x", "job": "verify.yml"}),
        "services.yaml: namespaces.streaming.services.tv-api.verify: must have either command "
        "(in a shell) or job (a workflow); correct the value",
    ),
    "a verification of nothing": (
        "services.yaml",
        lambda c: streaming(c)["tv-api"].update(verify={}),
        "services.yaml: namespaces.streaming.services.tv-api.verify: must have either command "
        "(in a shell) or job (a workflow); correct the value",
    ),
    "a workflow called by CircleCI": (
        "services.yaml",
        lambda c: c["namespaces"]["community"]["services"]["tournaments"].update(
            verify={"job": "verify.yml"}
        ),
        "services.yaml: namespaces.community.services.tournaments.verify.job: is a workflow "
        "that GitHub Actions calls, and the service is built by CircleCI (given: verify.yml); "
        "write verify.command in its place",
    ),
    "a workflow elsewhere": (
        "services.yaml",
        lambda c: streaming(c)["tv-api"].update(verify={"job": "../x.yml"}),
        "services.yaml: namespaces.streaming.services.tv-api.verify.job: must be the name of a "
        "file in .github/workflows (given: ../x.yml); correct the value",
    ),
    "a reviewing team without releasers": (
        "services.yaml",
        lambda c: c["teams"]["tvhub"].update(github="acme/tvhub"),
        "services.yaml: teams.tvhub.github: is for CODEOWNERS, which is generated only where "
        "the releasers have a team too (given: acme/tvhub); add codeOwners, the releasers' team "
        "there, or remove this key",
    ),
    "a team with a sign before it": (
        "services.yaml",
        lambda c: c.update(codeOwners="@acme/releasers"),
        "services.yaml: codeOwners: must be a team of the Git host written as organization/team, "
        "as in its page's address (given: @acme/releasers); correct the value",
    ),
    "a group of two lines": (
        "services.yaml",
        lambda c: c.update(releasers="releasers\ng, everybody, role:releaser"),
        "services.yaml: releasers: must be a group's name on one line (given: releasers …); "
        "correct the value",
    ),
    "a branch that CircleCI takes for a pattern": (
        "services.yaml",
        lambda c: streaming(c)["tv-api"].update(branch="/.*/"),
        "services.yaml: namespaces.streaming.services.tv-api.branch: must be the name of a Git "
        "branch, 244 characters at most (given: /.*/); correct the value",
    ),
    "a branch that Git refuses": (
        "services.yaml",
        lambda c: streaming(c)["tv-api"].update(branch="a..b"),
        "services.yaml: namespaces.streaming.services.tv-api.branch: must be the name of a Git "
        "branch, 244 characters at most (given: a..b); correct the value",
    ),
    "processors that differ within an environment": (
        "Pulumi.prod.yaml",
        groups("m7i.large", "m7g.large"),
        "Pulumi.prod.yaml: platform:cluster.nodeGroups: has arm64 nodes, while general of "
        "Pulumi.dev.yaml has x86_64 ones: a pipeline builds an image for one processor, and it "
        "would not start here (given: n1); take one processor for all nodes of every "
        "environment, taint these, or set build.platforms of every service to both",
    ),
    "processors that differ between environments": (
        "Pulumi.prod.yaml",
        groups("c6gn.large"),
        "Pulumi.prod.yaml: platform:cluster.nodeGroups: has arm64 nodes, while general of "
        "Pulumi.dev.yaml has x86_64 ones: a pipeline builds an image for one processor, and it "
        "would not start here (given: n0); take one processor for all nodes of every "
        "environment, taint these, or set build.platforms of every service to both",
    ),
    "another processor that is only disliked": (
        "Pulumi.prod.yaml",
        groups("m7i.large", "m7g.large", taints=[{"key": "arm", "effect": "PREFER_NO_SCHEDULE"}]),
        "Pulumi.prod.yaml: platform:cluster.nodeGroups: has arm64 nodes, while general of "
        "Pulumi.dev.yaml has x86_64 ones: a pipeline builds an image for one processor, and it "
        "would not start here (given: n1); take one processor for all nodes of every "
        "environment, taint these, or set build.platforms of every service to both",
    ),
}


def test_images_for_both_processors_start_on_nodes_of_either(
    configuration: Path, bend: Bend
) -> None:
    def build(catalogue: dict[str, Any]) -> None:
        for group in catalogue["namespaces"].values():
            for service in group["services"].values():
                if "source" in service:
                    service["build"] = {"platforms": ["linux/amd64", "linux/arm64"]}

    bend("services.yaml", build)
    bend("Pulumi.prod.yaml", groups("m7i.large", "m7g.large"))
    assert load_files("prod", configuration)


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_fail_later_is_refused(configuration: Path, bend: Bend, case: str) -> None:
    file, change, words = REFUSED[case]
    bend(file, change)
    assert words in refused(configuration)


def pipeline(settings: Settings, service: str) -> dict[str, str]:
    home = f"pipelines/{service}/"
    return {
        path.removeprefix(home): file.text
        for path, file in shared(settings).items()
        if path.startswith(home)
    }


def test_a_group_of_another_processor_that_services_cannot_reach_is_left_alone(
    configuration: Path, bend: Bend
) -> None:
    taint = [{"key": "arm", "effect": "NO_SCHEDULE"}]
    bend("Pulumi.prod.yaml", groups("m7i.large", "m7g.large", taints=taint))
    (text,) = pipeline(load_files("prod", configuration), "tv-api").values()
    assert "runs-on: ubuntu-24.04\n" in text


def test_images_are_built_for_the_processor_of_the_nodes(configuration: Path, bend: Bend) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", groups("m7g.large"))
    settings = load_files("prod", configuration)
    (github,), (circleci,) = (
        pipeline(settings, name).values() for name in ("tv-api", "tournaments")
    )
    machines = {job["runs-on"] for job in yaml.safe_load(github)["jobs"].values()}
    assert machines == {"ubuntu-24.04-arm"}
    classes = {job["resource_class"] for job in yaml.safe_load(circleci)["jobs"].values()}
    assert classes == {"arm.medium"}


def test_two_services_of_one_source_have_a_workflow_each(configuration: Path, bend: Bend) -> None:
    bend("services.yaml", worker_of("tv-api", "streaming"))
    settings = load_files("prod", configuration)
    files = {**pipeline(settings, "tv-api"), **pipeline(settings, "worker")}
    assert sorted(files) == [
        ".github/workflows/release-tv-api.yml",
        ".github/workflows/release-worker.yml",
    ]
    queues = {
        yaml.safe_load(text)["jobs"]["release"]["concurrency"]["group"] for text in files.values()
    }
    assert queues == {"release-tv-api", "release-worker"}
    assert list(pipeline(settings, "tv-frontend")) == [".github/workflows/release.yml"]


@pytest.mark.parametrize("branch", ["1.10", "yes", "007", "null", "2026-11-26", "release/1.0"])
def test_a_branch_stays_text(configuration: Path, bend: Bend, branch: str) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", lambda c: c["platform:gitops"].update(branch=branch))
    bend("services.yaml", lambda c: streaming(c)["tv-api"].update(branch=branch))
    change_service(bend, "community", "tournaments", branch=branch, delivery="commit")
    settings = load_files("dev", configuration)
    (github,), (circleci,) = (
        pipeline(settings, name).values() for name in ("tv-api", "tournaments")
    )
    workflow, config = yaml.safe_load(github), yaml.safe_load(circleci)
    assert workflow[True]["push"]["branches"] == [branch]
    assert workflow["jobs"]["deliver"]["steps"][-1]["env"]["GITOPS_BRANCH"] == branch
    assert config["jobs"]["deliver"]["environment"]["GITOPS_BRANCH"] == branch
    jobs = config["workflows"]["release"]["jobs"][1:]
    assert [next(iter(job.values()))["filters"]["branches"]["only"] for job in jobs] == [
        branch,
        branch,
    ]


def test_code_owners_review_everything_but_the_versions_of_builds(
    configuration: Path, bend: Bend
) -> None:
    bend("services.yaml", lambda c: c.update(codeOwners="acme/releasers"))
    bend("services.yaml", lambda c: c["teams"]["tvhub"].update(github="acme/tvhub"))
    bend("services.yaml", lambda c: streaming(c)["tv-frontend"].update(environments=["prod"]))
    bend("services.yaml", lambda c: streaming(c)["tv-api"].update(environments=["dev"]))
    text = shared(load_files("dev", configuration))[".github/CODEOWNERS"].text
    assert [line for line in text.splitlines() if line != line.strip()] == []
    assert text.splitlines()[:3] == [
        "# Managed: generated, so change services.yaml or the stack files instead.",
        "# The last line that matches counts; one of the teams in it reviews.",
        "*                                                            @acme/releasers",
    ]
    assert text.endswith("\n")
    rules = {
        path: owners
        for path, *owners in (line.split() for line in text.splitlines() if line[0] != "#")
    }
    assert rules["*"] == ["@acme/releasers"]
    assert rules["/base/streaming/tv-api/"] == ["@acme/tvhub", "@acme/releasers"]
    assert rules["/base/community/tournaments/"] == ["@acme/releasers"]
    assert rules["/environments/dev/streaming/tv-api/"] == ["@acme/tvhub", "@acme/releasers"]
    assert rules["/environments/dev/streaming/tv-api/version/"] == []
    assert "/base/streaming/tv-frontend/" in rules
    assert "/environments/dev/streaming/tv-frontend/" not in rules
    assert not [path for path in rules if "prod" in path or "rendered" in path], (
        "what a safe environment runs is the releasers' alone, as all that is not named"
    )


@pytest.mark.parametrize(
    ("host", "files"),
    [
        ("github.com", [".github/CODEOWNERS"]),
        ("gitlab.com", [".gitlab/CODEOWNERS"]),
        ("codeberg.org", [".gitea/CODEOWNERS"]),
        (
            "git.acme.example:8443",
            [".gitea/CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS"],
        ),
    ],
)
def test_code_owners_stand_where_the_git_host_reads_them(
    configuration: Path, bend: Bend, host: str, files: list[str]
) -> None:
    at(bend, host)
    bend("services.yaml", lambda c: c.update(codeOwners="acme/releasers"))
    found = shared(load_files("dev", configuration))
    assert sorted(path for path in found if path.endswith("CODEOWNERS")) == files


def test_code_owners_are_refused_where_their_file_is_not_known(
    configuration: Path, bend: Bend
) -> None:
    at(bend, "bitbucket.org")
    bend("services.yaml", lambda c: c.update(codeOwners="acme/releasers"))
    assert refused(configuration) == [
        f"Pulumi.{stack}.yaml: platform:gitops.url: leads to Bitbucket, for which no CODEOWNERS "
        "is generated (given: https://bitbucket.org/acme/gitops.git); remove codeOwners from "
        "services.yaml, and write .bitbucket/CODEOWNERS"
        for stack in ("dev", "prod")
    ]


def test_gitea_reads_regular_expressions_of_which_every_one_counts(
    configuration: Path, bend: Bend
) -> None:
    at(bend, "git.acme.example")
    bend("services.yaml", lambda c: c.update(codeOwners="acme/releasers"))
    bend("services.yaml", lambda c: c["teams"]["tvhub"].update(github="acme/tvhub"))
    text = shared(load_files("dev", configuration))[".gitea/CODEOWNERS"].text
    assert text.splitlines()[1:3] == [
        "# Every line that matches counts; all of its teams are asked for a review.",
        ".*                                                           @acme/releasers",
    ]
    rules = [line.split() for line in text.splitlines() if line[0] != "#"]

    def asked(path: str) -> set[str]:
        return {o for pattern, *owners in rules if re.fullmatch(pattern, path) for o in owners}

    assert asked("rendered/prod/streaming/tv-api/deployment-tv-api.yaml") == {"@acme/releasers"}
    assert asked("base/streaming/tv-api/deployment.yaml") == {"@acme/releasers", "@acme/tvhub"}
    assert asked("base/community/tournaments/deployment.yaml") == {"@acme/releasers"}
    assert all(owners for _, *owners in rules), "Gitea leaves out a line without owners"


def test_without_code_owners_there_is_no_such_file(dev: Settings) -> None:
    assert not [path for path in shared(dev) if path.endswith("CODEOWNERS")]


def test_a_verified_version_is_tagged_by_a_job_that_runs_nothing_of_the_service(
    configuration: Path, bend: Bend
) -> None:
    bend("services.yaml", lambda c: streaming(c)["tv-api"].update(verify={"command": "make e2e"}))
    bend(
        "services.yaml",
        lambda c: streaming(c)["tv-frontend"].update(verify={"job": "verify.yml"}),
    )
    change_service(bend, "community", "tournaments", verify={"command": "cat <<EOF\nx\nEOF"})
    settings = load_files("dev", configuration)
    (api,), (frontend,), (tournaments,) = (
        pipeline(settings, name).values() for name in ("tv-api", "tv-frontend", "tournaments")
    )
    jobs = yaml.safe_load(api)["jobs"]
    assert list(jobs) == ["test", "release", "deliver", "verify", "vouch"]
    assert jobs["verify"]["needs"] == ["release", "deliver"]
    assert jobs["verify"]["permissions"] == {"contents": "read"}
    assert jobs["verify"]["steps"][-1]["env"]["VERIFY"] == "make e2e"
    assert jobs["vouch"]["permissions"] == {"id-token": "write"}
    assert "checkout" not in str(jobs["vouch"])
    called = yaml.safe_load(frontend)["jobs"]["verify"]
    assert called["uses"] == "./.github/workflows/verify.yml"
    assert called["needs"] == ["release", "deliver"]
    config = yaml.safe_load(tournaments)["jobs"]
    assert config["verify"]["environment"]["VERIFY"] == "cat \\<<EOF\nx\nEOF", (
        "CircleCI takes << for the beginning of a parameter"
    )
    assert "checkout" not in config["vouch"]["steps"]


# The rules of pipelines alone, without a file


def catalogue(**services: dict[str, Any]) -> Catalogue:
    """Services of one namespace, by name, each with what it says differently."""
    usual = {"owner": "shop", "delivery": "commit", "ci": "github-actions"}
    return Catalogue.model_validate(
        {
            "teams": {"shop": {"group": "acme:shop"}},
            "releasers": "acme:releasers",
            "namespaces": {
                "shop": {
                    "services": {
                        name: {**usual, "source": f"acme/{name}", **keys}
                        for name, keys in services.items()
                    }
                }
            },
        }
    )


def told(problems: Iterable[Problem]) -> list[str]:
    return [
        str(problem).removeprefix("services.yaml: namespaces.shop.services.")
        for problem in problems
    ]


def test_circleci_reads_one_pipeline_of_a_repository() -> None:
    circleci = {"ci": "circleci", "source": "acme/mono"}
    github = {"source": "acme/mono"}
    alone = {"ci": "circleci"}
    found = pipelines.one_configuration(
        catalogue(a=github, b=circleci, c=github, d=circleci, e=circleci, f=alone)
    )
    words = (
        "is the source of b too, and CircleCI reads one pipeline of a repository (given: "
        "acme/mono); build one of the two with ci: github-actions, or move it to its own repository"
    )
    assert told(found) == [f"d.source: {words}", f"e.source: {words}"]


WATCHING = (
    "build.watch: says what else builds the service, and every push does (given: libs, tools); "
    "remove it, or add build.path"
)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"build": {"path": "web", "watch": ["libs"]}}, []),
        ({"build": {"watch": ["libs", "tools"]}}, [WATCHING]),
        ({"ci": "circleci", "build": {"path": "web", "watch": ["libs", "tools"]}}, []),
        ({"ci": "circleci", "build": {"path": "web"}}, []),
        (
            {"build": {"secrets": ["VERSION", "NPM", "DIGEST"]}},
            [
                f"build.secrets: is a variable of the pipeline itself (given: {name}); give the "
                "secret another name in the CI system"
                for name in ("DIGEST", "VERSION")
            ],
        ),
    ],
)
def test_what_a_build_names_is_looked_at(keys: dict[str, Any], words: list[str]) -> None:
    assert told(pipelines.building(catalogue(web=keys))) == [f"web.{line}" for line in words]


@pytest.mark.parametrize(
    "keys",
    [
        {"verify": {"job": "smoke.yml"}},
        {"ci": "circleci", "verify": {"command": "make smoke"}},
        {"ci": "circleci"},
    ],
)
def test_a_verification_that_the_ci_system_can_run_is_accepted(keys: dict[str, Any]) -> None:
    assert told(pipelines.verification(catalogue(web=keys))) == []
