"""What Keel may do in the cluster that it runs in: roll what it serves, and see no secret."""

from __future__ import annotations

import pytest

from lab.tests.environment.conftest import Lab
from lab.tests.environment.rights import Rights, rights

EVERYWHERE = {("list", "nodes")}
SERVED = {
    *(
        (verb, kind)
        for kind in ("cronjobs", "daemonsets", "deployments", "statefulsets")
        for verb in ("get", "list", "watch", "update")
    ),
    ("list", "pods"),
}


def of_keel(lab: Lab, namespace: str) -> Rights:
    """What Keel may and not every pod."""
    kubectl = lab.kubectl("dev")
    own = rights(kubectl, namespace, "--as=system:serviceaccount:keel:keel")
    return own - rights(kubectl, namespace, "--as=system:serviceaccount:default:default")


@pytest.mark.parametrize("namespace", ["argocd", "default", "keel", "kube-system", "streaming"])
def test_keel_may_nothing_where_it_serves_nothing(lab: Lab, namespace: str) -> None:
    assert of_keel(lab, namespace) == EVERYWHERE


def test_keel_rolls_workloads_where_it_serves_and_reads_no_secret(lab: Lab) -> None:
    assert of_keel(lab, "community") == EVERYWHERE | SERVED
