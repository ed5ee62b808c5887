"""STS: the tags of sessions, which moto forgets."""

from __future__ import annotations

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.callers import remember_tags, tags_of
from lab.aws_api.calls import Body


def _assume_role(request: ApiRequest) -> Body:
    """AWS STS API Reference, AssumeRole; IAM User Guide, "Chaining roles with session tags"."""
    given = request.given
    answer = request.moto()
    own = {tag["Key"]: tag["Value"] for tag in given.get("Tags", [])}
    inherited, transitive = tags_of(request.call.access_key)
    kept = {key: value for key, value in inherited.items() if key in transitive}
    remember_tags(
        answer["Credentials"]["AccessKeyId"],
        {**own, **kept},
        frozenset(given.get("TransitiveTagKeys", [])) | transitive,
    )
    return answer


STAND_INS: StandIns = {("sts", "AssumeRole"): _assume_role}
