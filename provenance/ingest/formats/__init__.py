"""Tables that are not separated values: workbooks, JSON Lines, Parquet; and telling which is which.

Next: provenance/ingest/formats/opening.py
"""
