"""`pulumi-resource-aws` of the lab: Pulumi's provider protocol in front of `resources.py`."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from functools import partial
from typing import Any

import grpc
from google.protobuf import any_pb2, empty_pb2
from pulumi.runtime.proto import (
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

from lab.aws import SDK_VERSION
from lab.aws.api import Aws, account_of_credentials
from lab.aws.configuration import configuration
from lab.aws.differences import Difference
from lab.aws.errors import (
    ConfigurationError,
    HalfCreatedError,
    LabAwsError,
    UnknownTokenError,
)
from lab.aws.journal import Journal
from lab.aws.kept import Kept
from lab.aws.kinds import KINDS
from lab.aws.lookups import look_up
from lab.aws.resources import Resources
from lab.aws.table import Kind
from lab.aws.wire import decoded, encoded
from lab.site import Site

WORKERS = 16
MESSAGE_LIMIT = 400 * 1024 * 1024
"""Pulumi's own limit for one message."""
PARENT_POLL = 0.5
"""Seconds between two looks at whether Pulumi is still there."""

_DIFF = provider_pb2.PropertyDiff
_KINDS_OF_CHANGE = {
    ("add", False): _DIFF.ADD,
    ("add", True): _DIFF.ADD_REPLACE,
    ("delete", False): _DIFF.DELETE,
    ("delete", True): _DIFF.DELETE_REPLACE,
    ("update", False): _DIFF.UPDATE,
    ("update", True): _DIFF.UPDATE_REPLACE,
}


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The protocol; every method is a few lines of translation."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._journal = Journal(site.home / "aws" / "creations")
        self._resources: Resources | None = None

    def close(self) -> None:
        """Called when Pulumi ends the provider in order."""
        self._journal.close()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802 the protocol's names
        return plugin_pb2.PluginInfo(version=SDK_VERSION)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        try:
            configuration(decoded(request.news))
        except ConfigurationError as problem:
            failure = provider_pb2.CheckFailure(property="", reason=str(problem))
            return provider_pb2.CheckResponse(inputs=request.news, failures=[failure])
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        old, new = decoded(request.olds), decoded(request.news)
        names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        return provider_pb2.DiffResponse(
            changes=_DIFF_SOME if names else _DIFF_NONE,
            diffs=names,
            replaces=[name for name in names if name == "region"],
        )

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        with _told(context):
            wanted = configuration(decoded(request.args))
            account = account_of_credentials(
                wanted.region, wanted.endpoints.get("sts"), wanted.allowed_accounts
            )
            aws = Aws(
                region=wanted.region,
                account=account,
                endpoints=wanted.endpoints,
                site=self._site,
                kept=Kept(self._site.kept),
            )
            self._resources = Resources(aws=aws, journal=self._journal)
            return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        with _told(context):
            answer = look_up(self._ready(), request.tok, decoded(request.args))
            return provider_pb2.InvokeResponse(**{"return": encoded(answer)})

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        with _told(context):
            inputs, failures = self._ready().check(
                _kind(request.urn),
                request.urn,
                decoded(request.olds),
                decoded(request.news),
                request.randomSeed,
            )
            return provider_pb2.CheckResponse(
                inputs=encoded(inputs),
                failures=[
                    provider_pb2.CheckFailure(property=one.property, reason=one.reason)
                    for one in failures
                ],
            )

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        with _told(context):
            kind = _kind(request.urn)
            found = self._ready().diff(
                kind, request.urn, decoded(request.old_inputs), decoded(request.news)
            )
            ignored = set(request.ignoreChanges)
            return _diff_response(kind, [one for one in found if one.path not in ignored])

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        with _told(context) as half_made:
            kind, inputs = _kind(request.urn), decoded(request.properties)
            resources = self._ready()
            if request.preview:
                return provider_pb2.CreateResponse(
                    properties=encoded(resources.preview(kind, inputs))
                )
            half_made(kind, resources, inputs)
            identifier, state = resources.create(kind, request.urn, inputs)
            return provider_pb2.CreateResponse(id=identifier, properties=encoded(state))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        with _told(context):
            found = self._ready().read(
                _kind(request.urn),
                request.urn,
                request.id,
                decoded(request.properties),
                decoded(request.inputs),
            )
            if found is None:
                return provider_pb2.ReadResponse()
            identifier, state, inputs = found
            return provider_pb2.ReadResponse(
                id=identifier, properties=encoded(state), inputs=encoded(inputs)
            )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        with _told(context):
            kind, old, new = _kind(request.urn), decoded(request.olds), decoded(request.news)
            resources = self._ready()
            if request.preview:
                return provider_pb2.UpdateResponse(
                    properties=encoded(resources.preview(kind, new, old))
                )
            state = resources.update(
                kind,
                request.urn,
                request.id,
                old=old,
                old_inputs=decoded(request.old_inputs),
                new=new,
            )
            return provider_pb2.UpdateResponse(properties=encoded(state))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        with _told(context):
            kind = _kind(request.urn)
            self._ready().delete(kind, request.urn, request.id, decoded(request.properties))
            return empty_pb2.Empty()

    def _ready(self) -> Resources:
        if self._resources is None:
            raise ConfigurationError("the provider is not configured yet")
        return self._resources


