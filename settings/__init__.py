"""Typed, validated configuration: the only reader of the YAML files and of Pulumi's config."""

from settings.environment import Environment, Settings
from settings.loading import load, load_files
from settings.naming import Names, names
from settings.problems import Problem, SettingsError
from settings.speed import SPEEDS, Speed

__all__ = [
    "SPEEDS",
    "Environment",
    "Names",
    "Problem",
    "Settings",
    "SettingsError",
    "Speed",
    "load",
    "load_files",
    "names",
]
