"""Print the GraphQL schema, or write it: `python -m api.export [FILE]`.

`schema.graphql` at the root is this text; a test compares the two.

Next: docs/api.md
"""

from __future__ import annotations

import sys
from pathlib import Path

from api.schema import make_schema

__all__ = ["main", "schema_text"]


def schema_text() -> str:
    """Return the schema in the GraphQL schema language."""
    return f"{make_schema().as_str()}\n"


def main(arguments: list[str]) -> None:
    """Write the schema to the file that the arguments name, else to standard output."""
    if arguments:
        Path(arguments[0]).write_text(schema_text(), encoding="utf-8")
    else:
        sys.stdout.write(schema_text())


if __name__ == "__main__":
    main(sys.argv[1:])
