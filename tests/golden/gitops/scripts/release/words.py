# Managed: generated, so change services.yaml or the stack files instead.
"""Words of others in a commit's message, where Git hosts and CI systems look for commands."""

from __future__ import annotations

import re

_COMMAND = r"\[(?!bot\])|[#*]|(?<!\w)@|://|(?:\b[Gg][Hh]-|!)(?={0}\d)"
"""What begins `[skip ci]`, `***NO_CI***`, `fixes #1`, `GH-1`, `!1`, an address, or `@everyone`."""
_LIVE = re.compile(_COMMAND.format(r"\\*"))
_INERT = re.compile("(" + _COMMAND.format(r"\\+") + r")\\")
_TRAILER = re.compile(r"[A-Za-z]+(-[A-Za-z]+)+\s*:")


def inert(text: str) -> str:
    """`text`, with the same words but no command for a machine: `[\\skip ci]`."""
    return _LIVE.sub(lambda found: f"{found[0]}\\", text)


def restored(text: str) -> str:
    """What `inert` was given."""
    return _INERT.sub(lambda found: found[1], text)


def quoted(line: str) -> str:
    """A quoted line that is no trailer of the message."""
    return f"> {line}" if _TRAILER.match(line) else line
