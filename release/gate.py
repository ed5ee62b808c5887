"""What a promotion has to prove of a version: its digest, and that it ran where it is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from release.configuration import SEVERITIES, Platform
from release.history import Event
from release.registry import Image, Images, Registry
from release.versions import is_digest


class Asked(NamedTuple):
    """How a promotion is asked for."""

    offline: bool
    untested: bool
    unverified: bool
    accepted: str
    hotfix: bool = False


class Proof(NamedTuple):
    """A version that may be released."""

    digest: str
    untested: bool
    unverified: bool
    hotfix: bool = False


class Evidence:
    """What Git and the registry say of the versions of one service."""

    def __init__(
        self,
        service: str,
        platform: Platform,
        events: Iterable[Event],
        images: Optional[Images],
        follows_tag: bool,
    ) -> None:
        """`events` are the service's own; `images` is None where the registry was not asked."""
        self.service, self._platform, self._images = service, platform, images
        self._events = list(events)
        self._follows_tag = follows_tag

    def recorded(self, version: str) -> list[tuple[str, str]]:
        """(environment, digest) that Git records of a version, the fast environment's first."""
        fast = self._platform.fast.name
        found = [
            (e.place.environment, e.now.digest)
            for e in self._events
            if e.now.tag == version and is_digest(e.now.digest)
        ]
        return list(dict.fromkeys(sorted(found, key=lambda pair: pair[0] != fast)))

    def ran(self, version: str, digest: str) -> bool:
        """Whether the fast environment ran exactly this."""
        fast = self._platform.fast
        if (fast.name, digest) in self.recorded(version):
            return True
        if self._images is None:
            return False
        image = self._images.tagged(version)
        if image is None or image.digest != digest:
            return False
        followed = self._follows_tag and (fast.moving_tag or fast.name) in image.tags
        return followed or self.is_verified(version, digest)

    def image(self, version: str) -> Optional[Image]:
        """What the registry has under the version."""
        return self._images.tagged(version) if self._images else None

    def is_verified(self, version: str, digest: str) -> bool:
        image = self._images.tagged(f"verified-{version}") if self._images else None
        return image is not None and image.digest == digest

    def is_hotfix(self, version: str, digest: str) -> bool:
        """Whether its pipeline built it on a branch of hotfixes."""
        image = self._images.tagged(f"hotfix-{version}") if self._images else None
        return image is not None and image.digest == digest

    def since(self, version: str) -> int:
        """When the version was first heard of, in seconds; 0 where it never was."""
        times = [e.seconds for e in self._events if e.now.tag == version]
        image = self._images.tagged(version) if self._images else None
        return min([*times, *([image.pushed] if image else [])], default=0)

    def is_newer(self, version: str, than: str) -> bool:
        """By the day in the name; within a day, by when it was first heard of."""
        if version[:9] != than[:9]:
            return version[:9] > than[:9]
        return version != than and self.since(version) > self.since(than)

    def subject(self, version: str) -> str:
        return next(
            (
                e.subject
                for e in self._events
                if e.now.tag == version and e.kind != "edit" and e.subject
            ),
            "",
        )


def prove(
    evidence: Evidence, version: str, asked: Asked, platform: Platform, problems: list[str]
) -> Optional[Proof]:
    """What `version` is, if it may be released as it was asked; otherwise adds to `problems`."""
    service, fast = evidence.service, platform.fast.name
    if platform.is_foreign(service):
        digest = _last_seen(evidence, version, fast, problems)
    else:
        digest = _digest(evidence, version, asked.offline, problems)
    if digest is None:
        return None
    if asked.hotfix:
        if evidence.is_hotfix(version, digest):
            return Proof(digest, untested=False, unverified=False, hotfix=True)
        problems.append(
            f"{service}: {version} is no hotfix (the registry has no tag hotfix-{version} on it); "
            "promote it as every version, without --hotfix"
        )
        return None
    # What does not live there cannot be tried there.
    untested = platform.lives_in(fast, service) and not evidence.ran(version, digest)
    if untested and not asked.untested:
        problems.append(
            f"{service}: {version} never ran on {fast}; let it run there first, or add "
            f"{'--hotfix' if evidence.is_hotfix(version, digest) else '--untested'}"
        )
        return None
    unverified = platform.asks_for_verification(service) and not evidence.is_verified(
        version, digest
    )
    if unverified and not asked.unverified:
        problems.append(
            f"{service}: {version} was not verified on {fast} (the registry has no tag "
            f"verified-{version} on it); wait for its pipeline, or add --unverified"
        )
        return None
    return Proof(digest, untested, unverified)


def _digest(evidence: Evidence, version: str, offline: bool, problems: list[str]) -> Optional[str]:
    service, recorded = evidence.service, evidence.recorded(version)
    if offline:
        digests = sorted({digest for _, digest in recorded})
        if len(digests) == 1:
            return digests[0]
        problems.append(
            f"{service}: Git records more than one digest of {version}: {', '.join(digests)}; "
            "ask the registry (without --offline)"
            if digests
            else f"{service}: Git does not record the digest of {version}; "
            "ask the registry (without --offline)"
        )
        return None
    image = evidence.image(version)
    if image is None:
        problems.append(
            f"{service}: {version} ran on {recorded[0][0]}, but the registry no longer has it"
            if recorded
            else f"{service}: there is no version {version}; "
            f"list: scripts/promote-to-prod.sh --service {service}"
        )
        return None
    if recorded and image.digest not in {digest for _, digest in recorded}:
        environment, digest = recorded[0]
        problems.append(
            f"{service}: {version} moved: {environment} ran {digest}, the registry now has "
            f"{image.digest}; do not use it, build a new version"
        )
        return None
    return image.digest


def _last_seen(evidence: Evidence, version: str, fast: str, problems: list[str]) -> Optional[str]:
    """The digest with which Git last named a version of a foreign image."""
    recorded = evidence.recorded(version)
    if recorded:
        return recorded[0][1]
    problems.append(
        f"{evidence.service}: Git knows no version {version}; name it in services.yaml with its "
        f"digest, and {fast} runs it first"
    )
    return None


def findings_problems(
    registry: Registry, severity: str, digests: Mapping[str, str]
) -> Iterator[str]:
    """The services, with the digests that are to run, whose scan the stack does not allow."""
    if not severity:
        return
    refused: Sequence[str] = SEVERITIES[SEVERITIES.index(severity) :]
    for service, digest in digests.items():
        found = registry.findings(service, digest)
        if isinstance(found, str):
            yield f"{service}: its scan cannot be read: {found}; to go on: --accept-findings REASON"
            continue
        bad = [f"{found[name]} {name}" for name in reversed(refused) if found[name]]
        if bad:
            yield (
                f"{service}: the scan of {digest[:19]}… found {', '.join(bad)}; build a version "
                "without them, or add --accept-findings REASON, which is recorded"
            )
