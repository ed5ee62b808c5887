"""Builds of services, by the pipelines that the GitOps repository generates for them.

The shell code of the steps runs unchanged. This package has stand-ins for what a CI system
provides: its actions, its tokens, a container engine.
"""
