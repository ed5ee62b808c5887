"""The registry: one ECR repository for each service, shared by all environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policies
from components.registry import lifecycle
from components.registry.registry_reference import RegistryError
from settings import Settings, names

PULLING = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
)


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """settings: the catalogue gives the repositories, `platform:registry` how they are kept."""

    settings: Settings


class Registry(pulumi.ComponentResource):
    """Where every image lives; created by the stack that `platform:registry.owner` names.

    For each service a repository `<namespace>/<service>`: tags are immutable except the moving
    tag of the fast environment, images are scanned when pushed and encrypted (AES256, or a KMS key
    of our own), a lifecycle policy that cannot expire a version, and a policy that lets the
    accounts of all environments pull. Repositories and key are protected, and retained even when
    the stack is destroyed.

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
        self._settings = args.settings
        self._names = names(args.settings)
        self._key = self._encryption_key()
        self.urls = pulumi.Output.all(
            **{
                service: self._repository(namespace, service)
                for namespace, service, _ in args.settings.catalogue.entries()
            }
        )
        self.register_outputs({"urls": self.urls})

    def _encryption_key(self) -> aws.kms.Key | None:
        if self._settings.config.registry.encryption != "KMS":
            return None
        key = aws.kms.Key(
            f"{self._prefix}-key",
            description="Encrypts container images",
            enable_key_rotation=True,
            tags=self._names.tags(Name=self._names.of("registry")),
            opts=self._kept(),
        )
        aws.kms.Alias(
            f"{self._prefix}-key-alias",
            name=f"alias/{self._names.of('registry')}",
            target_key_id=key.key_id,
            opts=self._kept(),
        )
        return key

    def _repository(self, namespace: str, service: str) -> pulumi.Output[str]:
        """Create the repository and return its URL, checked."""
        path = self._names.repository(namespace, service)
        moving_tag = self._settings.fast.name
        repository = aws.ecr.Repository(
            f"{self._prefix}-{service}",
            name=path,
            image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
            image_tag_mutability_exclusion_filters=[
                aws.ecr.RepositoryImageTagMutabilityExclusionFilterArgs(
                    filter=moving_tag, filter_type="WILDCARD"
                )
            ],
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(
                scan_on_push=True
            ),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(
                    encryption_type=self._settings.config.registry.encryption,
                    kms_key=self._key.arn if self._key else None,
                )
            ],
            force_delete=False,
            tags=self._names.tags(Name=path, Service=service),
            opts=self._kept(),
        )
        aws.ecr.LifecyclePolicy(
            f"{self._prefix}-{service}-lifecycle",
            repository=repository.name,
            policy=lifecycle.policy(
                moving_tag,
                untagged_days=self._settings.config.registry.untagged_days,
                build_days=self._settings.config.registry.build_days,
            ),
            opts=self._retained(),
        )
        self._let_pull(service, repository)
        expected = f"{self._settings.registry_host}/{path}"
        return repository.repository_url.apply(lambda url: _as_computed(url, expected))

    def _let_pull(self, service: str, repository: aws.ecr.Repository) -> None:
        """The accounts of all environments, the registry's own too: so the policy is there even
        without others, and an account that leaves loses its right."""
        accounts = sorted({(e.partition, e.account) for e in self._settings.environments})
        aws.ecr.RepositoryPolicy(
            f"{self._prefix}-{service}-pull",
            repository=repository.name,
            policy=policies.document(
                *(
                    {
                        "Sid": f"PullFrom{account}",
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                        "Action": list(PULLING),
                    }
                    for partition, account in accounts
                )
            ),
            opts=self._retained(),
        )

    def _kept(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            protect=self._settings.protects("registry"),
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
