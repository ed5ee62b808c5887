"""Every action that the program may need, and on what it is allowed.

Resources with names are named; others are recognized by the environment's tags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from settings.catalogue import Catalogue
from settings.environment import Settings

Condition = Mapping[str, Mapping[str, Any]]
LINKED = ("eks.amazonaws.com", "eks-nodegroup.amazonaws.com", "autoscaling.amazonaws.com",
          "spot.amazonaws.com", "ec2.amazonaws.com")  # fmt: skip
ATTACHED = (
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSWorkerNodeMinimalPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "CloudWatchAgentServerPolicy",
    "service-role/AmazonEBSCSIDriverPolicy",
)
"""AWS's own policies that the program puts on roles."""
GITHUB_ISSUER = "token.actions.githubusercontent.com"


@dataclass(frozen=True)
class Where:
    """An environment as ARNs and conditions name it."""

    settings: Settings

    def arn(self, service: str, resource: str, *, everywhere: bool = False) -> str:
        account = self.settings.environment.aws_account
        return account.iam_arn(resource) if everywhere else account.arn(service, resource)

    @property
    def prefix(self) -> str:
        return self.settings.environment.names.prefix

    @property
    def clusters(self) -> list[str]:
        """The environment's own cluster, or the existing one."""
        return [self.settings.config.cluster.existing or self.settings.environment.names.cluster]

    @property
    def catalogue(self) -> Catalogue:
        return self.settings.catalogue

    def tags(self, key: str) -> dict[str, str]:
        """`aws:RequestTag` or `aws:ResourceTag`, for the tags that everything carries."""
        tags = self.settings.environment.names.tags()
        return {f"aws:{key}/{name}": value for name, value in tags.items()}


@dataclass(frozen=True)
class Scope:
    """Actions of one service that are allowed on the same things."""

    sid: str
    service: str
    actions: str
    resources: Callable[[Where], list[str]]
    condition: Callable[[Where], Condition] | None = None

    def names(self) -> set[str]:
        return {f"{self.service}:{action}" for action in self.actions.split()}


def _everything(_: Where) -> list[str]:
    return ["*"]


def _tagged(where: Where) -> Condition:
    return {"StringEquals": where.tags("ResourceTag")}


def _tagging(where: Where) -> Condition:
    return {"StringEquals": where.tags("RequestTag")}


def _ec2(*kinds: str) -> Callable[[Where], list[str]]:
    return lambda where: [where.arn("ec2", f"{kind}/*") for kind in kinds]


def _by_template(where: Where) -> Condition:
    return {"ArnLike": {"ec2:LaunchTemplate": where.arn("ec2", "launch-template/*")}}


def _roles(where: Where) -> list[str]:
    return [
        where.arn(
            "iam", f"role/{where.settings.environment.names.role_beginning}*", everywhere=True
        )
    ]


def _bounded(where: Where) -> Condition:
    boundary = where.settings.config.permissions_boundary
    return {"StringEquals": {"iam:PermissionsBoundary": boundary}} if boundary else {}


def _of_aws(where: Where) -> Condition:
    account = where.settings.environment.aws_account
    allowed = [account.managed_policy_arn(name) for name in ATTACHED]
    services = where.settings.living.entries()
    rights = [service.rights(where.settings.stack) for _, _, service in services]
    allowed += sorted({arn for one in rights if one for arn in one.policies})
    bounded = _bounded(where).get("StringEquals", {})
    return {"ArnEquals": {"iam:PolicyARN": allowed}} | (
        {"StringEquals": bounded} if bounded else {}
    )


def _passed(_: Where) -> Condition:
    services = ["eks.amazonaws.com", "ec2.amazonaws.com", "pods.eks.amazonaws.com",
                "vpc-flow-logs.amazonaws.com"]  # fmt: skip
    return {"StringEquals": {"iam:PassedToService": services}}


def _issuers(where: Where) -> list[str]:
    hosts = [GITHUB_ISSUER]
    if circleci := where.catalogue.circleci:
        hosts.append(f"oidc.circleci.com/org/{circleci.organization}")
    return [where.arn("iam", f"oidc-provider/{host}", everywhere=True) for host in hosts]


def _eks(*kinds: str) -> Callable[[Where], list[str]]:
    return lambda where: [
        where.arn("eks", f"{kind}/{cluster}{'' if kind == 'cluster' else '/*'}")
        for kind in kinds
        for cluster in where.clusters
    ]


_IN_A_CLUSTER = ("cluster", "nodegroup", "addon", "access-entry", "podidentityassociation")


def _log_groups(where: Where) -> list[str]:
    return [where.arn("logs", f"log-group:/aws/{kind}/{where.prefix}/*") for kind in ("eks", "vpc")]


def _alarms(where: Where) -> list[str]:
    return [where.arn("cloudwatch", f"alarm:{where.prefix}-*")]


def _topics(where: Where) -> list[str]:
    return [where.arn("sns", f"{where.prefix}-*")]


