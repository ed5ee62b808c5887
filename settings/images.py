"""Images that the platform itself runs beside the charts' own."""

PYTHON = "public.ecr.aws/docker/library/python:3.13.7-alpine3.22"
"""Runs the platform's small programs in a cluster: they need the standard library alone."""
