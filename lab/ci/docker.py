"""`docker`, as far as the pipelines use it: an image has the files of the build's folder.

Images that were built and not pushed are in $LAB_HOME/docker.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import boto3
from botocore.exceptions import ClientError

from lab import images
from lab.site import Site
from lab.waiting import wait_until_empty


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one docker command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="docker")
    commands = parser.add_subparsers(dest="command", required=True)
    login = commands.add_parser("login")
    login.add_argument("--username")
    login.add_argument("--password-stdin", action="store_true")
    login.add_argument("registry")
    build = commands.add_parser("build")
    build.add_argument("--pull", action="store_true")
    build.add_argument("--label", action="append", default=[])
    build.add_argument("--tag", action="append", required=True)
    for option in ("--file", "--target", "--build-arg", "--secret"):
        build.add_argument(option, action="append")  # taken, and of no effect on the bytes
    build.add_argument("folder", type=Path)
    tag = commands.add_parser("tag")
    tag.add_argument("source")
    tag.add_argument("target")
    commands.add_parser("push").add_argument("image")
    options = parser.parse_args(arguments)
    engine = Engine(Site.from_environment())
    match options.command:
        case "login":
            return 0 if sys.stdin.read().strip() else 1
        case "build":
            engine.build(options.folder, options.tag, options.label)
        case "tag":
            engine.tag(options.source, options.target)
        case "push":
            engine.push(options.image)
    return 0


class Engine:
    """The images of one machine."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.home / "docker"

    def build(self, context: Path, tags: Sequence[str], labels: Sequence[str]) -> None:
        """Build an image of the labels and every file in `context`, without Git's own."""
        files = {
            str(path.relative_to(context)): path.read_text(errors="replace")
            for path in sorted(context.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(context).parts
        }
        for name in tags:
            self._keep(name, {**files, ".labels": "\n".join(sorted(labels))})

    def tag(self, source: str, target: str) -> None:
        """Give an image a second name."""
        self._keep(target, self._files(source))

    def push(self, image: str) -> None:
        """Push an image; returns when ECR has its record."""
        host, repository, tag = parts(image)
        files = {name: text.encode() for name, text in self._files(image).items()}
        digest = images.push(host, repository, [tag], files)
        wait_until_empty(
            f"ECR's record of {repository}:{tag}",
            lambda: None if digest_in_ecr(repository, tag) == digest else digest,
            seconds=30,
            every=0.1,
        )
        print(f"{tag}: digest: {digest}")

    def _keep(self, image: str, files: dict[str, str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._file(image).write_text(json.dumps(files))

    def _files(self, image: str) -> dict[str, str]:
        if not self._file(image).exists():
            sys.exit(f"docker: there is no image {image}")
        content: dict[str, str] = json.loads(self._file(image).read_text())
        return content

    def _file(self, image: str) -> Path:
        return self.folder / f"{quote(image, safe='')}.json"


def digest_in_ecr(repository: str, tag: str) -> str | None:
    """The digest that ECR has for a tag, None where it knows no such image."""
    try:
        found = boto3.client("ecr").describe_images(
            repositoryName=repository, imageIds=[{"imageTag": tag}]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ImageNotFoundException":
            return None
        raise
    digest: str = found["imageDetails"][0]["imageDigest"]
    return digest


def parts(image: str) -> tuple[str, str, str]:
    """`host/ns/name:tag` or `host/ns/name@digest` as host, repository and reference."""
    host, _, rest = image.partition("/")
    separator = "@" if "@" in rest else ":"
    repository, _, reference = rest.partition(separator)
    return host, repository, reference


if __name__ == "__main__":
    sys.exit(main())
