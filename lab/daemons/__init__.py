"""The daemons of a lab, one file each: how it starts and, where it is our own, what it does."""
