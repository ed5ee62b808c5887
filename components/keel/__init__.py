"""Keel, which rolls new builds in fast environments."""
