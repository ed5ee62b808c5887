"""The identity of CI pipelines."""
