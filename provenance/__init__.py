"""Provenance: shipment events in a log that nobody can quietly change.

Reading order: errors, clock, entries, canonical, hashing; the rooms disclosure, notes, proving,
store; log, the door to them; auditing, verify; govern, forget, wire; identifiers, epcis, ingest.
This file imports nothing, so that the verifier can be read and run alone.
"""
