"""The GitOps repository, as a function of the settings."""
