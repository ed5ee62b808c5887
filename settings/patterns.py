"""Regular expressions of texts that the configuration and the generated files have in common."""

VERSION_PATTERN = "v[0-9]{8}-[0-9a-f]{7}"
"""The version of a build: its day and its commit."""
DIGEST_PATTERN = r"sha256:[0-9a-f]{64}"
"""The digest of an image or of a chart."""
