"""The log among others: what it serves, what it fetches, and what it asks of witnesses.

Addresses and formats are C2SP's (tlog-tiles, tlog-witness), so that other people's
tools can read and watch the log.

Next: provenance/wire/paths.py
"""
