"""Runs that go on from the one before: asked anew is only what has new inputs.

Next: detectors/onward/watched.py
"""
