"""Argo CD, its projects and its Applications."""
