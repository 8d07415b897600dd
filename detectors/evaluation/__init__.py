"""How good the flags are where the truth is known.

Next: detectors/evaluation/metrics.py
"""
