"""The daemons of a lab, one file each: how it starts and, if it is the lab's own, its code."""
