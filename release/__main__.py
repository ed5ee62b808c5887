"""The start of the release scripts: `python3 -I -B scripts/release COMMAND [ARGUMENT]...`.

Understood by every Python 3, so that one that is too old gets a message and no traceback.
"""

import sys

MINIMUM = (3, 9)


def start():
    # type: () -> int
    """Loads this folder as the package `release`, wherever it lies, and runs its command line."""
    if sys.version_info < MINIMUM:
        sys.stderr.write(
            "error: Python 3.9 or newer is needed, and python3 is %s\n" % sys.version.split()[0]
        )
        return 3
    import importlib.util
    import os

    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        "release", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(folder)
    package = importlib.util.module_from_spec(spec)
    sys.modules["release"] = package
    spec.loader.exec_module(package)
    try:
        from release import cli
    except Exception as error:  # of whatever somebody has pushed
        what = (type(error).__name__, ascii(str(error))[1:-1], folder)
        sys.stderr.write("error: the scripts are broken: %s: %s\n  in %s\n" % what)
        return 70
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    try:
        CODE = start()
    except KeyboardInterrupt:
        CODE = 130
    sys.exit(CODE)
