"""Git's name of a folder, reckoned without Git."""

from __future__ import annotations

from gitops.file import File, Ownership
from gitops.git_objects import tree_id


def file(text: str) -> File:
    return File(text=text, ownership=Ownership.MANAGED)


def test_an_empty_folder_has_gits_own_name() -> None:
    assert tree_id({}) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_a_folder_has_the_name_that_git_gives_it() -> None:
    """`git write-tree` said it, of a folder beside a file whose names sort the other way."""
    files = {
        "lib/a.txt": file("a\n"),
        "lib.sh": file("#!/bin/sh\n"),
        "lib-x": file("ü\n"),
        "run/deep/b": file("b\n"),
    }
    assert tree_id(files) == "288e3214c90af7aa047cc76a069025ab2bc8b348"


def test_programs_and_several_files_of_a_folder_have_the_names_that_git_gives_them() -> None:
    files = {
        "bin/run": file("#!/bin/sh\n"),
        "bin/a": file("a\n"),
        "bin/deep/b": file("b\n"),
        "bin.d": file("c\n"),
        "go": file("#!/bin/sh\n"),
    }
    assert tree_id(files) == "aa494d9599e52f0698fc7cccd65b21a425e9f8da"
