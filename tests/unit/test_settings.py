"""What the configuration accepts, and how it answers what it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings.environment import Settings
from settings.files import stack_files
from settings.loading import load, load_files
from settings.problems import Problem, SettingsError
from tests.unit.conftest import Bend


def report(configuration: Path, stack: str = "prod") -> list[str]:
    """The problems of a configuration, a line each, without the numbers of their lines."""
    with pytest.raises(SettingsError) as caught:
        load_files(stack, configuration)
    return [str(replace(problem, line=None)) for problem in caught.value.problems]


def services(catalogue: dict[str, Any], namespace: str) -> dict[str, Any]:
    found: dict[str, Any] = catalogue["namespaces"][namespace]["services"]
    return found


def test_both_committed_stacks_load(dev: Settings, prod: Settings) -> None:
    assert (dev.speed.name, prod.speed.name) == ("fast", "safe")
    assert [e.name for e in dev.environments] == ["dev", "prod"]


def test_both_environments_pull_from_one_registry(dev: Settings, prod: Settings) -> None:
    assert dev.registry_host == prod.registry_host
    assert dev.owns_registry
    assert not prod.owns_registry


def test_the_catalogue_is_read_in_one_order(dev: Settings) -> None:
    names = [(namespace, name) for namespace, name, _ in dev.catalogue.entries()]
    assert names == sorted(names)


def test_a_misspelt_key_names_the_key_that_was_meant(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", lambda c: c["platform:network"].update(zone=["a", "b"]))
    assert report(configuration) == [
        "Pulumi.prod.yaml: platform:network.zone: is not a key known here; did you mean zones?"
    ]


def test_a_misspelt_key_of_a_service_names_the_key_that_was_meant(
    configuration: Path, bend: Bend
) -> None:
    bend("services.yaml", lambda c: services(c, "streaming")["tv-api"].update(delivry="keel"))
    assert report(configuration) == [
        "services.yaml: namespaces.streaming.services.tv-api.delivry: is not a key known here; "
        "did you mean delivery?"
    ]


def test_all_problems_of_all_files_arrive_together(configuration: Path, bend: Bend) -> None:
    def spoil(config: dict[str, Any]) -> None:
        config["platform:speed"] = "warp"
        config["platform:cluster"]["nodeGroups"][0].update(minSize=5, maxSize=3)

    bend("Pulumi.prod.yaml", spoil)
    bend("services.yaml", lambda c: services(c, "streaming")["tv-api"].update(port=80))
    problems = report(configuration)
    assert [problem.split(": ")[1] for problem in problems] == [
        "platform:cluster.nodeGroups[0]",
        "platform:speed",
        "namespaces.streaming.services.tv-api.port",
    ]
    assert problems[0].endswith("minSize 5 exceeds maxSize 3; lower minSize or raise maxSize")
    assert "'fast' or 'safe' (given: warp)" in problems[1]


def test_a_service_named_twice_in_one_namespace_is_found_in_the_text(configuration: Path) -> None:
    file = configuration / "services.yaml"
    file.write_text(file.read_text() + "      tv-api:\n        owner: tvhub\n")
    (problem,) = report(configuration)
    assert "tv-api" in problem
    assert "is named twice" in problem
    assert "line " in problem


def test_a_service_named_twice_across_namespaces_is_refused(
    configuration: Path, bend: Bend
) -> None:
    def copy(catalogue: dict[str, Any]) -> None:
        services(catalogue, "community")["tv-api"] = dict(
            services(catalogue, "streaming")["tv-api"]
        )

    bend("services.yaml", copy)
    assert report(configuration) == [
        "services.yaml: namespaces.streaming.services.tv-api: the service tv-api is named twice, "
        "also in community; give one of them another name: releases are made by name"
    ]


@pytest.mark.parametrize("name", ["Shop", "9lives", "under_score", "x" * 64, "trailing-"])
def test_a_namespace_must_be_a_dns_label(configuration: Path, bend: Bend, name: str) -> None:
    bend("services.yaml", lambda c: c["namespaces"].update({name: c["namespaces"]["streaming"]}))
    problems = report(configuration)
    assert any("must be a DNS label" in problem and name in problem for problem in problems)


def test_keel_is_refused_on_a_safe_environment(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", lambda c: c.update({"platform:keel": {}}))
    assert report(configuration) == [
        "Pulumi.prod.yaml: platform:keel: Keel is not allowed where speed is safe: it runs builds "
        "that nobody promoted (given: @every 30s); remove the key platform:keel"
    ]


def test_keel_is_missed_where_services_rely_on_it(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", lambda c: c.pop("platform:keel"))
    assert report(configuration) == [
        "Pulumi.dev.yaml: platform:keel: is missing, and leaderboard, tournaments rely on it "
        "(delivery: keel); add platform:keel with a schedule"
    ]


def test_keel_is_missed_for_a_service_that_lives_in_that_environment_alone(
    configuration: Path, bend: Bend
) -> None:
    def narrow(catalogue: dict[str, Any]) -> None:
        services = catalogue["namespaces"]["community"]["services"]
        services["tournaments"]["environments"] = ["dev"]
        services["leaderboard"]["environments"] = ["prod"]

    bend("Pulumi.dev.yaml", lambda c: c.pop("platform:keel"))
    bend("services.yaml", narrow)
    assert "platform:keel: is missing, and tournaments rely on it" in "".join(report(configuration))


def test_networks_of_two_environments_may_not_overlap(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", lambda c: c["platform:network"].update(cidr="10.10.128.0/17"))
    assert report(configuration, "dev") == [
        "Pulumi.prod.yaml: platform:network.cidr: overlaps 10.10.0.0/16 of Pulumi.dev.yaml "
        "(given: 10.10.128.0/17); give each environment a range of its own, so that they can be "
        "peered"
    ]


def test_the_service_range_may_not_overlap_the_network(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", lambda c: c["platform:cluster"].update(serviceCidr="10.10.4.0/22"))
    assert report(configuration) == [
        "Pulumi.dev.yaml: platform:cluster.serviceCidr: overlaps the network's range 10.10.0.0/16 "
        "(given: 10.10.4.0/22); choose another private range for one of the two"
    ]


def test_one_registry_has_one_owner(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", lambda c: c["platform:registry"].update(owner="prod"))
    assert report(configuration) == [
        f"Pulumi.{stack}.yaml: platform:registry.owner: all environments share one registry, but "
        f"its owner is given as dev and prod (given: {stack}); name the same owner in every stack "
        "file"
        for stack in ("dev", "prod")
    ]


def test_the_registrys_owner_is_a_stack(configuration: Path, bend: Bend) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", lambda c: c["platform:registry"].update(owner="shared"))
    assert report(configuration) == [
        f"Pulumi.{stack}.yaml: platform:registry.owner: is no stack: there is no such "
        "Pulumi.<stack>.yaml (given: shared); name one of dev, prod"
        for stack in ("dev", "prod")
    ]


@pytest.mark.parametrize("name", ["shared", "yes", "Dev", "9", "a" * 33])
def test_a_stack_is_named_as_a_folder_and_a_tag_may_be(configuration: Path, name: str) -> None:
    text = (configuration / "Pulumi.prod.yaml").read_text()
    text = text.replace("10.20.", "10.30.").replace("acme.example", "perf.acme.example")
    (configuration / f"Pulumi.{name}.yaml").write_text(text)
    assert report(configuration) == [
        f"Pulumi.{name}.yaml: the stack's name is an image tag and a folder of the GitOps "
        "repository: it must be a DNS label of 32 characters at most, and neither `shared` nor a "
        f"word of YAML (given: {name}); choose another name for the stack and its file"
    ]


@pytest.mark.parametrize("variable", ["ENVIRONMENT", "LOG_LEVEL", "PORT"])
def test_what_the_platform_sets_a_service_does_not(
    configuration: Path, bend: Bend, variable: str
) -> None:
    bend("services.yaml", lambda c: services(c, "streaming")["tv-api"].update(env={variable: "x"}))
    assert report(configuration) == [
        f"services.yaml: namespaces.streaming.services.tv-api.env.{variable}: is set by the "
        "platform (given: x); remove it: PORT follows the service's port, the others the "
        "environment"
    ]


@pytest.mark.parametrize("missing", ["organization", "project"])
def test_circleci_is_trusted_by_two_ids(configuration: Path, bend: Bend, missing: str) -> None:
    def forget(catalogue: dict[str, Any]) -> None:
        if missing == "organization":
            del catalogue["circleci"]
        del services(catalogue, "community")["tournaments"]["circleciProject"]

    bend("services.yaml", forget)
    assert (
        "services.yaml: namespaces.community.services.tournaments: ci: circleci needs "
        "circleci.organization and the service's circleciProject; add both ids: they are what the "
        "registry's role trusts"
    ) in report(configuration)


def test_an_unknown_owner_names_the_teams(configuration: Path, bend: Bend) -> None:
    bend("services.yaml", lambda c: services(c, "streaming")["tv-api"].update(owner="nobody"))
    (problem,) = report(configuration)
    assert problem == (
        "services.yaml: namespaces.streaming.services.tv-api.owner: is no team (given: nobody); "
        "name one of gaming, tvhub, or add it to teams"
    )


def test_a_missing_stack_file_says_so(configuration: Path) -> None:
    (problem,) = report(configuration, "staging")
    assert problem == (
        "Pulumi.staging.yaml: the file does not exist; create it: README.md has an annotated "
        "example"
    )


def test_broken_yaml_names_the_line(configuration: Path) -> None:
    (configuration / "services.yaml").write_text("teams: [\n")
    with pytest.raises(SettingsError) as caught:
        load_files("prod", configuration)
    (problem,) = caught.value.problems
    assert str(problem) == (
        "services.yaml:2: is not YAML: did not find expected node content; correct the syntax"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{{organization}}: acme\n", ":1: is a key and no text"),
        (b"config:\n  yes: 1\n", ":2: is a key and no text (given: yes); put it in quotes"),
        (
            "config: {x: Größe}".encode("latin-1"),
            ": is not in UTF-8; save it in that encoding\n",
        ),
        (b"[a]\n", ": must be a mapping (given: list); see the annotated example\n"),
        (b"", ": must be a mapping (given: NoneType); see the annotated example\n"),
    ],
)
def test_a_stack_file_that_cannot_be_read_is_reported(
    configuration: Path, content: bytes, words: str
) -> None:
    (configuration / "Pulumi.qa.yaml").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_files("prod", configuration)
    assert f"  - Pulumi.qa.yaml{words}" in f"{caught.value}\n"


def test_a_folder_in_place_of_a_stack_file_is_reported(configuration: Path) -> None:
    (configuration / "Pulumi.qa.yaml").mkdir()
    assert report(configuration)[0] == (
        "Pulumi.qa.yaml: cannot be read: Is a directory; put a readable file in its place"
    )


def test_a_stack_is_named_by_all_of_its_file(configuration: Path) -> None:
    (configuration / "Pulumi.prod.z.yaml").write_text("config: {}\n")
    assert stack_files(configuration)["prod"].name == "Pulumi.prod.yaml"


@pytest.mark.parametrize("name", ["default", "argocd", "keel", "kube-system"])
def test_a_namespace_of_the_cluster_is_nobodys(configuration: Path, bend: Bend, name: str) -> None:
    def rename(catalogue: dict[str, Any]) -> None:
        catalogue["namespaces"][name] = catalogue["namespaces"].pop("streaming")

    bend("services.yaml", rename)
    (problem,) = report(configuration)
    assert problem == (
        f"services.yaml: namespaces.{name}: is a namespace of the cluster or of the platform "
        f"itself (given: {name}); give the services a namespace of their own"
    )


def test_a_third_environment_needs_no_code(configuration: Path) -> None:
    text = (configuration / "Pulumi.prod.yaml").read_text()
    text = text.replace("10.20.", "10.30.").replace("acme.example", "perf.acme.example")
    (configuration / "Pulumi.perf.yaml").write_text(text)
    perf = load_files("perf", configuration)
    assert perf.speed.name == "safe"
    assert [e.name for e in perf.environments] == ["dev", "perf", "prod"]


def test_a_stack_may_have_its_configuration_from_elsewhere_alone(configuration: Path) -> None:
    config = yaml.safe_load((configuration / "Pulumi.prod.yaml").read_text())["config"]
    config["platform:network"]["cidr"] = "10.30.0.0/16"
    config["platform:domain"] = "perf.acme.example"
    config["platform:argocd"].pop("domain", None)
    assert [e.name for e in load("perf", config, configuration).environments] == [
        "dev",
        "perf",
        "prod",
    ]
    config["platform:speed"] = "warp"
    with pytest.raises(SettingsError) as caught:
        load("perf", config, configuration)
    assert str(caught.value.problems[0]).startswith("Pulumi.perf.yaml: platform:speed: must be")


def test_a_stack_file_that_configures_nothing_is_no_environment(configuration: Path) -> None:
    (configuration / "Pulumi.qa.yaml").write_text("encryptionsalt: v1:x\n")
    assert [e.name for e in load_files("prod", configuration).environments] == ["dev", "prod"]


@pytest.mark.parametrize("group", ["text", {"services": ["a"]}])
def test_a_namespace_that_cannot_be_read_hides_no_faulty_service(
    configuration: Path, bend: Bend, group: object
) -> None:
    def spoil(catalogue: dict[str, Any]) -> None:
        services(catalogue, "streaming")["tv-api"]["port"] = "http"
        services(catalogue, "streaming")["tv-frontend"]["owner"] = "nobody"
        catalogue["namespaces"]["community"] = group

    bend("services.yaml", spoil)
    bend("Pulumi.dev.yaml", lambda config: config.pop("platform:keel"))
    places = [problem.split(": ")[1] for problem in report(configuration)]
    assert "namespaces.streaming.services.tv-api.port" in places
    assert "namespaces.streaming.services.tv-frontend.owner" in places
    assert any(place.startswith("namespaces.community") for place in places)


# Problems


def test_a_problem_says_as_much_as_is_known() -> None:
    assert str(Problem("a.yaml", "b.c", "1", "is small", "add 1", 7)) == (
        "a.yaml:7: b.c: is small (given: 1); add 1"
    )
    assert str(Problem("a.yaml", "", "", "is missing", "make it")) == (
        "a.yaml: is missing; make it"
    )


def test_a_report_has_each_problem_once_in_the_order_of_the_files() -> None:
    later = Problem("a.yaml", "x", "", "is wrong", "mend it", 9)
    sooner = Problem("a.yaml", "y", "", "is wrong", "mend it", 8)
    nowhere = Problem("a.yaml", "z", "", "is wrong", "mend it")
    other = Problem("b.yaml", "a", "", "is wrong", "mend it")
    error = SettingsError([other, later, sooner, nowhere, later])
    assert error.problems == (nowhere, sooner, later, other)
    assert str(error) == (
        "4 problems in the configuration, nothing was created:\n"
        "  - a.yaml: z: is wrong; mend it\n"
        "  - a.yaml:8: y: is wrong; mend it\n"
        "  - a.yaml:9: x: is wrong; mend it\n"
        "  - b.yaml: a: is wrong; mend it"
    )
    assert str(SettingsError([other])) == (
        "1 problem in the configuration, nothing was created:\n  - b.yaml: a: is wrong; mend it"
    )
