"""The authenticator: which tokens of `aws eks get-token` it accepts, and as which user."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.credentials import Credentials
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from hypothesis import given
from hypothesis import strategies as st

from lab import presigned
from lab.daemons.authenticator import admit
from lab.eks_token import LIFETIME, PREFIX, RefusedError, decode, principal, require_valid

KEY = Credentials("ASIAEXAMPLE", "a secret key", "a session's token")
HOST = "sts.eu-central-1.amazonaws.com"
CALLER = "arn:aws:sts::123456789012:assumed-role/gaming/gale"
ENTRY = {
    "clusterName": "acme-dev",
    "principalArn": "arn:aws:iam::123456789012:role/gaming",
    "kubernetesGroups": ["team:gaming"],
}


def url(cluster: str | None = "acme-dev") -> str:
    """What `aws eks get-token` signs, signed as it does."""
    events = HierarchicalEmitter()  # the signer itself refers to it weakly
    signer = RequestSigner(ServiceId("STS"), "eu-central-1", "sts", "v4", KEY, events)
    request = {
        "method": "GET",
        "url": f"https://{HOST}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster} if cluster else {},
        "context": {},
    }
    signed: str = signer.generate_presigned_url(
        request, region_name="eu-central-1", expires_in=60, operation_name=""
    )
    return signed


def token(text: str) -> str:
    return PREFIX + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def verify(cluster: str, secret: str = KEY.secret_key) -> None:
    query = urlsplit(url("acme-dev")).query
    presigned.verify(query, {"host": HOST, "x-k8s-aws-id": cluster}, secret)


def test_a_fresh_token_is_decoded_into_the_call_that_it_holds() -> None:
    call = decode(token(url()))

    require_valid(call, datetime.now(UTC))
    assert call.host == HOST
    assert presigned.claims(call.query)["X-Amz-Credential"].startswith("ASIAEXAMPLE/")


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (LIFETIME + timedelta(seconds=1), "expired"),
        (timedelta(minutes=-2), "in the future"),
    ],
)
def test_a_token_out_of_its_time_is_refused(age: timedelta, reason: str) -> None:
    call = decode(token(url()))

    with pytest.raises(RefusedError, match=reason):
        require_valid(call, call.signed + age)


def test_a_token_that_names_no_cluster_is_refused() -> None:
    call = decode(token(url(cluster=None)))

    with pytest.raises(RefusedError, match="x-k8s-aws-id"):
        require_valid(call, call.signed)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "eyJhbGciOiJSUzI1NiJ9.e30.x",
        PREFIX + "%%%",
        token(f"https://{HOST}/?" + urlencode({"Action": "GetCallerIdentity"})),
        token(url().replace("GetCallerIdentity", "AssumeRole")),
        token(url() + "&Action=AssumeRole"),
        token(url().replace("/?", "/somewhere?")),
    ],
)
def test_what_is_no_token_of_eks_is_refused(bad: str) -> None:
    with pytest.raises(RefusedError):
        decode(bad)


@given(st.text())
def test_any_text_is_a_token_or_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        decode(PREFIX + text)


def test_a_signature_counts_for_the_cluster_it_was_made_for() -> None:
    verify("acme-dev")

    with pytest.raises(presigned.BadSignatureError):
        verify("acme-prod")


def test_a_signature_by_another_key_is_refused() -> None:
    with pytest.raises(presigned.BadSignatureError):
        verify("acme-dev", secret="another key")


def test_a_changed_query_is_refused() -> None:
    query = urlsplit(url()).query.replace("X-Amz-Expires=60", "X-Amz-Expires=90000")

    with pytest.raises(presigned.BadSignatureError):
        presigned.verify(query, {"host": HOST, "x-k8s-aws-id": "acme-dev"}, KEY.secret_key)


def test_a_caller_is_in_the_groups_of_its_access_entry() -> None:
    user = admit(CALLER, ENTRY, [])

    assert user["username"] == CALLER
    assert user["groups"] == ["team:gaming"]


def test_a_session_is_named_as_eks_names_it() -> None:
    named = {**ENTRY, "username": CALLER.rpartition("/")[0] + "/{{SessionName}}"}
    assert admit(CALLER, named, [])["username"] == CALLER


@pytest.mark.parametrize(
    ("policy", "scope", "groups"),
    [
        ("AmazonEKSClusterAdminPolicy", "cluster", ["system:masters", "team:gaming"]),
        ("AmazonEKSClusterAdminPolicy", "namespace", ["team:gaming"]),
        ("AmazonEKSViewPolicy", "cluster", ["team:gaming"]),
    ],
)
def test_only_the_cluster_admin_policy_over_the_whole_cluster_makes_an_administrator(
    policy: str, scope: str, groups: list[str]
) -> None:
    bound = {
        "policyArn": f"arn:aws:eks::aws:cluster-access-policy/{policy}",
        "accessScope": {"type": scope},
    }

    assert admit(CALLER, ENTRY, [bound])["groups"] == groups


def test_a_roles_path_does_not_matter_and_its_account_does() -> None:
    in_a_path = principal("arn:aws:iam::123456789012:role/teams/shop/gaming")

    assert in_a_path == principal(CALLER)
    assert in_a_path != principal(CALLER.replace("123456789012", "210987654321"))
    assert principal("arn:aws:iam::1:user/gaming") == "arn:aws:iam::1:user/gaming"
