"""EKS Pod Identity: the AWS credentials that a pod gets for its service account's role."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.aws_account import SESSION_SECONDS, Account
from lab.pod import UnresolvedError, Workload
from lab.site import CHECKOUT, Site
from settings.loading import load_files


def variables(site: Site, environment: str, workload: Workload) -> dict[str, str]:
    """The AWS_* variables of a pod of the workload, as the agent on its node hands them out.

    The session has the tags that EKS gives it. Raises UnresolvedError where no role is associated
    with the service account, or AWS does not answer.
    """
    try:
        return _variables(site, environment, workload)
    except (BotoCoreError, ClientError) as error:
        raise UnresolvedError(str(error)) from error


def _variables(site: Site, environment: str, workload: Workload) -> dict[str, str]:
    where = load_files(environment, CHECKOUT).environment
    account = Account(site, where.account, where.region)
    cluster = where.config.cluster.existing or where.names.cluster
    eks = account.client("eks")
    pod = {"namespace": workload.namespace, "serviceAccount": workload.service_account}
    found = eks.list_pod_identity_associations(clusterName=cluster, **pod)["associations"]
    if not found:
        raise UnresolvedError(f"no role is associated with {workload.service_account}")
    association = eks.describe_pod_identity_association(
        clusterName=cluster, associationId=found[0]["associationId"]
    )["association"]
    tags = {
        "eks-cluster-arn": where.aws_account.cluster_arn(cluster),
        "eks-cluster-name": cluster,
        "kubernetes-namespace": workload.namespace,
        "kubernetes-service-account": workload.service_account,
        "kubernetes-pod-name": f"{workload.name}-0",
    }
    keys: Any = account.client("sts").assume_role(
        RoleArn=association["roleArn"],
        RoleSessionName=f"eks-{cluster}-{workload.name}"[:64],
        DurationSeconds=SESSION_SECONDS,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        TransitiveTagKeys=[*tags],
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "AWS_REGION": where.region,
    }
