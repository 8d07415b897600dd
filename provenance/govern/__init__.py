"""Acts of whoever runs the log: its key, anchors, disclosures, a second copy, a log after this one.

Reading order: acts, sources, keyring, rotation, anchors, disclose, backup, succession.

Next: provenance/govern/acts.py
"""
