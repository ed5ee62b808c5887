"""A new value of a secret rolls the pods that read it, once, and nothing else does."""

from __future__ import annotations

import base64
import json
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest

from components.secrets import rotation

KNOWN = frozenset({"web.database-url", "web.client.pem", "api.token"})
ENVIRON = {"SECRETS": json.dumps({"broken": [], "shop": sorted(KNOWN)})}
READS_BOTH = {
    "containers": [
        {
            "name": "web",
            "env": [
                {"name": "PORT", "value": "8080"},
                {
                    "name": "DATABASE_URL",
                    "valueFrom": {"secretKeyRef": {"name": "web.database-url", "key": "value"}},
                },
            ],
        }
    ],
    "volumes": [
        {"name": "tmp", "emptyDir": {}},
        {
            "name": "secrets",
            "projected": {"sources": [{"secret": {"name": "web.client.pem"}}]},
        },
    ],
}


class Cluster:
    """The Kubernetes API as far as the program asks it: the namespace shop, and none of broken."""

    def __init__(self, **workloads: dict[str, Any]) -> None:
        self.deployments: dict[str, dict[str, Any]] = {
            name: {
                "metadata": {"name": name},
                "spec": {"template": {"metadata": {}, "spec": pod}},
            }
            for name, pod in workloads.items()
        }
        self.secrets: dict[str, dict[str, Any]] = {}

    def set(self, name: str, value: str, uid: str = "7a1c") -> None:
        data = {"value": base64.b64encode(value.encode()).decode()}
        self.secrets[name] = {"metadata": {"name": name, "uid": uid}, "data": data}

    def call(self, method: str, path: str, body: rotation.Object | None) -> rotation.Object | None:
        if "/namespaces/broken/" in path:
            raise OSError("GET: 403 forbidden")
        if path.startswith("/api/v1/namespaces/shop/secrets/"):
            assert method == "GET"
            return self.secrets.get(path.rpartition("/")[2])
        if path == "/apis/apps/v1/namespaces/shop/statefulsets":
            return {}
        if method == "GET":
            assert path == "/apis/apps/v1/namespaces/shop/deployments"
            return {"items": list(self.deployments.values())}
        assert method == "PATCH"
        own = self.deployments[path.removeprefix("/apis/apps/v1/namespaces/shop/deployments/")]
        merge(own, body or {})
        return own

    def roll(self) -> list[str]:
        return list(rotation.roll(self.call, "shop", KNOWN))

    def template(self, name: str) -> dict[str, Any]:
        return dict(self.deployments[name]["spec"]["template"]["metadata"].get("annotations", {}))


