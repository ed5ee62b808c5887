"""Rules for a range of addresses in a stack file."""

from __future__ import annotations

from ipaddress import IPv4Network

PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
LARGEST_NETWORK, SMALLEST_NETWORK = 16, 22
"""AWS allows no VPC above /16; below /22 the subnets of load balancers would be too small:
an application load balancer needs a /27."""
LARGEST_SERVICES, SMALLEST_SERVICES = 12, 24
"""What EKS allows for the addresses of Kubernetes services."""


def of_a_network(cidr: IPv4Network) -> IPv4Network:
    """`cidr`, or ValueError where a VPC with our subnets cannot have it."""
    if cidr.prefixlen > SMALLEST_NETWORK:
        raise ValueError(
            f"is too small for the subnets of six zones; choose a range of /{SMALLEST_NETWORK} "
            f"or larger, such as {cidr.supernet(new_prefix=SMALLEST_NETWORK)}"
        )
    if cidr.prefixlen < LARGEST_NETWORK:
        raise ValueError(f"is larger than a VPC may be; choose /{LARGEST_NETWORK} or smaller")
    return _private(cidr)


def of_services(cidr: IPv4Network) -> IPv4Network:
    """`cidr`, or ValueError where EKS would refuse it for Kubernetes services."""
    if not LARGEST_SERVICES <= cidr.prefixlen <= SMALLEST_SERVICES:
        raise ValueError(
            f"is no size that EKS allows; choose /{LARGEST_SERVICES} to /{SMALLEST_SERVICES}"
        )
    return _private(cidr)


def of_the_internet(cidr: IPv4Network) -> IPv4Network:
    """`cidr`, or ValueError where it is the whole internet or a private range."""
    if cidr.prefixlen == 0:
        raise ValueError("lets the whole internet in; list the ranges that need the endpoint")
    if any(cidr.overlaps(private) for private in PRIVATE):
        raise ValueError("is private, and EKS refuses it here; list it in privateAccess")
    return cidr


def of_visitors(cidr: IPv4Network) -> IPv4Network:
    """`cidr`, or ValueError where nobody on the internet has an address of it."""
    if cidr.prefixlen == 0:
        raise ValueError("is the whole internet; write reach: internet")
    if any(cidr.overlaps(private) for private in PRIVATE):
        raise ValueError("is private, and nobody comes over the internet from there; remove it")
    return cidr


def of_a_neighbour(cidr: IPv4Network) -> IPv4Network:
    """`cidr`, or ValueError where it is no private range, as of the VPC or a connected network."""
    return _private(cidr)


def _private(cidr: IPv4Network) -> IPv4Network:
    if not any(cidr.subnet_of(private) for private in PRIVATE):
        raise ValueError(f"is not private; choose a range in {', '.join(map(str, PRIVATE))}")
    return cidr
