"""A new service in the text of `services.yaml`, which keeps everything that people wrote there."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from settings.problems import UserError


class CannotAddError(UserError):
    """The catalogue's text is not written so that an entry can be added to it."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a new service is."""

    name: str
    namespace: str
    owner: str
    source: str
    ci: str
    delivery: str
    port: int | None
    """None for what has no port."""


def entry(answers: Answers) -> list[str]:
    """The lines of the entry, without an indentation."""
    port = (
        f"port: {answers.port} # where it answers HTTP, /healthz too"
        if answers.port
        else "# port: 8080 # where it answers HTTP; without one nothing reaches it"
    )
    return [
        f"{answers.name}:",
        f"  owner: {answers.owner}",
        f"  source: {answers.source}",
        f"  ci: {answers.ci} # or {_OTHER[answers.ci]}",
        f"  delivery: {answers.delivery} # {_DELIVERY[answers.delivery]}",
        f"  {port}",
        *(
            ["  # ingress: true # https://<service>.<domain of the environment>"]
            * bool(answers.port)
        ),
        "  # Workers, cron jobs, volumes, migrations and the rest: docs/services.md",
    ]


_OTHER = {"circleci": "github-actions", "github-actions": "circleci"}
_DELIVERY = {
    "commit": "CI commits the version; or keel: every build at once",
    "keel": "every build at once; or commit: CI commits the version",
}


def added(text: str, answers: Answers) -> str:
    """`text` of the catalogue with the new service at the end of its namespace.

    Raises CannotAddError where the namespaces are written in braces, or the service is there.
    """
    root = yaml.compose(text, yaml.CSafeLoader)
    namespaces = _block(root, "namespaces")
    group = _child(namespaces, answers.namespace)
    if group is None:
        column = _column(namespaces)
        lines = [f"{answers.namespace}:", "  services:", *_indented(entry(answers), 4)]
        return _inserted(text, namespaces, _indented(lines, column))
    services = _block(group, "services")
    if _child(services, answers.name) is not None:
        raise CannotAddError(
            f"services.yaml has a service {answers.name} in {answers.namespace} already; edit it "
            "there, or choose another name"
        )
    return _inserted(text, services, _indented(entry(answers), _column(services)))


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _block(node: yaml.Node | None, key: str) -> yaml.MappingNode:
    """The mapping at `key`, which is written a key a line."""
    found = _child(node, key)
    if isinstance(found, yaml.MappingNode) and found.value and not found.flow_style:
        return found
    raise CannotAddError(
        f"services.yaml has no {key} that are written a key a line; write one by hand first"
    )


def _column(mapping: yaml.MappingNode) -> int:
    column: int = mapping.value[0][0].start_mark.column
    return column


def _indented(lines: list[str], spaces: int) -> list[str]:
    return [f"{' ' * spaces}{line}" for line in lines]


def _inserted(text: str, mapping: yaml.MappingNode, lines: list[str]) -> str:
    """`text` with `lines` behind the last one that the mapping has."""
    written = text.splitlines()
    end = _last_line(mapping)
    while not written[end].strip():
        end -= 1
    return "\n".join([*written[: end + 1], *lines, *written[end + 1 :]]) + "\n"


def _last_line(node: yaml.Node) -> int:
    """The number of the last line of a node; comments behind it are not its own."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    line: int = mark.line
    return line if mark.column else line - 1
