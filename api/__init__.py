"""The outside of the program: GraphQL, Digital Link paths, the consumer page and QR codes.

Everything here reads; nothing here writes to the log or the graph.

Next: api/viewer.py
"""
