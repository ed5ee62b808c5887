"""Operations that moto lacks, or answers while forgetting what it was told.

A stand-in gets the parameters after they passed botocore's models, and `send` to ask moto itself.
What it has to remember goes to the kept file, under AWS's own names.
"""

from __future__ import annotations

from lab.aws.api import Standin
from lab.aws.beyond_moto import cluster_contents, clusters, mended, node_groups

STANDINS: dict[tuple[str, str], Standin] = {
    **clusters.STANDINS,
    **node_groups.STANDINS,
    **cluster_contents.STANDINS,
    **mended.STANDINS,
}
