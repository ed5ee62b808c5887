"""Which operation of AWS takes which input of which type.

An input stands for the member of the same name. `input=member` names another one, whose path may
lead further in; `input=` has no limit at AWS: it stays with Pulumi, or is another resource's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Call:
    """One operation, and the inputs of a type that it takes."""

    service: str
    operation: str
    inputs: str

    def members(self) -> dict[str, str]:
        """Member paths by input; empty where AWS has no limit."""
        pairs = (entry.partition("=") for entry in self.inputs.split())
        return {name: member if equals else name for name, equals, member in pairs}


TYPES: Mapping[str, tuple[Call, ...]] = MappingProxyType(
    {
        "aws:acm/certificate:Certificate": (
            Call(
                "acm",
                "RequestCertificate",
                "domainName=DomainName subjectAlternativeNames=SubjectAlternativeNames "
                "validationMethod=ValidationMethod tags=Tags",
            ),
        ),
        "aws:acm/certificateValidation:CertificateValidation": (
            Call(
                "acm",
                "DescribeCertificate",
                "certificateArn=CertificateArn validationRecordFqdns=",
            ),
        ),
        "aws:autoscaling/schedule:Schedule": (
            Call(
                "autoscaling",
                "PutScheduledUpdateGroupAction",
                "autoscalingGroupName=AutoScalingGroupName desiredCapacity=DesiredCapacity "
                "maxSize=MaxSize minSize=MinSize recurrence=Recurrence "
                "scheduledActionName=ScheduledActionName timeZone=TimeZone",
            ),
        ),
        "aws:cloudwatch/logGroup:LogGroup": (
            Call("logs", "CreateLogGroup", "name=logGroupName tags"),
            Call("logs", "PutRetentionPolicy", "retentionInDays"),
        ),
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (
            Call("ec2", "CreateTags", "vpcId= tags"),
        ),
        "aws:ec2/eip:Eip": (
            Call("ec2", "AllocateAddress", "domain tags=TagSpecifications[].Tags"),
        ),
        "aws:ec2/flowLog:FlowLog": (
            Call(
                "ec2",
                "CreateFlowLogs",
                "iamRoleArn=DeliverLogsPermissionArn logDestination logDestinationType trafficType "
                "vpcId= tags=TagSpecifications[].Tags",
            ),
        ),
        "aws:ec2/internetGateway:InternetGateway": (
            Call("ec2", "CreateInternetGateway", "vpcId= tags=TagSpecifications[].Tags"),
        ),
        "aws:ec2/launchTemplate:LaunchTemplate": (
            Call(
                "ec2",
                "CreateLaunchTemplate",
                "name=LaunchTemplateName description=VersionDescription updateDefaultVersion= "
                "blockDeviceMappings=LaunchTemplateData.BlockDeviceMappings "
                "metadataOptions=LaunchTemplateData.MetadataOptions "
                "tagSpecifications=LaunchTemplateData.TagSpecifications "
                "tags=TagSpecifications[].Tags",
            ),
        ),
        "aws:ec2/natGateway:NatGateway": (
            Call(
                "ec2",
                "CreateNatGateway",
                "allocationId subnetId tags=TagSpecifications[].Tags",
            ),
        ),
        "aws:ec2/route:Route": (
            Call("ec2", "CreateRoute", "destinationCidrBlock gatewayId natGatewayId routeTableId"),
        ),
        "aws:ec2/routeTable:RouteTable": (
            Call("ec2", "CreateRouteTable", "vpcId tags=TagSpecifications[].Tags"),
        ),
        "aws:ec2/routeTableAssociation:RouteTableAssociation": (
            Call("ec2", "AssociateRouteTable", "routeTableId subnetId"),
        ),
        "aws:ec2/securityGroup:SecurityGroup": (
            Call(
                "ec2",
                "CreateSecurityGroup",
                "name=GroupName description vpcId tags=TagSpecifications[].Tags",
            ),
        ),
        "aws:ec2/subnet:Subnet": (
            Call(
                "ec2",
                "CreateSubnet",
                "availabilityZone cidrBlock mapPublicIpOnLaunch= vpcId "
                "tags=TagSpecifications[].Tags",
            ),
        ),
        "aws:ec2/vpc:Vpc": (
            Call(
                "ec2",
                "CreateVpc",
                "cidrBlock enableDnsHostnames= enableDnsSupport= tags=TagSpecifications[].Tags",
            ),
        ),
        "aws:ec2/vpcEndpoint:VpcEndpoint": (
            Call(
                "ec2",
                "CreateVpcEndpoint",
                "policy=PolicyDocument privateDnsEnabled routeTableIds securityGroupIds "
                "serviceName subnetIds vpcEndpointType vpcId tags=TagSpecifications[].Tags",
            ),
        ),
        "aws:ecr/lifecyclePolicy:LifecyclePolicy": (
            Call(
                "ecr",
                "PutLifecyclePolicy",
                "repository=repositoryName policy=lifecyclePolicyText",
            ),
        ),
        "aws:ecr/repository:Repository": (
            Call(
                "ecr",
                "CreateRepository",
                "name=repositoryName encryptionConfigurations=encryptionConfiguration "
                "imageScanningConfiguration imageTagMutability imageTagMutabilityExclusionFilters "
                "forceDelete= tags",
            ),
        ),
        "aws:ecr/repositoryPolicy:RepositoryPolicy": (
            Call("ecr", "SetRepositoryPolicy", "repository=repositoryName policy=policyText"),
        ),
        "aws:eks/accessEntry:AccessEntry": (
            Call("eks", "CreateAccessEntry", "clusterName kubernetesGroups principalArn type tags"),
        ),
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": (
            Call("eks", "AssociateAccessPolicy", "accessScope clusterName policyArn principalArn"),
        ),
        "aws:eks/addon:Addon": (
            Call(
                "eks",
                "CreateAddon",
                "addonName addonVersion clusterName configurationValues podIdentityAssociations "
                "resolveConflictsOnCreate=resolveConflicts tags",
            ),
            Call("eks", "UpdateAddon", "resolveConflictsOnUpdate=resolveConflicts"),
            Call("eks", "DeleteAddon", "preserve"),
        ),
        "aws:eks/cluster:Cluster": (
            Call(
                "eks",
                "CreateCluster",
                "accessConfig bootstrapSelfManagedAddons computeConfig deletionProtection "
                "enabledClusterLogTypes=logging.clusterLogging[].types encryptionConfig "
                "kubernetesNetworkConfig name roleArn storageConfig upgradePolicy version "
                "vpcConfig=resourcesVpcConfig tags",
            ),
        ),
        "aws:eks/nodeGroup:NodeGroup": (
            Call(
                "eks",
                "CreateNodegroup",
                "amiType capacityType clusterName instanceTypes labels launchTemplate "
                "nodeGroupName=nodegroupName nodeRepairConfig nodeRoleArn=nodeRole "
                "releaseVersion scalingConfig subnetIds=subnets taints updateConfig version tags",
            ),
        ),
        "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
            Call(
                "eks",
                "CreatePodIdentityAssociation",
                "clusterName namespace roleArn serviceAccount tags",
            ),
        ),
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": (
            Call("iam", "CreateOpenIDConnectProvider", "clientIdLists=ClientIDList url tags"),
        ),
        "aws:iam/role:Role": (
            Call(
                "iam",
                "CreateRole",
                "name=RoleName assumeRolePolicy=AssumeRolePolicyDocument description "
                "maxSessionDuration permissionsBoundary tags",
            ),
        ),
        "aws:iam/rolePolicy:RolePolicy": (
            Call("iam", "PutRolePolicy", "name=PolicyName policy=PolicyDocument role=RoleName"),
        ),
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
            Call("iam", "AttachRolePolicy", "policyArn role=RoleName"),
        ),
        "aws:kms/alias:Alias": (Call("kms", "CreateAlias", "name=AliasName targetKeyId"),),
        "aws:kms/key:Key": (
            Call("kms", "CreateKey", "description enableKeyRotation= tags"),
            Call("kms", "ScheduleKeyDeletion", "deletionWindowInDays=PendingWindowInDays"),
        ),
        "aws:route53/record:Record": (
            Call(
                "route53",
                "ChangeResourceRecordSets",
                "zoneId= allowOverwrite= name=ChangeBatch.Changes[].ResourceRecordSet.Name "
                "type=ChangeBatch.Changes[].ResourceRecordSet.Type "
                "ttl=ChangeBatch.Changes[].ResourceRecordSet.TTL "
                "records=ChangeBatch.Changes[].ResourceRecordSet.ResourceRecords[].Value",
            ),
        ),
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
            Call(
                "ec2",
                "AuthorizeSecurityGroupIngress",
                "cidrIpv4=IpPermissions[].IpRanges[].CidrIp "
                "description=IpPermissions[].IpRanges[].Description "
                "fromPort=IpPermissions[].FromPort ipProtocol=IpPermissions[].IpProtocol "
                "securityGroupId=GroupId toPort=IpPermissions[].ToPort "
                "tags=TagSpecifications[].Tags",
            ),
        ),
    }
)
