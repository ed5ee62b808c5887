"""Generators, and commands for real accounts. Nothing of the program imports them."""
