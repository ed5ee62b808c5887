"""Typed, validated configuration: the only reader of the YAML files and of Pulumi's config.

Nothing is imported here, so that each module loads only what it needs.
"""
