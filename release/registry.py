"""What the registry (ECR) knows of images, asked through the AWS CLI."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Optional, Union

from release.configuration import SEVERITIES, Environment
from release.errors import REMOTE, Failure
from release.git import last_words
from release.processes import Processes
from release.terminal import Terminal, one_line
from release.versions import DIGEST, is_version

_LIMIT = 180
"""Seconds for one answer."""
_MANY = 16
_COUNTED = 5000
_IMAGES = "imageDetails[].[imageDigest, imagePushedAt, join(`,`, imageTags || `[]`)]"
_FINDINGS = "[imageScanStatus.status, {}]".format(
    ", ".join(
        f"imageScanFindings.findingSeverityCounts.{name.upper()} || `0`"
        for name in reversed(SEVERITIES)
    )
)
_SCANNED = ("COMPLETE", "ACTIVE")
"""The states of a scan that has findings, of Amazon Inspector's too."""
_RUNNING = ("PENDING", "IN_PROGRESS")
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_NO_SCAN = "ScanNotFoundException"
_COUNT = re.compile(r"[0-9]{1,9}")
_TAG = re.compile(r"[\w][\w.-]{0,127}")
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)


class Image(NamedTuple):
    """One image of a service."""

    digest: str
    pushed: int
    """When, in seconds since 1970."""
    tags: tuple[str, ...]

    @property
    def versions(self) -> list[str]:
        return sorted((tag for tag in self.tags if is_version(tag)), reverse=True)


class Images(NamedTuple):
    """The tagged images of a service."""

    images: tuple[Image, ...]

    def tagged(self, tag: str) -> Optional[Image]:
        return next((image for image in self.images if tag in image.tags), None)


