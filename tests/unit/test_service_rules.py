"""Services that cannot work are refused, with the place, the value, the rule and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings.catalogue import Catalogue
from settings.environment import Settings
from settings.loading import load_files
from settings.rules import services
from tests.unit.conftest import Bend
from tests.unit.test_settings import report

WHERE = "services.yaml: namespaces.streaming.services.tv-api"
LONG = "customer-notification-preferences-and-subscription-manager"

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "ingress without a port": (
        {"port": None, "health": None, "ingress": True},
        ".ingress: needs the service's port, and it has none (given: true); add port, where it "
        "answers HTTP, or remove ingress",
    ),
    "HTTP without a port": (
        {"port": None},
        ".health: is an HTTP probe, and there is no port (given: /health); add a port, or "
        "use tcp, grpc or command",
    ),
    "two HTTP probes without a port": (
        {"port": None, "health": {"readiness": "/ready", "liveness": "/live"}},
        ".health: is an HTTP probe, and there is no port (given: /live); add a port, or use tcp, "
        "grpc or command",
    ),
    "two ways to ask": (
        {"health": {"http": "/", "tcp": 8000}},
        ".health: names http and tcp; name one of http, tcp, grpc and command",
    ),
    "no probe": (
        {"health": {}},
        ".health: names no probe; name one of http, tcp, grpc and command",
    ),
    "a service of gRPC without gRPC": (
        {"health": {"tcp": 8000, "grpcService": "shop.Cart"}},
        ".health: has grpcService without grpc; add grpc: <port>, or remove it",
    ),
    "one for all beside one for some": (
        {"health": {"http": "/", "liveness": "/live"}},
        ".health: has http beside liveness; write one check for everything, or one below each of "
        "the three",
    ),
    "one for all beside two": (
        {"health": {"port": 8001, "liveness": "/live", "readiness": "/ready"}},
        ".health: has port beside liveness and readiness; write one check for everything, or one "
        "below each of the three",
    ),
    "a port of another check": (
        {"health": {"tcp": 8000, "port": 8001}},
        ".health: has a port beside another check than http; write the port behind it",
    ),
    "a path that is none": (
        {"health": {"readiness": "ready"}},
        ".health.readiness.http: must be a path such as /healthz (given: ready); correct the value",
    ),
    "a command in one piece": (
        {"command": "python -m api"},
        ".command: must be a list (given: python -m api); write [one, two], or one entry a line "
        "behind a hyphen",
    ),
    "a port's number twice": (
        {"ports": {"admin": 8000}},
        ".ports: is there twice (given: 8000); give each port a number of its own",
    ),
    "a port's name twice": (
        {"ports": {"http": 9000}},
        ".ports.http: has the name of the service's own port (given: 9000); give it another name",
    ),
    "a port for root": (
        {"ports": {"web": 80}},
        ".ports.web: must be greater than or equal to 1024 (given: 80); correct the value",
    ),
    "a schedule that never comes": (
        {"processes": {"report": {"schedule": "0 0 31 2 *"}}},
        ".processes.report.schedule: never comes: its day-of-month is impossible (given: "
        "0 0 31 2 *); write minute 0-59, hour 0-23, day 1-31, month 1-12, day of the week 0-6, "
        "and ranges upwards",
    ),
    "a scheduled server": (
        {"processes": {"report": {"schedule": "@daily", "port": 9000}}},
        ".processes.report.schedule: must be a cron schedule of five fields such as 0 9 * * 1-4 "
        "(given: @daily); correct the value",
    ),
    "a scheduled process that answers": (
        {"processes": {"report": {"schedule": "0 3 * * *", "replicas": 2, "port": 9000}}},
        ".processes.report: has a schedule and port, replicas, which a scheduled process cannot "
        "have; remove one of the two",
    ),
    "a schedule and all that runs always": (
        {
            "processes": {
                "report": {
                    "schedule": "0 3 * * *",
                    "ports": {"admin": 9000},
                    "health": {"tcp": 9000},
                    "scale": {"max": 2, "cpu": 70},
                }
            }
        },
        ".processes.report: has a schedule and health, ports, scale, which a scheduled process "
        "cannot have; remove one of the two",
    ),
    "all of a schedule but itself": (
        {"processes": {"worker": {"concurrency": "allow", "history": {"failed": 2}}}},
        ".processes.worker: has concurrency, history without a schedule; add schedule: 0 3 * * *, "
        "or remove it",
    ),
    "a clock without a schedule": (
        {"processes": {"worker": {"timeZone": "Europe/Berlin"}}},
        ".processes.worker: has timeZone without a schedule; add schedule: 0 3 * * *, or remove it",
    ),
    "a time zone that is none": (
        {"processes": {"report": {"schedule": "0 3 * * *", "timeZone": "Berlin"}}},
        ".processes.report.timeZone: is no time zone (given: Berlin); write a name of the IANA "
        "database such as Europe/Berlin",
    ),
    "a process called as another service": (
        {"processes": {"sync": {}}, "as": ("tv-api-sync", {"port": 9000})},
        ".processes.sync: is also the name of the service tv-api-sync in Kubernetes "
        "(given: tv-api-sync); give the process another name",
    ),
    "a name too long for a cron job": (
        {"processes": {"x" * 46: {"schedule": "0 3 * * *"}}},
        f".processes.{'x' * 46}: has 53 characters, and Kubernetes takes 52 here (given: "
        f"tv-api-{'x' * 46}); shorten the name of the process or of the service",
    ),
    "replicas and scale": (
        {"replicas": 2, "scale": {"max": 3, "cpu": 70}},
        ": has replicas and scale, and only one can decide; remove one of them",
    ),
    "a scale without a target": (
        {"scale": {"max": 3}},
        ".scale: names no target; add cpu: 70, in percent of the request",
    ),
    "a scale upside down": (
        {"scale": {"min": 5, "max": 3, "cpu": 70}},
        ".scale: min 5 exceeds max 3; lower min or raise max",
    ),
    "memory without a unit": (
        {"resources": {"limits": {"memory": "256"}}},
        ".resources.limits.memory: must be an amount with a unit such as 256Mi or 1.5Gi (given: "
        "256); correct the value",
    ),
    "a request beyond the limit of one environment": (
        {"resources": {"requests": {"memory": "300Mi"}}},
        ".resources: requests more memory on prod than its limit there, 256Mi (given: 300Mi); "
        "raise limits.memory, or lower requests.memory; what is not set follows from the speed, "
        "safe",
    ),
    "an environment that there is not": (
        {"environments": ["dev", "staging"]},
        ".environments: is no environment: there is no such Pulumi.<stack>.yaml (given: staging); "
        "name one of dev, prod",
    ),
    "an environment twice": (
        {"environments": ["dev", "dev"]},
        ".environments: names dev twice (given: ['dev', 'dev']); name each one once",
    ),
    "no environment": (
        {"environments": []},
        ".environments: must name 1 at least (given: []); add what is missing",
    ),
    "an override where it does not live": (
        {"environments": ["prod"], "overrides": {"dev": {"replicas": 1}}},
        ".overrides.dev: is no environment of the service (given: dev); add "
        "it to environments, or remove the override",
    ),
    "an override of what the platform sets": (
        {"overrides": {"dev": {"env": {"LOG_LEVEL": "trace"}}}},
        ".overrides.dev.env.LOG_LEVEL: is set by the platform (given: trace); remove it: PORT "
        "follows the service's port, the others the environment",
    ),
    "an override of no process": (
        {"overrides": {"dev": {"processes": {"worker": {"replicas": 1}}}}},
        ".overrides.dev.processes.worker: is no process of the service (given: worker); name one "
        "of its processes",
    ),
    "replicas of what is scheduled": (
        {
            "processes": {"report": {"schedule": "0 3 * * *"}},
            "overrides": {"dev": {"processes": {"report": {"replicas": 1}}}},
        },
        ".overrides.dev.processes.report.replicas: is not for a scheduled process; remove it",
    ),
    "verified where it does not live": (
        {"environments": ["prod"], "verify": {"command": "make smoke"}},
        ".verify: runs on dev, which does not have the service; add dev to environments, or "
        "remove verify",
    ),
    "a file that Kubernetes cannot name": (
        {"config": {"größe.json": "{}"}},
        ".config.größe.json: must be a plain file name: letters without accents, digits, dots, "
        "hyphens and underscores, 253 at most (given: größe.json); correct the value",
    ),
    "files larger than an apply": (
        {"config": {"words.txt": "word\n" * 50_000}},
        ".config: is more than an apply can hold: Kubernetes keeps a copy of it in an annotation "
        "of 262144 bytes (given: 300017 bytes); put large files into the image",
    ),
    "a name that ECR refuses": (
        {"as": ("web--api", {})},
        "services.yaml: namespaces.streaming.services.web--api: has two hyphens in a row, and "
        "becomes the name of an image repository, where AWS refuses them (given: web--api); write "
        "one",
    ),
    "watching without a path": (
        {"build": {"watch": ["libs"]}},
        ".build.watch: says what else builds the service, and every push does (given: libs); "
        "remove it, or add build.path",
    ),
    "an image for other processors than the nodes have": (
        {"build": {"platforms": ["linux/arm64"]}},
        ".build.platforms: lacks linux/amd64, which nodes of the stack files have (given: "
        "linux/arm64); add it, or remove build.platforms, which then follow from the node groups",
    ),
    "an unknown processor": (
        {"build": {"platforms": ["linux/arm"]}},
        ".build.platforms[0]: must be 'linux/amd64' or 'linux/arm64' (given: linux/arm); correct "
        "the value",
    ),
    "a branch of hotfixes as the usual one": (
        {"hotfix": True, "branch": "hotfix/2026"},
        ".branch: is itself a branch of hotfixes, which do not reach the fast environment (given: "
        "hotfix/2026); name the branch that is built for it, or remove hotfix",
    ),
    "a path out of the repository": (
        {"build": {"path": "services/../../x"}},
        ".build.path: must be a path inside the repository such as services/web (given: "
        "services/../../x); correct the value",
    ),
    "an argument that the CI system fills in": (
        {"build": {"args": {"TOKEN": "${{ secrets.NPM }}"}}},
        ".build.args.TOKEN: must be text on one line, without ${{ and <<, which CI systems fill "
        "in (given: ${{ secrets.NPM }}); correct the value",
    ),
    "a secret called as the pipeline's own variable": (
        {"build": {"secrets": ["VERSION"]}},
        ".build.secrets: is a variable of the pipeline itself (given: VERSION); give the secret "
        "another name in the CI system",
    ),
    "a kind that grants rights": (
        {"kinds": ["rbac.authorization.k8s.io/Role"]},
        "services.yaml: namespaces.streaming.kinds[0]: would let every writer of the Git "
        "repository grant rights in the cluster (given: rbac.authorization.k8s.io/Role); declare "
        "it in this program",
    ),
    "a kind that is there already": (
        {"kinds": ["apps/Deployment"]},
        "services.yaml: namespaces.streaming.kinds[0]: may be declared in every namespace (given: "
        "apps/Deployment); leave it out",
    ),
    "a kind without its group": (
        {"kinds": ["Secret"]},
        "services.yaml: namespaces.streaming.kinds[0]: must be a kind with its API group, such as "
        "gateway.networking.k8s.io/HTTPRoute (given: Secret); correct the value",
    ),
    "a migration beside a volume": (
        {"migrate": ["bin/migrate"], "storage": {"data": {"path": "/data", "size": "1Gi"}}},
        ".migrate: cannot be combined with storage: the old pod of a StatefulSet stops before the "
        "new one migrates, so after a failed migration no pod would serve; keep the data in a "
        "service of its own, or run the migration by hand",
    ),
    "a process called as the migration": (
        {"migrate": ["bin/migrate"], "processes": {"migrate": {"command": ["x"]}}},
        ".processes.migrate: is also the name of the migration of tv-api in Kubernetes "
        "(given: tv-api-migrate); give the process another name",
    ),
    "a migration in one piece": (
        {"migrate": "bin/migrate up"},
        ".migrate.command: must be a list (given: bin/migrate up); write [one, two], or one entry "
        "a line behind a hyphen",
    ),
    "somebody else's image that we build": (
        {"image": {"name": "docker.io/library/redis", "version": "7", "digest": "sha256:7"}},
        ".ci: is not a key known here; remove it; known keys: args, aws, command, config, "
        "env, environments, health, image, ingress, migrate, overrides, owner, packaging, port, "
        "ports, processes, replicas, resources, scale, secrets, storage",
    ),
    "a digest that is none": (
        {"image": {"name": "docker.io/library/redis", "version": "7", "digest": "sha256:7"}},
        ".image.digest: must be a digest: sha256: and 64 hexadecimal digits (given: sha256:7); "
        "correct the value",
    ),
    "an image with its tag": (
        {"image": {"name": "redis:7", "version": "7", "digest": "sha256:7"}},
        ".image.name: must be an image with its registry and without a tag, such as "
        "docker.io/library/redis (given: redis:7); correct the value",
    ),
    "a tag that YAML reads as a number": (
        {"image": {"name": "docker.io/library/redis", "version": 7.4, "digest": "sha256:7"}},
        ".image.version: must be text (given: 7.4); put it in quotes",
    ),
    "a volume over the files of config": (
        {"storage": {"data": {"path": "/etc", "size": "1Gi"}}},
        ".storage.data.path: and /etc/tv-api (the files of config) are one inside the other "
        "(given: /etc); choose a separate folder",
    ),
    "a volume of the platform": (
        {"storage": {"tmp": {"path": "/data", "size": "1Gi"}}},
        ".storage.tmp: is a volume of the platform (given: tmp); give it another name",
    ),
    "a volume without a driver": (
        {"storage": {"data": {"path": "/data", "size": "1Gi"}}},
        "Pulumi.prod.yaml: platform:cluster.addons: lacks aws-ebs-csi-driver, which creates the "
        "volumes of tv-api (storage); add aws-ebs-csi-driver with the version that `aws "
        "eks describe-addon-versions` names",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_service_that_cannot_work_is_refused(configuration: Path, bend: Bend, case: str) -> None:
    change, expected = CASES[case]

    def spoil(catalogue: dict[str, Any]) -> None:
        services = catalogue["namespaces"]["streaming"]["services"]
        keys = dict(change)
        if added := keys.pop("kinds", None):
            catalogue["namespaces"]["streaming"]["kinds"] = added
        if another := keys.pop("as", None):
            name, own = another
            services[name] = {**services["tv-api"], "source": "acme/another", **own}
        for key, value in keys.items():
            if value is None:
                services["tv-api"].pop(key, None)
            else:
                services["tv-api"][key] = value

    bend("services.yaml", spoil)
    assert (WHERE + expected if expected.startswith((".", ":")) else expected) in report(
        configuration
    )


def test_a_chart_has_the_name_of_a_release(configuration: Path, bend: Bend) -> None:
    def rename(catalogue: dict[str, Any]) -> None:
        services = catalogue["namespaces"]["community"]["services"]
        services[LONG] = services.pop("leaderboard")

    bend("services.yaml", rename)
    assert report(configuration) == [
        f"services.yaml: namespaces.community.services.{LONG}: has 58 characters, and a Helm "
        f"release 53 at most (given: {LONG}); shorten it, or take packaging: kustomize"
    ]


def test_all_problems_of_a_service_arrive_together(configuration: Path, bend: Bend) -> None:
    def spoil(catalogue: dict[str, Any]) -> None:
        catalogue["namespaces"]["streaming"]["services"]["tv-api"].update(
            ports={"admin": 8000},
            environments=["nowhere"],
            processes={"report": {"schedule": "0 3 * * *"}},
            overrides={"dev": {"env": {"PORT": "1"}}},
        )

    bend("services.yaml", spoil)
    assert [problem.removeprefix(WHERE).partition(":")[0] for problem in report(configuration)] == [
        ".environments",
        ".overrides.dev",
        ".overrides.dev.env.PORT",
        ".ports",
    ]


def test_a_faulty_service_hides_no_problem_of_another(configuration: Path, bend: Bend) -> None:
    def spoil(catalogue: dict[str, Any]) -> None:
        catalogue["namespaces"]["streaming"]["services"]["tv-api"]["port"] = "http"
        community = catalogue["namespaces"]["community"]["services"]
        community["tournaments"]["owner"] = "nobody"
        community["leaderboard"]["environments"] = ["nowhere"]

    bend("services.yaml", spoil)
    assert [problem.split(": ")[1] for problem in report(configuration)] == [
        "namespaces.community.services.leaderboard.environments",
        "namespaces.community.services.tournaments.owner",
        "namespaces.streaming.services.tv-api.port",
    ]


def test_the_only_service_of_a_namespace_may_be_the_faulty_one(
    configuration: Path, bend: Bend
) -> None:
    def spoil(catalogue: dict[str, Any]) -> None:
        services = catalogue["namespaces"]["streaming"]["services"]
        del services["tv-frontend"]
        services["tv-api"]["port"] = "http"
        catalogue["namespaces"]["community"]["services"]["tournaments"]["owner"] = "nobody"

    bend("services.yaml", spoil)
    assert [problem.split(": ")[1] for problem in report(configuration)] == [
        "namespaces.community.services.tournaments.owner",
        "namespaces.streaming.services.tv-api.port",
    ]


def test_a_stack_that_lacks_keel_is_fine_where_nothing_relies_on_it(
    configuration: Path, bend: Bend
) -> None:
    def move(catalogue: dict[str, Any]) -> None:
        for service in catalogue["namespaces"]["community"]["services"].values():
            service["environments"] = ["prod"]

    bend("services.yaml", move)
    bend("Pulumi.dev.yaml", lambda config: config.pop("platform:keel"))
    assert load_files("dev", configuration).config.keel is None


# The rules alone, without a file


ENTRY = {"owner": "shop", "source": "acme/web", "ci": "github-actions", "delivery": "commit"}
FOREIGN = {
    "owner": "shop",
    "image": {"name": "docker.io/library/redis", "version": "7", "digest": f"sha256:{'7' * 64}"},
}


def catalogue(entries: dict[str, Any], namespace: str = "shop") -> Catalogue:
    return Catalogue.model_validate(
        {
            "teams": {"shop": {"group": "acme:shop"}},
            "releasers": "acme:releasers",
            "namespaces": {namespace: {"services": entries}},
        }
    )


def found(entry: dict[str, Any], name: str = "web") -> list[str]:
    """What the rules say of one service, behind its place."""
    place = f"services.yaml: namespaces.shop.services.{name}"
    problems = services.check(catalogue({name: {**ENTRY, **entry}}))
    return [str(problem).removeprefix(place) for problem in problems]


VOLUME = {"storage": {"data": {"path": "/data", "size": "1Gi"}}}
CRON = {"schedule": "0 3 * * *"}

LENGTHS: dict[str, tuple[dict[str, Any], int, str]] = {
    "a volume": (
        VOLUME,
        52,
        ": has 53 characters, and a StatefulSet 52 at most (given: {name}); shorten it",
    ),
    "a chart": (
        {"packaging": "helm"},
        53,
        ": has 54 characters, and a Helm release 53 at most (given: {name}); shorten it, or take "
        "packaging: kustomize",
    ),
    "a migration": (
        {"migrate": ["bin/migrate"]},
        44,
        ".migrate: creates Jobs named after the service, which has 45 characters; the most are 44 "
        "(given: {name}); shorten the service's name",
    ),
    "a process": (
        {"processes": {"p": {}}},
        61,
        ".processes.p: has 64 characters, and Kubernetes takes 63 here (given: {name}-p); shorten "
        "the name of the process or of the service",
    ),
    "a scheduled process": (
        {"processes": {"p": CRON}},
        50,
        ".processes.p: has 53 characters, and Kubernetes takes 52 here (given: {name}-p); shorten "
        "the name of the process or of the service",
    ),
}


@pytest.mark.parametrize(("entry", "longest", "words"), LENGTHS.values(), ids=LENGTHS)
def test_a_name_is_as_long_as_its_objects_allow(
    entry: dict[str, Any], longest: int, words: str
) -> None:
    name = "x" * longest
    assert found(entry, name) == []
    assert found(entry, f"{name}x") == [words.format(name=f"{name}x")]


ALONE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing wrong": (
        {"port": 8080, "ports": {"admin": 9000}, "health": "/ready", "ingress": True, **VOLUME},
        [],
    ),
    "health on a port of its own": ({"health": {"http": "/", "port": 9000}}, []),
    "health of a process without a port": (
        {"processes": {"worker": {"health": "/live"}}},
        [
            ".processes.worker.health: is an HTTP probe, and there is no port (given: /live); add "
            "a port, or use tcp, grpc or command"
        ],
    ),
    "health by HTTP for one probe alone": (
        {"health": {"readiness": {"tcp": 9000}, "liveness": "/live"}},
        [
            ".health: is an HTTP probe, and there is no port (given: /live); add a port, or use "
            "tcp, grpc or command"
        ],
    ),
    "a number three times": (
        {"port": 8080, "ports": {"admin": 8080, "more": 8080, "else": 8081}},
        [".ports: is there twice (given: 8080); give each port a number of its own"],
    ),
    "two numbers twice": (
        {"ports": {"a": 9001, "b": 9000, "c": 9000, "d": 9001}},
        [
            ".ports: is there twice (given: 9000); give each port a number of its own",
            ".ports: is there twice (given: 9001); give each port a number of its own",
        ],
    ),
    "a port called http without the own one": ({"ports": {"http": 9000}}, []),
    "a volume over the scratch folder": (
        {"storage": {"data": {"path": "/tmp", "size": "1Gi"}}},  # noqa: S108
        [
            ".storage.data.path: and /tmp (the scratch folder) are one inside the other (given: "
            "/tmp); choose a separate folder"
        ],
    ),
    "a volume in the scratch folder": (
        {"storage": {"data": {"path": "/tmp/data", "size": "1Gi"}}},  # noqa: S108
        [
            ".storage.data.path: and /tmp (the scratch folder) are one inside the other (given: "
            "/tmp/data); choose a separate folder"
        ],
    ),
    "a volume in another": (
        {
            "storage": {
                "b": {"path": "/data", "size": "1Gi"},
                "a": {"path": "/data/logs", "size": "1Gi"},
            }
        },
        [
            ".storage.b.path: and /data/logs (the volume a) are one inside the other (given: "
            "/data); choose a separate folder"
        ],
    ),
    "a volume beside another of a longer name": (
        {
            "storage": {
                "a": {"path": "/data", "size": "1Gi"},
                "b": {"path": "/database", "size": "1Gi"},
            }
        },
        [],
    ),
    "a volume called as that of the files": (
        {"storage": {"config": {"path": "/data", "size": "1Gi"}}},
        [".storage.config: is a volume of the platform (given: config); give it another name"],
    ),
    "an override of one process for another": (
        {
            "processes": {"worker": {}, "mailer": {}},
            "overrides": {"dev": {"processes": {"sender": {"replicas": 1}}}},
        },
        [
            ".overrides.dev.processes.sender: is no process of the service (given: sender); name "
            "one of mailer, worker"
        ],
    ),
    "scaling what is scheduled": (
        {
            "processes": {"report": CRON},
            "overrides": {"dev": {"processes": {"report": {"scale": {"max": 3, "cpu": 70}}}}},
        },
        [".overrides.dev.processes.report.scale: is not for a scheduled process; remove it"],
    ),
    "resources of what is scheduled": (
        {
            "processes": {"report": CRON},
            "overrides": {
                "dev": {"processes": {"report": {"resources": {"limits": {"memory": "1Gi"}}}}}
            },
        },
        [],
    ),
    "replicas of what always runs": (
        {
            "processes": {"worker": {}},
            "overrides": {"dev": {"processes": {"worker": {"replicas": 2}}}},
        },
        [],
    ),
}


@pytest.mark.parametrize(("entry", "words"), ALONE.values(), ids=ALONE)
def test_the_rules_of_one_service(entry: dict[str, Any], words: list[str]) -> None:
    assert found(entry) == words


@pytest.mark.parametrize(
    ("most", "more"), [("X" * 260_087, "X"), ("<" * 43_347, "<"), ("&" * 43_347, ">")]
)
def test_files_are_as_large_as_an_apply_can_hold(most: str, more: str) -> None:
    assert found({"config": {"a": most}}) == []
    (problem,) = found({"config": {"a": most + more}})
    assert problem == (
        ".config: is more than an apply can hold: Kubernetes keeps a copy of it in an annotation "
        "of 262144 bytes (given: 260097 bytes); put large files into the image"
    )


def test_what_a_file_has_is_measured_in_bytes() -> None:
    (problem,) = found({"config": {"a": "ä" * 130_044}})
    assert "(given: 260097 bytes)" in problem
    assert found({"config": {"a": "ä" * 130_043}}) == []


def test_two_hyphens_are_refused_of_what_is_built() -> None:
    built = services.check(catalogue({"web": ENTRY, "a--b": FOREIGN}, namespace="on--line"))
    assert [str(problem) for problem in built] == [
        "services.yaml: namespaces.on--line: has two hyphens in a row, and becomes the name of an "
        "image repository, where AWS refuses them (given: on--line); write one"
    ]


def test_objects_of_two_services_have_names_of_their_own() -> None:
    entries = {
        "a": {**ENTRY, "processes": {"b-c": {}, "migrate": {}}},
        "a-b": {**ENTRY, "processes": {"c": {}, "d": {}}},
        "a-b-d": {**ENTRY, "migrate": ["x"], "processes": {"migrate": {}}},
    }
    assert [
        str(problem).removeprefix("services.yaml: namespaces.shop.services.")
        for problem in services.check(catalogue(entries))
    ] == [
        "a-b.processes.c: is also the name of the process b-c of a in Kubernetes (given: a-b-c); "
        "give the process another name",
        "a-b.processes.d: is also the name of the service a-b-d in Kubernetes (given: a-b-d); give "
        "the process another name",
        "a-b-d.processes.migrate: is also the name of the migration of a-b-d in Kubernetes "
        "(given: a-b-d-migrate); give the process another name",
    ]


# The rules where the environments are known


def in_both(dev: Settings, entry: dict[str, Any]) -> list[str]:
    """What the rules say of one service in the committed environments."""
    problems = services.in_environments(dev.environments, catalogue({"web": {**ENTRY, **entry}}))
    return [
        str(problem).removeprefix("services.yaml: namespaces.shop.services.web")
        for problem in problems
    ]


TOO_MUCH = "on prod than its limit there, "
WITHOUT_DRIVER = (
    "platform:cluster.addons: lacks aws-ebs-csi-driver, which creates the volumes of web "
    "(storage); add aws-ebs-csi-driver with the version that `aws eks describe-addon-versions` "
    "names"
)
PLACED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing wrong": ({"environments": ["dev"], "verify": {"command": "make smoke"}}, []),
    "as much as the limit": (
        {"resources": {"requests": {"cpu": "0.25", "memory": "256Mi"}}},
        [],
    ),
    "more processors than the limit": (
        {"resources": {"requests": {"cpu": "251m"}}},
        [
            f".resources: requests more cpu {TOO_MUCH}250m (given: 251m); raise limits.cpu, or "
            "lower requests.cpu; what is not set follows from the speed, safe"
        ],
    ),
    "more of a process where it is overridden": (
        {
            "processes": {"worker": {}},
            "overrides": {
                "dev": {"processes": {"worker": {"resources": {"requests": {"memory": "513Mi"}}}}}
            },
        },
        [
            ".processes.worker.resources: requests more memory on dev than its limit there, 512Mi "
            "(given: 513Mi); raise limits.memory, or lower requests.memory; what is not set "
            "follows from the speed, fast"
        ],
    ),
    "volumes, where one cluster brings its own driver": (
        VOLUME,
        [f"Pulumi.prod.yaml: {WITHOUT_DRIVER}"],
    ),
    "volumes in one environment": (
        {**VOLUME, "environments": ["prod"]},
        [f"Pulumi.prod.yaml: {WITHOUT_DRIVER}"],
    ),
    "overrides of environments that are none": (
        {"overrides": {"qa": {"replicas": 1}, "perf": {"replicas": 1}}},
        [
            f".overrides.{name}: is no environment: there is no such Pulumi.<stack>.yaml (given: "
            f"{name}); name one of dev, prod"
            for name in ("perf", "qa")
        ],
    ),
}


@pytest.mark.parametrize(("entry", "words"), PLACED.values(), ids=PLACED)
def test_the_rules_of_one_service_in_its_environments(
    dev: Settings, entry: dict[str, Any], words: list[str]
) -> None:
    assert in_both(dev, entry) == words
