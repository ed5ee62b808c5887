"""AWS over HTTP: moto, and beside it what moto lacks.

The provider, boto3 and the AWS CLI all come this way. `frontend.py` refuses what AWS's models or
the caller's policies refuse, and records every call. Then comes the journal of
`lab/aws_journal.py`. `backend.py` has a stand-in answer, or moto.
"""
