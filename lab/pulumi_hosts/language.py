"""The Python language host: runs the program's `__main__.py` for the Pulumi engine.

The engine starts it, reads the port from the first line that it prints, calls `Run`, and sends
SIGINT when it is done. The SDK's server for programs defined in place does nearly all of it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime import settings
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

PARENT_POLL_SECONDS = 1


class LanguageHost(LanguageServer):
    """Runs a program from its folder, as `python __main__.py` would."""

    def __init__(self, engine: str) -> None:
        super().__init__(lambda: None)
        self._engine = engine

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Runs the program once; the SDK turns exceptions into the engine's diagnostics."""
        folder = Path(request.info.program_directory)
        root = request.info.root_directory

        def program() -> None:
            settings.SETTINGS.root_directory = root
            os.chdir(folder)
            sys.path.insert(0, str(folder))
            runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

        self.program = program
        del request.args[:]
        request.args.append(self._engine)
        return super().Run(request, context)

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Has nothing to install: the lab's Python environment holds every dependency."""
        yield language_pb2.InstallDependenciesResponse(
            stdout=b"The lab's own Python environment is used; nothing was installed.\n"
        )

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Names no dependencies; the engine asks for its own information only."""
        return language_pb2.GetProgramDependenciesResponse()


def main(engine: str) -> None:
    """Serves until SIGINT or SIGTERM comes, or the engine is gone."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    leave = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: leave.set())
    print(port, flush=True)
    parent = os.getppid()
    while not leave.wait(PARENT_POLL_SECONDS) and os.getppid() == parent:
        pass
    server.stop(grace=None)


if __name__ == "__main__":
    main(next((argument for argument in reversed(sys.argv[1:]) if ":" in argument), ""))
