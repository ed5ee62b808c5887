"""The permissions of a user in a namespace, as the API server lists them."""

from __future__ import annotations

import json

from lab.kubectl import Kubectl

Rights = set[tuple[str, str]]
"""A verb and a kind of resource, such as `list pods`; `*` means all."""


def rights(kubectl: Kubectl, namespace: str, *arguments: str) -> Rights:
    """Everything that is allowed in `namespace`, but to ask this question."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    # What kubectl validates with is not everybody's to read.
    command = ("create", "--filename=-", "--output=json", "--validate=false", *arguments)
    answer = json.loads(kubectl(*command, stdin=json.dumps(review)))
    return {
        (verb, resource)
        for rule in answer["status"]["resourceRules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
        if not resource.startswith("selfsubject")
    }
