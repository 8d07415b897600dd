"""Forgetting: what a log is asked to erase, everything that was made from it, and every file.

Reading order: wanted, survey, removal, marks, run.
"""
