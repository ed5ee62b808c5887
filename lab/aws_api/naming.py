"""Which resources a call names in its parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lab.aws_api.calls import Call

_NAMING = re.compile(r"(arn|arns|name|names|id|ids|key|alias|resources?)$", re.IGNORECASE)
_NOT_NAMING = re.compile(r"token|secret|password|client|tag", re.IGNORECASE)
_ARN_OF = {
    ("cloudwatch", "AlarmName"): "arn:aws:cloudwatch:{region}:{account}:alarm:{value}",
    ("ecr", "repositoryName"): "arn:aws:ecr:{region}:{account}:repository/{value}",
    ("eks", "clusterName"): "arn:aws:eks:{region}:{account}:cluster/{value}",
    ("eks", "name"): "arn:aws:eks:{region}:{account}:cluster/{value}",
    ("iam", "RoleName"): "arn:aws:iam::{account}:role/{value}",
    ("iam", "InstanceProfileName"): "arn:aws:iam::{account}:instance-profile/{value}",
    ("logs", "logGroupName"): "arn:aws:logs:{region}:{account}:log-group:{value}",
    ("s3", "Bucket"): "arn:aws:s3:::{value}",
    ("sns", "Name"): "arn:aws:sns:{region}:{account}:{value}",
    # AWS adds a hyphen and six characters of its own.
    (
        "secretsmanager",
        "SecretId",
    ): "arn:aws:secretsmanager:{region}:{account}:secret:{value}-AbCdEf",
}
"""Parameters that are the name of the resource that an action is about."""
_OWN_ARN = {
    "resourceArn", "ResourceArn", "ResourceARN", "OpenIDConnectProviderArn", "RoleArn", "TopicArn",
}  # fmt: skip
"""Parameters that are the ARN of that resource; other ARNs in a call are about something else."""


def values(parameters: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in the parameters with its path, such as `subnetIds[0]`."""
    if isinstance(parameters, Mapping):
        for name, item in parameters.items():
            yield from values(item, f"{path}.{name}".lstrip("."))
    elif isinstance(parameters, list):
        for index, item in enumerate(parameters):
            yield from values(item, f"{path}[{index}]")
    elif isinstance(parameters, str):
        yield path, parameters


def named(parameters: Any) -> dict[str, str]:
    """The names, identifiers and ARNs among the parameters, by path."""
    return {
        path: text
        for path, text in values(parameters)
        if _NAMING.search(re.sub(r"\[\d+\]", "", path)) and not _NOT_NAMING.search(path)
    }


def arns(call: Call, account: str) -> list[str]:
    """The ARNs of the resources of the call; empty if its parameters do not name them.

    A role's path is in its ARN and not in a call that names it: there the ARN without one.
    """
    found = []
    for name, value in call.parameters.items():
        if not isinstance(value, str):
            continue
        template = _ARN_OF.get((call.service, name))
        if template:
            found.append(template.format(region=call.region, account=account, value=value))
        elif name in _OWN_ARN and value.startswith("arn:"):
            found.append(value)
    return found
