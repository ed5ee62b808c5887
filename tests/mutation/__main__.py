from __future__ import annotations
import sys, time, re, json
from pathlib import Path
import pytest
from tests.mutation.mutants import CHECKOUT, modules, mutants, path_of
from tests.mutation.session import Tests


class Plugin:
    def __init__(self, names):
        self.names = names

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        t = time.time()
        tests = Tests(session.items)
        print(len(session.items), "tests", flush=True)
        cache = Path("/tmp/mutwork/reach.pickle")
        print("failed", tests.measure(), round(time.time() - t), flush=True)
        r = tests._reach
        json.dump(
            sorted(((v, k) for k, v in r.seconds.items()), reverse=True),
            open("/tmp/mutwork/seconds.json", "w"),
            indent=0,
        )
        print("cpu seconds of tests", sum(r.seconds.values()), flush=True)
        total = kill = 0
        for m in self.names:
            ms = mutants(m, path_of(m).read_text())
            bad = 0
            for x, n in tests.unnoticed(ms):
                bad += 1
                print(f"  [{n}] {x.module}:{x.line} {x.function}: {x.change}", flush=True)
            total += len(ms)
            kill += len(ms) - bad
            print(f"{m}: {len(ms) - bad}/{len(ms)}  {time.time() - t:.0f}s", flush=True)
        print(kill, total)
        return True


def main(args):
    files = []
    names = [a for a in args if not a.startswith("tests/")]
    files = [a for a in args if a.startswith("tests/")]
    if not files:
        files = [
            str(f)
            for f in sorted((CHECKOUT / "tests/unit").glob("test_*.py"))
            if not re.search(
                r"^(from|import) lab\b|tests.mutation|aws_in_process", f.read_text(), re.M
            )
        ]
    names = [
        m for m in modules() if not names or any(m == n or m.startswith(n + ".") for n in names)
    ]
    return pytest.main(
        [
            "-s",
            "-o",
            "addopts=--strict-markers",
            "-p",
            "no:xdist",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:timeout",
            "-p",
            "no:terminal",
            *files,
        ],
        plugins=[Plugin(names)],
    )


sys.exit(main(sys.argv[1:]))
