"""Adapters of `graph.store.GraphStore`. They share no code, only a conformance suite."""
