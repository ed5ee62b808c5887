"""The network: a new VPC, or an existing one."""
