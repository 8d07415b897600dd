"""Who may see a field, and how it is hidden from everybody else: tiers, commitments, openings.

Pure, but for the randomness that is handed in. Reading order: tiers, privacy, sealing,
subject_cipher, erased.

Next: provenance/disclosure/tiers.py
"""
