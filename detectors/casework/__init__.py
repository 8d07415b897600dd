"""What people do with flags: decide on them, one incident at a time, and learn how often they hold.

Next: detectors/casework/reviews.py
"""
