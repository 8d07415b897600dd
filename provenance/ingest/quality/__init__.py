"""Data quality: what looks like a slip of the pen in a row that is taken all the same.

A note stands in the event, private, and in no digest that tells rows apart: it
is our opinion of the row, not part of it.

Next: provenance/ingest/quality/notes.py
"""
