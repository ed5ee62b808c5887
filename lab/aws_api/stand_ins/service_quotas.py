"""Service Quotas: moto knows those of VPCs alone, with the values of a new account."""

from __future__ import annotations

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body

GRANTED = {
    ("ec2", "L-1216C47A"): "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    ("ec2", "L-34B43A08"): "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
    ("ec2", "L-0263D0A3"): "EC2-VPC Elastic IPs",
    ("vpc", "L-F678F1CE"): "VPCs per Region",
}
"""The quotas that the account of the lab has asked to raise."""
NAMES = {**GRANTED, ("vpc", "L-FE5A380F"): "NAT gateways per Availability Zone"}
VALUE = 64.0
DEFAULT = 5.0


def _get(request: ApiRequest) -> Body:
    """Service Quotas API Reference, GetServiceQuota."""
    service, code = request.given["ServiceCode"], request.given["QuotaCode"]
    if (service, code) not in GRANTED:
        return request.moto()
    return _quota(request, service, code, VALUE)


def _get_default(request: ApiRequest) -> Body:
    """Service Quotas API Reference, GetAWSDefaultServiceQuota, which the provider asks too."""
    return _quota(request, request.given["ServiceCode"], request.given["QuotaCode"], DEFAULT)


def _quota(request: ApiRequest, service: str, code: str, value: float) -> Body:
    return {
        "Quota": {
            "ServiceCode": service,
            "ServiceName": service,
            "QuotaArn": f"arn:aws:servicequotas:{request.region}::{service}/{code}",
            "QuotaCode": code,
            "QuotaName": NAMES[service, code],
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
    }


STAND_INS: StandIns = {
    ("service-quotas", "GetServiceQuota"): _get,
    ("service-quotas", "GetAWSDefaultServiceQuota"): _get_default,
}
