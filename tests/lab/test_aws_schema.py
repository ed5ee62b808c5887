"""The AWS provider that was built, against the Python SDK for which it stands in. Needs no lab."""

# mypy: disable-error-code="no-untyped-call"
# What the SDK knows of its own types, and the generated protocol, have none for mypy.
from __future__ import annotations

import inspect
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args, get_origin

import grpc
import pulumi_aws
import pytest
from pulumi import _types as sdk
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from lab.toolchain import Toolchain
from lab.toolchain.cache import MODULES

TABLE = json.loads((MODULES / "aws" / "types.json").read_text(encoding="utf-8"))
VPC = "urn:pulumi:dev::p::aws:ec2/vpc:Vpc::main"

Shape = Any
"""What a property takes: the shapes of an object's properties, a list's or a map's item, a word."""


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
    assert sorted(schema["functions"]) == list(TABLE["functions"])


@pytest.mark.parametrize("token", TABLE["resources"])
def test_the_inputs_of_a_type_are_those_of_the_sdk(schema: dict[str, Any], token: str) -> None:
    arguments = getattr(module(token), f"{token.rpartition(':')[2]}Args")
    declared = schema["resources"][token]
    assert serves(schema, declared["inputProperties"]) == wants(sdk.input_type_types(arguments))
    assert set(declared.get("requiredInputs", [])) == {
        sdk.input_type_py_to_pulumi_names(arguments)[name] for name in required(arguments)
    }


@pytest.mark.parametrize("token", TABLE["resources"])
def test_the_outputs_of_a_type_are_those_of_the_sdk(schema: dict[str, Any], token: str) -> None:
    resource = getattr(module(token), token.rpartition(":")[2])
    names = sdk.resource_types(resource)
    assert serves(schema, schema["resources"][token]["properties"]) == wants(names)


@pytest.mark.parametrize("token", TABLE["functions"])
def test_a_function_asks_and_answers_as_that_of_the_sdk(schema: dict[str, Any], token: str) -> None:
    name = token.rpartition(":")[2]
    declared = schema["functions"][token]
    function = getattr(module(token), re.sub(r"(?=[A-Z])", "_", name).lower())
    source = inspect.getsource(inspect.unwrap(function))
    arguments = set(re.findall(r"__args__\['(\w+)'\]", source))
    assert set(declared.get("inputs", {}).get("properties", {})) == arguments
    result = getattr(module(token), f"{name[0].upper()}{name[1:]}Result")
    assert serves(schema, declared["outputs"]["properties"]) == wants(sdk.output_type_types(result))


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
    items = get_args(one)
    origin = get_origin(one)
    if origin in WORDS or one in WORDS:
        return WORDS[one]
    if origin is not None and issubclass(origin, Mapping):
        return {"*": wanted(items[1])}
    return [wanted(items[0])]


def required(arguments: type) -> set[str]:
    parameters = list(inspect.signature(arguments.__init__).parameters.values())[1:]
    return {one.name for one in parameters if one.default is inspect.Parameter.empty}


def module(token: str) -> Any:
    name = token.split(":")[1].partition("/")[0]
    return pulumi_aws if name == "index" else getattr(pulumi_aws, name)
