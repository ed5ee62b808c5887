"""What AWS has and no state knows, and what to do about each."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.leftovers.found import Found
from tools.leftovers.state import Known


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """An object that no state knows.

    twins: resources of the same type and name that a state does know.
    wanted: what the next `up` would create in its place, if a preview says so.
    """

    found: Found
    twins: tuple[Known, ...]
    wanted: Known | None


def leftovers(
    found: Iterable[Found], states: Sequence[Known], wanted: Sequence[Known]
) -> list[Leftover]:
    """Everything of `found` that no state knows, sorted by type and name."""
    identities = {identity for known in states for identity in known.identities}
    lost = [one for one in found if not one.identities & identities]
    return [
        Leftover(
            found=one,
            twins=tuple(known for known in states if _alike(known, one)),
            wanted=next((known for known in wanted if _alike(known, one)), None),
        )
        for one in sorted(lost, key=lambda one: (one.type, one.name, one.id))
    ]


def _alike(known: Known, found: Found) -> bool:
    return bool(found.name) and (known.type, known.name) == (found.type, found.name)


def render(stack: str, left: Sequence[Leftover]) -> str:
    """For a person: each object, who is like it, and the commands that import or delete it."""
    if not left:
        return f"Nothing in AWS carries the tags of {stack} that no state knows.\n"
    heading = f"{len(left)} in AWS with the tags or names of {stack} that no state knows:\n"
    return heading + "".join(_block(stack, one) for one in left)


def _block(stack: str, left: Leftover) -> str:
    found = left.found
    lines = [f"\n{found.type}  {found.id}"]
    if found.name and found.name != found.id:
        lines.append(f"  name    {found.name}")
    if found.tags:
        lines.append("  tags    " + ", ".join(f"{k}={v}" for k, v in sorted(found.tags.items())))
    for twin in left.twins:
        ids = ", ".join(sorted(twin.identities))
        lines.append(f"  twin    the state knows {twin.logical} ({ids}): this one is not in use")
    if found.type.startswith("aws:") and not left.twins:
        lines.append(f"  import  {_import(stack, left)}")
    lines.append(f"  delete  {found.delete}")
    return "\n".join(lines) + "\n"


def _import(stack: str, left: Leftover) -> str:
    wanted, found = left.wanted, left.found
    words = ["pulumi", "import", "--stack", stack, found.type]
    words += [wanted.logical if wanted else "<name>", found.id]
    if wanted and wanted.parent:
        words += ["--parent", f"parent={wanted.parent}"]
    if not (wanted and wanted.protect):
        words.append("--protect=false")
    line = shlex.join(words).replace("'<name>'", "<name>")
    return line if wanted else f"{line}   (<name>: as `pulumi preview` calls it)"
