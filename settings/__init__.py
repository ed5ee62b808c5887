"""Typed, validated configuration: the only reader of the YAML files and of Pulumi's config."""

from settings.environment import Environment, Settings
from settings.loading import load, load_files
from settings.naming import Names
from settings.problems import Problem, SettingsError, UserError
from settings.speed import SPEEDS, Speed

__all__ = [
    "SPEEDS",
    "Environment",
    "Names",
    "Problem",
    "Settings",
    "SettingsError",
    "Speed",
    "UserError",
    "load",
    "load_files",
]
