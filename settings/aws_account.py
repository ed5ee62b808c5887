"""An environment's AWS account and region, and its ARNs, which only this module composes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class AwsAccount:
    """One account, and the region of it that an environment uses."""

    id: str
    """12 digits."""
    region: str

    @property
    def partition(self) -> str:
        """The part of AWS that ARNs of this region name."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")

    @property
    def registry_host(self) -> str:
        """The host name of the account's ECR registry."""
        domain = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"{self.id}.dkr.ecr.{self.region}.{domain}"

    def arn(self, service: str, resource: str, *, region: str = "") -> str:
        """Anything of the account, such as `log-group:*` of `logs`; in its region unless given."""
        return f"arn:{self.partition}:{service}:{region or self.region}:{self.id}:{resource}"

    def iam_arn(self, resource: str) -> str:
        """Anything of the account in IAM, which has no regions, such as `role/*`."""
        return f"arn:{self.partition}:iam::{self.id}:{resource}"

    @property
    def root_arn(self) -> str:
        """Every principal of the account that its own policies allow."""
        return self.iam_arn("root")

    def role_arn(self, name: str) -> str:
        """An IAM role."""
        return self.iam_arn(f"role/{name}")

    def cluster_arn(self, name: str) -> str:
        """An EKS cluster."""
        return self.arn("eks", f"cluster/{name}")

    def image_repository_arn(self, name: str) -> str:
        """An ECR repository, such as streaming/tv-api; `*` for all of them."""
        return self.arn("ecr", f"repository/{name}")

    def dns_arn(self, resource: str) -> str:
        """Anything of Route 53, which has neither accounts nor regions, such as `hostedzone/*`."""
        return f"arn:{self.partition}:route53:::{resource}"

    def managed_policy_arn(self, name: str) -> str:
        """A policy that AWS maintains, such as AmazonEKSClusterPolicy."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"

    def access_policy_arn(self, name: str) -> str:
        """A policy of EKS access entries, such as AmazonEKSClusterAdminPolicy."""
        return f"arn:{self.partition}:eks::aws:cluster-access-policy/{name}"
