"""The registry: one ECR repository for each service, shared by all environments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policies
from components.registry import lifecycle
from components.registry.registry_reference import RegistryError
from settings.aws_account import AwsAccount
from settings.catalogue import Catalogue
from settings.naming import Names
from settings.registry import RegistryConfig

PULLING = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:DescribeImageScanFindings",  # of what it promotes
    "ecr:DescribeImages",  # a release lists versions, with the credentials of any environment
    "ecr:GetDownloadUrlForLayer",
    "ecr:ListImages",  # Keel looks for tags, where the registry is in another account
)


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """The catalogue gives the repositories, the configuration how images are stored."""

    config: RegistryConfig
    catalogue: Catalogue
    names: Names
    host: str
    """The registry's host name, as the generated files name it."""
    moving_tag: str
    """The tag that every build moves: the name of the fast environment."""
    pulling: Sequence[AwsAccount]
    """Who pulls and lists: the accounts of all environments."""
    protected: bool
    """Pulumi refuses to delete or replace repositories and key."""


class Registry(pulumi.ComponentResource):
    """The image repositories; created by the stack that `platform:registry.owner` names.

    For each service a repository `<namespace>/<service>`: tags are immutable except the moving
    tag of the fast environment and those that are never released, images are scanned when pushed
    and encrypted (AES256, or a KMS key of its own), a lifecycle policy that cannot expire a
    version, and a policy that lets the accounts of all environments pull and list. Repositories
    and key are protected, and retained even when the stack is destroyed.

    When AWS names a repository otherwise than the settings computed, `up` fails with
    RegistryError: the files of the GitOps repository would name images that do not exist.
    """

    urls: pulumi.Output[Mapping[str, str]]
    """By service, the image's name without a tag."""

    def __init__(
        self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Registry", name, None, opts)
        self._prefix = name
        self._args = args
        self._names = args.names
        self._key = self._encryption_key()
        self.urls = pulumi.Output.all(
            **{
                service: self._repository(namespace, service)
                for namespace, service, _ in args.catalogue.built()
            }
        )
        self.register_outputs({"urls": self.urls})

    def _encryption_key(self) -> aws.kms.Key | None:
        if self._args.config.encryption != "KMS":
            return None
        key = aws.kms.Key(
            f"{self._prefix}-key",
            description="Encrypts container images",
            enable_key_rotation=True,
            tags=self._names.tags(Name=self._names.of("registry")),
            opts=self._protected(),
        )
        aws.kms.Alias(
            f"{self._prefix}-key-alias",
            name=f"alias/{self._names.of('registry')}",
            target_key_id=key.key_id,
            opts=self._protected(),
        )
        return key

    def _repository(self, namespace: str, service: str) -> pulumi.Output[str]:
        """Create the repository and return its URL, checked."""
        path = self._names.repository(namespace, service)
        moving_tag = self._args.moving_tag
        repository = aws.ecr.Repository(
            f"{self._prefix}-{service}",
            name=path,
            image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
            image_tag_mutability_exclusion_filters=[
                aws.ecr.RepositoryImageTagMutabilityExclusionFilterArgs(
                    filter=pattern, filter_type="WILDCARD"
                )
                for pattern in (moving_tag, *lifecycle.NEVER_RELEASED)
            ],
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(
                scan_on_push=True
            ),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(
                    encryption_type=self._args.config.encryption,
                    kms_key=self._key.arn if self._key else None,
                )
            ],
            force_delete=False,
            tags=self._names.tags(Name=path, Service=service),
            opts=self._protected(),
        )
        aws.ecr.LifecyclePolicy(
            f"{self._prefix}-{service}-lifecycle",
            repository=repository.name,
            policy=lifecycle.policy(
                moving_tag,
                untagged_days=self._args.config.untagged_days,
                build_days=self._args.config.build_days,
            ),
            opts=self._retained(),
        )
        self._let_pull(service, repository)
        expected = f"{self._args.host}/{path}"
        return repository.repository_url.apply(lambda url: _as_computed(url, expected))

    def _let_pull(self, service: str, repository: aws.ecr.Repository) -> None:
        """The accounts of all environments, the registry's own included, so that there is always a
        policy, and a removed account loses its right."""
        roots = sorted({(account.id, account.root_arn) for account in self._args.pulling})
        aws.ecr.RepositoryPolicy(
            f"{self._prefix}-{service}-pull",
            repository=repository.name,
            policy=policies.document(
                *(
                    {
                        "Sid": f"PullFrom{account}",
                        "Effect": "Allow",
                        "Principal": {"AWS": root},
                        "Action": list(PULLING),
                    }
                    for account, root in roots
                )
            ),
            opts=self._retained(),
        )

    def _protected(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            protect=self._args.protected,
            retain_on_delete=True,
        )

    def _retained(self) -> pulumi.ResourceOptions:
        """What belongs to a repository stays with it."""
        return pulumi.ResourceOptions(parent=self, retain_on_delete=True)


def _as_computed(url: str, expected: str) -> str:
    if url != expected:
        raise RegistryError(
            f"AWS named the repository {url}, but the files of the GitOps repository say "
            f"{expected}; correct aws:region and aws:allowedAccountIds of the registry's owner, "
            "or set platform:registry.host"
        )
    return url
