"""The files of the GitOps repository, written into a checkout."""
