"""Operations that moto lacks, or whose parameters it does not store.

A stand-in takes an `ApiRequest` and returns AWS's answer in AWS's own names, or raises Refusal.
Its docstring names the page of AWS's API reference that it follows.
"""

from __future__ import annotations

from lab.aws_api.api_request import StandIns
from lab.aws_api.stand_ins import (
    acm,
    autoscaling,
    ec2,
    ecr,
    eks_access,
    eks_addons,
    eks_clusters,
    eks_node_groups,
    eks_pod_identities,
    eks_tags,
    eks_updates,
    iam,
    logs,
    service_quotas,
    sts,
)

STAND_INS: StandIns = {
    **acm.STAND_INS,
    **autoscaling.STAND_INS,
    **eks_clusters.STAND_INS,
    **eks_node_groups.STAND_INS,
    **eks_access.STAND_INS,
    **eks_addons.STAND_INS,
    **eks_pod_identities.STAND_INS,
    **eks_tags.STAND_INS,
    **eks_updates.STAND_INS,
    **ec2.STAND_INS,
    **ecr.STAND_INS,
    **iam.STAND_INS,
    **logs.STAND_INS,
    **service_quotas.STAND_INS,
    **sts.STAND_INS,
}
