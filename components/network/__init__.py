"""The network: a VPC of our own, or one that exists."""
