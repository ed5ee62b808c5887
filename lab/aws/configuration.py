"""The provider's configuration: what `aws:` keys mean in the lab."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from lab.aws.errors import ConfigurationError
from lab.aws.table import Values

IGNORED = frozenset(
    {
        "maxRetries",
        "pluginDownloadURL",
        "s3UsePathStyle",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "version",
    }
)
"""Keys of the real provider that make no difference here."""

ALIASES = {"cloudwatchlogs": "logs", "cloudwatchlog": "logs"}
"""Services that aws:endpoints names otherwise than botocore."""

READ = frozenset({"region", "allowedAccountIds", "endpoints"})


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Where AWS is, and whose."""

    region: str
    allowed_accounts: list[str] = field(default_factory=list)
    endpoints: dict[str, str] = field(default_factory=dict)


def configuration(values: Values) -> Configuration:
    """Raises ConfigurationError for a key that the lab would have to ignore, or a missing one."""
    given = {name: _value(value) for name, value in values.items() if not name.startswith("__")}
    unknown = sorted(set(given) - READ - IGNORED)
    if unknown:
        raise ConfigurationError(
            "the lab does not play "
            + ", ".join(f"aws:{name}" for name in unknown)
            + f"; it plays {', '.join(f'aws:{name}' for name in sorted(READ))}. "
            "Remove it, or teach lab/aws/configuration.py"
        )
    if not given.get("region"):
        raise ConfigurationError("aws:region is not set; set it in the stack file")
    endpoints: dict[str, str] = {}
    for block in given.get("endpoints") or []:
        endpoints.update({ALIASES.get(name, name): url for name, url in block.items() if url})
    return Configuration(
        region=given["region"],
        allowed_accounts=[str(account) for account in given.get("allowedAccountIds") or []],
        endpoints=endpoints,
    )


def _value(value: Any) -> Any:
    """Pulumi hands nested configuration over as JSON."""
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        return json.loads(value)
    return value
