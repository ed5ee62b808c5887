"""`platform:registry` and `platform:ci`: ECR, and how pipelines reach it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from settings.catalogue import Ci
from settings.model import DnsLabel, Model, different


class RegistryConfig(Model):
    """ECR; one registry serves every environment."""

    owner: DnsLabel = Field(description="the stack that creates the repositories")
    host: str | None = Field(
        None,
        description="the registry's host name, where it is not ECR's usual one; the owner's file "
        "decides, and the others may leave it out",
    )
    encryption: Literal["AES256", "KMS"] = Field(
        "AES256", description="of images at rest; cannot change later"
    )
    untagged_days: int = Field(7, ge=1, description="when an untagged image expires")
    refuse: Literal["critical", "high", "medium", "low"] | None = Field(
        None,
        description="promotions to this environment refuse an image in which ECR's scan found this "
        "severity or worse; for safe environments",
    )
    build_days: int = Field(
        90, ge=7, description="when an image that is only tagged build-… expires"
    )


class CiConfig(Model):
    """How pipelines reach the registry's account."""

    existing: Annotated[list[Ci], different] = Field(
        default=[], description="CI systems whose OIDC provider already exists in the account"
    )

    @model_validator(mode="before")
    @classmethod
    def under_the_former_name(cls, raw: Any) -> Any:
        """`existing` was called `adopt`, and stack files say so."""
        if isinstance(raw, dict) and "adopt" in raw and "existing" not in raw:
            return {("existing" if key == "adopt" else key): raw[key] for key in raw}
        return raw
