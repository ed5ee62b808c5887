"""The IAM policies of whoever runs `pulumi up`, from the calls that the program was seen to make.

`documents(settings, actions)` returns them; `python -m tools.iam` writes docs/iam/.
"""

from tools.iam.policy import boundary, documents

__all__ = ["boundary", "documents"]
