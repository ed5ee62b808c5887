"""Launch templates."""

from __future__ import annotations

import dataclasses

from lab.aws.api import Aws
from lab.aws.kinds.rows import REGION, TAGS, arn, ec2_tags, named
from lab.aws.table import Kind, Property, Read, Update, Values, optional, output


def _data(name: str, member: str = "", **flags: bool) -> Property:
    return dataclasses.replace(
        optional(name, **flags), member=f"launchTemplateData.{member or name}"
    )


_DATA = (
    _data("blockDeviceMappings"),
    _data("ebsOptimized"),
    _data("imageId"),
    _data("instanceType"),
    _data("keyName"),
    _data("metadataOptions"),
    _data("monitoring"),
    _data("networkInterfaces"),
    _data("tagSpecifications"),
    _data("userData"),
    _data("vpcSecurityGroupIds", "securityGroupIds", unordered=True),
)


def _latest_version(aws: Aws, template: Values, address: Values) -> Values:
    versions = aws.call(
        "ec2",
        "describe_launch_template_versions",
        LaunchTemplateId=template["LaunchTemplateId"],
        Versions=["$Latest"],
    )["LaunchTemplateVersions"]
    return {**template, **{k: v for k, v in versions[0].items() if k not in template}}


LAUNCH_TEMPLATE = Kind(
    pulumi_type="aws:ec2/launchTemplate:LaunchTemplate",
    service="ec2",
    properties=(
        *named(member="launchTemplateName"),
        optional("description", member="versionDescription"),
        *_DATA,
        optional("updateDefaultVersion", local=True),
        REGION,
        *TAGS,
        arn("launch-template/{id}"),
        output("latestVersion", "latestVersionNumber", volatile=True),
        output("defaultVersion", "defaultVersionNumber", volatile=True),
    ),
    create="create_launch_template",
    answers={"id": "LaunchTemplate.LaunchTemplateId"},
    address={"LaunchTemplateId": "{id}"},
    read=Read(
        operation="describe_launch_templates",
        parameters={"LaunchTemplateIds": ["{id}"]},
        at="LaunchTemplates[0]",
    ),
    complete=_latest_version,
    updates=(
        Update(
            operation="create_launch_template_version",
            sets=("description", *(row.name for row in _DATA)),
        ),
        Update(
            operation="modify_launch_template",
            sets=("description", *(row.name for row in _DATA)),
            compose=lambda state: {"DefaultVersion": str(state["latestVersion"] + 1)},
            when="updateDefaultVersion",
        ),
    ),
    delete="delete_launch_template",
    gone=("InvalidLaunchTemplateId.NotFound",),
    tagging=ec2_tags("launch-template"),
    clashes=True,
    siblings=Read(
        operation="describe_launch_templates",
        parameters={"Filters": [{"Name": "launch-template-name", "Values": ["{name}"]}]},
        at="LaunchTemplates[].LaunchTemplateId",
    ),
)

KINDS = (LAUNCH_TEMPLATE,)
