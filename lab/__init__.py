"""Everything that stands in for AWS and the clusters on one machine."""
