"""Goods: single pieces, how exactly quantities agree, and which papers are one too many.

Below the detectors of custody, clones, phantoms and mass balance, which share it.
Importing this file loads nothing.

Next: detectors/goods/serials.py
"""
