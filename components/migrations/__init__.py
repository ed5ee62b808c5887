"""Migrations: once for each version, before any pod of it serves."""
