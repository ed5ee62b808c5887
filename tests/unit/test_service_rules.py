"""Services that cannot work are refused, with the place, the value, the rule and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings import load_files
from tests.unit.conftest import Bend
from tests.unit.test_settings import report

WHERE = "services.yaml: namespaces.streaming.services.tv-api"
LONG = "customer-notification-preferences-and-subscription-manager"

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "ingress without a port": (
        {"port": None, "health": None, "ingress": True},
        ".ingress: leads to the service's port, and it has none (given: true); add port, where it "
        "answers HTTP, or remove ingress",
    ),
    "HTTP without a port": (
        {"port": None},
        ".health: is asked over HTTP, and there is no port (given: /health); add port beside it, "
        "or ask otherwise: tcp, grpc or command",
    ),
    "two ways to ask": (
        {"health": {"http": "/", "tcp": 8000}},
        ".health: names http and tcp; name one of http, tcp, grpc and command",
    ),
    "no way to ask": (
        {"health": {}},
        ".health: names no way to ask; name one of http, tcp, grpc and command",
    ),
    "one for all beside one for some": (
        {"health": {"http": "/", "liveness": "/live"}},
        ".health: has http beside liveness; write one check for everything, or one below each of "
        "the three",
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
        ".ports.http: has the name that `port` gives to the service's own (given: 9000); give it "
        "another name",
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
        ".processes.report: has a schedule and port, replicas, which is of what always runs; "
        "remove one of the two",
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
        ".processes.sync: is what the service tv-api-sync is called in Kubernetes too (given: "
        "tv-api-sync); give the process another name",
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
        ".overrides.dev: is none of the environments in which the service lives (given: dev); add "
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
        ".overrides.dev.processes.report.replicas: is of what always runs, and this process is "
        "scheduled; remove it",
    ),
    "verified where it does not live": (
        {"environments": ["prod"], "verify": {"command": "make smoke"}},
        ".verify: is tried on dev, where the service does not live; add dev to environments, or "
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
        ".build.watch: says what else builds the service, and every push does: only GitHub Actions "
        "looks at paths, and only where build.path is set (given: libs); remove it, or add "
        "build.path",
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
        "services.yaml: namespaces.streaming.kinds[0]: would let whoever writes to Git grant "
        "rights in the cluster (given: rbac.authorization.k8s.io/Role); declare it in this program",
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
        ".migrate: stands beside storage: the old pod of a StatefulSet ends before the new one "
        "migrates, so a migration that fails would leave nothing that serves; keep the data in a "
        "service of its own, or run the migration by hand",
    ),
    "a process called as the migration": (
        {"migrate": ["bin/migrate"], "processes": {"migrate": {"command": ["x"]}}},
        ".processes.migrate: is what the migration of tv-api is called in Kubernetes too (given: "
        "tv-api-migrate); give the process another name",
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
        ".storage.data.path: and /etc/tv-api, the files of config, lie one in the other (given: "
        "/etc); choose a folder beside it",
    ),
    "a volume of the platform": (
        {"storage": {"tmp": {"path": "/data", "size": "1Gi"}}},
        ".storage.tmp: is a volume of the platform (given: tmp); give it another name",
    ),
    "a volume without a driver": (
        {"storage": {"data": {"path": "/data", "size": "1Gi"}}},
        "Pulumi.prod.yaml: platform:cluster.addons: lacks aws-ebs-csi-driver, and no volume for "
        "tv-api (storage) is made without it; add aws-ebs-csi-driver with the version that `aws "
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
