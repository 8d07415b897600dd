"""Leaves, trees, and what can be proved with them; the builder's side of `provenance.verify`.

Next: provenance/proving/leaf.py
"""
