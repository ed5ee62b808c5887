"""What AWS and Pulumi's provider accept in each input of each AWS type that the program uses.

`table.json` is generated: `python -m tools.limits` writes it from botocore's service models
(`members.py` says which operation takes which input) and from the rows of `provider.py`, which only
the provider or a quota has. The tests hold the settings against it.
"""
