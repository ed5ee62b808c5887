"""What a stand-in is given: a call, whose it is, and whom else it may ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from moto.core.utils import get_service_model

from lab.aws_api.calls import Body, Call
from lab.aws_api.shelves import Shelves
from lab.site import Site


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call in front of a stand-in.

    Attributes:
        call: the call; its parameters fit AWS's models.
        account: the account of its caller.
        site: the lab, for the addresses that AWS gives away.
        now: the time; at a replay the time of the first call.
        shelves: what the stand-ins keep for this account and region.
    """

    call: Call
    account: str
    site: Site
    now: datetime
    shelves: Shelves
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


StandIn: TypeAlias = Callable[[Asked], Body]
StandIns: TypeAlias = dict[tuple[str, str], StandIn]
"""By service and operation: `("eks", "CreateCluster")`."""
