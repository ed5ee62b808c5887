"""Builds of services, made by the very pipelines that the GitOps repository generates for them.

The steps' own shell code runs as it stands; what a CI system provides (its actions, its tokens, a
container engine) is played here.
"""
