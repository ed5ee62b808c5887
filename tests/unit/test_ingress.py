"""The way in: what is refused, what is made, in which order it goes, and what people are told."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.ingress import controller_values, dns_values, load_balancer
from components.ingress.dns_values import OwnNames
from gitops.tree import scaffold
from settings.addresses import addresses, left_to_do
from settings.aws_account import AwsAccount
from settings.environment import Settings
from settings.ingress import IngressConfig
from settings.loading import load_files
from settings.problems import SettingsError
from tests.unit.conftest import CHECKOUT, Bend, Change, change_service, hold
from tests.unit.existing import existing_network
from tests.unit.recording import Recorded, Recording
from tests.unit.whole_program import record_program

ACCOUNT = AwsAccount(id="123456789012", region="eu-central-1")
CERTIFICATE = (
    "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d-0000-1111-2222-333344445555"
)
CERTIFICATE_OF_PROD = CERTIFICATE.replace("123456789012", "210987654321")
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
CLASS = "kubernetes:networking.k8s.io/v1:IngressClass"
NAMESPACE = "kubernetes:core/v1:Namespace"
RELEASE = "kubernetes:helm.sh/v3:Release"
RECORD = "aws:route53/record:Record"
LEFT = "pulumi-python:dynamic:Resource"
POLICY = "aws:iam/rolePolicy:RolePolicy"
AUTO = "kubernetes:eks.amazonaws.com/v1:IngressClassParams"
CHART = "kubernetes:elbv2.k8s.aws/v1beta1:IngressClassParams"
PROGRAM = CHECKOUT / "__main__.py"


def way(**keys: Any) -> Change:
    """`platform:ingress` of a stack file; None leaves it out."""
    return lambda config: config.update({"platform:ingress": keys})


def without(config: dict[str, Any]) -> None:
    config.pop("platform:ingress", None)


def refusal(configuration: Path) -> list[str]:
    """Every problem, without its line."""
    with pytest.raises(SettingsError) as refused:
        load_files("prod", configuration)
    return [str(replace(problem, line=None)) for problem in refused.value.problems]


def ingress(**keys: Any) -> IngressConfig:
    return IngressConfig.model_validate(keys)


def in_public_subnets(count: int) -> dict[str, Any]:
    """The network of another team, which has so many public subnets."""
    subnets = ["subnet-0b1b2c3d4e5f60718", "subnet-0b1b2c3d4e5f60719"]
    return {**existing_network("vpc-0a1b2c3d4e5f60718"), "publicSubnets": subnets[:count]}


# What is refused

REFUSED: dict[str, tuple[Change, str]] = {
    "a domain outside the zone": (
        way(zone="other.example"),
        "platform:domain: is not in other.example of platform:ingress.zone, where its names are "
        "made (given: acme.example); name the zone that it is in, or another name",
    ),
    "a domain that only ends like the zone": (
        lambda c: c.update({"platform:domain": "evilacme.example"}),
        "platform:domain: is not in acme.example of platform:ingress.zone, where its names are "
        "made (given: evilacme.example); name the zone that it is in, or another name",
    ),
    "Argo CD outside the zone": (
        lambda c: c["platform:argocd"].update(domain="argocd.corp.example"),
        "platform:argocd.domain: is not in acme.example of platform:ingress.zone, where its names "
        "are made (given: argocd.corp.example); name the zone that it is in, or another name",
    ),
    "Argo CD as the zone itself": (
        lambda c: c["platform:argocd"].update(domain="acme.example"),
        "platform:argocd.domain: is the zone itself, whose own name belongs to the whole company "
        "(given: acme.example); take a name in it, such as argocd.acme.example",
    ),
    "a service with the name of Argo CD": (
        lambda c: c["platform:argocd"].update(domain="tournaments.acme.example"),
        "platform:argocd.domain: is the name of the service tournaments of community too (given: "
        "tournaments.acme.example); give Argo CD another name, or the service",
    ),
    "no name of a zone": (
        way(zone="acme"),
        "platform:ingress.zone: must be a domain name such as dev.example.com (given: acme); "
        "correct the value",
    ),
    "a zone by its id": (
        way(zone="Z0123456789ABCDEFGHIJ"),
        "platform:ingress.zone: must be a domain name such as dev.example.com (given: "
        "Z0123456789ABCDEFGHIJ); correct the value",
    ),
    "another word": (
        way(zone="acme.example", reach="public"),
        "platform:ingress.reach: must be internal, internet, or a list of public ranges (given: "
        "public); correct the value",
    ),
    "no range": (
        way(zone="acme.example", reach=[]),
        "platform:ingress.reach: must name 1 at least (given: []); add what is missing",
    ),
    "the whole internet as a range": (
        way(zone="acme.example", reach=["203.0.113.0/24", "0.0.0.0/0"]),
        "platform:ingress.reach[1]: is the whole internet (given: 0.0.0.0/0); write reach: "
        "internet",
    ),
    "a private range": (
        way(zone="acme.example", reach=["10.0.0.0/8"]),
        "platform:ingress.reach[0]: is private, and nobody comes over the internet from there "
        "(given: 10.0.0.0/8); remove it",
    ),
    "a range twice": (
        way(zone="acme.example", reach=["203.0.113.0/24"] * 2),
        "platform:ingress.reach: names 203.0.113.0/24 twice (given: ['203.0.113.0/24', "
        "'203.0.113.0/24']); name each one once",
    ),
    "more ranges than a security group takes": (
        way(zone="acme.example", reach=[f"203.0.113.{n}/32" for n in range(31)]),
        "platform:ingress.reach: must name 30 at most",
    ),
    "a certificate of another region": (
        way(zone="acme.example", certificate=CERTIFICATE.replace("eu-central-1", "us-east-1")),
        "platform:ingress.certificate: is of the region us-east-1, and the load balancer of "
        "eu-central-1 cannot use it (given: arn:aws:acm:us-east-1:123456789012:certificate/"
        "0a1b2c3d-0000-1111-2222-333344445555); name a certificate of eu-central-1, or remove the "
        "key and name a zone",
    ),
    "a certificate of another account": (
        way(certificate=CERTIFICATE),
        "platform:ingress.certificate: is of the account 123456789012, and the load balancer of "
        "210987654321 cannot use it",
    ),
    "a certificate of IAM": (
        way(certificate="arn:aws:iam::123456789012:server-certificate/x"),
        "platform:ingress.certificate: must be the ARN of a certificate of AWS Certificate Manager",
    ),
    "a class and what its controller decides": (
        way(**{"class": "nginx"}, certificate=CERTIFICATE, reach="internet"),
        "platform:ingress: has certificate, reach beside class, whose controller decides it; "
        "remove the one or the other",
    ),
    "nothing": (
        way(),
        "platform:ingress: has no zone, in which a certificate would be proven and the names made; "
        "name a zone, or a certificate that exists, or the class of a controller that exists",
    ),
    "an existing cluster": (
        lambda c: c.update(
            {
                "platform:network": {"existing": existing_network("vpc-0a1b2c3d4e5f60718")},
                "platform:cluster": {
                    "existing": "shared",
                    "access": c["platform:cluster"]["access"],
                },
            }
        ),
        "platform:ingress: asks for a load balancer, and an existing cluster has its own way to "
        "make one; name its platform:ingress.class",
    ),
    "no public subnets": (
        lambda c: c.update(
            {"platform:network": {"existing": existing_network("vpc-0a1b2c3d4e5f60718")}}
        ),
        "platform:network.existing.publicSubnets: has fewer than two subnets, and a load balancer "
        "that the internet reaches is in two; name two of them, or write platform:ingress.reach: "
        "internal",
    ),
    "one public subnet": (
        lambda c: c.update({"platform:network": {"existing": in_public_subnets(1)}}),
        "platform:network.existing.publicSubnets: has fewer than two subnets",
    ),
    "an unknown key": (
        way(zone="acme.example", hostedZone="Z1"),
        "platform:ingress.hostedZone: is not a key known here",
    ),
}


@pytest.mark.parametrize(("change", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_aws_would_refuse_is_refused(
    change: Change, expected: str, configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.prod.yaml", change)
    told = refusal(configuration)
    assert any(line.startswith(f"Pulumi.prod.yaml: {expected}") for line in told), told


def test_two_public_subnets_are_enough(configuration: Path, bend: Bend) -> None:
    existing = in_public_subnets(2)
    bend("Pulumi.prod.yaml", lambda c: c.update({"platform:network": {"existing": existing}}))
    assert load_files("prod", configuration)


def test_a_service_elsewhere_leaves_its_name_to_argo_cd(configuration: Path, bend: Bend) -> None:
    change_service(bend, "community", "tournaments", environments=["dev"])
    bend(
        "Pulumi.prod.yaml", lambda c: c["platform:argocd"].update(domain="tournaments.acme.example")
    )
    assert load_files("prod", configuration)
    bend(
        "Pulumi.dev.yaml",
        lambda c: c["platform:argocd"].update(domain="tournaments.dev.acme.example"),
    )
    assert refusal(configuration) == [
        "Pulumi.dev.yaml: platform:argocd.domain: is the name of the service tournaments of "
        "community too (given: tournaments.dev.acme.example); give Argo CD another name, or the "
        "service"
    ]


def test_all_of_it_is_in_one_report(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", way(zone="acme", reach=["10.0.0.0/8"], certificate="none"))
    paths = [line.split(": ")[1] for line in refusal(configuration)]
    assert paths == [
        "platform:ingress.certificate",
        "platform:ingress.reach[0]",
        "platform:ingress.zone",
    ]


ACCEPTED: dict[str, Change] = {
    "unset": without,
    "a zone": way(zone="acme.example"),
    "a certificate alone": way(certificate=CERTIFICATE_OF_PROD),
    "a class alone": way(**{"class": "nginx"}),
    "a class, and names in a zone": way(**{"class": "nginx"}, zone="acme.example"),
    "ranges": way(zone="acme.example", reach=["203.0.113.0/24", "198.51.100.7/32"]),
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_what_fits_is_accepted(change: Change, configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", change)
    load_files("prod", configuration)


# What is made


@pytest.fixture(scope="module")
def on_auto_mode() -> Recording:
    return record_program("dev", CHECKOUT, PROGRAM)


@pytest.fixture(scope="module")
def on_node_groups() -> Recording:
    return record_program("prod", CHECKOUT, PROGRAM)


def test_auto_mode_is_told_of_the_one_load_balancer(on_auto_mode: Recording) -> None:
    assert on_auto_mode.one(AUTO).inputs["spec"] == {
        "scheme": "internet-facing",
        "group": {"name": "acme-dev"},
        "certificateARNs": [on_auto_mode.one(VALID).inputs["certificateArn"]],
        "subnets": {"ids": ["network-public-a-id", "network-public-b-id"]},
    }
    assert on_auto_mode.one(CLASS).inputs["spec"] == {
        "controller": "eks.amazonaws.com/alb",
        "parameters": {
            "apiGroup": "eks.amazonaws.com",
            "kind": "IngressClassParams",
            "name": "alb-auto",
        },
    }
    on_auto_mode.assert_none(CHART)


VALID = "aws:acm/certificateValidation:CertificateValidation"


def test_node_groups_get_the_controller_first(on_node_groups: Recording) -> None:
    described = on_node_groups.one(CHART)
    controller = on_node_groups.one(RELEASE, "ingress-controller-release")

    assert described.inputs["spec"]["certificateArn"]
    assert on_node_groups.waits_for(described, controller)
    assert on_node_groups.one(CLASS).inputs["spec"]["controller"] == "ingress.k8s.aws/alb"
    assert controller.inputs["values"]["clusterName"] == "acme-prod"
    assert controller.inputs["values"]["vpcId"] == "network-vpc-id"
    assert controller.inputs["values"]["defaultTargetType"] == "ip"
    assert controller.inputs["values"]["replicaCount"] == 2


def test_the_certificate_is_proven_in_the_zone(on_auto_mode: Recording) -> None:
    certificate = on_auto_mode.one("aws:acm/certificate:Certificate")
    proof = on_auto_mode.one(RECORD)

    assert certificate.inputs["domainName"] == "*.dev.acme.example"
    assert certificate.inputs["subjectAlternativeNames"] == ["*.dev.acme.example"]
    assert certificate.inputs["validationMethod"] == "DNS"
    assert proof.inputs["zoneId"] == "Z0123456789ABCDEFGHIJ"
    assert proof.inputs["name"] == "_proof.dev.acme.example"
    assert on_auto_mode.one(VALID).inputs["validationRecordFqdns"] == ["_proof.dev.acme.example"]


def test_argo_cd_outside_the_wildcard_has_a_name_of_its_own(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", lambda c: c["platform:argocd"].update(domain="cd.acme.example"))
    bend("Pulumi.dev.yaml", lambda c: c["platform:ingress"].update(zone="acme.example"))
    recording = record_program("dev", configuration, PROGRAM)

    certificate = recording.one("aws:acm/certificate:Certificate").inputs
    assert certificate["subjectAlternativeNames"] == ["*.dev.acme.example", "cd.acme.example"]
    assert len(recording.of(RECORD)) == 2
    values = recording.one(RELEASE, "ingress-dns-release").inputs["values"]
    assert values["domainFilters"] == ["dev.acme.example", "cd.acme.example"]


def test_argo_cds_ingress_says_what_holds_for_the_whole_load_balancer(
    on_auto_mode: Recording,
) -> None:
    door = on_auto_mode.one(INGRESS).inputs
    option = "alb.ingress.kubernetes.io"

    assert door["metadata"]["namespace"] == "argocd"
    assert door["metadata"]["annotations"] == {
        f"{option}/healthcheck-path": "/healthz",
        f"{option}/inbound-cidrs": "203.0.113.0/24",
        f"{option}/listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
        f"{option}/ssl-policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        f"{option}/ssl-redirect": "443",
        f"{option}/target-type": "ip",
    }
    assert door["spec"]["ingressClassName"] == "alb-auto"
    (rule,) = door["spec"]["rules"]
    assert rule["host"] == "argocd.dev.acme.example"
    assert rule["http"]["paths"][0]["backend"] == {
        "service": {"name": "argocd-server", "port": {"name": "http"}}
    }


def test_who_may_come_decides_addresses_and_subnets(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", way(zone="acme.example"))
    recording = record_program("dev", configuration, PROGRAM)

    spec = recording.one(AUTO).inputs["spec"]
    assert spec["scheme"] == "internal"
    assert spec["subnets"] == {"ids": ["network-private-a-id", "network-private-b-id"]}
    annotations = recording.one(INGRESS).inputs["metadata"]["annotations"]
    assert "alb.ingress.kubernetes.io/inbound-cidrs" not in annotations


def test_the_internet_may_come_from_everywhere(on_node_groups: Recording) -> None:
    annotations = on_node_groups.one(INGRESS).inputs["metadata"]["annotations"]
    assert "alb.ingress.kubernetes.io/inbound-cidrs" not in annotations
    assert on_node_groups.one(CHART).inputs["spec"]["scheme"] == "internet-facing"


def test_the_load_balancer_lets_in_every_range_of_visitors() -> None:
    ranges = ["203.0.113.0/24", "198.51.100.0/24"]
    annotations = load_balancer.front_door(ingress(zone="acme.example", reach=ranges))
    key = "alb.ingress.kubernetes.io/inbound-cidrs"
    assert annotations[key] == "203.0.113.0/24,198.51.100.0/24"


def test_a_certificate_that_exists_is_used(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", way(certificate=CERTIFICATE))
    recording = record_program("dev", configuration, PROGRAM)

    assert recording.one(AUTO).inputs["spec"]["certificateARNs"] == [CERTIFICATE]
    recording.assert_none("aws:acm/certificate:Certificate")
    recording.assert_none(RECORD)
    assert not [r for r in recording.of(RELEASE) if r.name == "ingress-dns-release"]


def test_a_certificate_that_exists_is_used_in_a_zone_too(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", way(certificate=CERTIFICATE, zone="acme.example"))
    recording = record_program("dev", configuration, PROGRAM)

    assert recording.one(AUTO).inputs["spec"]["certificateARNs"] == [CERTIFICATE]
    recording.assert_none("aws:acm/certificate:Certificate")
    assert recording.one(RELEASE, "ingress-dns-release")


def test_a_class_that_exists_is_used(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", way(**{"class": "nginx"}, zone="acme.example"))
    recording = record_program("prod", configuration, PROGRAM)

    for kind in (CLASS, CHART, "aws:acm/certificate:Certificate"):
        recording.assert_none(kind)
    door = recording.one(INGRESS).inputs
    assert door["spec"]["ingressClassName"] == "nginx"
    assert door["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    values = recording.one(RELEASE, "ingress-dns-release").inputs["values"]
    assert values["extraArgs"]["ingress-class"] == ["nginx"]


def test_without_it_nothing_is_made_and_nothing_is_asked(configuration: Path, bend: Bend) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", without)
    recording = record_program("prod", configuration, PROGRAM)

    for kind in (CLASS, CHART, INGRESS, RECORD, "aws:acm/certificate:Certificate"):
        recording.assert_none(kind)
    assert not [r for r in recording.resources if r.name.startswith("ingress")]
    assert not [c for c in recording.calls if c.token.startswith("aws:route53")]


# external-dns


def names_of(**keys: Any) -> OwnNames:
    given: dict[str, Any] = {
        "domain": "acme.example",
        "argocd": "argocd.acme.example",
        "others": ["dev.acme.example"],
        "owner": "acme-prod",
    }
    return OwnNames(**(given | keys))


def test_external_dns_looks_at_one_class_one_zone_and_its_own_names() -> None:
    values = dns_values.values(names_of(), ingress_class="alb", zone_id="Z1")

    assert values["sources"] == ["ingress"]
    assert (values["policy"], values["registry"]) == ("sync", "txt")
    assert values["txtOwnerId"] == "acme-prod"
    assert values["domainFilters"] == ["acme.example"]
    assert values["excludeDomains"] == ["dev.acme.example"]
    assert values["extraArgs"] == {
        "aws-zone-match-parent": True,
        "aws-zone-type": "public",
        "ingress-class": ["alb"],
        "zone-id-filter": ["Z1"],
    }


def may_change(names: OwnNames, *records: str, kinds: tuple[str, ...] = ("A", "TXT")) -> bool:
    """Whether the policy lets one request change these names."""
    document = json.loads(dns_values.policy(ACCOUNT, names, "Z1"))
    allow, *rest = document["Statement"]
    deny = [statement for statement in rest if statement["Effect"] == "Deny"]
    key = "route53:ChangeResourceRecordSets"
    patterns = allow["Condition"]["ForAllValues:StringLike"][f"{key}NormalizedRecordNames"]
    types = allow["Condition"]["ForAllValues:StringEquals"][f"{key}RecordTypes"]
    denied = [
        pattern
        for statement in deny
        for pattern in statement["Condition"]["ForAnyValue:StringLike"][
            f"{key}NormalizedRecordNames"
        ]
    ]
    return (
        all(any(fnmatch.fnmatchcase(name, one) for one in patterns) for name in records)
        and all(kind in types for kind in kinds)
        and not any(fnmatch.fnmatchcase(name, one) for name in records for one in denied)
    )


def test_it_changes_names_of_its_environment_alone() -> None:
    prod = names_of()
    assert may_change(prod, "tournaments.acme.example", "a-tournaments.acme.example")
    assert not may_change(prod, "acme.example")
    assert not may_change(prod, "tournaments.dev.acme.example")
    assert not may_change(prod, "tournaments.acme.example", "tournaments.dev.acme.example")
    assert not may_change(prod, "shop.example")
    assert not may_change(prod, "acme.example", kinds=("MX",))
    assert not may_change(prod, "mail.acme.example", kinds=("MX",))


def test_it_changes_argo_cds_name_outside_of_the_domain() -> None:
    dev = names_of(domain="dev.acme.example", argocd="cd.acme.example", others=[])
    assert may_change(dev, "cd.acme.example", "a-cd.acme.example", "cname-cd.acme.example")
    assert not may_change(dev, "tournaments.acme.example")


def test_it_changes_one_zone_alone(on_auto_mode: Recording) -> None:
    policy = json.loads(on_auto_mode.one(POLICY, "ingress-dns-policy").inputs["policy"])
    changing, reading, finding = policy["Statement"]
    zone = "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"
    assert changing["Resource"] == reading["Resource"] == [zone]
    assert finding["Action"] == ["route53:ListHostedZones"]


# The controller's rights


def statements(action: str) -> list[Mapping[str, Any]]:
    document = controller_values.policy(ACCOUNT, cluster="acme-prod", vpc="vpc-1")
    return [one for one in json.loads(document)["Statement"] if action in one["Action"]]


@pytest.mark.parametrize(
    "action",
    [
        "ec2:DeleteSecurityGroup",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:SetSecurityGroups",
    ],
)
def test_the_controller_changes_what_it_has_made_for_this_cluster(action: str) -> None:
    (statement,) = statements(action)
    assert statement["Condition"] == {
        "StringEquals": {"aws:ResourceTag/elbv2.k8s.aws/cluster": "acme-prod"}
    }


def test_the_controller_opens_security_groups_of_this_network_alone() -> None:
    (statement,) = statements("ec2:AuthorizeSecurityGroupIngress")
    assert statement["Condition"] == {
        "ArnEquals": {"ec2:Vpc": "arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1"}
    }


def test_the_controller_says_for_whom_it_makes_a_load_balancer() -> None:
    (statement,) = statements("elasticloadbalancing:CreateLoadBalancer")
    assert statement["Condition"] == {
        "StringEquals": {"aws:RequestTag/elbv2.k8s.aws/cluster": "acme-prod"}
    }


# In which order it goes: the reverse of this one


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_ingresses_go_before_what_takes_load_balancer_and_names_along(
    stack: str, on_auto_mode: Recording, on_node_groups: Recording
) -> None:
    recording = on_auto_mode if stack == "dev" else on_node_groups
    way_in = [
        recording.one(CLASS),
        recording.one(RELEASE, "ingress-dns-release"),
        recording.one(POLICY, "ingress-dns-policy"),
        *([recording.one(RELEASE, "ingress-controller-release")] if stack == "prod" else []),
    ]
    with_ingresses = [
        recording.one(INGRESS),
        recording.one(NAMESPACE, "apps-community"),
        recording.one(NAMESPACE, "apps-streaming"),
    ]
    for one in with_ingresses:
        for needed in way_in:
            assert recording.waits_for(one, needed), f"{needed.name} may go before {one.name}"


def test_what_is_left_of_names_goes_after_who_makes_them(on_auto_mode: Recording) -> None:
    left = next(r for r in on_auto_mode.of(LEFT) if r.name == "ingress-dns-left")
    assert on_auto_mode.waits_for(on_auto_mode.one(RELEASE, "ingress-dns-release"), left)
    given = {key: left.inputs.get(key) for key in ("zone", "owner", "profile", "role")}
    assert given == {
        "zone": "Z0123456789ABCDEFGHIJ",
        "owner": "acme-dev",
        "profile": None,
        "role": None,
    }


def test_names_that_are_left_are_removed_with_profile_and_role_of_the_program(
    configuration: Path, bend: Bend
) -> None:
    role = "arn:aws:iam::123456789012:role/platform"
    bend("Pulumi.dev.yaml", lambda c: c.update({"aws:profile": "acme"}))
    bend("Pulumi.dev.yaml", lambda c: c.update({"aws:assumeRoles": [{"roleArn": role}]}))
    left = record_program("dev", configuration, PROGRAM).one(LEFT, "ingress-dns-left")
    assert (left.inputs["profile"], left.inputs["role"]) == ("acme", role)


def test_the_network_goes_after_the_load_balancer(on_node_groups: Recording) -> None:
    subnets: list[Recorded] = on_node_groups.of("aws:ec2/subnet:Subnet")
    described = on_node_groups.one(CHART)
    for subnet in subnets:
        if "public" in subnet.name:
            assert on_node_groups.waits_for(described, subnet)


# What is in Git


def text(settings: Settings, path: str) -> str:
    return scaffold(settings)[path].text


def test_the_health_check_is_the_services_own(configuration: Path, bend: Bend) -> None:
    services = "streaming"

    def change(catalogue: dict[str, Any]) -> None:
        found = catalogue["namespaces"][services]["services"]
        found["tv-api"].update(ingress=True, health={"http": "/ready", "port": 9000})
        found["tv-frontend"].update(health={"tcp": 3000})

    bend("services.yaml", change)
    settings = load_files("dev", configuration)
    option = "alb.ingress.kubernetes.io"

    assert (
        f'    {option}/healthcheck-path: "/ready"\n'
        f'    {option}/healthcheck-port: "9000"\n'
        f'    {option}/success-codes: "200-399"\n'
    ) in text(settings, "base/streaming/tv-api/ingress.yaml")
    other = text(settings, "base/streaming/tv-frontend/ingress.yaml")
    assert f'    {option}/success-codes: "200-499"\n' in other
    assert "healthcheck-path" not in other


def test_each_environment_names_its_class(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", way(**{"class": "nginx"}))
    change_service(bend, "community", "leaderboard", ingress=True)
    dev, prod = (load_files(stack, configuration) for stack in ("dev", "prod"))

    for settings, name in ((dev, "nginx"), (prod, "alb")):
        folder = f"environments/{settings.stack}/community"
        patch = text(settings, f"{folder}/tournaments/ingress.yaml")
        assert f"path: /spec/ingressClassName\n  value: {name}\n" in patch
        assert f"ingressClass: {name}\n" in text(settings, f"{folder}/leaderboard/values.yaml")


def test_without_it_git_says_nothing_of_load_balancers(configuration: Path, bend: Bend) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", without)
    for path, file in scaffold(load_files("dev", configuration)).items():
        assert "alb.ingress.kubernetes.io" not in file.text, path
        assert "ingressClass" not in file.text, path


# What people are told


def test_the_addresses_are_of_argo_cd_and_of_services_with_ingress(dev: Settings) -> None:
    assert addresses(dev) == {
        "Argo CD": "https://argocd.dev.acme.example",
        "tournaments": "https://tournaments.dev.acme.example",
        "tv-frontend": "https://tv-frontend.dev.acme.example",
    }


def test_what_is_left_is_one_command_at_github(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", hold("gitWebhookSecret"))
    assert left_to_do(load_files("prod", configuration)) == [
        "Tell Argo CD of pushes at once: gh api --method POST repos/acme/gitops/hooks --field "
        "name=web --field active=true --field 'events[]=push' --field "
        "'config[url]=https://argocd.acme.example/api/webhook' --field "
        "'config[content_type]=json' --field \"config[secret]=$(pulumi config get "
        'platform:gitWebhookSecret --stack prod)"'
    ]


LEFT_TO_DO: dict[str, tuple[Change, list[str]]] = {
    "no secret": (
        way(zone="acme.example", reach="internet"),
        [
            "Tell Argo CD of pushes at once: gh api --method POST repos/acme/gitops/hooks --field "
            "name=web --field active=true --field 'events[]=push' --field "
            "'config[url]=https://argocd.acme.example/api/webhook' --field "
            "'config[content_type]=json'"
        ],
    ),
    "no ingress": (without, []),
    "another host": (
        lambda c: c["platform:gitops"].update(url="https://git.corp.example/acme/gitops.git"),
        [
            "Add a webhook for pushes to https://git.corp.example/acme/gitops.git: "
            "https://argocd.acme.example/api/webhook, content type JSON"
        ],
    ),
    "an internal load balancer": (
        way(zone="acme.example"),
        [
            "GitHub does not reach an internal load balancer, so Argo CD reads Git every 30 "
            "seconds. With platform:ingress.reach: internet, or the ranges of `gh api meta --jq "
            ".hooks`, a webhook tells it at once"
        ],
    ),
}


@pytest.mark.parametrize(("change", "expected"), LEFT_TO_DO.values(), ids=LEFT_TO_DO)
def test_what_is_left_depends_on_the_way_in(
    change: Change, expected: list[str], configuration: Path, bend: Bend
) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", change if stack == "prod" else _like(change))
    assert left_to_do(load_files("prod", configuration)) == expected


def _like(change: Change) -> Callable[[dict[str, Any]], object]:
    """The same URL of Git in the other stack, which the rules ask for."""

    def apply(config: dict[str, Any]) -> None:
        copy: dict[str, Any] = {"platform:gitops": dict(config["platform:gitops"])}
        change(copy)
        config["platform:gitops"] = copy["platform:gitops"]

    return apply


def test_without_a_zone_the_names_are_left_to_do(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.prod.yaml", way(certificate=CERTIFICATE_OF_PROD, reach="internet"))
    first, *_ = left_to_do(load_files("prod", configuration))
    assert first == (
        "Let these names lead to the load balancer: argocd.acme.example, "
        "tournaments.acme.example, tv-frontend.acme.example. Its own name: kubectl get ingress "
        "--namespace argocd argocd-server"
    )


def test_a_wildcard_is_one_label() -> None:
    assert load_balancer.covered("argocd.dev.acme.example", "dev.acme.example")
    assert not load_balancer.covered("argocd.eu.dev.acme.example", "dev.acme.example")
    assert not load_balancer.covered("dev.acme.example", "dev.acme.example")


def test_a_list_of_ranges_is_not_internal() -> None:
    config = ingress(zone="acme.example", reach=["203.0.113.0/24"])
    assert not config.internal
    assert [str(cidr) for cidr in config.visitors] == ["203.0.113.0/24"]
    assert ingress(zone="acme.example").internal
