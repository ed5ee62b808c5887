"""ACM: a certificate is issued once its names are proven in Route 53, and not after a while."""

from __future__ import annotations

from lab.aws_api.api_request import ApiRequest, StandIns
from lab.aws_api.calls import Body

PENDING = "PENDING_VALIDATION"


def _describe(request: ApiRequest) -> Body:
    """ACM API Reference, DescribeCertificate."""
    answer = request.moto()
    found = answer["Certificate"]
    options = found.get("DomainValidationOptions", ())
    if found["Type"] != "AMAZON_ISSUED" or not options:
        return answer
    records = _records(request)
    for option in options:
        wanted = option["ResourceRecord"]
        proven = (wanted["Name"], wanted["Value"].rstrip(".")) in records
        option["ValidationStatus"] = "SUCCESS" if proven else PENDING
    issued = all(option["ValidationStatus"] == "SUCCESS" for option in options)
    found["Status"] = "ISSUED" if issued else PENDING
    return answer


def _records(request: ApiRequest) -> set[tuple[str, str]]:
    """The names and values of every CNAME of the account."""
    found = set()
    for zone in request.ask("route53", "ListHostedZones")["HostedZones"]:
        number = zone["Id"].rpartition("/")[2]
        listed = request.ask("route53", "ListResourceRecordSets", HostedZoneId=number)
        for record in listed["ResourceRecordSets"]:
            if record["Type"] == "CNAME":
                values = record.get("ResourceRecords", ())
                found |= {(record["Name"], value["Value"].rstrip(".")) for value in values}
    return found


STAND_INS: StandIns = {("acm", "DescribeCertificate"): _describe}
