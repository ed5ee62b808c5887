"""What AWS would refuse after a quarter of an hour is refused before anything is created."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from settings import ranges
from settings.limits import of_an_organization
from settings.loading import load_files
from settings.machines import architecture
from settings.nodes import NodeGroup
from settings.problems import Problem, SettingsError
from settings.quantities import Cpu, amount
from tests.unit.conftest import Bend, Change
from tests.unit.existing import THEIR_WAY_IN, existing_network


def network(**keys: Any) -> Change:
    return lambda config: config["platform:network"].update(keys)


def cluster(**keys: Any) -> Change:
    return lambda config: config["platform:cluster"].update(keys)


def group(**keys: Any) -> Change:
    return lambda config: config["platform:cluster"]["nodeGroups"][0].update(keys)


def access(config: dict[str, Any]) -> dict[str, Any]:
    """What counts of a cluster that exists."""
    return {"access": config["platform:cluster"]["access"]}


def refusal(configuration: Path) -> str:
    """The report, without the numbers of the lines and without long values."""
    with pytest.raises(SettingsError) as refused:
        load_files("prod", configuration)
    return str(SettingsError(map(shortened, refused.value.problems)))


def shortened(problem: Problem) -> Problem:
    value = problem.value if len(problem.value) < 100 else "…"
    return replace(problem, line=None, value=value)


CASES: dict[str, tuple[Change, str]] = {
    "a range too small for the subnets": (
        network(cidr="10.20.0.0/23"),
        "platform:network.cidr: is too small for the subnets of six zones (given: "
        "10.20.0.0/23); choose a range of /22 or larger, such as 10.20.0.0/22",
    ),
    "neither a range nor a network": (
        lambda c: c.update({"platform:network": {}}),
        "platform:network: must have either cidr (a new VPC) or existing (an existing one); "
        "correct the value",
    ),
    "a range and a network": (
        network(existing=existing_network("vpc-0a1b2c3d4e5f60718")),
        "platform:network: must have either cidr (a new VPC) or existing (an existing one); "
        "correct the value",
    ),
    "an existing subnet named twice": (
        lambda c: c.update(
            {
                "platform:network": {
                    "existing": {
                        **existing_network("vpc-0a1b2c3d4e5f60718"),
                        "publicSubnets": ["subnet-0a1b2c3d", "subnet-0a1b2c3d"],
                    }
                }
            }
        ),
        "platform:network.existing.publicSubnets: names subnet-0a1b2c3d twice (given: "
        "['subnet-0a1b2c3d', 'subnet-0a1b2c3d']); name each one once",
    ),
    "GitHub itself by its name": (
        lambda c: c["platform:argocd"].update(
            sso={"github": {"organization": "acme", "host": "github.com"}, "clientId": "x"}
        ),
        "platform:argocd.sso.github.host: is the default (given: github.com); leave the key out",
    ),
    "a range larger than a VPC": (
        network(cidr="10.16.0.0/12"),
        "platform:network.cidr: is larger than a VPC may be (given: 10.16.0.0/12); choose /16 "
        "or smaller",
    ),
    "a range of the internet": (
        network(cidr="52.20.0.0/16"),
        "platform:network.cidr: is not private (given: 52.20.0.0/16); choose a range in "
        "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16",
    ),
    "one zone named twice": (
        network(zones=["a", "a"]),
        "platform:network.zones: names a twice (given: ['a', 'a']); name each one once",
    ),
    "one zone": (
        network(zones=["a"]),
        "platform:network.zones: must name 2 at least (given: ['a']); add what is missing",
    ),
    "a version out of support": (
        cluster(version="1.29"),
        "platform:cluster.version: is not supported on EKS (given: 1.29); use one of 1.33 "
        "(extended support, in safe environments alone), 1.34 (until 2026-12-02), 1.35 (until "
        "2027-03-27), 1.36 (until 2027-08-02), one minor version up at a time",
    ),
    "a version that does not exist": (
        cluster(version="1.99"),
        "platform:cluster.version: is not supported on EKS (given: 1.99); use one of 1.33 "
        "(extended support, in safe environments alone), 1.34 (until 2026-12-02), 1.35 (until "
        "2027-03-27), 1.36 (until 2027-08-02), one minor version up at a time",
    ),
    "a role that is none": (
        cluster(access={"platform": ["arn:aws:sts::123456789012:assumed-role/platform/me"]}),
        "platform:cluster.access.platform[0]: must be the ARN of an IAM role or user (given: "
        "arn:aws:sts::123456789012:assumed-role/platform/me); correct the value",
    ),
    "an endpoint open to everybody": (
        cluster(publicAccess=["0.0.0.0/0"]),
        "platform:cluster.publicAccess[0]: lets the whole internet in (given: 0.0.0.0/0); list "
        "the ranges that need the endpoint",
    ),
    "an endpoint that nobody reaches": (
        cluster(publicAccess=[]),
        "platform:cluster.publicAccess: and privateAccess are empty, so nobody reaches the new "
        "cluster and `pulumi up` fails after it is made; name the public address from which "
        "Pulumi runs, or a connected network",
    ),
    "an endpoint open to addresses that never reach it": (
        cluster(publicAccess=["10.0.0.0/8"]),
        "platform:cluster.publicAccess[0]: is private, and EKS refuses it here (given: "
        "10.0.0.0/8); list it in privateAccess",
    ),
    "a neighbour on the internet": (
        cluster(privateAccess=["203.0.113.0/24"]),
        "platform:cluster.privateAccess[0]: is not private (given: 203.0.113.0/24); choose a "
        "range in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16",
    ),
    "no node to begin with": (
        lambda c: c["platform:cluster"]["nodeGroups"][0].update(minSize=0),
        "platform:cluster: has no node group where DNS and Argo CD can start; give one without "
        "taints a minSize of at least 1",
    ),
    "no node that takes just any pod": (
        lambda c: c["platform:cluster"]["nodeGroups"][0].update(
            taints=[{"key": "gpu", "effect": "NO_SCHEDULE"}]
        ),
        "platform:cluster: has no node group where DNS and Argo CD can start; give one without "
        "taints a minSize of at least 1",
    ),
    "a machine image of another version": (
        lambda c: c["platform:cluster"]["nodeGroups"][0].update(release="1.34.6-20260710"),
        "platform:cluster: has nodeGroups general at release 1.34.6-20260710, which is not of "
        "version 1.35; take a release of 1.35, or leave it out",
    ),
    "a role that kubectl cannot take on": (
        lambda c: c.update(
            {
                "aws:assumeRoles": [
                    {"roleArn": "arn:aws:iam::123456789012:role/x", "externalId": "secret"}
                ]
            }
        ),
        "aws:assumeRoles[0]: has an externalId, which `aws eks get-token` cannot pass on; put "
        "the role and its external id into an AWS profile and name that in aws:profile",
    ),
    "a service range that EKS refuses": (
        cluster(serviceCidr="172.20.0.0/28"),
        "platform:cluster.serviceCidr: is no size that EKS allows (given: 172.20.0.0/28); "
        "choose /12 to /24",
    ),
    "a taint's key that AWS refuses": (
        group(taints=[{"key": "k" * 64, "effect": "NO_SCHEDULE"}]),
        "platform:cluster.nodeGroups[0].taints[0].key: must be a Kubernetes key of 63 "
        "characters at most, its prefix included, such as pool or acme.example/pool (given: "
        "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk); correct the value",
    ),
    "a taint's value that AWS refuses": (
        group(taints=[{"key": "k", "value": "v" * 64, "effect": "NO_SCHEDULE"}]),
        "platform:cluster.nodeGroups[0].taints[0].value: must be 63 letters, digits, hyphens, "
        "dots or underscores at most, with a letter or digit at both ends (given: "
        "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv); correct the value",
    ),
    "a taint twice": (
        group(taints=[{"key": "k", "value": v, "effect": "NO_EXECUTE"} for v in "ab"]),
        "platform:cluster.nodeGroups[0]: has two taints k with the effect NO_EXECUTE, and a "
        "node has one; remove one",
    ),
    "51 taints": (
        group(taints=[{"key": f"k{n}", "effect": "NO_SCHEDULE"} for n in range(51)]),
        "platform:cluster.nodeGroups[0].taints: must name 50 at most (given: …); remove what is "
        "too much",
    ),
    "a label that belongs to Kubernetes": (
        group(labels={"node-role.kubernetes.io/worker": "a"}),
        "platform:cluster.nodeGroups[0].labels.node-role.kubernetes.io/worker: has "
        "kubernetes.io/, which EKS keeps to itself (given: node-role.kubernetes.io/worker); "
        "take a prefix of your own",
    ),
    "a label without a value": (
        group(labels={"pool": ""}),
        "platform:cluster.nodeGroups[0].labels.pool: must be 1 to 63 letters, digits, hyphens, "
        "dots or underscores, with a letter or digit at both ends; correct the value",
    ),
    "an instance type that is none": (
        group(instanceTypes=["m7i large"]),
        "platform:cluster.nodeGroups[0].instanceTypes: names m7i large, which is no EC2 "
        "instance type (given: ['m7i large']); write it as in m7i.large",
    ),
    "more node groups than a cluster has": (
        lambda c: c["platform:cluster"].update(
            nodeGroups=[
                {**c["platform:cluster"]["nodeGroups"][0], "name": f"g{n}"} for n in range(31)
            ]
        ),
        "platform:cluster.nodeGroups: must name 30 at most (given: …); remove what is too much",
    ),
    "more public ranges than an endpoint takes": (
        cluster(publicAccess=[f"203.0.113.{n}/32" for n in range(41)]),
        "platform:cluster.publicAccess: must name 40 at most (given: …); remove what is too much",
    ),
    "more neighbours than a security group takes": (
        cluster(privateAccess=[f"10.99.{n}.0/24" for n in range(60)]),
        "platform:cluster.privateAccess: must name 59 at most (given: …); remove what is too much",
    ),
    "a neighbour named twice": (
        cluster(privateAccess=["10.99.0.0/24", "10.99.0.0/24"]),
        "platform:cluster.privateAccess: names 10.99.0.0/24 twice (given: ['10.99.0.0/24', "
        "'10.99.0.0/24']); name each one once",
    ),
    "an organization named as AWS names security groups": (
        lambda c: c.update({"platform:organization": "sg-games"}),
        "platform:organization: begins as the ids of security groups do, and AWS refuses such "
        "names (given: sg-games); choose another",
    ),
    "a role's name that is too long": (
        cluster(access={"platform": [f"arn:aws:iam::123456789012:role/{'r' * 65}"]}),
        "platform:cluster.access.platform[0]: must be the ARN of an IAM role or user (given: "
        "arn:aws:iam::123456789012:role/"
        f"{'r' * 65}); "
        "correct the value",
    ),
    "an existing cluster whose name is none": (
        lambda c: c.update({"platform:cluster": {**access(c), "existing": "c" * 101}}),
        "platform:cluster.existing: must be the name of an EKS cluster: letters, digits, "
        "hyphens and underscores, 100 at most (given: …); correct the value",
    ),
    "an add-on that is not known": (
        cluster(addons={"vpc_cni": "v1.22.4-eksbuild.3"}),
        "platform:cluster.addons.vpc_cni: must be 'vpc-cni', 'kube-proxy', 'coredns', "
        "'eks-pod-identity-agent', 'aws-ebs-csi-driver' or 'metrics-server' (given: vpc_cni); "
        "correct the value",
    ),
    "an add-on that is not pinned": (
        cluster(addons={"coredns": "latest"}),
        "platform:cluster.addons.coredns: must be one add-on version such as v1.22.4-eksbuild.3 "
        "(given: latest); correct the value",
    ),
    "processors that do not mix": (
        lambda c: c["platform:cluster"]["nodeGroups"][0].update(
            instanceTypes=["m7i.large", "m7g.large"]
        ),
        "platform:cluster.nodeGroups[0].instanceTypes: mixes arm64 and x86_64 processors "
        "(given: ['m7i.large', 'm7g.large']); make one node group for each of the two",
    ),
    "two node groups of one name": (
        lambda c: c["platform:cluster"]["nodeGroups"].append(
            c["platform:cluster"]["nodeGroups"][0]
        ),
        "platform:cluster: has two nodeGroups named general; give each a name of its own",
    ),
    "an existing cluster in a network of our own": (
        lambda c: c.update(
            {
                "platform:cluster": {"existing": "legacy", **access(c)},
                "platform:ingress": THEIR_WAY_IN,
            }
        ),
        "platform:cluster.existing: is a cluster in a network that exists, and platform:network "
        "would create another one (given: legacy); give platform:network.existing the ids of "
        "the cluster's VPC and subnets",
    ),
    "an existing cluster that is described all the same": (
        cluster(existing="legacy"),
        "platform:cluster: has nodeGroups, publicAccess, version beside existing, and an existing "
        "cluster is left as it is; correct the value",
    ),
    "a cluster that is neither described nor existing": (
        lambda c: c.update({"platform:cluster": access(c)}),
        "platform:cluster: must have version and nodeGroups, unless existing is set; correct "
        "the value",
    ),
    "an existing network that is described all the same": (
        lambda c: c.update(
            {
                "platform:network": {
                    "existing": existing_network("vpc-0a1b2c3d4e5f60718"),
                    "nat": "single",
                }
            }
        ),
        "platform:network: has nat beside existing, and an existing VPC is left as it is; "
        "correct the value",
    ),
    "a program that could not enter its own cluster": (
        lambda c: c.update({"aws:assumeRoles": [{"roleArn": "arn:aws:iam::123456789012:role/x"}]}),
        "platform:cluster.access.platform: lacks arn:aws:iam::123456789012:role/x, the role of "
        "aws:assumeRoles with which this program itself enters; add it to the list",
    ),
    "a window that no cron opens": (
        lambda c: c["platform:argocd"].update(
            syncWindows=[{"schedule": "every monday", "duration": "8h"}]
        ),
        "platform:argocd.syncWindows[0].schedule: must be a cron schedule of five fields such "
        "as 0 9 * * 1-4 (given: every monday); correct the value",
    ),
    "a window whose clock stands nowhere": (
        lambda c: c["platform:argocd"].update(
            syncWindows=[{"schedule": "0 9 * * 1", "duration": "8h", "timeZone": "noon"}]
        ),
        "platform:argocd.syncWindows[0].timeZone: is no time zone (given: noon); write a name "
        "of the IANA database such as Europe/Berlin",
    ),
    "a team of nobody": (
        lambda c: c["platform:cluster"]["access"].update(
            teams={"sales": ["arn:aws:iam::123456789012:role/sales"]}
        ),
        "platform:cluster.access.teams.sales: is no team of services.yaml; name one of gaming, "
        "tvhub",
    ),
    "a part that cannot be unprotected": (
        lambda c: c.update({"platform:unprotected": ["everything"]}),
        "platform:unprotected[0]: must be 'network', 'cluster', 'registry' or 'applications' "
        "(given: everything); correct the value",
    ),
}


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES.keys())
def test_a_wrong_value_is_refused_with_its_place_and_a_remedy(
    configuration: Path, bend: Bend, change: Change, expected: str
) -> None:
    bend("Pulumi.prod.yaml", change)

    assert refusal(configuration) == (
        f"1 problem in the configuration, nothing was created:\n  - Pulumi.prod.yaml: {expected}"
    )


def test_a_version_in_extended_support_is_for_safe_environments(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.prod.yaml", cluster(version="1.33"))
    assert load_files("prod", configuration).config.cluster.version == "1.33"

    bend("Pulumi.dev.yaml", cluster(version="1.33"))
    assert refusal(configuration) == (
        "1 problem in the configuration, nothing was created:\n"
        "  - Pulumi.dev.yaml: platform:cluster.version: left standard support on 2026-07-29, and "
        "AWS then upgrades the cluster by itself where speed is fast (given: 1.33); use one of "
        "1.33 (extended support, in safe environments alone), 1.34 (until 2026-12-02), 1.35 "
        "(until 2027-03-27), 1.36 (until 2027-08-02), one minor version up at a time"
    )


@pytest.mark.parametrize("key", ["sync", "automated", "selfHeal"])
def test_asking_prod_for_automated_sync_is_answered_with_the_switch(
    configuration: Path, bend: Bend, key: str
) -> None:
    bend("Pulumi.prod.yaml", lambda config: config["platform:argocd"].update({key: True}))

    report = refusal(configuration)

    assert report.endswith(
        f"platform:argocd.{key}: is not a key known here; remove it; how an environment syncs "
        "follows from platform:speed alone: fast syncs by itself, safe waits for a person"
    )


def test_everything_that_is_wrong_arrives_in_one_report(configuration: Path, bend: Bend) -> None:
    for change in (
        network(cidr="10.20.0.0/24", zones=["a", "a"]),
        cluster(version="1.20"),
        lambda config: config.update({"platform:automated": True}),
    ):
        bend("Pulumi.prod.yaml", change)

    report = refusal(configuration)

    assert report.startswith("4 problems in the configuration, nothing was created")


def test_what_one_environment_gets_wrong_is_told_beside_what_cannot_be_read(
    configuration: Path, bend: Bend
) -> None:
    bend("Pulumi.dev.yaml", cluster(version="1.33", access={"platform": ["no-role"]}))
    bend("Pulumi.prod.yaml", network(cidr="10.20.0.0/23"))
    bend("services.yaml", lambda c: c["namespaces"].update(keel=c["namespaces"].pop("streaming")))

    report = refusal(configuration)

    assert report.startswith("4 problems ")
    assert "Pulumi.dev.yaml: platform:cluster.version: left standard support" in report
    assert "Pulumi.dev.yaml: platform:cluster.access.platform[0]" in report
    assert "Pulumi.prod.yaml: platform:network.cidr" in report
    assert "services.yaml: namespaces.keel" in report


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_pipeline_enters_a_cluster(configuration: Path, bend: Bend, stack: str) -> None:
    role = "arn:aws:iam::123456789012:role/acme-dev-ci-tv-api"
    bend(f"Pulumi.{stack}.yaml", lambda c: c["platform:cluster"]["access"]["platform"].append(role))
    assert refusal(configuration) == (
        "1 problem in the configuration, nothing was created:\n"
        f"  - Pulumi.{stack}.yaml: platform:cluster.access: is a pipeline's role, and no pipeline "
        f"enters a cluster (given: {role}); remove it"
    )


def test_a_second_fast_environment_and_shared_addresses_are_refused(configuration: Path) -> None:
    dev = (configuration / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    copy = dev.replace("10.10.0.0/16", "10.30.0.0/16")
    (configuration / "Pulumi.qa.yaml").write_text(copy, encoding="utf-8")

    report = refusal(configuration)

    assert report.splitlines() == [
        "3 problems in the configuration, nothing was created:",
        "  - Pulumi.qa.yaml: platform:argocd.domain: is that of Pulumi.dev.yaml too, and a name "
        "leads to one cluster (given: argocd.dev.acme.example); give each environment a name of "
        "its own",
        "  - Pulumi.qa.yaml: platform:domain: is that of Pulumi.dev.yaml too, and a name leads to "
        "one cluster (given: dev.acme.example); give each environment a name of its own",
        "  - Pulumi.qa.yaml: platform:speed: is the speed of dev too, and a build is delivered to "
        "one environment (given: fast); make one of them safe",
    ]


def test_builds_need_an_environment_that_is_fast(configuration: Path, bend: Bend) -> None:
    bend("Pulumi.dev.yaml", lambda config: config.update({"platform:speed": "safe"}))
    assert (
        "  - Pulumi.dev.yaml: platform:speed: is the speed of every environment, and builds are "
        "delivered to a fast one (given: safe); make one of them fast\n"
    ) in refusal(configuration) + "\n"
    (configuration / "Pulumi.prod.yaml").unlink()
    bend("Pulumi.dev.yaml", lambda config: config["platform:registry"].update(owner="dev"))
    with pytest.raises(SettingsError, match="platform:speed: is the speed of every environment"):
        load_files("dev", configuration)


def test_a_group_may_have_one_size() -> None:
    group = {"name": "general", "instanceTypes": ["m7i.large"], "minSize": 2, "maxSize": 2}
    assert NodeGroup.model_validate(group).max_size == 2


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        ("m7g.large", "arm64"),
        ("c6gn.xlarge", "arm64"),
        ("im4gn.large", "arm64"),
        ("t4g.medium", "arm64"),
        ("a1.large", "arm64"),
        ("g5g.xlarge", "arm64"),
        ("m7i.large", "x86_64"),
        ("m7i-flex.large", "x86_64"),
        ("g4dn.xlarge", "x86_64"),
        ("gr6.4xlarge", "x86_64"),
        ("u7in-16tb.224xlarge", "x86_64"),
    ],
)
def test_the_processor_is_read_from_the_instance_type(instance_type: str, expected: str) -> None:
    assert architecture(instance_type) == expected


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_arns_name_the_partition_of_the_region(
    configuration: Path, bend: Bend, region: str, partition: str
) -> None:
    for stack in ("dev", "prod"):
        bend(f"Pulumi.{stack}.yaml", lambda config: config.update({"aws:region": region}))

    assert load_files("dev", configuration).environment.aws_account.partition == partition


NETWORKS = "choose a range in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"


@pytest.mark.parametrize(
    ("check", "cidr", "words"),
    [
        (ranges.of_a_network, "10.0.0.0/16", ""),
        (ranges.of_a_network, "10.0.0.0/22", ""),
        (ranges.of_a_network, "192.168.0.0/16", ""),
        (
            ranges.of_a_network,
            "10.0.4.0/24",
            "is too small for the subnets of six zones; choose a range of /22 or larger, such as "
            "10.0.4.0/22",
        ),
        (
            ranges.of_a_network,
            "10.0.0.0/15",
            "is larger than a VPC may be; choose /16 or smaller",
        ),
        (ranges.of_a_network, "172.32.0.0/16", f"is not private; {NETWORKS}"),
        (ranges.of_services, "172.16.0.0/12", ""),
        (ranges.of_services, "10.0.0.0/24", ""),
        (ranges.of_services, "10.0.0.0/11", "is no size that EKS allows; choose /12 to /24"),
        (ranges.of_services, "10.0.0.0/25", "is no size that EKS allows; choose /12 to /24"),
        (ranges.of_services, "100.64.0.0/16", f"is not private; {NETWORKS}"),
        (
            ranges.of_the_internet,
            "128.0.0.0/1",
            "is private, and EKS refuses it here; list it in privateAccess",
        ),
        (ranges.of_the_internet, "203.0.113.7/32", ""),
        (
            ranges.of_the_internet,
            "0.0.0.0/0",
            "lets the whole internet in; list the ranges that need the endpoint",
        ),
        (ranges.of_a_neighbour, "10.1.2.3/32", ""),
        (ranges.of_a_neighbour, "0.0.0.0/0", f"is not private; {NETWORKS}"),
    ],
)
def test_a_range_has_the_size_and_the_place_that_aws_asks_for(
    check: Callable[[IPv4Network], IPv4Network], cidr: str, words: str
) -> None:
    network = IPv4Network(cidr)
    if words:
        with pytest.raises(ValueError, match=r"^(is|lets) ") as refused:
            check(network)
        assert str(refused.value) == words
    else:
        assert check(network) == network


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ("250m", "0.25"),
        ("0.5", "0.5"),
        ("2", "2"),
        ("3k", "3000"),
        ("1.5Gi", "1610612736"),
        ("256Mi", "268435456"),
        ("1Ki", "1024"),
        ("1M", "1000000"),
    ],
)
def test_a_quantity_stands_for_cores_or_bytes(quantity: str, value: str) -> None:
    assert amount(quantity) == Decimal(value)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (2, ""),
        (0.5, ""),
        (True, "Value error, must be an amount of CPU such as 250m, 0.5 or 2"),
        ([1], "Input should be a valid string"),
    ],
)
def test_an_amount_of_cpu_may_be_a_number(value: object, fault: str) -> None:
    cpu: TypeAdapter[str] = TypeAdapter(Cpu)
    if not fault:
        assert cpu.validate_python(value) == str(value)
        return
    with pytest.raises(ValidationError) as refused:
        cpu.validate_python(value)
    assert [error["msg"] for error in refused.value.errors()] == [fault]


@pytest.mark.parametrize("quantity", ["", "Mi", "-1", "1 Gi"])
def test_what_is_no_quantity_is_told(quantity: str) -> None:
    with pytest.raises(ValueError, match="is no amount") as refused:
        amount(quantity)
    assert str(refused.value) == f"{quantity!r} is no amount"


@pytest.mark.parametrize("name", ["sg", "sg-games"])
def test_an_organization_is_not_named_as_the_ids_of_security_groups(name: str) -> None:
    with pytest.raises(ValueError, match="begins as the ids of security groups do"):
        of_an_organization(name)
    assert of_an_organization("sgames") == "sgames"