_DIFF_SOME = provider_pb2.DiffResponse.DIFF_SOME
_DIFF_NONE = provider_pb2.DiffResponse.DIFF_NONE


def _kind(urn: str) -> Kind:
    wanted = urn.split("::")[2].rpartition("$")[2]
    if wanted not in KINDS:
        raise UnknownTokenError(wanted, KINDS)
    return KINDS[wanted]


def _diff_response(kind: Kind, found: list[Difference]) -> Any:
    replaces = sorted({_top(one.path) for one in found if one.replaces})
    return provider_pb2.DiffResponse(
        changes=_DIFF_SOME if found else _DIFF_NONE,
        diffs=sorted({_top(one.path) for one in found}),
        replaces=replaces,
        deleteBeforeReplace=bool(replaces) and kind.clashes,
        detailedDiff={
            one.path: _DIFF(kind=_KINDS_OF_CHANGE[one.change, one.replaces], inputDiff=True)
            for one in found
        },
        hasDetailedDiff=True,
    )


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


@contextmanager
def _told(context: Any) -> Iterator[Callable[[Kind, Resources, dict[str, Any]], None]]:
    """Turns the lab's errors into messages of the protocol, and a half-made resource into the
    state that Pulumi shall remember."""
    creating: list[tuple[Kind, Resources, dict[str, Any]]] = []
    try:
        yield lambda kind, resources, inputs: creating.append((kind, resources, inputs))
    except HalfCreatedError as failure:
        kind, resources, inputs = creating[0]
        state = resources.half_created(kind, failure.identifier, inputs)
        detail = errors_detail(failure, state, inputs)
        context.set_trailing_metadata((("grpc-status-details-bin", detail.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, str(failure))
    except LabAwsError as failure:
        context.abort(grpc.StatusCode.UNKNOWN, str(failure))


def errors_detail(failure: HalfCreatedError, state: Any, inputs: Any) -> Any:
    """The status by which Pulumi learns of a resource whose creation failed half-way."""
    packed = any_pb2.Any()
    packed.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=failure.identifier,
            properties=encoded(state),
            inputs=encoded(inputs),
            reasons=[str(failure)],
        ),
        type_url_prefix="type.googleapis.com",
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure))
    status.details.append(packed)
    return status


def _leave_with(parent: int, leave: Callable[[], None]) -> None:
    """A killed Pulumi sends no signal: without it there is nobody to answer."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL)
    leave()


def main() -> None:
    """Serves on a free port of this machine, prints it, and ends with Pulumi."""
    provider = Provider(Site.from_environment())
    limits = [("grpc.max_receive_message_length", MESSAGE_LIMIT)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=WORKERS), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    stop = threading.Event()
    orderly = threading.Event()

    def end_in_order(*_: object) -> None:
        orderly.set()
        stop.set()

    for received in (signal.SIGINT, signal.SIGTERM):
        signal.signal(received, end_in_order)
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    watcher = threading.Thread(
        target=partial(_leave_with, os.getppid(), stop.set), name="watch Pulumi", daemon=True
    )
    watcher.start()
    stop.wait()
    server.stop(grace=1).wait()
    if orderly.is_set():
        provider.close()


if __name__ == "__main__":
    main()
