"""Limits that botocore's models do not have: the provider's own checks, and quotas.

Read in the Terraform provider for AWS 6.34.0, which Pulumi's wraps, and in the AWS documentation
that a row names. `json` counts the characters of a JSON document without white space.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_KUBERNETES_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_EC2_TAGS: Mapping[str, Mapping[str, Any]] = {
    "tags": {"max": 50, "source": "Amazon EC2 user guide: tag restrictions"},
    "tags{key}": {"min": 1, "max": 128, "source": "Amazon EC2 user guide: tag restrictions"},
    "tags{value}": {"max": 256, "source": "Amazon EC2 user guide: tag restrictions"},
}
_EC2_TAGGED = (
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/eip:Eip",
    "aws:ec2/flowLog:FlowLog",
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/natGateway:NatGateway",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/vpc:Vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
)

ROWS: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        **{type_: _EC2_TAGS for type_ in _EC2_TAGGED},
        "aws:cloudwatch/logGroup:LogGroup": {
            "retentionInDays": {
                "enum": [
                    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827),
                    *(2192, 2557, 2922, 3288, 3653),
                ],
                "source": "provider: logs/group.go",
            },
        },
        "aws:ec2/launchTemplate:LaunchTemplate": {
            **_EC2_TAGS,
            "name": {
                "min": 3,
                "max": 125,
                "pattern": r"[0-9A-Za-z()./_-]+",
                "source": "provider: verify/validate.go",
            },
            "blockDeviceMappings[].ebs.volumeSize": {
                "min": 1,
                "max": 16384,
                "source": "Amazon EC2 API reference: EbsBlockDevice, gp3",
            },
            "metadataOptions.httpPutResponseHopLimit": {
                "min": 1,
                "max": 64,
                "source": "provider: ec2/ec2_launch_template.go",
            },
        },
        "aws:ec2/securityGroup:SecurityGroup": {
            **_EC2_TAGS,
            "name": {
                "min": 1,
                "max": 255,
                "pattern": r"(?!sg-)[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]+",
                "source": "provider: ec2/vpc_security_group.go",
            },
            "description": {
                "max": 255,
                "pattern": r"[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*",
                "source": "Amazon EC2 API reference: CreateSecurityGroup",
            },
        },
        "aws:ec2/vpcEndpoint:VpcEndpoint": {
            **_EC2_TAGS,
            "policy": {"json": 20480, "source": "AWS PrivateLink guide: endpoint policies"},
        },
        "aws:eks/accessEntry:AccessEntry": {
            "kubernetesGroups[]": {
                "pattern": r"(?!system:|eks:|aws:|amazon:|iam:).+",
                "source": "Amazon EKS API reference: CreateAccessEntry",
            },
            "principalArn": {"max": 2048, "source": "IAM and AWS STS quotas"},
        },
        "aws:eks/cluster:Cluster": {
            "vpcConfig.publicAccessCidrs": {
                "max": 40,
                "source": "Amazon EKS service quotas",
            },
        },
        "aws:eks/nodeGroup:NodeGroup": {
            "nodeGroupName": {
                "min": 1,
                "max": 63,
                "pattern": r"[0-9A-Za-z][A-Za-z0-9_-]*",
                "source": "provider: eks/node_group.go",
            },
            "labels{key}": {
                "pattern": rf"(?!.*(kubernetes\.io|k8s\.io|eks\.amazonaws\.com)/)"
                rf"([a-z0-9.-]{{1,253}}/)?{_KUBERNETES_NAME}",
                "source": "Kubernetes documentation: labels; what EKS answers to reserved ones",
            },
            "labels{value}": {
                "pattern": _KUBERNETES_NAME,
                "source": "Kubernetes documentation: labels",
            },
            "taints": {"max": 50, "source": "provider: eks/node_group.go"},
            "taints[].key": {
                "pattern": rf"([a-z0-9.-]{{1,253}}/)?{_KUBERNETES_NAME}",
                "source": "Kubernetes documentation: taints",
            },
            "taints[].value": {
                "pattern": rf"({_KUBERNETES_NAME})?",
                "source": "Kubernetes documentation: taints",
            },
            "instanceTypes[]": {
                "pattern": r"[a-z0-9-]+\.[a-z0-9-]+",
                "source": "Amazon EC2 user guide: instance type names",
            },
            "updateConfig.maxUnavailablePercentage": {
                "min": 1,
                "max": 100,
                "source": "provider: eks/node_group.go",
            },
        },
        "aws:iam/role:Role": {
            "name": {"pattern": r"[\w+=,.@-]*", "source": "provider: iam/validate.go"},
            "assumeRolePolicy": {"json": 2048, "source": "IAM and AWS STS quotas"},
        },
        "aws:iam/rolePolicy:RolePolicy": {
            "policy": {"json": 10240, "source": "IAM and AWS STS quotas: all of one role"},
        },
        "aws:kms/alias:Alias": {
            "name": {
                "pattern": r"alias/(?!aws/)[0-9A-Za-z_/-]+",
                "source": "provider: kms/validate.go",
            },
        },
        "aws:kms/key:Key": {
            "deletionWindowInDays": {"min": 7, "max": 30, "source": "provider: kms/key.go"},
        },
    }
)
