"""Route detectors that hold a value against its peers, or a lot against its own history.

Reading order: quarters, residuals, statistical, then one file per type.

Next: detectors/routes/residuals.py
"""
