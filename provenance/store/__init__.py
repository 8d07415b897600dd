"""The log's database and the files beside it: what an append writes, and how it is read.

Appending goes through preparing, inserting, writing, published; `provenance.log` is the door.

Next: provenance/store/schema.py
"""
