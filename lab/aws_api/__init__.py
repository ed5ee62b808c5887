"""AWS over HTTP: moto, beside it what moto lacks, in front of both what AWS would refuse.

A request passes `gate.py` (is it a call that AWS's models allow, may its caller make it; who was
asked what is written down), then the journal of `lab/aws_journal.py`, then `behind.py`, where a
stand-in answers or moto does. The provider, boto3 and the AWS CLI all come this way.
"""
