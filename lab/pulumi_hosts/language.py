"""`pulumi-language-python`: runs `__main__.py` for Pulumi, by the SDK's own inline-program host.

Every run is a process of its own, so that `pulumi up` finds no module and no state of the preview
before it. Run as a script: it imports nothing of the checkout, and the program's folder takes the
place of this one on the import path.
"""

from __future__ import annotations

import importlib.metadata
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import IO, Any

import grpc
import pulumi
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

MESSAGE_LIMIT = 400 * 1024 * 1024
"""Pulumi's own limit for one message."""
PARENT_POLL = 0.5
"""Seconds between two checks of whether Pulumi still runs."""
RUN = "--run"
FINISHED = b"!"
"""Comes before a response, which may be empty: without it the program died."""


class Host(LanguageServer):
    """Serves the language protocol; programs run in child processes."""

    def __init__(self, engine: str) -> None:
        super().__init__(_no_program)
        self._engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802 the protocol's names
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        del request.args[:]
        request.args.append(self._engine)
        reader, writer = os.pipe()
        command = [sys.executable, "-u", __file__, RUN, str(writer)]
        with (
            tempfile.TemporaryFile() as asked,
            subprocess.Popen(command, stdin=_rewound(asked, request), pass_fds=(writer,)) as child,
            os.fdopen(reader, "rb") as pipe,
        ):
            os.close(writer)
            answer = pipe.read()
        if not answer.startswith(FINISHED):
            return language_pb2.RunResponse(error=f"the program died (code {child.returncode})")
        return language_pb2.RunResponse.FromString(answer.removeprefix(FINISHED))

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        text = f"The packages of {sys.prefix} are used; nothing is installed.\n"
        yield language_pb2.InstallDependenciesResponse(stdout=text.encode())

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802
        return language_pb2.RuntimeOptionsResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802
        found = sorted(
            (package.metadata["Name"], package.version)
            for package in importlib.metadata.distributions()
            if package.metadata["Name"].lower().startswith("pulumi")
        )
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=version) for name, version in found
            ]
        )

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


def _rewound(file: IO[bytes], request: Any) -> IO[bytes]:
    file.write(request.SerializeToString())
    file.seek(0)
    return file


async def _no_program() -> None:
    raise AssertionError("programs run in child processes")


def run(answer: int) -> None:
    """Runs one program: the request comes on standard input, the response goes to `answer`."""
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    directory = Path(request.info.program_directory or request.pwd)
    entry = directory / (request.info.entry_point or ".")
    main = entry / "__main__.py" if entry.is_dir() else entry
    os.chdir(request.pwd or directory)
    sys.path[0] = str(main.parent)
    sys.argv = [str(main)]
    inline: Any = LanguageServer(lambda: _program(main))
    response = inline.Run(request, None)
    if response.error:
        response = language_pb2.RunResponse(bail=True)
    os.write(answer, FINISHED + response.SerializeToString())


def _program(main: Path) -> None:
    try:
        runpy.run_path(str(main), run_name="__main__")
    except pulumi.RunError:
        raise
    except SystemExit as leaving:
        if leaving.code:
            raise pulumi.RunError(f"the program left with {leaving.code}") from leaving
    except Exception as failure:
        raise pulumi.RunError(
            f"the program failed:\n{_from_the_program(failure, main)}"
        ) from failure


def _from_the_program(failure: Exception, main: Path) -> str:
    """The traceback without the frames of this host."""
    frames = traceback.extract_tb(failure.__traceback__)
    names = [frame.filename for frame in frames]
    start = names.index(str(main)) if str(main) in names else 0
    lines = traceback.format_list(frames[start:]) + traceback.format_exception_only(failure)
    return "".join(lines)


def serve(engine: str) -> None:
    """Serves on a free port of this machine, prints it, and ends with Pulumi."""
    limits = [("grpc.max_receive_message_length", MESSAGE_LIMIT)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=limits)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    stop = threading.Event()
    for received in (signal.SIGINT, signal.SIGTERM):
        signal.signal(received, lambda *_: stop.set())
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent and not stop.wait(PARENT_POLL):
        pass
    server.stop(grace=1).wait()


def main() -> None:
    if RUN in sys.argv:
        signal.signal(signal.SIGINT, lambda *_: os._exit(0))
        run(int(sys.argv[-1]))
        return
    plain = [word for word in sys.argv[1:] if not word.startswith("-")]
    serve(plain[-1] if plain else "")


if __name__ == "__main__":
    main()
