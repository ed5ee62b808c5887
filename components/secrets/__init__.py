"""Secrets of services: External Secrets brings them, and a change of one rolls the pods."""
