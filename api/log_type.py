"""The schema's types about the log as a whole: its checkpoint, and who has seen it.

Next: api/schema.py
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import strawberry

from api.seen import moment_of, seen_words
from api.vocabulary import DateTime

if TYPE_CHECKING:
    from api.reading import Head
    from provenance.store.witnessed import Standing

__all__ = ["Log", "Sighting", "Witnessing"]


def _time(seconds: int) -> DateTime | None:
    moment = moment_of(seconds)
    return None if moment is None else DateTime(f"{moment:%Y-%m-%dT%H:%M:%SZ}")


@strawberry.type(description="That a witness has cosigned the log.")
class Sighting:
    """A witness, and when it cosigned."""

    name: str = strawberry.field(description="The witness's name in the log's trust policy.")
    time: DateTime | None


@strawberry.type(description="How far others have seen the log, and cosigned what they saw.")
class Witnessing:
    """What witnesses have said."""

    words: str = strawberry.field(description="The same in one sentence.")
    known: int = strawberry.field(description="Witnesses that the log's trust policy names.")
    seen_size: int = strawberry.field(description="The newest size that any has seen, 0 for none.")
    seen_by: list[Sighting] = strawberry.field(description="Who has seen that size.")
    quorum: bool = strawberry.field(description="Whether the policy asks for a quorum.")
    quorum_met: bool = strawberry.field(description="Whether the newest checkpoint has it.")
    witnessed_size: int = strawberry.field(description="The newest size that enough have seen.")
    unwitnessed_since: DateTime | None = strawberry.field(
        description="When the first entry beyond that was made; null where there is none."
    )

    @classmethod
    def of(cls, standing: Standing) -> Witnessing:
        """Wrap what is known."""
        since = standing.since_us
        return cls(
            words=seen_words(standing),
            known=standing.known,
            seen_size=standing.seen_size,
            seen_by=[Sighting(name=one.name, time=_time(one.seconds)) for one in standing.seen_by],
            quorum=standing.quorum,
            quorum_met=standing.quorum and standing.witnessed == standing.size,
            witnessed_size=standing.witnessed,
            unwitnessed_since=None if since is None else _time(since // 1_000_000),
        )


@strawberry.type(description="The log's present state.")
class Log:
    """The state under the latest signed checkpoint."""

    origin: str
    size: int
    root: str = strawberry.field(description="The RFC 6962 root hash, base64.")
    checkpoint: str = strawberry.field(description="The C2SP signed note, with its cosignatures.")
    vkey: str = strawberry.field(description="The C2SP verifier key. Do not trust it from here.")
    graph_position: int = strawberry.field(description="Entries that the graph has applied.")
    witnessing: Witnessing

    @classmethod
    def of(cls, head: Head, position: int) -> Log:
        """Wrap a state."""
        return cls(
            origin=head.origin,
            size=head.size,
            root=b64encode(head.root).decode(),
            checkpoint=head.checkpoint,
            vkey=head.vkey,
            graph_position=position,
            witnessing=Witnessing.of(head.standing),
        )
