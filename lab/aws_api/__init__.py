"""AWS over HTTP: moto, and what moto lacks.

The provider, boto3 and the AWS CLI call it. `cbor.py` translates calls in CBOR into JSON.
`frontend.py` refuses what AWS's models or the caller's policies refuse, and records every call.
`lab/aws_journal.py` writes changes to the journal. `backend.py` answers with a stand-in or with
moto.
"""
