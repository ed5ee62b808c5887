"""Rows that most types share."""

from __future__ import annotations

from lab.aws.table import Property, Tagging, optional, output

REGION = optional("region", replaces=True, computed=True)
TAGS = (optional("tags", verbatim=True), output("tagsAll", verbatim=True, volatile=True))


def named(name: str = "name", **flags: str) -> tuple[Property, Property]:
    """A name that cannot change, and the prefix of one that the provider makes up."""
    return (
        optional(name, autonamed=True, replaces=True, **flags),
        optional(f"{name}Prefix", local=True, replaces=True),
    )


def arn(resource: str, service: str = "ec2") -> Property:
    """An ARN that AWS composes of the account, the region and what the resource is."""
    return output("arn", f"=arn:aws:{service}:{{region}}:{{account}}:{resource}")


def ec2_tags(specification: str) -> Tagging:
    return Tagging(
        tag="create_tags",
        untag="delete_tags",
        address={"Resources": ["{id}"]},
        seen="Tags",
        specification=specification,
    )
