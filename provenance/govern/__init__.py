"""Acts of whoever runs the log: where its key comes from, and how it is handed over.

Reading order: sources, keyring, rotation.
"""
