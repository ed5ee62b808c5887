"""A program's version is raised in the Go module and in the table, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.toolchain.raising import RaiseError, raise_version
from lab.toolchain.tools import TOOLS

HELM = next(tool for tool in TOOLS if tool.name == "helm")
API_SERVER = next(tool for tool in TOOLS if tool.name == "kube-apiserver")

TABLE = f'''\
version="{HELM.version}", release="{HELM.version[1:]}", other="1{HELM.version[1:]}"
version="{API_SERVER.version}", release="{API_SERVER.version[1:]}"
'''
PINS = f"""\
require k8s.io/kubernetes {API_SERVER.version}
replace k8s.io/api => k8s.io/api v0{API_SERVER.version[2:]}
replace example.org/x => example.org/x v0{API_SERVER.version[2:]}
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A table and a Go module, as in this repository."""
    (tmp_path / "kubernetes").mkdir()
    (tmp_path / "tools.py").write_text(TABLE)
    (tmp_path / "kubernetes" / "go.mod").write_text(PINS)
    (tmp_path / "kubernetes" / "go.sum").write_text("sums\n")
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
    first, second = (modules / "tools.py").read_text().splitlines()
    assert first == f'version="v9.8.7", release="9.8.7", other="1{HELM.version[1:]}"'
    assert second == TABLE.splitlines()[1]


def test_the_modules_that_kubernetes_publishes_follow_it(modules: Path) -> None:
    raise_version(API_SERVER, "v1.99.3", go(modules, "cp go.mod seen"), modules)
    assert (modules / "kubernetes" / "seen").read_text().splitlines()[1:] == [
        "replace k8s.io/api => k8s.io/api v0.99.3",
        f"replace example.org/x => example.org/x v0{API_SERVER.version[2:]}",
    ]


def test_a_version_that_go_refuses_changes_no_file(modules: Path) -> None:
    refuses = go(modules, "echo spoiled > go.mod; echo 'unknown revision v9.8.7' >&2; exit 1")
    with pytest.raises(RaiseError, match=r"for helm: unknown revision v9\.8\.7"):
        raise_version(HELM, "v9.8.7", refuses, modules)
    assert (modules / "tools.py").read_text() == TABLE
    assert (modules / "kubernetes" / "go.mod").read_text() == PINS
