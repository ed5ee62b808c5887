"""`pulumi-resource-pulumi-python`: serves dynamic resources, as the SDK does, and ends with Pulumi.

The SDK's own host outlives a Pulumi that was killed. Run as a script: it imports nothing of the
checkout, and the program's folder takes the place of this one on the import path.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time

PARENT_POLL = 0.5
"""Seconds between two checks of whether Pulumi still runs."""


def end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    sys.path[0] = ""
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
