"""Ingest: tables in, drafts for the log out; every row is accounted for."""
