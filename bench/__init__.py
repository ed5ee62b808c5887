"""Measurements, each by one command: `make bench`."""
