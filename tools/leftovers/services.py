"""Everything outside EC2 that carries an environment's tags or its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from settings.naming import Names
from tools.leftovers.found import Found, as_tags

Client = Callable[[str], Any]
Tags = Mapping[str, str]
LISTED = re.compile(
    r"arn:[^:]*:(ec2:[^:]*:[^:]*:(elastic-ip|instance|internet-gateway|launch-template|natgateway|"
    r"network-interface|route-table|security-group|security-group-rule|subnet|volume|vpc|"
    r"vpc-endpoint|vpc-flow-log)/|ecr:[^:]*:[^:]*:repository/|eks:|iam:[^:]*:[^:]*:role/|"
    r"acm:[^:]*:[^:]*:certificate/|kms:[^:]*:[^:]*:key/|logs:)"
)
"""The ARNs of kinds that have a list of their own. The tagging API goes on naming what is gone."""


def find(client: Client, names: Names, tags: Tags, clusters: set[str]) -> Iterator[Found]:
    """`clusters`: existing ones in which the program creates something."""
    yield from _keys(client, names, tags)
    yield from _log_groups(client("logs"), names)
    yield from _repositories(client("ecr"), tags)
    yield from _identities(client("iam"), names, tags)
    yield from _clusters(client("eks"), tags, clusters)
    yield from _certificates(client("acm"), tags)


def _pages(client: Any, operation: str, listed: str, **parameters: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[listed]


def _ours(carried: Tags, tags: Tags) -> bool:
    return tags.items() <= carried.items()


def tagged(client: Client, tags: Tags, *kinds: str) -> Iterator[tuple[str, Tags]]:
    """ARN and tags of what the Resource Groups Tagging API finds; of every kind unless told."""
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    found = _pages(
        client("resourcegroupstaggingapi"),
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=filters,
        ResourceTypeFilters=list(kinds),
    )
    for item in found:
        yield item["ResourceARN"], as_tags(item.get("Tags", []))


def _keys(client: Client, names: Names, tags: Tags) -> Iterator[Found]:
    kms = client("kms")
    for arn, carried in tagged(client, tags, "kms:key"):
        key = kms.describe_key(KeyId=arn)["KeyMetadata"]
        if key["KeyState"] != "PendingDeletion":
            id_ = key["KeyId"]
            yield Found(
                type="aws:kms/key:Key",
                id=id_,
                identities=frozenset({id_, arn}),
                name=carried.get("Name", ""),
                tags=carried,
                delete=f"aws kms schedule-key-deletion --key-id {id_}",
            )
    for alias in _pages(kms, "list_aliases", "Aliases"):
        name = alias["AliasName"]
        if name.startswith(f"alias/{names.prefix}-"):
            yield Found(
                type="aws:kms/alias:Alias",
                id=name,
                identities=frozenset({name, alias["AliasArn"]}),
                name=name,
                tags={},
                delete=f"aws kms delete-alias --alias-name {name}",
            )


def _log_groups(client: Any, names: Names) -> Iterator[Found]:
    """By name: a group that EKS made again while its cluster went carries no tags."""
    for prefix in (f"/aws/eks/{names.cluster}/", f"/aws/vpc/{names.prefix}/"):
        for group in _pages(client, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
            name = group["logGroupName"]
            yield Found(
                type="aws:cloudwatch/logGroup:LogGroup",
                id=name,
                identities=frozenset({name, group["arn"], group["arn"].removesuffix(":*")}),
                name=name,
                tags={},
                delete=f"aws logs delete-log-group --log-group-name {name}",
            )


def _repositories(client: Any, tags: Tags) -> Iterator[Found]:
    for repository in _pages(client, "describe_repositories", "repositories"):
        arn, name = repository["repositoryArn"], repository["repositoryName"]
        carried = as_tags(client.list_tags_for_resource(resourceArn=arn)["tags"])
        if _ours(carried, tags):
            yield Found(
                type="aws:ecr/repository:Repository",
                id=name,
                identities=frozenset({name, arn}),
                name=name,
                tags=carried,
                delete=f"aws ecr delete-repository --repository-name {name}",
            )


def _identities(client: Any, names: Names, tags: Tags) -> Iterator[Found]:
    for role in _pages(client, "list_roles", "Roles"):
        name = role["RoleName"]
        if name.startswith(names.role_beginning):
            carried = as_tags(client.list_role_tags(RoleName=name)["Tags"])
            if _ours(carried, tags):
                yield Found(
                    type="aws:iam/role:Role",
                    id=name,
                    identities=frozenset({name, role["Arn"]}),
                    name=name,
                    tags=carried,
                    delete=f"aws iam delete-role --role-name {name}",
                )
    for provider in client.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        arn = provider["Arn"]
        carried = as_tags(
            client.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"]
        )
        if _ours(carried, tags):
            yield Found(
                type="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
                id=arn,
                identities=frozenset({arn}),
                name=carried.get("Name", ""),
                tags=carried,
                delete="aws iam delete-open-id-connect-provider "
                f"--open-id-connect-provider-arn {arn}",
            )


def _certificates(client: Any, tags: Tags) -> Iterator[Found]:
    for certificate in _pages(client, "list_certificates", "CertificateSummaryList"):
        arn = certificate["CertificateArn"]
        carried = as_tags(client.list_tags_for_certificate(CertificateArn=arn)["Tags"])
        if _ours(carried, tags):
            yield Found(
                type="aws:acm/certificate:Certificate",
                id=arn,
                identities=frozenset({arn}),
                name=carried.get("Name", ""),
                tags=carried,
                delete=f"aws acm delete-certificate --certificate-arn {arn}",
            )


def _clusters(client: Any, tags: Tags, existing: set[str]) -> Iterator[Found]:
    for name in _pages(client, "list_clusters", "clusters"):
        cluster = client.describe_cluster(name=name)["cluster"]
        carried = as_tags(cluster.get("tags", {}))
        if _ours(carried, tags):
            yield Found(
                type="aws:eks/cluster:Cluster",
                id=name,
                identities=frozenset({name, cluster["arn"]}),
                name=name,
                tags=carried,
                delete=f"aws eks delete-cluster --name {name}",
            )
        if _ours(carried, tags) or name in existing:
            yield from (part for part in _in_a_cluster(client, name) if _ours(part.tags, tags))


def _in_a_cluster(client: Any, cluster: str) -> Iterator[Found]:
    own = {"clusterName": cluster}
    for name in _pages(client, "list_nodegroups", "nodegroups", **own):
        group = client.describe_nodegroup(**own, nodegroupName=name)["nodegroup"]
        ids = [f"{cluster}:{name}", group["nodegroupArn"]]
        delete = f"delete-nodegroup --cluster-name {cluster} --nodegroup-name {name}"
        yield _part("nodeGroup:NodeGroup", ids, ids[0], group, delete)
    for name in _pages(client, "list_addons", "addons", **own):
        addon = client.describe_addon(**own, addonName=name)["addon"]
        ids = [f"{cluster}:{name}", addon["addonArn"]]
        delete = f"delete-addon --cluster-name {cluster} --addon-name {name}"
        yield _part("addon:Addon", ids, ids[0], addon, delete)
    for arn in _pages(client, "list_access_entries", "accessEntries", **own):
        entry = client.describe_access_entry(**own, principalArn=arn)["accessEntry"]
        ids = [f"{cluster}:{arn}", entry["accessEntryArn"]]
        delete = f"delete-access-entry --cluster-name {cluster} --principal-arn {arn}"
        yield _part("accessEntry:AccessEntry", ids, ids[0], entry, delete)
    for listed in _pages(client, "list_pod_identity_associations", "associations", **own):
        id_ = listed["associationId"]
        made = client.describe_pod_identity_association(**own, associationId=id_)["association"]
        ids = [f"{cluster},{id_}", made["associationArn"], id_]
        name = f"{cluster}:{made['namespace']}/{made['serviceAccount']}"
        delete = f"delete-pod-identity-association --cluster-name {cluster} --association-id {id_}"
        yield _part("podIdentityAssociation:PodIdentityAssociation", ids, name, made, delete)


def _part(kind: str, ids: Sequence[str], name: str, said: Mapping[str, Any], delete: str) -> Found:
    """ids: as `pulumi import` takes it, and whatever else a state may know it by."""
    return Found(
        type=f"aws:eks/{kind}",
        id=ids[0],
        identities=frozenset(ids),
        name=name,
        tags=as_tags(said.get("tags", {})),
        delete=f"aws eks {delete}",
    )


def anything_else(client: Client, tags: Tags, known: frozenset[str]) -> Iterator[Found]:
    """What only the tagging API finds: kinds that no other list has."""
    for arn, carried in tagged(client, tags):
        id_ = arn.rpartition("/")[2]
        if not known & {arn, id_, arn.rpartition(":")[2]} and not LISTED.match(arn):
            yield Found(
                type=":".join(arn.split(":")[2:3]),
                id=arn,
                identities=frozenset({arn, id_}),
                name=carried.get("Name", ""),
                tags=carried,
                delete="see the service's own command",
            )
