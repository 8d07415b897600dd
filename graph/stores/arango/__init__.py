"""The graph in ArangoDB: `store` fulfils the port, the others are its parts."""
