"""What can go wrong, each with what to do."""

from __future__ import annotations

from collections.abc import Iterable


class LabAwsError(Exception):
    """A refusal that is shown to the person at the terminal as it stands."""


class UnknownTokenError(LabAwsError):
    def __init__(self, token: str, known: Iterable[str]) -> None:
        super().__init__(
            f"the lab does not play {token}. It plays: {', '.join(sorted(known))}. "
            "To use another one here, declare it in lab/aws/kinds/; real AWS has it already."
        )


class InvalidParametersError(LabAwsError):
    def __init__(self, service: str, operation: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            f"AWS would refuse {service}:{operation}, says botocore's model of it: "
            + "; ".join(self.problems)
        )


class RefusedError(LabAwsError):
    """AWS's answer was an error."""

    def __init__(self, service: str, operation: str, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{service}:{operation}: {code}: {message}")


class UnreachableError(LabAwsError):
    def __init__(self, service: str, address: str, cause: str) -> None:
        super().__init__(
            f"AWS ({service}) does not answer at {address}: {cause}. Start the lab with `make up` "
            "and look at `make status`."
        )


class AccountNotAllowedError(LabAwsError):
    def __init__(self, account: str, allowed: Iterable[str]) -> None:
        super().__init__(
            f"the credentials belong to AWS account {account}, but aws:allowedAccountIds allows "
            f"only {', '.join(allowed)}. Use credentials of an allowed account, or correct "
            "aws:allowedAccountIds in the stack file."
        )


class ConfigurationError(LabAwsError):
    """The provider's configuration cannot be used."""


class HalfCreatedError(LabAwsError):
    """The resource exists, but a later step of its creation failed."""

    def __init__(self, identifier: str, cause: LabAwsError) -> None:
        self.identifier = identifier
        super().__init__(str(cause))
