"""The image registry: created by the stack that owns it, read by the others."""
