"""Rules that tie settings together: between keys, between files, between environments."""
