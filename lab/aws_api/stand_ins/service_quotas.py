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
VALUE = 64.0


def _get(request: ApiRequest) -> Body:
    """Service Quotas API Reference, GetServiceQuota."""
    service, code = request.given["ServiceCode"], request.given["QuotaCode"]
    if (service, code) not in GRANTED:
        return request.moto()
    return {
        "Quota": {
            "ServiceCode": service,
            "ServiceName": service,
            "QuotaArn": f"arn:aws:servicequotas:{request.region}::{service}/{code}",
            "QuotaCode": code,
            "QuotaName": GRANTED[service, code],
            "Value": VALUE,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
    }


STAND_INS: StandIns = {("service-quotas", "GetServiceQuota"): _get}
