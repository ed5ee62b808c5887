"""The `aws:` keys of a stack."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from settings.model import Matching, Model, PrincipalArn


class AssumeRole(Model):
    """The role that Pulumi assumes; the provider reads the other keys."""

    model_config = ConfigDict(extra="ignore")

    role_arn: PrincipalArn = Field(description="the role's ARN")

    @model_validator(mode="before")
    @classmethod
    def without_external_id(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("externalId"):
            raise ValueError(
                "has an externalId, which `aws eks get-token` cannot pass on; put the role and "
                "its external id into an AWS profile and name that in aws:profile"
            )
        return raw


class AwsConfig(Model):
    """The `aws:` keys that the program itself needs; the provider reads the others."""

    region: Annotated[str, Matching(r"[a-z]{2}(-[a-z]+)+-\d", "must be an AWS region")] = Field(
        description="of every resource"
    )
    allowed_account_ids: list[Annotated[str, Matching(r"\d{12}", "must be 12 digits")]] = Field(
        min_length=1, max_length=1, description="the one account of this environment"
    )
    profile: str | None = Field(None, description="the AWS profile that the kubeconfig names")
    assume_roles: list[AssumeRole] = Field(
        default=[], max_length=1, description="kubectl can follow one role, not a chain"
    )

    @property
    def role(self) -> str | None:
        """The ARN of the role that Pulumi assumes in this account."""
        return self.assume_roles[0].role_arn if self.assume_roles else None
