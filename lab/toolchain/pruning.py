"""A copy of the Terraform AWS provider's Go module with only the services that a table needs.

The module has a Go package for each AWS service, 260 of them, and two generated files that import
them all: the list of services, and the clients of AWS. Compiling everything takes half an hour and
9 GB of memory. The copy has the services that own a name of the table, with those that they import,
and its two lists have no others. Nothing else of the module is changed.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

SERVICES = Path("internal/service")
SERVICE_LIST = Path("internal/provider/sdkv2/service_packages_gen.go")
CLIENT_LIST = Path("internal/conns/awsclient_gen.go")

METHOD = r"^func \(p \*servicePackage\) (\w+)\((.*?)^}"
"""A method of a service's generated code: its name, and all to its end."""

LISTS = {
    "SDKResources": "resources",
    "FrameworkResources": "resources",
    "SDKDataSources": "functions",
    "FrameworkDataSources": "functions",
}
"""The methods that list a service's names, and the section of the table that these belong to."""

Names = dict[str, set[str]]
"""Names in the Terraform provider, by section of the table."""


class UnknownNamesError(Exception):
    """The table has names that the Terraform provider lacks; the message has all of them."""

    def __init__(self, table: Path, unknown: dict[str, list[str]], known: Names) -> None:
        lines = []
        for section, names in unknown.items():
            for name in names:
                close = get_close_matches(name, known[section], n=3)
                hint = f"; close to it: {', '.join(close)}" if close else ""
                lines.append(f"  {section}: {name}{hint}")
        found = "\n".join(lines)
        super().__init__(
            f"{table} has names that the Terraform AWS provider does not:\n{found}\n"
            "Correct them: the right side of a line is the name in the Terraform provider."
        )


def table_names(table: Path) -> Names:
    """The Terraform names in the table, a JSON file of two sections."""
    content = json.loads(table.read_text(encoding="utf-8"))
    return {section: set(content[section].values()) for section in dict.fromkeys(LISTS.values())}


def prune(module: Path, target: Path, table: Path) -> None:
    """Copy to `target` what of the provider's module serves the names of the table.

    Raises:
        UnknownNamesError: the module has no such names.
    """
    services = Services(module)
    kept = services.with_imports(services.owning(table_names(table), table))
    _copy(module, target, kept)
    _keep_services(target / SERVICE_LIST, kept)
    _keep_clients(target)


@dataclass(frozen=True)
class Services:
    """The services of the provider's module: a folder each below `internal/service`."""

    module: Path

    def owning(self, names: Names, table: Path) -> set[str]:
        """The services that own the names of the table."""
        owners = self._owners()
        unknown = {
            section: sorted(name for name in wanted if name not in owners[section])
            for section, wanted in names.items()
        }
        if any(unknown.values()):
            known = {section: set(owners[section]) for section in owners}
            raise UnknownNamesError(table, unknown, known)
        return {owners[section][name] for section in names for name in names[section]}

    def with_imports(self, services: set[str]) -> set[str]:
        """The services, those that they import, those that these import, and so on."""
        pending, kept = set(services), set[str]()
        while pending:
            service = pending.pop()
            kept.add(service)
            for file in _go_files(self.module / SERVICES / service):
                pending |= set(re.findall(r"/internal/service/(\w+)\"", file.read_text())) - kept
        return kept

    def _owners(self) -> dict[str, dict[str, str]]:
        """Each section's names, with the service that owns them."""
        owners: dict[str, dict[str, str]] = {section: {} for section in LISTS.values()}
        for file in sorted((self.module / SERVICES).glob("*/service_package_gen.go")):
            for method, body in re.findall(METHOD, file.read_text(), flags=re.M | re.S):
                if method in LISTS:
                    names = re.findall(r'TypeName: +"(\w+)"', body)
                    owners[LISTS[method]] |= dict.fromkeys(names, file.parent.name)
        return owners


def _go_files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*.go") if not file.name.endswith("_test.go"))


def _copy(module: Path, target: Path, kept: set[str]) -> None:
    """The Go files and what they embed, of the module cache, where all is read-only."""

    def unneeded(folder: str, names: list[str]) -> set[str]:
        here = Path(folder).relative_to(module)
        skipped = {name for name in names if name.endswith("_test.go") or name == "testdata"}
        if here == Path():
            skipped |= set(names) - {"go.mod", "internal", "names", "version", "xpprovider"}
        elif here == Path("internal"):
            skipped |= {"acctest", "generate"}  # they test and write the code that is compiled
        elif here == SERVICES:
            skipped |= {name for name in names if (module / here / name).is_dir()} - kept
        return skipped

    shutil.copytree(module, target, ignore=unneeded, copy_function=shutil.copyfile)
    for folder in (target, *target.rglob("*/")):
        folder.chmod(0o755)
    # The services' embedded texts are a few lines each, and Go wants a match for their pattern.
    for text in (module / SERVICES).glob("*/smarterr.hcl"):
        copied = target / text.relative_to(module)
        copied.parent.mkdir(exist_ok=True)
        shutil.copyfile(text, copied)


def _keep_services(file: Path, kept: set[str]) -> None:
    """Drop from the list of services the imports and the entries of the others."""

    def stays(line: str) -> bool:
        named = re.search(r"/internal/service/(\w+)\"|(\w+)\.ServicePackage\(ctx\),", line)
        return named is None or (named[1] or named[2]) in kept

    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if stays(line)))


def _keep_clients(target: Path) -> None:
    """Drop from the clients of AWS those that nothing in the copy asks for, with their imports."""
    file = target / CLIENT_LIST
    sources = (source.read_text() for source in _go_files(target) if source != file)
    called = {name for source in sources for name in re.findall(r"\.(\w+Client)\(", source)}
    text = _without(
        r"^func \(c \*AWSClient\) (\w+)\(.*?^}\n+", file.read_text(), lambda name: name in called
    )
    used = set(re.findall(r"\*(\w+)\.Client\b", text))
    file.write_text(_without(r'^\t"\S+/service/(\w+)"\n', text, lambda name: name in used))


def _without(pattern: str, text: str, stays: Callable[[str], bool]) -> str:
    """The text without the matches whose first group is none that stays."""
    return re.sub(
        pattern, lambda found: found[0] if stays(found[1]) else "", text, flags=re.M | re.S
    )
