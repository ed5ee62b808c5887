"""The machines of a cluster: managed node groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policies
from components.cluster import node_schedules
from settings.aws_account import AwsAccount
from settings.naming import Names
from settings.nodes import NodeGroup

AMI_TYPES = {"x86_64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}
CAPACITY = {"on-demand": "ON_DEMAND", "spot": "SPOT"}
ROOT_DISK = "/dev/xvda"
"""The device that Amazon Linux starts from."""
POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
"""Rights of a kubelet: describe itself, and pull images, EKS's own included. The network plug-in
has its own role."""


@dataclass(frozen=True, kw_only=True)
class NodesArgs:
    """groups: what to make; version: of Kubernetes; wait_for: what nodes need to become ready."""

    groups: Sequence[NodeGroup]
    version: str
    permissions_boundary: str | None
    names: Names
    account: AwsAccount
    cluster_name: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[str]]
    placement: Sequence[str]
    """The settings that decide the subnets."""
    wait_for: Sequence[pulumi.Resource] = ()


class Nodes(pulumi.ComponentResource):
    """Managed node groups of Amazon Linux 2023, at the cluster's Kubernetes version.

    One role for all of them; for each group a launch template (instance metadata by token only
    and out of reach of pods, encrypted gp3 disk) and the group itself with its labels, taints,
    rolling updates by a third at a time and automatic repair. Later changes of the
    number of nodes are left alone. For a group with a schedule, the two actions that stop and start
    its nodes. A group's name follows from what replaces it, so that the new
    group is created before the old one is drained, and the run after a killed one finds it. An
    existing group keeps its name.
    """

    role_arn: pulumi.Output[str]
    groups: Sequence[aws.eks.NodeGroup]

    def __init__(
        self, name: str, args: NodesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Nodes", name, None, opts)
        self._prefix = name
        self._args = args
        self._names = args.names
        role, attachments = self._role()
        self.role_arn = role.arn
        self.groups = groups = list[aws.eks.NodeGroup]()
        for group in args.groups:
            groups.append(self._group(group, role, attachments))
            for action in node_schedules.actions(group):
                self._action(group, action, groups[-1])
        if still := still_groups(args.groups):
            pulumi.log.info(still, resource=self)
        self.register_outputs({"roleArn": self.role_arn})

    def _role(self) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        role = aws.iam.Role(
            f"{self._prefix}-role",
            name=self._names.role("nodes"),
            permissions_boundary=self._args.permissions_boundary,
            description="The kubelets of the cluster's nodes",
            assume_role_policy=policies.trust_service("ec2.amazonaws.com"),
            tags=self._names.tags(Name=self._names.role("nodes")),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return role, [
            aws.iam.RolePolicyAttachment(
                f"{self._prefix}-{policy}",
                role=role.name,
                policy_arn=self._args.account.managed_policy_arn(policy),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for policy in POLICIES
        ]

    def _group(
        self, group: NodeGroup, role: aws.iam.Role, attachments: Sequence[pulumi.Resource]
    ) -> aws.eks.NodeGroup:
        template = self._template(group)
        return aws.eks.NodeGroup(
            f"{self._prefix}-{group.name}",
            node_group_name=group_name(group, self._args.placement),
            cluster_name=self._args.cluster_name,
            node_role_arn=role.arn,
            subnet_ids=self._args.subnet_ids,
            version=self._args.version,
            release_version=group.release,
            ami_type=AMI_TYPES[group.processor],
            capacity_type=CAPACITY[group.capacity],
            instance_types=group.instance_types,
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=group.min_size,
                max_size=group.max_size,
                desired_size=group.min_size,
            ),
            update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=33),
            node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            labels={"node-group": group.name, **group.labels},
            taints=[
                aws.eks.NodeGroupTaintArgs(key=taint.key, value=taint.value, effect=taint.effect)
                for taint in group.taints
            ],
            tags=self._tags(group),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*attachments, *self._args.wait_for],
                # An ignored name stays until something else replaces the group.
                ignore_changes=["scalingConfig.desiredSize", "nodeGroupName"],
                delete_before_replace=False,  # the provider's answer to names that are given
            ),
        )

    def _template(self, group: NodeGroup) -> aws.ec2.LaunchTemplate:
        tags = self._tags(group)
        return aws.ec2.LaunchTemplate(
            f"{self._prefix}-{group.name}-template",
            name=self._names.launch_template(f"nodes-{group.name}"),
            description=f"Nodes of the group {group.name}",
            update_default_version=True,
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=1,  # pods are one hop further away
            ),
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name=ROOT_DISK,
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        volume_type="gp3",
                        volume_size=group.disk_gib,
                        encrypted="true",
                        delete_on_termination="true",
                    ),
                )
            ],
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags)
                for kind in ("instance", "volume", "network-interface")
            ],
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["name"]),
        )

    def _action(
        self, group: NodeGroup, action: node_schedules.Action, made: aws.eks.NodeGroup
    ) -> None:
        aws.autoscaling.Schedule(
            f"{self._prefix}-{group.name}-{action.name}",
            scheduled_action_name=self._names.of(f"{group.name}-{action.name}"),
            autoscaling_group_name=made.resources.apply(node_schedules.auto_scaling_group),
            recurrence=action.recurrence,
            time_zone=action.time_zone,
            min_size=action.size,
            desired_capacity=action.size,
            max_size=node_schedules.UNCHANGED,
            opts=pulumi.ResourceOptions(
                parent=self,
                # An update sends the first time again, which AWS refuses once it is over:
                # https://github.com/pulumi/pulumi-aws/issues/2473. Two of one time are refused too.
                replace_on_changes=["*"],
                delete_before_replace=True,
            ),
        )

    def _tags(self, group: NodeGroup) -> dict[str, str]:
        return self._names.tags(Name=self._names.of(group.name))


def still_groups(groups: Sequence[NodeGroup]) -> str:
    """What a preview says of groups that look as if they grew by themselves; else empty."""
    names = [group.name for group in groups if group.max_size > group.min_size]
    if not names:
        return ""
    return (
        f"the node groups {', '.join(names)} stay at the size that a person or an autoscaler of "
        "your own gives them; with compute: auto nodes come and go by themselves"
    )


def group_name(group: NodeGroup, placement: Sequence[str]) -> str:
    """The name of a node group, from every setting whose change replaces the group."""
    return Names.node_group(
        group.name,
        group.capacity,
        ",".join(group.instance_types),  # the processor's architecture follows from them
        ",".join(sorted(placement)),
    )
