"""The components: one part of the platform in each file."""
