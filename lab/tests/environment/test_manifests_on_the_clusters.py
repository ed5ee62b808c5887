"""Every generated manifest, offered to the API servers of the lab without being applied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from lab.kubectl import Kubectl, KubectlError
from lab.tests.environment.conftest import Lab
from lab.tests.environment.test_rendered_manifests import (
    SERVICES,
    STACKS,
    release,
    render,
    repository,
    settings_of,
)

__all__ = ["repository"]  # the fixture: every service packaged with kustomize, then with helm


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cluster(lab: Lab, stack: str) -> Kubectl:
    """kubectl against that stack's cluster."""
    return lab.kubectl(stack)


def test_the_namespaces_enforce_the_restricted_level(cluster: Kubectl) -> None:
    for namespace in {service.split("/")[0] for service in SERVICES}:
        labels = cluster.get("namespace", namespace)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_an_api_server_accepts_every_object_and_its_pods(
    lab: Lab, cluster: Kubectl, stack: str, repository: Path
) -> None:
    committed = settings_of(stack).registry_host
    for service in SERVICES:
        release(repository, stack, service)
        rendered = json.dumps([*render(repository, stack, service).values()])
        manifests = json.loads(rendered.replace(committed, lab.site.registry_host))
        namespace, name = service.split("/")
        offered = ("--dry-run=server", f"--namespace={namespace}", "--filename=-")
        text = yaml.safe_dump_all(manifests)
        accepted = cluster("apply", "--server-side", "--force-conflicts", *offered, stdin=text)
        assert len(accepted.splitlines()) == len(manifests)
        # A Deployment whose pods would be refused is accepted with no more than a warning.
        (deployment,) = (one for one in manifests if one["kind"] == "Deployment")
        template = deployment["spec"]["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", **template}
        pod["metadata"] = {**template["metadata"], "name": f"{name}-dry-run"}
        pod["spec"] = {**template["spec"], "serviceAccountName": "default"}
        assert cluster("create", *offered, stdin=yaml.safe_dump(pod))


def test_a_pod_below_the_restricted_level_is_refused(cluster: Kubectl) -> None:
    """Otherwise the test above would prove nothing."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root", "namespace": "community"},
        "spec": {"containers": [{"name": "root", "image": "x"}]},
    }
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        cluster("create", "--dry-run=server", "--filename=-", stdin=yaml.safe_dump(pod))
