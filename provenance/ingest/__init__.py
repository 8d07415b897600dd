"""Ingest: tables in, drafts for the log out; every row is accounted for.

`run.ingest` is the way in. The modules in reading order: from single cells (values, codes, times,
decisions) over files and headers (sources to files) to rows, drafts, the sink and `run`, each
naming the next.

Next: provenance/ingest/values.py
"""
