"""Events on their way from the graph into frames, read by one process or two.

Next: graph/framing/events.py
"""
