"""The IAM policies of the role that runs `pulumi up`, from recorded calls of the program.

`documents(settings, actions)` returns them; `python -m tools.iam` writes docs/iam/.
"""

from tools.iam.policy import boundary, documents

__all__ = ["boundary", "documents"]
