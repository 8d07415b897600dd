"""The composition root: the one place that opens settings, keys, log and graph together.

Reading order: settings, workspace, upgrade.
"""
