"""A policy document is written the same way each time, as a reader of a preview wants it."""

from __future__ import annotations

from components import policies


def test_a_document_is_written_a_line_a_value() -> None:
    statement = policies.allow("Read", ["s3:GetObject"], ["arn:aws:s3:::acme/*"])
    assert policies.document(statement) == (
        """\
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Read",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject"
      ],
      "Resource": [
        "arn:aws:s3:::acme/*"
      ]
    }
  ]
}"""
    )
