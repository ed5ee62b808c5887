"""Which image repositories Keel's role names."""

from __future__ import annotations

from settings.aws_account import AwsAccount
from settings.catalogue import Catalogue
from settings.limits import ROLE_POLICY_CHARACTERS
from settings.naming import Names

_AROUND = 350
"""The characters of the policy beside the repositories that it names."""
_BETWEEN = len('"",')


def repositories(registry: AwsAccount, catalogue: Catalogue) -> list[str]:
    """The ARNs of the repositories that Keel reads, sorted.

    One for each service that Keel delivers. Where one policy cannot hold so many, one for each of
    their namespaces: `…:repository/<namespace>/*`.
    """
    served = [(namespace, name) for namespace, name, _ in catalogue.delivered_by("keel")]
    each = [registry.image_repository_arn(Names.repository(*one)) for one in served]
    if policy_characters(each) <= ROLE_POLICY_CHARACTERS:
        return each
    namespaces = sorted({namespace for namespace, _ in served})
    return [registry.image_repository_arn(Names.repository(one, "*")) for one in namespaces]


def policy_characters(arns: list[str]) -> int:
    """The length of a policy that names these repositories, white space not counted."""
    return _AROUND + sum(len(arn) + _BETWEEN for arn in arns)
