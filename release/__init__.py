"""Releases in a GitOps repository: promote, roll back, deliver, render, and tell what was released.

Copied into the GitOps repository as `scripts/release/`, and started by the shell scripts beside it.
Needs Python 3.9, Git 2.29 and kustomize (or kubectl); helm where a service is a chart, the AWS CLI
where the registry is asked. Nothing outside Python's standard library is imported.
"""
