"""Two-speed GitOps on AWS: one environment, as its stack file and `services.yaml` describe it."""

import gc

import pulumi

from components import wiring
from components.argocd.applications import Applications
from components.argocd.argocd import ArgoCd
from components.ci.ci_identity import CiIdentity
from components.cluster.access import Access
from components.cluster.cluster import Cluster
from components.gitops_checkout.gitops_checkout import GitOpsCheckout
from components.ingress.front_door import FrontDoor
from components.ingress.ingress import Ingress
from components.keel.keel import Keel
from components.network.network import Network
from components.observability.observability import Observability
from components.preflight.preflight import preflight
from components.registry.registry import Registry
from components.registry.registry_reference import RegistryReference
from components.service_access.service_access import ServiceAccess
from components.tenancy.tenancy import Tenancy
from settings.addresses import addresses, left_to_do
from settings.pulumi_config import load_secrets, load_stack
from settings.rules import immutable

gc.disable()  # Whatever is made here stays until the end: a look for garbage finds none.
settings = load_stack()
preflight(wiring.preflight(settings), settings.sources)
network = Network("network", wiring.network(settings))
GitOpsCheckout("gitops", wiring.gitops_checkout(settings))
if settings.owns_registry:
    repositories = Registry("registry", wiring.registry(settings)).urls
    CiIdentity("ci", wiring.ci_identity(settings))
else:
    repositories = RegistryReference("registry", wiring.registry_reference(settings)).urls

cluster = Cluster("cluster", wiring.cluster(settings, network))
inside = pulumi.ResourceOptions(provider=cluster.provider)
argocd = ArgoCd("argocd", wiring.argocd(settings, cluster, load_secrets()), inside)
access = None
if settings.has_private:
    access = ServiceAccess("service-access", wiring.service_access(settings, cluster), inside)
way_in = None
if ingress := settings.config.ingress:
    way_in = Ingress("ingress", wiring.ingress(settings, ingress, network, cluster), inside)
    FrontDoor("front-door", wiring.front_door(settings, ingress, way_in, argocd), inside)
    pulumi.export("addresses", addresses(settings))
    pulumi.export("leftToDo", left_to_do(settings))
deployed = wiring.applications(settings, argocd, access, way_in)
applications = Applications("apps", deployed, inside)
Access("access", wiring.access(settings, applications.namespaces), inside)
Tenancy("tenancy", wiring.tenancy(settings, applications.namespaces), inside)
if keel := settings.config.keel:
    Keel("keel", wiring.keel(settings, keel, cluster, applications.namespaces), inside)
if observability := settings.config.observability:
    seen = wiring.observability(settings, observability, cluster, argocd, way_in)
    pulumi.export("alarms", Observability("observability", seen).topic)

pulumi.export("repositories", repositories)
pulumi.export("cluster", cluster.name)
pulumi.export("argocd", argocd.url)
applied = pulumi.Output.all(repositories, cluster.endpoint)
pulumi.export(immutable.OUTPUT, applied.apply(lambda _: immutable.values(settings)))
