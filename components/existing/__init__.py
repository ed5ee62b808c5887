"""Existing networks and clusters, used as they are."""
