"""Mutation tests: the program is changed in small ways, and the unit tests should fail."""
