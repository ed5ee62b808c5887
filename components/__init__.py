"""The components: one room for each topic: docs/map.md."""
