"""How people reach services and Argo CD: one load balancer, one certificate, a name for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource

from components.ingress import load_balancer
from components.ingress.certificate import Certificate, CertificateArgs
from components.ingress.controller import Controller, ControllerArgs
from components.ingress.dns import Dns, DnsArgs
from components.ingress.dns_values import OwnNames
from settings.aws_account import AwsAccount
from settings.ingress import IngressConfig
from settings.naming import Names


@dataclass(frozen=True, kw_only=True)
class IngressArgs:
    """What the way in is made from."""

    config: IngressConfig
    domain: str
    """Services are `<service>.<domain>`."""
    argocd_domain: str
    other_domains: Sequence[str]
    """Domains of other environments inside of it."""
    names: Names
    account: AwsAccount
    profile: str | None
    """The AWS profile and the role (an ARN) with which Pulumi works."""
    role: str | None
    permissions_boundary: str | None
    """The permissions boundary of every role, if there is one."""
    auto: bool
    """Whether the cluster is in Auto Mode, which makes load balancers itself."""
    replicas: int
    """Of the controller, where it does not."""
    cluster_name: Output[str]
    kubeconfig: Output[str]
    owned_cluster: bool
    """Whether this program made the cluster."""
    vpc_id: Output[str]
    subnet_ids: Input[Sequence[str]]
    """Where the load balancer is: public or private subnets, as `reach` says."""


class Ingress(pulumi.ComponentResource):
    """What Ingresses need before they are there.

    Unless `class` names one that exists: an IngressClass by which all Ingresses share one load
    balancer, with what makes it where Auto Mode does not, and a certificate, unless one is named.
    With `zone`, external-dns. Deleted after the Ingresses, so that load balancer and names go with
    them. Wants a Kubernetes provider in `opts`.
    """

    ingress_class: str
    certificate: Output[str] | None = None
    """The ARN of what the load balancer proves itself with; None where others bring it."""

    def __init__(self, name: str, args: IngressArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("twospeed:index:Ingress", name, None, opts)
        self._prefix = name
        self._args = args
        self.ingress_class = args.config.class_name(auto=args.auto)
        zone_id = self._zone(args.config.zone) if args.config.zone else None
        if args.config.balances:
            self._class(zone_id)
        if zone_id is not None:
            self._dns(zone_id)
        self.register_outputs({"class": self.ingress_class})

    def _zone(self, zone: str) -> Output[str]:
        found = aws.route53.get_zone_output(
            name=zone, private_zone=False, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        return found.zone_id

    def _class(self, zone_id: Output[str] | None) -> None:
        args = self._args
        dialect = load_balancer.AUTO_MODE if args.auto else load_balancer.CHART
        controller = [] if args.auto else [self._controller()]
        self.certificate = self._certificate(zone_id)
        known = Output.all(self.certificate, args.subnet_ids)
        described = CustomResource(
            f"{self._prefix}-load-balancer",
            api_version=f"{dialect.group}/{dialect.version}",
            kind="IngressClassParams",
            metadata={"name": self.ingress_class},
            spec=known.apply(
                lambda of: load_balancer.parameters(
                    dialect,
                    args.config,
                    group=args.names.prefix,
                    certificate=of[0],
                    subnets=of[1],
                )
            ),
            opts=ResourceOptions(parent=self, depends_on=controller),
        )
        k8s.networking.v1.IngressClass(
            f"{self._prefix}-class",
            **load_balancer.ingress_class(dialect, self.ingress_class),
            opts=ResourceOptions(parent=self, depends_on=[described]),
        )

    def _certificate(self, zone_id: Output[str] | None) -> Output[str]:
        args = self._args
        if args.config.certificate or zone_id is None:
            return Output.from_input(args.config.certificate or "")
        apart = not load_balancer.covered(args.argocd_domain, args.domain)
        return Certificate(
            f"{self._prefix}-tls",
            CertificateArgs(
                domain=args.domain,
                others=[args.argocd_domain] if apart else [],
                zone_id=zone_id,
                names=args.names,
            ),
            ResourceOptions(parent=self),
        ).arn

    def _controller(self) -> Controller:
        args = self._args
        return Controller(
            f"{self._prefix}-controller",
            ControllerArgs(
                chart=args.config.controller_chart,
                names=args.names,
                account=args.account,
                permissions_boundary=args.permissions_boundary,
                cluster_name=args.cluster_name,
                vpc_id=args.vpc_id,
                kubeconfig=args.kubeconfig,
                replicas=args.replicas,
            ),
            ResourceOptions(parent=self),
        )

    def _dns(self, zone_id: Output[str]) -> None:
        args = self._args
        Dns(
            f"{self._prefix}-dns",
            DnsArgs(
                chart=args.config.dns_chart,
                own=OwnNames(
                    domain=args.domain,
                    argocd=args.argocd_domain,
                    others=args.other_domains,
                    owner=args.names.prefix,
                ),
                ingress_class=self.ingress_class,
                zone_id=zone_id,
                names=args.names,
                account=args.account,
                profile=args.profile,
                role=args.role,
                permissions_boundary=args.permissions_boundary,
                cluster_name=args.cluster_name,
                kubeconfig=args.kubeconfig,
                owned_cluster=args.owned_cluster,
            ),
            ResourceOptions(parent=self),
        )
