"""One small file per command; each loads what it needs when it is called.

Shared: options (what every command takes), output (what every command prints),
session (how every command opens a workspace).
"""
