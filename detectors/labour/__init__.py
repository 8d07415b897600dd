"""Labour: what workplaces report, held against the law, their own past and their peers.

Reading order: quarters, episodes, departures, persistence, signs, hour_signs, pay_signs,
then the detectors. Importing this file loads nothing.

Next: detectors/labour/departures.py
"""
