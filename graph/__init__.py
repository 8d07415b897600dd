"""The graph: what the log says about items, sites and shipments, ready for questions.

A projection of the log that can be dropped and rebuilt. Reading order: keys, model,
facts, event_parts, events, transformations, movements, project, store, containment,
lineage, journey, stores, sync, connect, frames.
"""
