"""Signed notes in C2SP's forms: checkpoints, cosignatures, and the texts that name who is trusted.

Next: provenance/notes/checkpoint.py
"""
