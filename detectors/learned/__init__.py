"""Learning from what people decided: profiles, boosting, calibration, and when it is switched on.

Next: detectors/learned/profiles.py
"""
