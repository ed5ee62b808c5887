"""What a stand-in gets: a call, its account, and ways to make other calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from moto.core.utils import get_service_model

from lab.aws_api.calls import Body, Call
from lab.aws_api.store import Store
from lab.site import Site


@dataclass(frozen=True, kw_only=True)
class ApiRequest:
    """One call, for a stand-in.

    Attributes:
        call: the call; its parameters fit AWS's models.
        account: the account of its caller.
        site: the lab, for addresses in answers.
        now: the time; at a replay the time of the first call.
        store: the state of the stand-ins for this account and region.
    """

    call: Call
    account: str
    site: Site
    now: datetime
    store: Store
    answer_of: Callable[[Call], Body]
    moto_of: Callable[[Call], Body]

    @property
    def given(self) -> Body:
        return self.call.parameters

    @property
    def region(self) -> str:
        return self.call.region

    def moto(self) -> Body:
        """moto's own answer to this call. Raises Refusal."""
        return self.moto_of(self.call)

    def ask(self, service: str, operation: str, **parameters: Any) -> Body:
        """The lab's answer to another call of the same caller. Raises Refusal."""
        model = get_service_model(service)
        other = replace(
            self.call,
            signing_name=model.signing_name,
            operation=model.operation_model(operation),
            protocol=str(model.protocol),
            parameters=parameters,
        )
        return self.answer_of(other)


StandIn: TypeAlias = Callable[[ApiRequest], Body]
StandIns: TypeAlias = dict[tuple[str, str], StandIn]
"""By service and operation: `("eks", "CreateCluster")`."""
