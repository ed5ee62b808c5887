"""A Go module is compiled without the plugins that nothing uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.toolchain.imports import UnknownImportsError, keep_imports

FILE = "pkg/register.go"
TEXT = """\
package register

import (
	_ "example.com/plugins/aws"
	_ "example.com/plugins/azure" // a comment
	"example.com/kept"
)
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    (folder / "pkg").mkdir(parents=True)
    (folder / FILE).write_text(TEXT)
    (folder / "go.mod").write_text("module example.com\n")
    (folder / FILE).chmod(0o444)
    (folder / "pkg").chmod(0o555)  # as in Go's module cache
    return folder


def test_only_the_named_imports_stay(module: Path, tmp_path: Path) -> None:
    keep_imports(module, tmp_path / "copy", {FILE: ("example.com/plugins/aws",)})
    assert (tmp_path / "copy" / FILE).read_text() == (
        'package register\n\nimport (\n\t_ "example.com/plugins/aws"\n\t"example.com/kept"\n)\n'
    )
    assert (tmp_path / "copy" / "go.mod").read_text() == "module example.com\n"
    assert (module / FILE).read_text() == TEXT


def test_none_may_stay(module: Path, tmp_path: Path) -> None:
    keep_imports(module, tmp_path / "copy", {FILE: ()})
    assert "plugins" not in (tmp_path / "copy" / FILE).read_text()


def test_what_is_not_imported_is_named(module: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownImportsError, match=r"register\.go of the module does not import x"):
        keep_imports(module, tmp_path / "copy", {FILE: ("x",)})


TABLE = """\
package factory

import (
	"context"

	"example.com/dns"
	"example.com/dns/aws"
	"example.com/dns/azure"
)

func all(ctx context.Context) map[string]dns.Constructor {
	return map[string]dns.Constructor{
		dns.AWS:     aws.New,
		dns.Azure:   azure.New,
		dns.Private: azure.NewPrivate,
	}
}
"""


def test_entries_of_a_table_go_with_their_imports(module: Path, tmp_path: Path) -> None:
    (module / FILE).chmod(0o644)
    (module / FILE).write_text(TABLE)
    keep_imports(module, tmp_path / "copy", {FILE: ("example.com/dns/aws",)})
    assert (
        (tmp_path / "copy" / FILE).read_text()
        == """\
package factory

import (
	"context"

	"example.com/dns"
	"example.com/dns/aws"
)

func all(ctx context.Context) map[string]dns.Constructor {
	return map[string]dns.Constructor{
		dns.AWS:     aws.New,
	}
}
"""
    )
