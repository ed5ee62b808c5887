"""The role that runs Pulumi, restricted to the policies of docs/iam/."""

from __future__ import annotations

import json

from lab.site import CHECKOUT
from lab.tests.environment.conftest import Lab
from settings import load_files
from tools.iam import calls, documents

ROLE = "platform"


def restrict_to_the_policies(lab: Lab) -> None:
    """From now on AWS refuses the role what the generated policies of its stack do not allow."""
    for stack, called in calls.committed().items():
        iam = lab.aws("iam", stack)
        for number, document in enumerate(documents(load_files(stack, CHECKOUT), called), start=1):
            policy = iam.create_policy(
                PolicyName=f"acme-{stack}-deploy-{number}", PolicyDocument=json.dumps(document)
            )
            iam.attach_role_policy(RoleName=ROLE, PolicyArn=policy["Policy"]["Arn"])
    lab.site.checked_roles.write_text(f"{ROLE}\n", encoding="utf-8")
