"""The keys of a stack file whose values are Pulumi secrets."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SECRETS: Mapping[str, str] = MappingProxyType(
    {
        "gitToken": "a token with which Argo CD reads the GitOps repository, and only that",
        "gitPrivateKey": "in place of gitToken, a deploy key",
        "githubAppPrivateKey": "in place of both, the key of the GitHub App gitops.githubApp",
        "gitWebhookSecret": "what GitHub signs pushes with; other hosts' webhooks are not verified",
        "ssoClientSecret": "of Argo CD at its sign-on provider; without it, PKCE; GitHub needs it",
        "slackToken": "of the Slack app",
        "webhookToken": "the bearer token of the notification webhook",
    }
)
"""`platform:` keys whose values are Pulumi secrets, and what each is: read elsewhere."""
