"""Measurements that need the lab's programs."""
