"""Looking at a file before it is taken: what its columns mean, and what would become of its rows.

Next: provenance/ingest/inspecting/words.py
"""
