"""Images that the platform itself runs beside the charts' own."""

PYTHON = "public.ecr.aws/docker/library/python:3.13.7-alpine3.22"
"""Runs the platform's small programs in a cluster: they need the standard library alone."""
BUSYBOX = "public.ecr.aws/docker/library/busybox:1.37.0-musl"
"""A static `true`, which runs in every image and so shows its digest."""
OF_MIGRATIONS = {"gate": PYTHON, "tools": BUSYBOX}
"""What runs beside a service that migrates."""
