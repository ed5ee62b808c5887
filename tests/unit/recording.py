"""A recording engine: runs a piece of the program and gives back every resource it registered.

    recording = record(lambda: Network("network", args))
    vpc = recording.one("aws:ec2/vpc:Vpc")
    assert vpc.inputs["cidrBlock"] == "10.0.0.0/16"

Nothing is returned before all registrations have drained, so absence can be asserted.
"""

# mypy: disable-error-code="no-untyped-call,no-any-return"
# The SDK's own mock engine has no types.
from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi import ResourceHook
from pulumi.runtime import resource, rpc
from pulumi.runtime.config import set_all_config
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.proto import provider_pb2, resource_pb2
from pulumi.runtime.proto.source_pb2 import StackTrace
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

ACCOUNT = "123456789012"
REGION = "eu-central-1"
PROJECT = "two-speed-gitops"

STACK_REFERENCE = "pulumi:pulumi:StackReference"
_SECRET = "4dabf18193072939515e22adb298388d"

Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What a cloud computes: outputs as they are, or made from the inputs; keys are camelCase."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One registered resource; `inputs` have camelCase keys and hold secrets in the clear."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    """The top-level inputs that are secret, or have a secret inside."""
    urn: str
    parent: str
    """The parent's URN."""
    depends_on: frozenset[str]
    """The URNs that this resource waits for, declared or through its inputs."""
    provider: str
    """`<urn>::<id>` of an explicit provider, else empty."""
    custom: bool
    """False for components."""
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    delete_before_replace: bool | None
    """None where that is left to the provider."""
    replacement_trigger: str
    """A value whose change replaces it; empty where there is none."""
    timeouts: Mapping[str, str]
    """How long an operation may take, where the program says so."""
    hooks: Mapping[str, ResourceHook]
    """What the program does around an operation, by its moment, such as `before_create`."""


@dataclass(frozen=True, kw_only=True)
class Called:
    """One invoked function of a provider."""

    token: str
    inputs: Mapping[str, Any]
    provider: str
    """`<urn>::<id>` of an explicit provider, else empty."""


@dataclass
class Recording:
    """What one run of the program registered, invoked and returned."""

    resources: list[Recorded] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)
    """The URN of its parent, by the name of each resource that was read and not made."""
    component_outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What every component passed to register_outputs, by its URN."""
    result: Any = None
    """The value that the program returned; an Output's value when it returned an Output."""

    def of(self, type_: str) -> list[Recorded]:
        """Every resource of the type, sorted by name; fails where there is none."""
        found = [resource for resource in self.resources if resource.type == type_]
        assert found, (
            f"no resource is {type_}; registered: {sorted({r.type for r in self.resources})}"
        )
        return found

    def assert_none(self, type_: str) -> None:
        """No resource is of the type."""
        found = [resource.name for resource in self.resources if resource.type == type_]
        assert not found, f"{type_}: {found}"

    def one(self, type_: str, name: str | None = None) -> Recorded:
        """The only resource of the type, or the one of that name."""
        found = [r for r in self.of(type_) if name is None or r.name == name]
        assert len(found) == 1, (
            f"{len(found)} resources are {type_} {name or ''}; "
            f"registered: {sorted((r.type, r.name) for r in self.resources)}"
        )
        return found[0]

    def waits_for(self, one: Recorded, other: Recorded) -> bool:
        """Whether `one` is created after `other`, directly or by way of others."""
        by_urn = {resource.urn: resource for resource in self.resources}
        open_, seen = [one.urn], set[str]()
        while open_:
            urn = open_.pop()
            if urn in seen or urn not in by_urn:
                continue
            seen.add(urn)
            open_.extend(by_urn[urn].depends_on)
        return other.urn in seen - {one.urn}


