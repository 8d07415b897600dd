"""Commands that ask the graph, one file each; `asking` holds what they share."""
