"""The files of the GitOps repository, written into a checkout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi.dynamic import Resource

from components.gitops_checkout.provider import CheckoutProvider
from gitops.file import File, Ownership


@dataclass(frozen=True, kw_only=True)
class GitOpsCheckoutArgs:
    """What is written, and where."""

    checkout: str
    """The folder, relative to the program."""
    url: str
    """The repository that it must be a checkout of."""
    files: Mapping[str, File]


class GitOpsCheckout(pulumi.ComponentResource):
    """The files of this environment, and those that all share, in a checkout of the repository.

    A preview shows each file that would be created, changed or removed, and each edited file
    that is kept. `up` writes them; a person commits and pushes. Nothing is deleted with the stack.
    Fails at preview when `platform:gitops.checkout` is no checkout of `platform:gitops.url`.
    """

    checkout: pulumi.Output[str]
    """The folder that was written, relative to the program."""

    def __init__(
        self, name: str, args: GitOpsCheckoutArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twospeed:index:Repository", name, None, opts)
        written = _Checkout(
            CheckoutProvider(),
            f"{name}-checkout",
            {
                "checkout": args.checkout,
                "url": args.url,
                **{
                    ownership.value: {
                        path: file.text
                        for path, file in args.files.items()
                        if file.ownership is ownership
                    }
                    for ownership in Ownership
                },
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.checkout = written.checkout
        self.register_outputs({"checkout": self.checkout})


class _Checkout(Resource, module="gitops", name="Checkout"):
    checkout: pulumi.Output[str]
