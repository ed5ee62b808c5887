"""Two-speed GitOps on AWS: one environment, as its stack file and `services.yaml` describe it."""

import pulumi

from components.argocd.applications import Applications, ApplicationsArgs
from components.argocd.argocd import ArgoCd, ArgoCdArgs
from components.ci.ci_identity import CiIdentity, CiIdentityArgs
from components.cluster.access import Access, AccessArgs
from components.cluster.cluster import Cluster, ClusterArgs
from components.gitops_checkout.gitops_checkout import Repository, RepositoryArgs
from components.keel.keel import Keel, KeelArgs
from components.network.network import Network, NetworkArgs
from components.registry.registry import Registry, RegistryArgs
from components.registry.registry_reference import RegistryReference, RegistryReferenceArgs
from settings.pulumi_config import load_stack
from settings.rules.immutable import standing

settings = load_stack()
network = Network("network", NetworkArgs(settings=settings))
Repository("gitops", RepositoryArgs(settings=settings))
if settings.owns_registry:
    repositories = Registry("registry", RegistryArgs(settings=settings)).urls
    CiIdentity("ci", CiIdentityArgs(settings=settings))
else:
    repositories = RegistryReference("registry", RegistryReferenceArgs(settings=settings)).urls

cluster = Cluster("cluster", ClusterArgs(settings=settings, network=network))
inside = pulumi.ResourceOptions(provider=cluster.provider)
argocd = ArgoCd("argocd", ArgoCdArgs(settings=settings, cluster=cluster), inside)
applications = Applications("apps", ApplicationsArgs(settings=settings, argocd=argocd), inside)
Access("access", AccessArgs(settings=settings, namespaces=applications.namespaces), inside)
if settings.config.keel:
    served = KeelArgs(settings=settings, cluster=cluster, namespaces=applications.namespaces)
    Keel("keel", served, inside)

pulumi.export("repositories", repositories)
pulumi.export("cluster", cluster.name)
pulumi.export("argocd", argocd.url)
made = pulumi.Output.all(repositories, cluster.endpoint)
pulumi.export("standing", made.apply(lambda _: standing(settings)))
