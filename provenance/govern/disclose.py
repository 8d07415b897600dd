"""Disclosing: choosing fields of an entry to open for somebody, and remembering who has them.

A disclosure is a proof bundle with the openings of the chosen fields and no
others. Each has a salt of its own, so what is opened says nothing about what
is not, and two disclosures together open what both open and no more. The grant
entry that is logged with it names entry and paths in the clear and the
receiver in private: when a field is erased later, it tells who holds a copy.

Next: provenance/proving/proof.py
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance import canonical
from provenance.disclosure.privacy import b64, open_entry, unb64
from provenance.entries import Draft, EntryType, Tier
from provenance.errors import EncodingError, UsageError, WorkspaceDamaged
from provenance.govern.acts import acts_of, append_acts
from provenance.govern.anchors import Anchors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.entries import Content, Entry, Opening
    from provenance.log import Log
    from provenance.store.reading import LogReader

__all__ = ["Chosen", "Grant", "choose", "choose_tier", "disclose", "grants", "record"]

VERSION: Final = "grant/1"
_KIND: Final = "grant"
_ANY: Final = "*"
# The receiver alone is nobody else's business; a policy from before these entries has no rule.
_TIERS: Final = {_ANY: Tier.PUBLIC, "/to": Tier.PRIVATE}


class Chosen(NamedTuple):
    """Fields of one entry that are to be disclosed.

    Attributes:
        entry: The entry.
        paths: RFC 6901 paths of its committed fields, in the entry's order.
    """

    entry: Entry
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """Who was given what, as the log has it.

    Attributes:
        index: Of the grant entry.
        time_us: When it was logged, microseconds since 1970.
        party: Who disclosed.
        to: Who received; None once that was erased.
        entry: Index of the entry whose fields were disclosed.
        leaf_hash: Its leaf hash, 32 bytes.
        paths: The fields.
    """

    index: int
    time_us: int
    party: str
    to: str | None
    entry: int
    leaf_hash: bytes
    paths: tuple[str, ...]


def choose(entry: Entry, names: Sequence[str]) -> Chosen:
    """Choose fields by name.

    Args:
        entry: From a reader.
        names: RFC 6901 paths, or the same without the first slash; `*` is any one step.

    Raises:
        UsageError: A name is of no committed field, or of one that was erased; the message says
            which and why. Nothing is chosen instead.
    """
    committed = _committed(entry)
    stored = {opening.path for opening in entry.openings}
    wanted: set[str] = set()
    for name in names:
        path = name if name.startswith("/") else f"/{name}"
        found = {each for each in committed if _fits(path, each)}
        if not found:
            raise UsageError(f"entry {entry.index}: {_why_not(path, entry, committed)}")
        for gone in sorted(found - stored):
            raise UsageError(
                f"entry {entry.index}: {gone} was erased; nobody can disclose it any more"
            )
        wanted |= found
    return _chosen(entry, wanted)


def choose_tier(entry: Entry, tier: Tier) -> Chosen:
    """Choose all fields that somebody of a tier may see, as far as they are not erased.

    Raises:
        UsageError: The whole entry was erased.
    """
    _committed(entry)
    return _chosen(entry, {one.path for one in entry.openings if one.tier <= tier})


def _chosen(entry: Entry, wanted: set[str]) -> Chosen:
    return Chosen(entry, tuple(one.path for one in entry.openings if one.path in wanted))


def _committed(entry: Entry) -> list[str]:
    if entry.body is None:
        raise UsageError(f"entry {entry.index} was erased; it has no fields left to disclose")
    return list(_body(entry).get("_c", ()))


def _body(entry: Entry) -> Content:
    try:
        content: Content = canonical.loads(entry.body or b"")
    except EncodingError as error:
        raise WorkspaceDamaged(f"entry {entry.index}: {error}; run `verify`") from None
    return content


def _fits(pattern: str, path: str) -> bool:
    steps, named = pattern.split("/"), path.split("/")
    return len(steps) == len(named) and all(
        one in {_ANY, other} for one, other in zip(steps, named, strict=True)
    )


def _why_not(path: str, entry: Entry, committed: Sequence[str]) -> str:
    if any(each.startswith(f"{path}/") for each in committed):
        return f"{path} is disclosed part by part; {path}/* are all its parts"
    if _is_clear(_body(entry), path):
        return f"{path} is public; every proof of the entry shows it, so leave it out"
    close = difflib.get_close_matches(path, committed, 1)
    return f"has no field {path!a}" + (f"; did you mean {close[0]}?" if close else "")


def _is_clear(content: Any, path: str) -> bool:
    here = content
    try:
        for step in path[1:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            here = here[int(name)] if isinstance(here, list) else here[name]
    except (LookupError, TypeError, ValueError):
        return False
    return True


def disclose(reader: LogReader, chosen: Chosen) -> Content:
    """Make the proof bundle that opens the chosen fields and nothing else.

    Raises:
        UsageError: One of them has been erased since it was chosen.
    """
    wanted = set(chosen.paths)

    def is_wanted(opening: Opening) -> bool:
        return opening.path in wanted

    bundle = Anchors(reader).put_into(reader.prove(chosen.entry.index, is_wanted))
    if {one["path"] for one in bundle["disclosed"]} != wanted:
        raise UsageError(
            f"entry {chosen.entry.index}: a chosen field was erased meanwhile; nothing is disclosed"
        )
    return bundle


def record(log: Log, all_chosen: Sequence[Chosen], *, party: str, to: str) -> list[int]:
    """Log that fields are disclosed: one grant entry for each entry, in one append.

    To be called before a bundle leaves the house. If we crash between the two, the
    log says that somebody has a copy who never got it, never the other way round.

    Args:
        log: Where to.
        all_chosen: What is disclosed.
        party: Who discloses.
        to: Who receives.

    Returns:
        The indices of the grant entries.
    """
    drafts = [
        Draft(
            EntryType.GRANT,
            VERSION,
            {
                "party": party,
                "to": to,
                "entry": [one.entry.index, b64(one.entry.leaf_hash)],
                "paths": list(one.paths),
            },
            tiers=_TIERS,
        )
        for one in all_chosen
    ]
    return append_acts(log, _KIND, drafts)


def grants(reader: LogReader, to: str | None = None) -> Iterator[Grant]:
    """Yield who was given what, oldest first.

    Args:
        reader: The log.
        to: Only what this party was given; None for all.

    Raises:
        WorkspaceDamaged: A grant entry cannot be read as one.
    """
    for entry in acts_of(reader, _KIND):
        grant = _grant(entry)
        if grant is not None and to in {None, grant.to}:
            yield grant


def _grant(entry: Entry) -> Grant | None:
    """Read a grant entry; None where the whole of it was erased."""
    if entry.body is None:
        return None
    content = open_entry(entry, Tier.PRIVATE)
    try:
        index, leaf_hash = content["entry"]
        return Grant(
            entry.index,
            entry.ingest_time_us,
            content["party"],
            content.get("to"),
            index,
            unb64(leaf_hash),
            tuple(content["paths"]),
        )
    except (AttributeError, EncodingError, KeyError, TypeError, ValueError):
        raise WorkspaceDamaged(f"entry {entry.index}: is no {VERSION}; run `verify`") from None
