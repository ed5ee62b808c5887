"""What external-dns leaves in the zone when it goes first.

Pulumi keeps a reference to this class in its state: it stays small, here, and without fields.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from os import environ
from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, ResourceProvider

Properties = dict[str, Any]
Record = Mapping[str, Any]
BATCH = 200
"""Deletions in one request: Route 53 takes 1,000, and a command line about 128 KB."""
_MARK = re.compile(r"(a|aaaa|cname)-(.+)")
"""The name of the TXT record that says whose a record is: its type, and its name."""


class LeftNames(ResourceProvider):
    """Deletes what an environment's external-dns has left in a zone, when it is deleted itself.

    Inputs: `zone` (the id), `owner` (what the records are marked with), `profile` and `role` (an
    ARN) of the AWS CLI, or null.
    """

    serialize_as_secret_always = False

    def diff(self, _id: str, olds: Properties, news: Properties) -> DiffResult:
        """Another zone or owner: the old one is swept, after the new one is served."""
        changed = [key for key in ("zone", "owner") if olds[key] != news[key]]
        others = any(olds.get(key) != news.get(key) for key in ("profile", "role"))
        return DiffResult(changes=bool(changed) or others, replaces=changed)

    def create(self, props: Properties) -> CreateResult:
        return CreateResult(f"{props['zone']}/{props['owner']}", props)

    def delete(self, _id: str, props: Properties) -> None:
        variables = credentials(props)
        changes = [
            {"Action": "DELETE", "ResourceRecordSet": record}
            for record in own(records(props["zone"], variables), props["owner"])
        ]
        for start in range(0, len(changes), BATCH):
            batch = json.dumps({"Changes": changes[start : start + BATCH]})
            words = ("--hosted-zone-id", props["zone"], "--change-batch", batch)
            aws(variables, "route53", "change-resource-record-sets", *words)


def own(found: Sequence[Record], owner: str) -> Iterator[Record]:
    """The records that are marked as the owner's, and their marks."""
    by_name = {(record["Name"], record["Type"]): record for record in found}
    for record in found:
        mark = _MARK.fullmatch(record["Name"])
        if record["Type"] == "TXT" and mark and _is_of(record, owner):
            yield record
            if other := by_name.get((mark[2], mark[1].upper())):
                yield other


def _is_of(record: Record, owner: str) -> bool:
    texts = [one["Value"].strip('"').split(",") for one in record.get("ResourceRecords", ())]
    return any("heritage=external-dns" in text for text in texts) and any(
        f"external-dns/owner={owner}" in text for text in texts
    )


def records(zone: str, variables: Mapping[str, str]) -> list[Record]:
    """Every record of a zone."""
    answer = aws(variables, "route53", "list-resource-record-sets", "--hosted-zone-id", zone)
    found: list[Record] = answer["ResourceRecordSets"]
    return found


def credentials(props: Properties) -> dict[str, str]:
    """The environment variables with which the AWS CLI acts as the program does."""
    variables = dict(environ)
    if profile := props.get("profile"):
        variables["AWS_PROFILE"] = profile
    if role := props.get("role"):
        words = ("--role-arn", role, "--role-session-name", "pulumi")
        keys = aws(variables, "sts", "assume-role", *words)["Credentials"]
        variables.pop("AWS_PROFILE", None)
        variables["AWS_ACCESS_KEY_ID"] = keys["AccessKeyId"]
        variables["AWS_SECRET_ACCESS_KEY"] = keys["SecretAccessKey"]
        variables["AWS_SESSION_TOKEN"] = keys["SessionToken"]
    return variables


def aws(variables: Mapping[str, str], *words: str) -> Any:
    """What the AWS CLI answers. RuntimeError: it failed, with what it said."""
    done = subprocess.run(
        ["aws", *words, "--output", "json"],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"aws {' '.join(words[:2])}: {done.stderr.strip()}")
    return json.loads(done.stdout) if done.stdout.strip() else {}
