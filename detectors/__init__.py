"""Detectors: typed questions to the supply chain, answered with evidence or not at all.

Reading order: base, columns, products, units, geo, legs, custody, workplace,
features, nulls, rules, the detectors, ranking, record, registry, judging, run,
export, replay.
Importing this file loads nothing; pandas and pyod load with what uses them.
"""
