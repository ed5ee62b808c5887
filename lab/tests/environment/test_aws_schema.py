"""The schema of the lab's AWS provider, compared with the Python SDK. Needs no running lab."""

# mypy: disable-error-code="no-untyped-call"
# What the SDK knows of its own types, and the generated protocol, have none for mypy.
from __future__ import annotations

import inspect
import json
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import grpc
import pulumi_aws
import pytest
from google.protobuf import struct_pb2
from pulumi import _types as sdk
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from lab.toolchain import Toolchain
from lab.toolchain.cache import MODULES
from tests.unit.conftest import copied
from tests.unit.extremes import FAST, SAFE, record_extreme

TABLE = json.loads((MODULES / "aws" / "types.json").read_text(encoding="utf-8"))
OFFLINE = {
    "region": "eu-central-1",
    "accessKey": "lab",
    "secretKey": "lab",
    "skipCredentialsValidation": "true",
    "skipRequestingAccountId": "true",
    "skipMetadataApiCheck": "true",
}
"""With these the provider asks AWS nothing before it checks."""
VPC = "urn:pulumi:dev::p::aws:ec2/vpc:Vpc::main"

Shape = Any
"""What a property takes: the shapes of an object's properties, a list's or a map's item, a word."""

NEWER: dict[str, list[str]] = {
    "aws:acm/certificate:Certificate": ["privateKeyWo", "privateKeyWoVersion"],
    "aws:cloudwatch/metricAlarm:MetricAlarm": [
        "evaluationCriteria",
        "evaluationInterval",
        "evaluationWindow",
        "warmUpConfiguration",
    ],
    "aws:ec2/flowLog:FlowLog": ["tagFieldSpecifications"],
    "aws:ec2/getVpc:getVpc": ["ipv6CidrBlockAssociations"],
    "aws:ec2/launchTemplate:LaunchTemplate": ["networkInterfaces[].enaQueueCount"],
    "aws:ec2/route:Route": ["odbNetworkArn"],
    "aws:ec2/routeTable:RouteTable": ["routes[].odbNetworkArn"],
    "aws:eks/addon:Addon": ["namespaceConfig"],
    "aws:eks/cluster:Cluster": [
        "defaultAddonsToRemoves",
        "kubeApiServerConfig",
        "kubeControllerManagerConfig",
        "kubeSchedulerConfig",
        "outpostConfig.controlPlanePlacement.spreadLevel",
        "outpostConfig.etcdInstanceType",
        "outpostConfig.etcdPlacement",
        "vpcConfig.controlPlaneEgressMode",
    ],
    "aws:eks/getCluster:getCluster": [
        "kubeApiServerConfigs",
        "kubeControllerManagerConfigs",
        "kubeSchedulerConfigs",
        "outpostConfigs[].controlPlanePlacements[].spreadLevel",
        "outpostConfigs[].etcdInstanceType",
        "outpostConfigs[].etcdPlacements",
        "vpcConfig.controlPlaneEgressMode",
    ],
    "aws:eks/nodeGroup:NodeGroup": ["warmPoolConfig"],
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": ["policy"],
    "aws:sns/topic:Topic": ["maximumMessageSize"],
}
"""What the SDK has and the provider lacks: the SDK was made from a later Terraform provider than
the newest that can be had as a Go module. A program that sets one of these gets an error."""

NO_LONGER_REQUIRED = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"comparisonOperator", "evaluationPeriods"},
}
"""What the SDK no longer asks for, and the provider does."""


@contextmanager
def provider() -> Iterator[Any]:
    """The provider, started as the engine starts it, and a client for it."""
    program = [str(Toolchain().path("pulumi-resource-aws"))]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            channel = grpc.insecure_channel(
                f"127.0.0.1:{process.stdout.readline().strip()}",
                options=[("grpc.max_receive_message_length", 2**28)],
            )
            yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def schema() -> Iterator[dict[str, Any]]:
    with provider() as client:
        answer = client.GetSchema(provider_pb2.GetSchemaRequest(version=0))
        yield json.loads(answer.schema)


def test_the_provider_serves_what_the_table_names(schema: dict[str, Any]) -> None:
    assert sorted(schema["resources"]) == list(TABLE["resources"])
    functions = sorted(schema["functions"])
    assert functions == [*TABLE["functions"], "pulumi:providers:aws/terraformConfig"]


