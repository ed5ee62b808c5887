"""The AWS Load Balancer Controller's values and rights. Pure.

Its rights are those of its own documents, less what is switched off here, and bound to one cluster
and one network.
"""

from __future__ import annotations

from typing import Any

from components import policies
from settings.aws_account import AwsAccount

NAMESPACE = "aws-load-balancer-controller"
SERVICE_ACCOUNT = "aws-load-balancer-controller"
_MARK = "elbv2.k8s.aws/cluster"
"""The tag with the cluster's name that it puts on everything it makes."""
_BALANCERS = ("loadbalancer/app/*/*", "targetgroup/*/*")
_LISTENERS = ("listener/app/*/*/*", "listener-rule/app/*/*/*")


def values(*, cluster: Any, region: str, vpc: Any, replicas: int) -> dict[str, Any]:
    """The chart's values. cluster: its name; vpc: its id; both may be outputs of the engine."""
    return {
        "clusterName": cluster,
        # Nodes answer no questions of pods about themselves.
        "region": region,
        "vpcId": vpc,
        "replicaCount": replicas,
        "serviceAccount": {"name": SERVICE_ACCOUNT},
        # The program makes the one class.
        "createIngressClassResource": False,
        "ingressClassParams": {"create": False},
        "defaultTargetType": "ip",
        # A class says which load balancer it is, and no Ingress another one.
        "disableIngressClassAnnotation": True,
        "disableIngressGroupNameAnnotation": True,
        # They would stop Services and Ingresses while the controller does not answer.
        "enableServiceMutatorWebhook": False,
        "webhookConfig": {"disableIngressValidation": True},
        # Not used, so that no right is needed for them.
        "controllerConfig": {"featureGates": {"ALBGatewayAPI": False, "NLBGatewayAPI": False}},
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        # An upgrade leaves the certificate of its webhooks alone.
        "keepTLSSecret": True,
        "podSecurityContext": {"fsGroup": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "podDisruptionBudget": {"maxUnavailable": 1} if replicas > 1 else {},
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"memory": "256Mi"},
        },
    }


def policy(account: AwsAccount, *, cluster: str, vpc: str) -> str:
    """What it does in AWS. cluster: its name; vpc: its id."""
    made = {"StringEquals": {f"aws:ResourceTag/{_MARK}": cluster}}
    making = {"StringEquals": {f"aws:RequestTag/{_MARK}": cluster}}
    inside = {"ArnEquals": {"ec2:Vpc": account.arn("ec2", f"vpc/{vpc}")}}
    groups = account.arn("ec2", "security-group/*")
    balancers, listeners = (
        [account.arn("elasticloadbalancing", one) for one in kind]
        for kind in (_BALANCERS, _LISTENERS)
    )
    return policies.document(
        policies.allow("See", _SEEING, ["*"]),
        policies.allow(
            "FirstBalancer",
            ["iam:CreateServiceLinkedRole"],
            ["*"],
            Condition={
                "StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}
            },
        ),
        policies.allow("NewGroup", ["ec2:CreateSecurityGroup"], [groups], Condition=making),
        policies.allow(
            "NewGroupInTheNetwork",
            ["ec2:CreateSecurityGroup"],
            [account.arn("ec2", f"vpc/{vpc}")],
        ),
        policies.allow(
            "MarkNewGroup",
            ["ec2:CreateTags"],
            [groups],
            Condition={
                "StringEquals": {
                    "ec2:CreateAction": "CreateSecurityGroup",
                    **making["StringEquals"],
                }
            },
        ),
        policies.allow("ChangeOwnGroup", _CHANGING_GROUPS, [groups], Condition=made),
        # Into the groups of nodes and pods, which EKS has made.
        policies.allow("OpenNodes", _OPENING, [groups], Condition=inside),
        policies.allow("NewBalancer", _MAKING, balancers, Condition=making),
        policies.allow("ChangeOwnBalancer", _CHANGING_BALANCERS, balancers, Condition=made),
        policies.allow("Route", _ROUTING, [*balancers, *listeners]),
        # They have no tags before they are there.
        policies.allow("MarkListeners", _MARKING, listeners),
    )


_SEEING = (
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVpcs",
    "ec2:GetSecurityGroupsForVpc",
    "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeListenerCertificates",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeSSLPolicies",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:DescribeTrustStores",
)
_CHANGING_GROUPS = ("ec2:CreateTags", "ec2:DeleteSecurityGroup", "ec2:DeleteTags")
_OPENING = ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress")
_MAKING = (
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateTargetGroup",
)
_CHANGING_BALANCERS = (
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:ModifyLoadBalancerAttributes",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes",
    "elasticloadbalancing:RemoveTags",
    "elasticloadbalancing:SetIpAddressType",
    "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets",
)
_ROUTING = (
    "elasticloadbalancing:AddListenerCertificates",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:DeleteListener",
    "elasticloadbalancing:DeleteRule",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyListenerAttributes",
    "elasticloadbalancing:ModifyRule",
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:RemoveListenerCertificates",
    "elasticloadbalancing:SetRulePriorities",
)
_MARKING = ("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags")
