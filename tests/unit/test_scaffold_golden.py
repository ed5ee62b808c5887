"""The generated repository of the committed configuration, byte for byte.

After an intended change: pytest tests/unit/test_scaffold_golden.py --regenerate
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gitops.file import Tree
from gitops.tree import scaffold
from settings.environment import Settings

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "gitops"


def write(tree: Tree, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, file in tree.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.text, encoding="utf-8")
        target.chmod(0o755 if file.executable else 0o644)


def test_the_generated_repository_is_the_golden_one(
    dev: Settings, prod: Settings, regenerate: bool
) -> None:
    tree = {**scaffold(dev), **scaffold(prod)}
    if regenerate:
        write(tree, GOLDEN)
    found = {
        path.relative_to(GOLDEN).as_posix(): path for path in GOLDEN.rglob("*") if path.is_file()
    }
    assert sorted(found) == sorted(tree), "run with --regenerate if the new set of files is meant"
    for path, file in tree.items():
        assert found[path].read_text(encoding="utf-8") == file.text, path
        assert os.access(found[path], os.X_OK) == file.executable, path