def merge(into: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster(web=READS_BOTH, api={"containers": [{"name": "api"}]})
    made.set("web.database-url", "postgres://one")
    made.set("web.client.pem", "key")
    return made


ROLLED = ["shop: deployments web is rolled: a secret has another value"]


def test_a_workload_that_is_new_is_not_rolled(cluster: Cluster) -> None:
    assert cluster.roll() == []
    assert cluster.template("web") == {}
    assert cluster.roll() == []


@pytest.mark.parametrize("secret", ["web.database-url", "web.client.pem"])
def test_another_value_rolls_the_pods_once(cluster: Cluster, secret: str) -> None:
    cluster.roll()
    cluster.set(secret, "another")

    assert cluster.roll() == ROLLED
    assert [*cluster.template("web")] == ["secrets-rollout/changed"]
    assert cluster.roll() == []


def test_every_rotation_gives_the_pods_another_annotation(cluster: Cluster) -> None:
    cluster.roll()
    seen = set()
    for value in ("two", "three", "four"):
        cluster.set("web.database-url", value)
        assert cluster.roll() == ROLLED
        seen.add(cluster.template("web")["secrets-rollout/changed"])
    assert len(seen) == 3


def test_a_rotation_while_the_program_is_away_is_not_missed(cluster: Cluster) -> None:
    cluster.roll()
    cluster.set("web.database-url", "two")

    # A program that starts anew knows what the workload says and nothing else.
    assert list(rotation.roll(cluster.call, "shop", KNOWN)) == ROLLED


def test_a_further_secret_rolls_nothing_because_its_pods_are_new(cluster: Cluster) -> None:
    del cluster.secrets["web.client.pem"]
    cluster.roll()
    cluster.set("web.client.pem", "key")

    assert cluster.roll() == []


def test_a_secret_that_is_away_for_a_moment_is_compared_when_it_is_back(cluster: Cluster) -> None:
    cluster.roll()
    before = cluster.secrets.pop("web.database-url")
    assert cluster.roll() == []
    cluster.secrets["web.database-url"] = before
    assert cluster.roll() == []
    cluster.set("web.database-url", "two")
    assert cluster.roll() == ROLLED


def test_only_those_are_rolled_that_read_the_secret(cluster: Cluster) -> None:
    cluster.set("api.token", "one")
    cluster.roll()
    cluster.set("api.token", "two")

    assert cluster.roll() == []
    assert cluster.template("api") == {}


def test_secrets_of_others_are_not_asked_for() -> None:
    pod = {"containers": [{"name": "web", "envFrom": [{"secretRef": {"name": "by-hand"}}]}]}
    cluster = Cluster(web=pod)

    assert cluster.roll() == []
    assert "annotations" not in cluster.deployments["web"]["metadata"]


def test_what_is_kept_tells_nothing_to_who_does_not_know_the_secrets_uid(
    cluster: Cluster,
) -> None:
    cluster.roll()
    kept = json.loads(cluster.deployments["web"]["metadata"]["annotations"]["secrets-rollout/seen"])
    cluster.set("web.database-url", "postgres://one", uid="8b2d")
    other = rotation.mark(cluster.secrets["web.database-url"])

    assert kept["web.database-url"] != other
    assert all(len(mark) == 16 for mark in kept.values())


def test_what_is_kept_is_written_in_one_order() -> None:
    annotations = {"secrets-rollout/seen": '{"b": "1", "a": "1"}'}
    found = rotation.change_of(
        {"metadata": {"annotations": annotations}}, {"b": "2", "a": "1"}, frozenset("ab")
    )
    assert found == {
        "metadata": {"annotations": {"secrets-rollout/seen": '{"a": "1", "b": "2"}'}},
        "spec": {
            "template": {
                "metadata": {"annotations": {"secrets-rollout/changed": "0e09eeab5bdeab40"}}
            }
        },
    }
    one, two = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    secret = {"metadata": {"uid": "u"}}
    assert rotation.mark({**secret, "data": one}) == rotation.mark({**secret, "data": two})


@pytest.mark.parametrize(
    "pod",
    [
        {"containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "a"}}}]}]},
        {"initContainers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "a"}}}]}]},
        {"containers": [{"envFrom": [{"secretRef": {"name": "a"}}]}]},
        {"volumes": [{"secret": {"secretName": "a"}}]},
        {"volumes": [{"projected": {"sources": [{"secret": {"name": "a"}}]}}]},
    ],
)
def test_every_way_to_name_a_secret_is_seen(pod: dict[str, Any]) -> None:
    assert rotation.used_secrets(pod) == {"a"}


def test_what_names_no_secret_uses_none() -> None:
    pod = {
        "containers": [
            {
                "env": [{"name": "A", "value": "b"}, {"valueFrom": {"fieldRef": {}}}],
                "envFrom": [{"configMapRef": {"name": "c"}}],
            }
        ],
        "volumes": [{"configMap": {"name": "c"}}, {"projected": {"sources": [{"configMap": {}}]}}],
    }
    assert rotation.used_secrets(pod) == frozenset()


def test_a_namespace_that_does_not_answer_holds_up_no_other(
    capsys: pytest.CaptureFixture[str], cluster: Cluster
) -> None:
    rotation.main(ENVIRON, cluster.call)
    cluster.set("web.database-url", "two")
    rotation.main(ENVIRON, cluster.call)

    said = capsys.readouterr()
    assert said.out == ROLLED[0] + "\n"
    assert said.err == "broken: GET: 403 forbidden\n" * 2


def test_the_log_of_the_pod_has_each_line_at_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, errors = BytesIO(), BytesIO()
    monkeypatch.setattr("sys.stdout", TextIOWrapper(log))
    monkeypatch.setattr("sys.stderr", TextIOWrapper(errors))
    cluster.roll()
    cluster.set("web.database-url", "two")
    rotation.main(ENVIRON, cluster.call)
    assert (log.getvalue(), errors.getvalue()) == (
        f"{ROLLED[0]}\n".encode(),
        b"broken: GET: 403 forbidden\n",
    )
