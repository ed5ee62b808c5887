"""How Kubernetes asks whether a container works: HTTP, TCP, gRPC or a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from settings.model import Matching, Model, ShortFor

HttpPath = Annotated[str, Matching(r"/[A-Za-z0-9_./-]*", "must be a path such as /healthz")]
AnyPort = Annotated[int, Field(ge=1, le=65535)]
Word = Annotated[str, Matching(r"[^\x00]+", "must be a word that is not empty")]
Command = Annotated[list[Word], Field(min_length=1)]
Probe = Literal["startup", "readiness", "liveness"]

_WAYS = frozenset({"http", "tcp", "grpc", "command"})
_PROBES = frozenset({"readiness", "liveness", "startup"})


class Check(Model):
    """One probe: exactly one of http, tcp, grpc and command."""

    http: HttpPath | None = Field(None, description="a path that answers 200 to 399")
    port: AnyPort | None = Field(None, description="the port of http, if not the service's own")
    tcp: AnyPort | None = Field(None, description="a port that takes connections")
    grpc: AnyPort | None = Field(
        None, description="a port that speaks the gRPC health checking protocol"
    )
    grpc_service: Word | None = Field(
        None, description="the service of grpc; the whole server unless set"
    )
    command: Command | None = Field(
        None, description="a command in the container that exits with 0; one word in each entry"
    )

    @model_validator(mode="after")
    def one_way(self) -> Self:
        refuse_several_ways(self)
        return self


def refuse_several_ways(check: Check) -> None:
    """Raises ValueError unless exactly one way to ask is written, with what belongs to it."""
    ways = check.written(*_WAYS)
    if len(ways) != 1:
        raise ValueError(
            f"names {' and '.join(ways) or 'no probe'}; name one of http, tcp, grpc and command"
        )
    if check.port and not check.http:
        raise ValueError("has a port beside another check than http; write the port behind it")
    if check.grpc_service and not check.grpc:
        raise ValueError("has grpcService without grpc; add grpc: <port>, or remove it")


ShortCheck = Annotated[Check, ShortFor("http", HttpPath)]


class Health(Check):
    """One probe for everything, or one for each of readiness, liveness and startup."""

    readiness: ShortCheck | None = Field(None, description="decides whether the pod gets requests")
    liveness: ShortCheck | None = Field(None, description="a failure restarts the container")
    startup: ShortCheck | None = Field(
        None,
        description="for the first minute, before the others; as liveness or readiness unless set",
    )

    @model_validator(mode="after")
    def one_way(self) -> Self:
        different = self.written(*_PROBES)
        if not different:
            refuse_several_ways(self)
        elif more := self.keys_beside(*_PROBES):
            raise ValueError(
                f"has {more} beside {' and '.join(different)}; write one check for everything, or "
                "one below each of the three"
            )
        return self

    def checks(self) -> Mapping[Probe, Check]:
        """What is asked when, in the order in which Kubernetes begins to ask."""
        if not _PROBES & self.model_fields_set:
            return dict.fromkeys(("startup", "readiness", "liveness"), self)
        wanted: dict[Probe, Check | None] = {
            "startup": self.startup or self.liveness or self.readiness,
            "readiness": self.readiness,
            "liveness": self.liveness,
        }
        return {probe: check for probe, check in wanted.items() if check}
