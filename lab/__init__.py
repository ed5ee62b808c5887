"""The lab: the real programs, and stand-ins for AWS, on one machine. See README.md."""
