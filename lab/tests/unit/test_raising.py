"""A program's version is raised in the Go module and in the table, or nowhere."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lab.toolchain import tools
from lab.toolchain.raising import TABLE as REAL_TABLE
from lab.toolchain.raising import RaiseError, raise_version, with_version
from lab.toolchain.tools import TOOLS, Tool

HELM = next(tool for tool in TOOLS if tool.name == "helm")
GITEA = next(tool for tool in TOOLS if tool.name == "gitea")
API_SERVER = next(tool for tool in TOOLS if tool.name == "kube-apiserver")

TABLE = f'''\
GO_RELEASE = "{GITEA.version[1:]}"
_KUBERNETES_VERSION = {{"git": "{API_SERVER.version}", "helm": "{HELM.version}"}}

TOOLS: tuple[Tool, ...] = (
    Tool(
        name="helm", version="{HELM.version}", release="{HELM.version[1:]}",
        other="1{HELM.version[1:]}",
    ),
    Tool(
        name="gitea", version="{GITEA.version}", kubernetes="{API_SERVER.version}"
    ),
)
'''
PINS = f"""\
require k8s.io/kubernetes {API_SERVER.version}
replace k8s.io/api => k8s.io/api v0{API_SERVER.version[2:]}
replace example.org/x => example.org/x v0{API_SERVER.version[2:]}
"""
REPLACED = f"""\
require gitea.dev {GITEA.version}
replace gitea.dev => code.gitea.io/gitea {GITEA.version}
replace example.org/x => example.org/x {GITEA.version}
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A table and a Go module, as in this repository."""
    (tmp_path / "tools.py").write_text(TABLE)
    for folder, pins in (("kubernetes", PINS), ("gitea", REPLACED)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "go.mod").write_text(pins)
        (tmp_path / folder / "go.sum").write_text("sums\n")
    return tmp_path


def go(folder: Path, script: str) -> Path:
    """A stand-in for Go; it runs in the folder of the module."""
    program = folder / "go"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_the_module_and_the_table_agree_afterwards(modules: Path) -> None:
    raise_version(HELM, "v9.8.7", go(modules, 'echo "$*" > asked'), modules)
    assert (modules / "kubernetes" / "asked").read_text() == "get helm.sh/helm/v3/cmd/helm@v9.8.7\n"
    old = f'name="helm", version="{HELM.version}", release="{HELM.version[1:]}"'
    new = 'name="helm", version="v9.8.7", release="9.8.7"'
    assert (modules / "tools.py").read_text() == TABLE.replace(old, new)


def test_the_modules_that_kubernetes_publishes_follow_it(modules: Path) -> None:
    raise_version(API_SERVER, "v1.99.3", go(modules, "cp go.mod seen"), modules)
    assert (modules / "kubernetes" / "seen").read_text().splitlines()[1:] == [
        "replace k8s.io/api => k8s.io/api v0.99.3",
        f"replace example.org/x => example.org/x v0{API_SERVER.version[2:]}",
    ]


def test_programs_of_kubernetes_share_their_version(modules: Path) -> None:
    raise_version(API_SERVER, "v1.99.3", go(modules, ":"), modules)
    expected = TABLE.replace(f'"git": "{API_SERVER.version}"', '"git": "v1.99.3"')
    assert (modules / "tools.py").read_text() == expected


def test_a_module_under_another_name_and_the_version_of_go_stay_apart(modules: Path) -> None:
    raise_version(GITEA, "v1.99.3", go(modules, "cp go.mod seen"), modules)
    expected = TABLE.replace(
        f'name="gitea", version="{GITEA.version}"', 'name="gitea", version="v1.99.3"'
    )
    assert (modules / "tools.py").read_text() == expected
    assert (modules / "gitea" / "seen").read_text().splitlines()[1:] == [
        "replace gitea.dev => code.gitea.io/gitea v1.99.3",
        f"replace example.org/x => example.org/x {GITEA.version}",
    ]


def test_a_version_that_go_refuses_changes_no_file(modules: Path) -> None:
    refuses = go(modules, "echo spoiled > go.mod; echo 'unknown revision v9.8.7' >&2; exit 1")
    with pytest.raises(RaiseError, match=r"for helm: unknown revision v9\.8\.7"):
        raise_version(HELM, "v9.8.7", refuses, modules)
    assert (modules / "tools.py").read_text() == TABLE
    assert (modules / "kubernetes" / "go.mod").read_text() == PINS


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_real_table_has_another_version_of_that_module_alone(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = tmp_path / "tools.py"
    raised.write_text(with_version(REAL_TABLE.read_text(), tool, "v1.99.3"))
    module = module_from(raised, monkeypatch)
    there: tuple[Tool, ...] = module.TOOLS
    changed = {one.name for one, was in zip(there, TOOLS, strict=True) if repr(one) != repr(was)}
    assert changed == {one.name for one in TOOLS if one.module == tool.module}
    assert {one.version for one in there if one.name in changed} == {"v1.99.3"}
    assert module.GO_RELEASE == tools.GO_RELEASE


def module_from(file: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("raised", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "raised", module)  # its dataclasses look there
    spec.loader.exec_module(module)
    return module
