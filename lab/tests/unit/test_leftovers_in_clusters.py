"""What a killed run left inside a cluster, against the lab's own answers for EKS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.tests.unit import aws_in_process
from lab.tests.unit.aws_in_process import LabAws, two_subnets
from settings.environment import Settings
from tools.leftovers.__main__ import find
from tools.leftovers.report import leftovers, render
from tools.leftovers.state import known, wanted

ADDON = "aws:eks/addon:Addon"


def cluster_with_an_addon(aws: LabAws, settings: Settings) -> None:
    eks, tags = aws.client("eks"), settings.environment.names.tags()
    name = settings.environment.names.cluster
    eks.create_cluster(
        name=name,
        version="1.35",
        roleArn=f"arn:aws:iam::{aws_in_process.ACCOUNT}:role/{name}",
        resourcesVpcConfig={"subnetIds": two_subnets(aws)},
        tags=tags,
    )
    eks.create_addon(clusterName=name, addonName="vpc-cni", tags=tags)


def resource(type_: str, id_: str, **inputs: str) -> dict[str, Any]:
    urn = f"urn:pulumi:prod::two-speed-gitops::{type_}::{id_.rpartition(':')[2]}"
    return {"urn": urn, "type": type_, "id": id_, "inputs": inputs, "outputs": {}}


def test_an_addon_of_another_cluster_with_the_same_name_is_no_twin(
    tmp_path: Path, dev: Settings, prod: Settings
) -> None:
    aws = aws_in_process.begin(tmp_path)
    cluster_with_an_addon(aws, dev)
    cluster_with_an_addon(aws, prod)
    state = json.dumps(
        {
            "deployment": {
                "resources": [
                    resource("aws:eks/cluster:Cluster", "acme-dev", name="acme-dev"),
                    resource("aws:eks/cluster:Cluster", "acme-prod", name="acme-prod"),
                    resource(
                        ADDON, "acme-dev:vpc-cni", clusterName="acme-dev", addonName="vpc-cni"
                    ),
                ]
            }
        }
    )
    new = resource(ADDON, "", clusterName="acme-prod", addonName="vpc-cni")
    preview = json.dumps({"steps": [{"op": "create", "urn": new["urn"], "newState": new}]})

    left = leftovers(find(aws.client, prod), known([state]), wanted(preview))

    (addon,) = [one for one in left if one.found.type == ADDON]
    assert addon.found.id == "acme-prod:vpc-cni"
    assert addon.twins == ()
    assert addon.wanted is not None
    assert f"import  pulumi import --stack prod {ADDON}" in render("prod", left)
