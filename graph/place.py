"""How a graph in ArangoDB is reached and kept there: the table `[graph.arangodb]`.

The password is in no setting: it comes from the environment, from a file or from
a program. Numbers of shards and replicas are those of a cluster; a single server
takes no notice of them.

Next: graph/stores/arango/session.py
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from provenance.errors import UsageError

__all__ = ["ArangoPlace"]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")


class ArangoPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is set about a graph in ArangoDB, besides the address of the server and the database.

    Attributes:
        graph: Name of the graph, with which those of its collections begin.
        user: Who signs in.
        password_env: The environment variable with the password.
        password_file: Or a file with it, of which the first line counts.
        password_command: Or a program, with arguments, that prints it.
        ca_file: Certificates to trust instead of the system's, for https.
        shard_count: Shards of each collection.
        replication_factor: Copies of each shard.
        write_concern: Copies that must be in step for a write, at most `replication_factor`.
        one_shard: Make the database one of a single shard, so that transactions are whole in a
            cluster too.
        satellite: Keep a copy of the graph on every server instead.
        timeout: Seconds that the server may take for a request.
        patience: Seconds that work is repeated while the server is away or busy.
    """

    graph: str = "provenance"
    user: str = "root"
    password_env: str = "PROVENANCE_GRAPH_PASSWORD"  # noqa: S105 - a name
    password_file: str = ""
    password_command: list[str] = msgspec.field(default_factory=list)
    ca_file: str = ""
    shard_count: int = 1
    replication_factor: int = 1
    write_concern: int = 1
    one_shard: bool = False
    satellite: bool = False
    timeout: float = 60.0
    patience: float = 90.0

    def check(self) -> None:
        """Refuse values that no server can take.

        Raises:
            UsageError: One of them; the message names it.
        """
        if not _NAME.match(self.graph):
            raise UsageError(
                "graph.arangodb.graph: must be a letter and up to 63 letters, digits, _ or -"
            )
        if min(self.shard_count, self.replication_factor, self.write_concern) < 1:
            raise UsageError(
                "graph.arangodb: shard_count, replication_factor and write_concern begin at 1"
            )
        if self.write_concern > self.replication_factor:
            raise UsageError(
                f"graph.arangodb.write_concern: {self.write_concern} copies cannot be in step "
                f"where replication_factor keeps {self.replication_factor}"
            )
        if not self.timeout > 0 or not self.patience >= 0:
            raise UsageError("graph.arangodb: timeout must be above 0, patience not below")