def _repositories(where: Where) -> list[str]:
    return [where.arn("ecr", f"repository/{name}/*") for name in sorted(where.catalogue.namespaces)]


def _aliases(where: Where) -> list[str]:
    return [where.arn("kms", f"alias/{where.prefix}-*")]


def _keys(where: Where) -> list[str]:
    return [where.arn("kms", "key/*")]


def _of_the_cluster(where: Where) -> Condition:
    """EKS's own security group carries its tag and not the environment's."""
    return {"StringEquals": {"aws:ResourceTag/aws:eks:cluster-name": where.clusters}}


def _of_dns(resource: str) -> Callable[[Where], list[str]]:
    """AWS makes the ids of zones and changes."""
    return lambda where: [where.settings.environment.aws_account.dns_arn(resource)]


def _own_names(where: Where) -> Condition:
    """Names of services, of Argo CD, and of what proves the certificate."""
    config = where.settings.config
    names = sorted({f"*.{config.domain}", f"*{config.argocd_domain}"})
    return {
        "ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names}
    }


OBSERVABILITY = (
    Scope("Alarms", "cloudwatch",
          "DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource "
          "UntagResource",
          _alarms),
    Scope("Topics", "sns",
          "CreateTopic DeleteTopic GetTopicAttributes ListTagsForResource SetTopicAttributes "
          "TagResource UntagResource",
          _topics),
)  # fmt: skip
"""What `platform:observability` adds; the committed stacks, whose calls are recorded, lack it."""


