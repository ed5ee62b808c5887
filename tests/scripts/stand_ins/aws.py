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
    images = json.loads(file.read_text(encoding="utf-8"))
    _print(jmespath.search(told.query, _answer(told, images)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("service", choices=["ecr"])
    parser.add_argument("operation", choices=["describe-images", "batch-get-image"])
    parser.add_argument("--repository-name", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--registry-id")
    parser.add_argument("--filter", choices=["tagStatus=TAGGED"])
    parser.add_argument("--image-ids")
    parser.add_argument("--output", choices=["text"], required=True)
    parser.add_argument("--query", required=True)
    parser.add_argument("--cli-connect-timeout", type=int)
    parser.add_argument("--cli-read-timeout", type=int)
    return parser.parse_args()


def _answer(told: argparse.Namespace, images: list[dict[str, Any]]) -> dict[str, Any]:
    if told.operation == "describe-images":
        return {"imageDetails": [i for i in images if i.get("imageTags") or not told.filter]}
    tag = told.image_ids.removeprefix("imageTag=")
    found = [i for i in images if tag in i.get("imageTags", [])]
    return {
        "images": [{"imageId": {"imageDigest": i["imageDigest"], "imageTag": tag}} for i in found],
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
