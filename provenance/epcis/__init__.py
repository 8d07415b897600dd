"""EPCIS 2.0: events as partners send them, read, checked, kept losslessly and written again.

Everything here is pure but for the text that is pulled in and written out. The
modules in reading order, each naming the next: how a document is taken apart
(jsonpull), what its URIs name (keys), which events are valid (rules), and so on
to how they are written again (writing).

Next: provenance/epcis/jsonpull.py
"""