@pytest.mark.parametrize("stack", [FAST, SAFE], ids=["fast", "safe"])
def test_the_provider_accepts_whatever_the_settings_accept(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = record_extreme(stack, copied(tmp_path), monkeypatch).resources
    ids = {f"{resource.name}-id" for resource in resources}
    with provider() as client:
        client.Configure(provider_pb2.ConfigureRequest(args=struct(OFFLINE)))
        refused = [
            f"{resource.name} ({resource.type}): {failure.property}: {failure.reason}"
            for resource in resources
            if resource.type.startswith("aws:")
            for failure in check(client, resource.type, with_unknown(resource.inputs, ids))
        ]
    assert refused == []


def test_the_provider_refuses_a_name_that_is_too_long() -> None:
    with provider() as client:
        client.Configure(provider_pb2.ConfigureRequest(args=struct(OFFLINE)))
        role = {"name": "x" * 65, "assumeRolePolicy": "{}"}
        (failure,) = check(client, "aws:iam/role:Role", role)
    assert "to be in the range (1 - 64)" in failure.reason


def check(client: Any, token: str, inputs: Mapping[str, Any]) -> Any:
    """The provider's own checks: lengths, patterns, ranges, what excludes what."""
    request = provider_pb2.CheckRequest(
        urn=f"urn:pulumi:dev::p::{token}::one", news=struct(inputs), randomSeed=b"0" * 32
    )
    found = client.Check(request).failures
    # Of what AWS will answer, the recording has nothing.
    return [failure for failure in found if "Missing required argument" not in failure.reason]


def with_unknown(value: Any, ids: Collection[str]) -> Any:
    """`value` as a preview has it: what AWS will answer is unknown."""
    if isinstance(value, Mapping):
        return {name: with_unknown(item, ids) for name, item in value.items()}
    if isinstance(value, list):
        return [with_unknown(item, ids) for item in value]
    return UNKNOWN if value in ids else value


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    filled = struct_pb2.Struct()
    filled.update({name: value for name, value in values.items() if value is not None})
    return filled


@pytest.mark.parametrize("token", TABLE["resources"])
def test_the_inputs_of_a_type_are_those_of_the_sdk(schema: dict[str, Any], token: str) -> None:
    arguments = getattr(module(token), f"{token.rpartition(':')[2]}Args")
    declared = schema["resources"][token]
    assert differences(
        serves(schema, declared["inputProperties"]), wants(sdk.input_type_types(arguments))
    ) == NEWER.get(token, [])
    wanted = {sdk.input_type_py_to_pulumi_names(arguments)[name] for name in required(arguments)}
    demanded = set(declared.get("requiredInputs", []))
    assert demanded - wanted == NO_LONGER_REQUIRED.get(token, set())
    assert wanted <= demanded


@pytest.mark.parametrize("token", TABLE["resources"])
def test_the_outputs_of_a_type_are_those_of_the_sdk(schema: dict[str, Any], token: str) -> None:
    resource = getattr(module(token), token.rpartition(":")[2])
    served_ones = serves(schema, schema["resources"][token]["properties"])
    assert differences(served_ones, wants(sdk.resource_types(resource))) == NEWER.get(token, [])


@pytest.mark.parametrize("token", TABLE["functions"])
def test_a_function_asks_and_answers_as_that_of_the_sdk(schema: dict[str, Any], token: str) -> None:
    name = token.rpartition(":")[2]
    declared = schema["functions"][token]
    function = getattr(module(token), re.sub(r"(?=[A-Z])", "_", name).lower())
    source = inspect.getsource(inspect.unwrap(function))
    arguments = set(re.findall(r"__args__\['(\w+)'\]", source))
    assert set(declared.get("inputs", {}).get("properties", {})) == arguments
    result = getattr(module(token), f"{name[0].upper()}{name[1:]}Result")
    assert differences(
        serves(schema, declared["outputs"]["properties"]), wants(sdk.output_type_types(result))
    ) == NEWER.get(token, [])


def test_the_answer_for_a_type_that_is_not_served_is_the_line_to_add() -> None:
    with provider() as client, pytest.raises(grpc.RpcError) as refusal:
        client.Check(provider_pb2.CheckRequest(urn=VPC.replace("ec2/vpc:Vpc", "sqs/queue:Queue")))
    assert refusal.value.details() == told("aws:sqs/queue:Queue", "resources")
    with provider() as client, pytest.raises(grpc.RpcError) as refusal:
        client.Invoke(provider_pb2.InvokeRequest(tok="aws:sqs/getQueue:getQueue"))
    assert refusal.value.details() == told("aws:sqs/getQueue:getQueue", "functions")


def told(token: str, section: str) -> str:
    text = (MODULES / "aws" / "missing.txt").read_text(encoding="utf-8").strip()
    return text.replace("{token}", token).replace("{section}", section)


# --- what the provider's schema and the SDK say of a type, as shapes

WORDS: Mapping[object, str] = {
    **{str: "string", int: "integer", float: "number", bool: "boolean"},
}


def serves(schema: dict[str, Any], properties: Mapping[str, Any]) -> dict[str, Shape]:
    return {name: served(schema, one) for name, one in sorted(properties.items())}


def served(schema: dict[str, Any], one: Mapping[str, Any]) -> Shape:
    if reference := one.get("$ref"):
        return serves(schema, schema["types"][reference.removeprefix("#/types/")]["properties"])
    match one["type"]:
        case "array":
            return [served(schema, one["items"])]
        case "object":
            return {"*": served(schema, one["additionalProperties"])}
        case word:
            return word


def wants(types: Mapping[str, object]) -> dict[str, Shape]:
    return {name: wanted(one) for name, one in sorted(types.items())}


def wanted(one: Any) -> Shape:
    one = sdk.unwrap_type(one)
    if sdk.is_input_type(one):
        return wants(sdk.input_type_types(one))
    if sdk.is_output_type(one):
        return wants(sdk.output_type_types(one))
    items, origin = get_args(one), get_origin(one)
    if one in WORDS:
        return WORDS[one]
    if origin is Union:  # a document may be given as an object
        return wanted(items[0])
    if issubclass(origin, Mapping):
        return {"*": wanted(items[1])}
    return [wanted(items[0])]


def differences(provided: Shape, expected: Shape, path: str = "") -> list[str]:
    """The paths at which the two differ, in order."""
    match provided, expected:
        case dict(), dict():
            return [
                found
                for name in sorted({*provided, *expected})
                for found in differences(
                    provided.get(name), expected.get(name), f"{path}.{name}".lstrip(".")
                )
            ]
        case [one], [other]:
            return differences(one, other, f"{path}[]")
    return [] if provided == expected else [path]


def required(arguments: type) -> set[str]:
    parameters = inspect.signature(arguments).parameters.values()
    return {one.name for one in parameters if one.default is inspect.Parameter.empty}


def module(token: str) -> Any:
    name = token.split(":")[1].partition("/")[0]
    return pulumi_aws if name == "index" else getattr(pulumi_aws, name)
