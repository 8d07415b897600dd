"""Provenance: shipment events in a log that nobody can quietly change.

Reading order: errors, clock, entries, canonical, hashing, leaf, privacy,
merkle, checkpoint, keys, storage, writing, log, audit, proof, verify, ingest.
This file imports nothing, so that the verifier can be read and run alone.
"""