class Registry:
    """Asks about each service once."""

    def __init__(
        self,
        processes: Processes,
        environ: Mapping[str, str],
        terminal: Terminal,
        environment: Environment,
    ) -> None:
        self._processes, self._terminal, self._where = processes, terminal, environment
        quiet = {"AWS_PAGER": "", "AWS_CLI_AUTO_PROMPT": "off"}
        self._environ = {"AWS_MAX_ATTEMPTS": "2", **environ, **quiet}
        self._answers: dict[str, Union[Images, str]] = {}

    def ask(self, services: Iterable[str]) -> dict[str, Images]:
        """The images of each service that the registry answers for; see `silent` for the others."""
        wanted = list(dict.fromkeys(services))
        unasked = [service for service in wanted if service not in self._answers]
        if len(unasked) > _MANY:
            self._terminal.note(f"asking the registry about {len(unasked)} services ...")
        answers = self._processes.together(self._images, unasked)
        self._answers.update(zip(unasked, answers))
        found = {service: self._answers[service] for service in wanted}
        return {service: answer for service, answer in found.items() if isinstance(answer, Images)}

    def silent(self, services: Iterable[str]) -> dict[str, str]:
        """Why the registry did not answer for some of the services."""
        found = {service: self._answers.get(service) for service in services}
        return {service: answer for service, answer in found.items() if isinstance(answer, str)}

    def require(self, services: Iterable[str]) -> dict[str, Images]:
        """The images of every service. Raises Failure where the registry does not answer."""
        wanted = list(services)
        found = self.ask(wanted)
        silent = self.silent(wanted)
        if silent:
            raise Failure(
                REMOTE,
                f"the registry did not answer for {describe(silent)}",
                "nothing was changed; check your AWS credentials (aws sts get-caller-identity),",
                "or promote by what Git records alone: --offline",
            )
        return found

    def _images(self, service: str) -> Union[Images, str]:
        answer = self._run(
            "describe-images", service, "--filter", "tagStatus=TAGGED", query=_IMAGES
        )
        if isinstance(answer, str):
            return answer
        found = []
        for line in answer[0].split("\n"):
            if not line.strip():
                continue
            image = _image(line.rstrip("\r"))
            if image is None:
                return f"the AWS CLI answered what is no list of images: {one_line(line)[:80]!r}"
            found.append(image)
        tagged = [tag for image in found for tag in image.tags]
        twice = (
            sorted({tag for tag in tagged if tagged.count(tag) > 1})
            if len(tagged) < _COUNTED
            else []
        )
        if len(set(tagged)) < len(tagged) and twice:
            return f"the registry says of {twice[0]} that two images have it"
        return Images(tuple(found))

    def findings(self, service: str, digest: str) -> Union[dict[str, int], str]:
        """How many findings of each severity the scan of an image has, or why nobody knows.

        ECR scans no index, but the image of each platform in it: the worst of them counts.
        """
        found = self._scan(service, digest)
        of_platforms = self._platforms(service, digest) if isinstance(found, str) else []
        if not of_platforms:
            return found
        worst = dict.fromkeys(SEVERITIES, 0)
        for one in of_platforms:
            counts = self._scan(service, one)
            if isinstance(counts, str):
                return f"{one[:19]}…, which is in it: {counts}"
            worst = {name: max(number, counts[name]) for name, number in worst.items()}
        return worst

    def _platforms(self, service: str, digest: str) -> list[str]:
        """The digests of the images in an index; none of what is no index, or not known."""
        answer = self._run(
            "batch-get-image",
            service,
            "--image-ids",
            f"imageDigest={digest}",
            "--accepted-media-types",
            *_INDEXES,
            query="images[0].imageManifest",
        )
        try:
            listed = json.loads(answer[0])["manifests"] if isinstance(answer, tuple) else []
            digests = [
                str(one["digest"])
                for one in listed
                if one.get("platform", {}).get("os") != "unknown"  # a signature, an attestation
            ]
            return digests if all(map(DIGEST.fullmatch, digests)) else []
        except (ValueError, KeyError, TypeError, AttributeError):
            return []

    def _scan(self, service: str, digest: str) -> Union[dict[str, int], str]:
        answer = self._run(
            "describe-image-scan-findings",
            service,
            "--image-id",
            f"imageDigest={digest}",
            "--no-paginate",  # a page has 100 findings, and the counts of all
            query=_FINDINGS,
        )
        if isinstance(answer, str):
            return "it was not scanned" if _NO_SCAN in answer else answer
        status, *counts = answer[0].split() or [""]
        if len(counts) != len(SEVERITIES) or not all(map(_COUNT.fullmatch, counts)):
            return (
                f"the AWS CLI answered what is no count of findings: {one_line(answer[0])[:80]!r}"
            )
        if status in _RUNNING:
            return f"it is {status}: try again in a minute"
        if status not in _SCANNED:
            return f"it is {status}"
        return dict(zip(reversed(SEVERITIES), map(int, counts)))

    def _run(self, operation: str, service: str, *words: str, query: str) -> Union[tuple[str], str]:
        """What the AWS CLI prints, alone in a tuple; or why it does not answer."""
        command = [
            "aws", "ecr", operation, "--registry-id", self._where.account, "--region",
            self._where.region, "--repository-name", service, *words, "--cli-connect-timeout", "5",
            "--cli-read-timeout", "20", "--output", "text", "--query", query,
        ]  # fmt: skip
        try:
            ran = self._processes.run(command, environ=self._environ, timeout=_LIMIT)
        except (FileNotFoundError, PermissionError):
            return "the AWS CLI (aws) is not installed"
        except OSError as error:
            return f"the AWS CLI (aws) cannot be run: {error.strerror}"
        except subprocess.TimeoutExpired:
            return f"no answer within {_LIMIT} s"
        if ran.code:
            return (
                one_line(last_words(ran.words))
                if ran.words.strip()
                else f"aws ended with {ran.code}"
            )
        return (ran.text,)


def describe(silent: Mapping[str, str]) -> str:
    first, reason = next(iter(silent.items()))
    more = f" (and {len(silent) - 1} more)" if len(silent) > 1 else ""
    return f"{first}: {reason}{more}"


def _image(line: str) -> Optional[Image]:
    fields = line.split("\t")
    if len(fields) != len(Image._fields) or not DIGEST.fullmatch(fields[0]):
        return None
    pushed = _seconds(fields[1])
    tags = tuple(tag for tag in fields[2].split(",") if tag)
    if pushed is None or not all(_TAG.fullmatch(tag) for tag in tags):
        return None
    return Image(fields[0], pushed, tags)


def _seconds(stamp: str) -> Optional[int]:
    if re.fullmatch(r"\d+(\.\d+)?([eE]\+?\d+)?", stamp):
        return int(min(float(stamp), 1e12))
    found = _TIME.fullmatch(stamp)
    if found is None:
        return None
    *parts, zone = found.groups()
    offset = timedelta()
    if zone and zone != "Z":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        offset = timedelta(minutes=minutes if zone[0] == "+" else -minutes)
    try:
        year, month, day, hour, minute, second = map(int, parts)
        when = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc) - offset
    except (ValueError, OverflowError):
        return None
    return int(when.timestamp())
