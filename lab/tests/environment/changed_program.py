"""A copy of the program with other files: another catalogue, other stack files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from lab.overrides import overrides
from lab.site import CHECKOUT, Site

Content = dict[str, Any]
PROGRAM = ("__main__.py", "Pulumi.yaml", "components", "gitops", "release", "settings")


def copied(site: Site, folder: Path) -> Path:
    """The program in a new folder, for the checkout that the lab's own writes into."""
    folder.mkdir()
    for name in PROGRAM:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder)
    checkout = folder / overrides(site)["platform:gitops"]["checkout"]
    checkout.parent.mkdir(parents=True, exist_ok=True)
    checkout.symlink_to(site.gitops_checkout)
    return folder


def read(file: Path) -> Content:
    content: Content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def write(file: Path, content: Content) -> Path:
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file
