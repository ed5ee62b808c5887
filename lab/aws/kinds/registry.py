"""ECR: repositories and their policies."""

from __future__ import annotations

from lab.aws.kinds.rows import REGION, TAGS
from lab.aws.table import Kind, Read, Tagging, Update, optional, output, required

_ARN = "arn:aws:ecr:{region}:{account}:repository/{id}"
_MISSING_REPOSITORY = "RepositoryNotFoundException"

REPOSITORY = Kind(
    pulumi_type="aws:ecr/repository:Repository",
    service="ecr",
    properties=(
        optional("name", member="repositoryName", autonamed=True, replaces=True),
        optional("imageTagMutability", default="MUTABLE"),
        optional("imageTagMutabilityExclusionFilters", unordered=True),
        optional("imageScanningConfiguration"),
        optional(
            "encryptionConfigurations",
            member="encryptionConfiguration",
            seen="[encryptionConfiguration]",
            computed=True,
            replaces=True,
        ),
        optional("forceDelete", local=True, default=False),
        REGION,
        *TAGS,
        output("arn", "repositoryArn"),
        output("registryId"),
        output("repositoryUrl", "repositoryUri"),
    ),
    create="create_repository",
    identity=("name",),
    address={"repositoryName": "{id}"},
    read=Read(
        operation="describe_repositories",
        parameters={"repositoryNames": ["{id}"]},
        at="repositories[0]",
    ),
    updates=(
        Update(
            operation="put_image_tag_mutability",
            sets=("imageTagMutability", "imageTagMutabilityExclusionFilters"),
        ),
        Update(operation="put_image_scanning_configuration", sets=("imageScanningConfiguration",)),
    ),
    delete="delete_repository",
    deletion={"force": "{forceDelete}"},
    gone=(_MISSING_REPOSITORY,),
    tagging=Tagging(
        address={"resourceArn": _ARN},
        read=Read(operation="list_tags_for_resource", parameters={"resourceArn": _ARN}, at="tags"),
    ),
    clashes=True,
)

REPOSITORY_POLICY = Kind(
    pulumi_type="aws:ecr/repositoryPolicy:RepositoryPolicy",
    service="ecr",
    properties=(
        required("repository", member="repositoryName", replaces=True),
        required("policy", member="policyText", json=True),
        REGION,
        output("registryId"),
    ),
    create="set_repository_policy",
    identity=("repository",),
    address={"repositoryName": "{id}"},
    read=Read(operation="get_repository_policy", parameters={"repositoryName": "{id}"}),
    updates=(Update(operation="set_repository_policy", sets=("policy",)),),
    delete="delete_repository_policy",
    gone=(_MISSING_REPOSITORY, "RepositoryPolicyNotFoundException"),
    clashes=True,
)

LIFECYCLE_POLICY = Kind(
    pulumi_type="aws:ecr/lifecyclePolicy:LifecyclePolicy",
    service="ecr",
    properties=(
        required("repository", member="repositoryName", replaces=True),
        required("policy", member="lifecyclePolicyText", json=True),
        REGION,
        output("registryId"),
    ),
    create="put_lifecycle_policy",
    identity=("repository",),
    address={"repositoryName": "{id}"},
    read=Read(operation="get_lifecycle_policy", parameters={"repositoryName": "{id}"}),
    updates=(Update(operation="put_lifecycle_policy", sets=("policy",)),),
    delete="delete_lifecycle_policy",
    gone=(_MISSING_REPOSITORY, "LifecyclePolicyNotFoundException"),
    clashes=True,
)

KINDS = (REPOSITORY, REPOSITORY_POLICY, LIFECYCLE_POLICY)