def _groups_of_eks(where: Where) -> list[str]:
    """EKS names them after the node group, and AWS puts an id of its own before it."""
    return [where.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*")]


def _in_the_cluster(where: Where) -> Condition:
    """The tag that EKS puts on the Auto Scaling group of a node group."""
    return {"StringEquals": {"aws:ResourceTag/eks:cluster-name": where.clusters}}


NODE_SCHEDULES = (
    Scope("ReadNodeSchedules", "autoscaling", "DescribeScheduledActions", _everything),
    Scope("NodeSchedules", "autoscaling", "DeleteScheduledAction PutScheduledUpdateGroupAction",
          _groups_of_eks, _in_the_cluster),
)  # fmt: skip
"""What `schedule` of a node group adds; the committed stacks have none."""

SCOPES = (
    Scope("ReadNetworks", "ec2",
          "DescribeAccountAttributes DescribeAddresses DescribeAddressesAttribute "
          "DescribeAvailabilityZones DescribeFlowLogs DescribeInstances DescribeInternetGateways "
          "DescribeLaunchTemplateVersions DescribeLaunchTemplates DescribeNatGateways "
          "DescribeNetworkAcls DescribeNetworkInterfaces DescribePrefixLists DescribeRouteTables "
          "DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets DescribeTags "
          "DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcEndpointServices DescribeVpcs",
          _everything),
    Scope("LookAhead", "ec2", "DescribeInstanceTypeOfferings DescribeInstanceTypes", _everything),
    Scope("ReadQuotas", "servicequotas", "GetAWSDefaultServiceQuota GetServiceQuota", _everything),
    Scope("FindPrincipals", "iam", "ListRoles ListUsers", _everything),
    Scope("FindRepositories", "ecr", "DescribeRepositories",
          lambda where: [where.arn("ecr", "repository/*")]),
    Scope("CreateNetworks", "ec2",
          "AllocateAddress CreateFlowLogs CreateInternetGateway CreateLaunchTemplate "
          "CreateNatGateway CreateRouteTable CreateSecurityGroup CreateSubnet CreateVpc "
          "CreateVpcEndpoint AuthorizeSecurityGroupIngress",
          _ec2("elastic-ip", "internet-gateway", "launch-template", "natgateway", "route-table",
               "security-group", "security-group-rule", "subnet", "vpc", "vpc-endpoint",
               "vpc-flow-log"),
          _tagging),
    Scope("CreateInNetworks", "ec2",
          "AuthorizeSecurityGroupIngress CreateFlowLogs CreateNatGateway CreateRouteTable "
          "CreateSecurityGroup CreateSubnet CreateVpcEndpoint",
          _ec2("elastic-ip", "route-table", "security-group", "subnet", "vpc"), _tagged),
    Scope("ChangeNetworks", "ec2",
          "AssociateRouteTable AttachInternetGateway AuthorizeSecurityGroupEgress "
          "CreateLaunchTemplateVersion CreateRoute DeleteFlowLogs DeleteInternetGateway "
          "DeleteLaunchTemplate DeleteLaunchTemplateVersions DeleteNatGateway DeleteRoute "
          "DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags DeleteVpc "
          "DeleteVpcEndpoints DetachInternetGateway DisassociateAddress DisassociateRouteTable "
          "ModifyLaunchTemplate ModifySecurityGroupRules ModifySubnetAttribute "
          "ModifyVpcAttribute ModifyVpcEndpoint ReleaseAddress ReplaceRoute "
          "ReplaceRouteTableAssociation RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
          _everything, _tagged),
    Scope("TagWhatIsMade", "ec2", "CreateTags", _everything, _tagging),
    Scope("TagWhatIsThere", "ec2", "CreateTags", _everything, _tagged),
    Scope("TryLaunchTemplates", "ec2", "RunInstances", _everything, _by_template),
    Scope("OpenTheClustersGroup", "ec2",
          "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress ModifySecurityGroupRules",
          _ec2("security-group", "security-group-rule"), _of_the_cluster),
    Scope("ListClusters", "eks", "ListClusters DescribeAddonVersions DescribeClusterVersions",
          _everything),
    Scope("Clusters", "eks",
          "AssociateAccessPolicy AssociateEncryptionConfig CreateAccessEntry CreateAddon "
          "CreateCluster CreateNodegroup CreatePodIdentityAssociation DeleteAccessEntry "
          "DeleteAddon DeleteCluster DeleteNodegroup DeletePodIdentityAssociation "
          "DescribeAccessEntry DescribeAddon DescribeCluster DescribeNodegroup "
          "DescribePodIdentityAssociation DescribeUpdate DisassociateAccessPolicy "
          "ListAccessEntries ListAddons ListAssociatedAccessPolicies ListNodegroups "
          "ListPodIdentityAssociations ListTagsForResource TagResource UntagResource "
          "UpdateAccessEntry UpdateAddon UpdateClusterConfig UpdateClusterVersion "
          "UpdateNodegroupConfig UpdateNodegroupVersion UpdatePodIdentityAssociation",
          _eks(*_IN_A_CLUSTER)),
    Scope("BoundRoles", "iam", "CreateRole PutRolePermissionsBoundary PutRolePolicy", _roles,
          _bounded),
    Scope("AttachPolicies", "iam", "AttachRolePolicy", _roles, _of_aws),
    Scope("Roles", "iam",
          "DeleteRole DeleteRolePolicy DetachRolePolicy GetRole GetRolePolicy "
          "ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags "
          "TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
          "UpdateRoleDescription",
          _roles),
    Scope("PassRoles", "iam", "PassRole", _roles, _passed),
    Scope("LinkedRoles", "iam", "CreateServiceLinkedRole",
          lambda where: [where.arn("iam", "role/aws-service-role/*", everywhere=True)],
          lambda _: {"StringEquals": {"iam:AWSServiceName": list(LINKED)}}),
    Scope("ListProviders", "iam", "ListOpenIDConnectProviders", _everything),
    Scope("Providers", "iam",
          "AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider "
          "DeleteOpenIDConnectProvider GetOpenIDConnectProvider ListOpenIDConnectProviderTags "
          "RemoveClientIDFromOpenIDConnectProvider TagOpenIDConnectProvider "
          "UntagOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint",
          _issuers),
    Scope("CreateKeys", "kms", "CreateKey TagResource", _everything, _tagging),
    Scope("ListKeys", "kms", "ListAliases", _everything),
    Scope("Keys", "kms",
          "CreateAlias CreateGrant DeleteAlias DescribeKey DisableKeyRotation EnableKeyRotation "
          "GetKeyPolicy GetKeyRotationStatus ListResourceTags PutKeyPolicy "
          "ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription",
          _keys, _tagged),
    Scope("Aliases", "kms", "CreateAlias DeleteAlias UpdateAlias", _aliases),
    Scope("ListLogGroups", "logs", "DescribeLogGroups", _everything),
    Scope("LogGroups", "logs",
          "CreateLogGroup DeleteLogGroup DeleteRetentionPolicy ListTagsForResource "
          "PutRetentionPolicy TagResource UntagResource",
          _log_groups),
    Scope("RequestCertificates", "acm", "AddTagsToCertificate RequestCertificate", _everything,
          _tagging),
    Scope("Certificates", "acm",
          "AddTagsToCertificate DeleteCertificate DescribeCertificate ListTagsForCertificate "
          "RemoveTagsFromCertificate UpdateCertificateOptions",
          lambda where: [where.arn("acm", "certificate/*")], _tagged),
    Scope("ListZones", "route53", "ListHostedZones", _everything),
    Scope("ReadZones", "route53",
          "GetHostedZone ListResourceRecordSets ListTagsForResource", _of_dns("hostedzone/*")),
    Scope("ReadChanges", "route53", "GetChange", _of_dns("change/*")),
    Scope("Names", "route53", "ChangeResourceRecordSets", _of_dns("hostedzone/*"),
          _own_names),
    Scope("SignIn", "ecr", "GetAuthorizationToken", _everything),
    Scope("Repositories", "ecr",
          "CreateRepository DeleteLifecyclePolicy DeleteRepository DeleteRepositoryPolicy "
          "DescribeImages DescribeRepositories GetLifecyclePolicy GetRepositoryPolicy "
          "ListTagsForResource PutImageScanningConfiguration PutImageTagMutability "
          "PutLifecyclePolicy SetRepositoryPolicy TagResource UntagResource",
          _repositories),
    *NODE_SCHEDULES,
    *OBSERVABILITY,
)  # fmt: skip
