"""Records in ECR what is pushed to the registry, so that ECR lists and describes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import requests
from botocore.exceptions import ClientError

from lab.aws_account import Account
from lab.site import Site
from settings.environment import Settings


def pushed_tags(events: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(repository, tag, digest) of every tag that a registry's notification says was pushed."""
    for event in events.get("events", []):
        target = event.get("target", {})
        if event.get("action") == "push" and target.get("tag"):
            yield target["repository"], target["tag"], target["digest"]


def record_pushes(site: Site, settings: Settings, tags: Iterable[tuple[str, str, str]]) -> None:
    """Record every tag in the ECR of the account that owns the registry.

    If ECR refuses a tag, the log says so. The registry has the image all the same.
    """
    owner = settings.registry_owner
    ecr = Account(site, owner.account, owner.region).client("ecr")
    for repository, tag, digest in tags:
        manifest = requests.get(
            f"{site.url('registry')}/v2/{repository}/manifests/{digest}",
            headers={"Accept": "*/*"},
            timeout=5,
        )
        try:
            manifest.raise_for_status()
            ecr.put_image(
                repositoryName=repository,
                imageManifest=manifest.text,
                imageManifestMediaType=manifest.headers["Content-Type"],
                imageTag=tag,
                imageDigest=digest,
            )
            print(f"{repository}:{tag} is {digest}", flush=True)
        except (ClientError, requests.RequestException) as error:
            print(f"{repository}:{tag} was not recorded: {error}", flush=True)
