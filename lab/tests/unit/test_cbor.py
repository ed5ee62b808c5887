"""What speaks CBOR gets the same answers as what speaks JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.core.utils import get_service_model
from werkzeug.test import EnvironBuilder, run_wsgi_app

from lab.aws_api.cbor import PROTOCOL, Translated
from lab.tests.unit.aws_in_process import ACCOUNT, REGION, LabAws, begin

ALARM = {
    "AlarmName": "acme-dev-nodes-not-ready",
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "EvaluationPeriods": 3,
    "Threshold": 1.5,
    "ActionsEnabled": True,
    "Metrics": [
        {
            "Id": "metric",
            "ReturnData": True,
            "MetricStat": {
                "Metric": {"Namespace": "ContainerInsights", "MetricName": "nodes"},
                "Period": 300,
                "Stat": "Maximum",
            },
        }
    ],
}


@pytest.fixture
def aws(tmp_path: Path) -> LabAws:
    return begin(tmp_path)


def ask(aws: LabAws, operation: str, **parameters: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Ask CloudWatch as an SDK does that speaks CBOR; returns headers, and what was parsed."""
    model = get_service_model("cloudwatch").operation_model(operation)
    serializer: Any = create_serializer(PROTOCOL)
    request = serializer.serialize_to_request(parameters, model)
    scope = f"Credential=lab/20260101/{REGION}/monitoring/aws4_request"
    headers: Any = {**request["headers"], "Authorization": f"AWS4-HMAC-SHA256 {scope}"}
    environ = EnvironBuilder(
        method=request["method"],
        path=request["url_path"],
        headers=headers,
        data=request["body"],
    ).get_environ()
    parts, status, answered = run_wsgi_app(Translated(aws.app), environ, buffered=True)
    parser: Any = create_parser(PROTOCOL)
    lower = {name.lower(): value for name, value in answered.items()}
    reply = {"status_code": int(status[:3]), "headers": lower, "body": b"".join(parts)}
    return lower, parser.parse(reply, model.output_shape)


def test_an_alarm_is_made_and_described(aws: LabAws) -> None:
    headers, _ = ask(aws, "PutMetricAlarm", **ALARM)
    assert headers["smithy-protocol"] == "rpc-v2-cbor"
    _, told = ask(aws, "DescribeAlarms", AlarmNames=["acme-dev-nodes-not-ready"])
    (alarm,) = told["MetricAlarms"]
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:acme-dev-nodes-not-ready"
    assert (alarm["AlarmArn"], alarm["Threshold"], alarm["ActionsEnabled"]) == (arn, 1.5, True)
    (same,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    made = alarm["AlarmConfigurationUpdatedTimestamp"]
    assert made == same["AlarmConfigurationUpdatedTimestamp"]


def test_a_refusal_has_its_code_and_its_message(aws: LabAws) -> None:
    _, told = ask(aws, "PutMetricAlarm", **{**ALARM, "ComparisonOperator": "Bigger"})
    assert told["Error"]["Code"] == "ValidationError"
    assert "ComparisonOperator: 'Bigger' is none of" in told["Error"]["Message"]
