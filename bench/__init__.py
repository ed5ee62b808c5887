"""Measurements, each by one command: `python -m bench.releases`."""
