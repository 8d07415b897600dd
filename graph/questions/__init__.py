"""What people ask of the graph beyond lineage: who holds it, who had it, what is missing.

One file a question; each answer is a frozen dataclass that says for which log
position it is true and whether a limit cut it short. Nothing here knows how a
store keeps its facts.

Reading order: ledger, custody, recall, balance, exposure, lists, coverage, paths.
"""
