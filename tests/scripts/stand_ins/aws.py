"""The AWS CLI's `ecr` commands that the scripts and pipelines use, over JSON files.

In the folder FAKE_REGISTRY, `<namespace>__<service>.json` holds the images of a repository as ECR's
API gives them. The query is evaluated, so a wrong one fails here as it would at AWS. A file `down`
means no network.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import jmespath

REGISTRY = Path(os.environ["FAKE_REGISTRY"])
OPERATIONS = (
    "describe-images",
    "describe-image-scan-findings",
    "batch-get-image",
    "put-image",
)


def main() -> int:
    with (REGISTRY / "calls").open("a", encoding="utf-8") as calls:
        calls.write(" ".join(sys.argv[1:]) + "\n")
    if (REGISTRY / "down").exists():
        print('Could not connect to the endpoint URL: "https://api.ecr/"', file=sys.stderr)
        return 255
    if sys.argv[1:3] == ["ecr", "get-login-password"]:
        print("password")
        return 0
    if sys.argv[1:3] == ["sts", "get-caller-identity"]:
        return 0 if Path(os.environ["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text() else 255
    told = _arguments()
    file = REGISTRY / f"{told.repository_name.replace('/', '__')}.json"
    if not file.exists():
        print(
            "An error occurred (RepositoryNotFoundException) when calling the DescribeImages "
            f"operation: The repository with name '{told.repository_name}' does not exist",
            file=sys.stderr,
        )
        return 254
    return _asked(told, json.loads(file.read_text(encoding="utf-8")), file)


def _asked(told: argparse.Namespace, images: list[dict[str, Any]], file: Path) -> int:
    if told.operation == "put-image":
        return _move(told, images, file)
    if told.operation == "describe-image-scan-findings":
        return _scan(told, images)
    _print(jmespath.search(told.query, _answer(told, images)))
    return 0


def _move(told: argparse.Namespace, images: list[dict[str, Any]], file: Path) -> int:
    """Puts a tag onto an image that is there, as MOVING_TAG may be moved."""
    (image,) = [i for i in images if i["imageDigest"] == told.image_digest]
    if told.image_tag in image.get("imageTags", []):
        print("An error occurred (ImageAlreadyExistsException)", file=sys.stderr)
        return 254
    if told.image_manifest != _manifest(image) or told.image_tag != os.environ["MOVING_TAG"]:
        print("An error occurred (ImageTagAlreadyExistsException)", file=sys.stderr)
        return 254
    for each in images:
        each["imageTags"] = [tag for tag in each.get("imageTags", []) if tag != told.image_tag]
    image["imageTags"].append(told.image_tag)
    file.write_text(json.dumps(images), encoding="utf-8")
    return 0


def _scan(told: argparse.Namespace, images: list[dict[str, Any]]) -> int:
    """The scan that stands beside the image as `scan`, which ECR's images do not have."""
    (image,) = [i for i in images if told.image_id == f"imageDigest={i['imageDigest']}"]
    if "scan" not in image:
        print("An error occurred (ScanNotFoundException)", file=sys.stderr)
        return 254
    _print(jmespath.search(told.query, image["scan"]))
    return 0


def _manifest(image: dict[str, Any]) -> str:
    if "index" in image:
        return json.dumps({"manifests": image["index"]})
    return json.dumps({"is": image["imageDigest"]})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=["ecr"])
    parser.add_argument("operation", choices=[*OPERATIONS])
    parser.add_argument("--repository-name", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--registry-id")
    parser.add_argument("--filter", choices=["tagStatus=TAGGED"])
    parser.add_argument("--image-ids")
    parser.add_argument("--image-id")
    parser.add_argument("--accepted-media-types", nargs="+")
    parser.add_argument("--no-paginate", action="store_true")
    parser.add_argument("--image-tag")
    parser.add_argument("--image-manifest")
    parser.add_argument("--image-digest")
    parser.add_argument("--output", choices=["text"])
    parser.add_argument("--query", default="@")
    parser.add_argument("--cli-connect-timeout", type=int)
    parser.add_argument("--cli-read-timeout", type=int)
    return parser.parse_args()


def _answer(told: argparse.Namespace, images: list[dict[str, Any]]) -> dict[str, Any]:
    if told.operation == "describe-images":
        return {"imageDetails": [i for i in images if i.get("imageTags") or not told.filter]}
    key, _, value = told.image_ids.partition("=")
    found = [
        i
        for i in images
        if value in (i.get("imageTags", []) if key == "imageTag" else [i["imageDigest"]])
    ]
    return {
        "images": [
            {"imageId": {"imageDigest": i["imageDigest"]}, "imageManifest": _manifest(i)}
            for i in found
            if "index" in i or not told.accepted_media_types
        ],
        "failures": [] if found else [{"failureCode": "ImageNotFound"}],
    }


def _print(result: Any) -> None:
    """As `--output text` does: a list of lists is a line each, a list of scalars is one line."""
    if not isinstance(result, list):
        print(result)
    elif result and isinstance(result[0], list):
        for row in result:
            print("\t".join(str(value) for value in row))
    elif result:
        print("\t".join(str(value) for value in result))


if __name__ == "__main__":
    sys.exit(main())
