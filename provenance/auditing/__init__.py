"""`verify` from inside: everything stored is recomputed, by several processes where that helps.

Next: provenance/auditing/audit.py
"""
