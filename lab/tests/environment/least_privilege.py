"""The role that runs Pulumi, restricted to the policies that `python -m tools.iam` writes."""

from __future__ import annotations

import json

from lab.site import CHECKOUT
from lab.tests.environment.conftest import Lab
from settings.loading import load
from tests.committed import committed
from tools.iam import calls, documents

ROLE = "platform"


def restrict_to_the_policies(lab: Lab) -> None:
    """From now on AWS refuses the role what the generated policies of its stack do not allow."""
    for stack, called in calls.committed().items():
        iam = lab.aws("iam", stack)
        config = committed(stack) | lab.program.trying.get(stack, {})
        settings = load(stack, config, CHECKOUT)
        for number, document in enumerate(documents(settings, called), start=1):
            policy = iam.create_policy(
                PolicyName=f"acme-{stack}-deploy-{number}", PolicyDocument=json.dumps(document)
            )
            iam.attach_role_policy(RoleName=ROLE, PolicyArn=policy["Policy"]["Arn"])
    lab.site.checked_roles.write_text(f"{ROLE}\n", encoding="utf-8")
