"""The former place of CheckoutProvider: states of environments that are up still name it.

Pulumi imports the class by the name in the state when it deletes the resource.
"""

from components.gitops_checkout.provider import CheckoutProvider

__all__ = ["CheckoutProvider"]