def as_texts(config: Mapping[str, Any]) -> dict[str, str]:
    """The values of a stack file as Pulumi hands them over: whatever is no text as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }


def record(
    program: Callable[[], Any],
    *,
    stack: str = "dev",
    preview: bool = False,
    answers: Mapping[str, Answer] | None = None,
    stack_outputs: Mapping[str, Mapping[str, Any]] | None = None,
    config: Mapping[str, str] | None = None,
    secrets: Iterable[str] = (),
    root: Path | None = None,
) -> Recording:
    """Run `program` to its end and return what it registered.

    answers: by resource type or function token, what the cloud computes; added to ANSWERS.
    stack_outputs: what StackReferences read, by `organization/<project>/<stack>`.
    config: raw Pulumi configuration; `secrets` are those of its keys that are secret.
    preview: outputs of resources are unknown, as in a first `pulumi preview`.
    root: the folder of the project, where the program asks for it.
    """
    cloud = _Cloud({**ANSWERS, **(answers or {})}, stack_outputs or {}, preview)
    recording = Recording()
    set_all_config(dict(config or {}), list(secrets))
    monitor = _RecordingMonitor(cloud, recording)
    set_mocks(
        cloud,
        project=PROJECT,
        stack=stack,
        preview=preview,
        organization="organization",
        monitor=monitor,
    )
    SETTINGS.callbacks = monitor
    SETTINGS.root_directory = str(root) if root else None
    SETTINGS.outputs.clear()  # of a program before, which ended in an error

    def run() -> None:
        recording.result = _sync_await(pulumi.Output.from_input(program()).future())

    try:
        # Nothing here reads where a resource was made, which takes long to find out.
        with patch.object(resource, "_get_stack_trace", StackTrace):
            _sync_await(run_pulumi_func(run))
    finally:
        set_all_config({})
    recording.resources.sort(key=lambda resource: (resource.type, resource.name))
    return recording


class _RecordingMonitor(MockMonitor):
    """Keeps the options of a registration too, which the SDK's own mock drops."""

    def __init__(self, mocks: Mocks, recording: Recording) -> None:
        super().__init__(mocks)
        self.recording = recording
        self.hooks: dict[str, ResourceHook] = {}

    def register_resource_hook(self, hook: ResourceHook) -> None:
        """In place of the server on which the engine calls the program back."""
        self.hooks[hook.name] = hook

    def hooks_of(self, request: resource_pb2.RegisterResourceRequest) -> Mapping[str, ResourceHook]:
        return {
            moment.name: self.hooks[name]
            for moment, names in request.hooks.ListFields()
            for name in names
        }

    def Invoke(  # noqa: N802 -- the engine's name, as are those below
        self, request: resource_pb2.ResourceInvokeRequest
    ) -> provider_pb2.InvokeResponse:
        inputs = rpc.deserialize_properties(request.args)
        self.recording.calls.append(
            Called(token=request.tok, inputs=inputs, provider=request.provider)
        )
        return super().Invoke(request)

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest
    ) -> resource_pb2.ReadResourceResponse:
        self.recording.read[request.name] = request.parent
        return super().ReadResource(request)

    def RegisterResource(  # noqa: N802
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        response = super().RegisterResource(request)
        if request.type == "pulumi:pulumi:Stack":
            return response
        raw = rpc.deserialize_properties(request.object, keep_unknowns=True)
        self.recording.resources.append(
            Recorded(
                type=request.type,
                name=request.name,
                inputs=_in_the_clear(raw),
                secret_inputs=frozenset(key for key, value in raw.items() if _has_secret(value)),
                urn=response.urn,
                parent=request.parent,
                depends_on=frozenset(request.dependencies)
                | {
                    urn
                    for dependencies in request.propertyDependencies.values()
                    for urn in dependencies.urns
                },
                provider=request.provider
                or next((request.providers[key] for key in sorted(request.providers)), ""),
                custom=request.custom,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
                replace_on_changes=tuple(request.replaceOnChanges),
                delete_before_replace=(
                    request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
                ),
                replacement_trigger=request.replacement_trigger.string_value,
                timeouts={
                    operation.name: duration
                    for operation, duration in request.customTimeouts.ListFields()
                },
                hooks=self.hooks_of(request),
            )
        )
        return response

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> object:
        outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        self.recording.component_outputs[request.urn] = _in_the_clear(outputs)
        return super().RegisterResourceOutputs(request)


class _Cloud(Mocks):
    def __init__(
        self,
        answers: Mapping[str, Answer],
        stack_outputs: Mapping[str, Mapping[str, Any]],
        preview: bool,
    ) -> None:
        self.answers = answers
        self.stack_outputs = stack_outputs
        self.preview = preview

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.typ == STACK_REFERENCE:
            name = args.inputs["name"]
            return name, {"name": name, "outputs": dict(self.stack_outputs.get(name, {}))}
        if self.preview and args.custom and not args.resource_id:
            return None, dict(args.inputs)
        state = {"arn": _arn(args), **args.inputs, **self._answer(args.typ, args.inputs)}
        return state.pop("id", f"{args.name}-id"), state

    def call(  # type: ignore[override]
        self, args: MockCallArgs
    ) -> dict[str, Any]:
        assert args.token in self.answers, f"no answer to {args.token} is prepared for the test"
        return self._answer(args.token, args.args)

    def _answer(self, token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.answers.get(token, {})
        return dict(answer(inputs) if callable(answer) else answer)


def _arn(args: MockResourceArgs) -> str:
    """`aws:iam/role:Role` named deployer as `arn:aws:iam::123456789012:role/deployer`."""
    _, _, rest = args.typ.partition(":")
    service, _, kind = rest.partition(":")[0].partition("/")
    region = "" if service == "iam" else REGION
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{kind}/{args.inputs.get('name', args.name)}"


def _in_the_clear(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get(_SECRET):
            return _in_the_clear(value["value"])
        return {key: _in_the_clear(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_the_clear(item) for item in value]
    return value


def _has_secret(value: object) -> bool:
    if isinstance(value, Mapping):
        return bool(value.get(_SECRET)) or any(map(_has_secret, value.values()))
    return isinstance(value, list) and any(map(_has_secret, value))


ANSWERS: Mapping[str, Answer] = {
    "aws:ecr/repository:Repository": lambda inputs: {
        "registryId": ACCOUNT,
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{inputs['name']}",
    },
    "aws:acm/certificate:Certificate": lambda inputs: {
        "domainValidationOptions": [
            {
                "domainName": name,
                "resourceRecordName": f"_proof.{name.removeprefix('*.')}",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_proof.acm-validations.aws",
            }
            for name in inputs["subjectAlternativeNames"]
        ]
    },
    "aws:ec2/eip:Eip": lambda inputs: {"allocationId": f"eipalloc-{inputs['tags']['Name']}"},
    "aws:route53/getZone:getZone": {"zoneId": "Z0123456789ABCDEFGHIJ"},
    "aws:route53/record:Record": lambda inputs: {"fqdn": inputs["name"]},
    "aws:eks/nodeGroup:NodeGroup": {
        "resources": [{"autoscalingGroups": [{"name": "eks-general-0c1a2b3c"}]}]
    },
    "aws:eks/cluster:Cluster": {
        "endpoint": "https://0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
        "certificateAuthority": {"data": "Y2VydGlmaWNhdGU="},
        "vpcConfig": {"clusterSecurityGroupId": "sg-0c1a2b3c4d5e6f708"},
    },
    "aws:ec2/vpc:Vpc": {"defaultSecurityGroupId": "sg-0d1a2b3c4d5e6f708"},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "pulumi:pulumi:readStackOutputs": {"outputs": {}},
    "aws:iam/getRoles:getRoles": {
        "arns": [
            f"arn:aws:iam::{ACCOUNT}:role/{r}" for r in ("platform", "gaming", "tvhub", "support")
        ]
    },
    "aws:index/getAvailabilityZones:getAvailabilityZones": {
        "names": [f"{REGION}{letter}" for letter in "abc"],
        "zoneIds": ["euc1-az2", "euc1-az3", "euc1-az1"],
    },
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": lambda inputs: {
        "locations": [
            f"{REGION}{letter}" for letter in "abc" for _ in inputs["filters"][0]["values"]
        ],
        "instanceTypes": inputs["filters"][0]["values"] * 3,
    },
    "aws:ec2/getInstanceType:getInstanceType": {"defaultVcpus": 2},
    "aws:servicequotas/getServiceQuota:getServiceQuota": {"value": 1000.0},
    "aws:ec2/getVpcs:getVpcs": {"ids": []},
    "aws:ec2/getEips:getEips": {"allocationIds": []},
    "aws:ec2/getSubnets:getSubnets": {"ids": []},
    "aws:eks/getClusters:getClusters": {"names": []},
    "aws:ecr/getRepositories:getRepositories": {"names": []},
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": {
        "arn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/example",
        "tags": {"Organization": "acme", "Environment": "dev", "ManagedBy": "pulumi"},
    },
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:role/platform",
        "id": ACCOUNT,
        "userId": "AROAEXAMPLE",
    },
}
"""What AWS computes for the types and functions that the program uses."""
