"""A flag that a later run does not raise: superseded, never deleted, as an entry of the log.

The entry is a version of the flag: it has its row key. So it stands until a run
raises the flag again, which is a new flag that follows the old one. It is as
public as the flag it is about; why, in words, is private.

Next: detectors/casework/causes.py
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from detectors.record import VERSION as FLAG
from detectors.record import row_key
from graph.keys import flag_key
from graph.model import Record, RecordKind
from provenance.disclosure.privacy import b64
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType, Identity, Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graph.store import GraphStore
    from provenance.disclosure.tiers import TierPolicy
    from provenance.entries import Content

__all__ = [
    "VERSION",
    "Cause",
    "Flags",
    "Run",
    "Superseded",
    "Why",
    "draft",
    "fallen",
    "read_flags",
    "whole",
]

VERSION: Final = "superseded/1"
_ABOUT: Final = (
    "detector",
    "detector_version",
    "type",
    "subject_kind",
    "subject_id",
    "subject_party",
)


class Cause(StrEnum):
    """What has changed since the flag was raised."""

    RECORD = "record"
    DETECTOR = "detector"


class Why(NamedTuple):
    """Why a flag fell.

    Attributes:
        cause: What has changed.
        reason: In one sentence.
        changed: The entries that took something back on which it rested, as far as known.
    """

    cause: Cause
    reason: str
    changed: tuple[Record, ...] = ()


class Run(NamedTuple):
    """The run that did not raise a flag.

    Attributes:
        party: Who ran it.
        position: How many log entries it read.
        root: The log's root hash at that size.
    """

    party: str
    position: int
    root: bytes


class Superseded(NamedTuple):
    """That a flag was superseded, as far as its reader may see it.

    Attributes:
        flag: Log index of the flag.
        cause: What has changed; None where the reader may not see it.
        reason: Why; None likewise.
        entry: Log index of the entry that says so.
    """

    flag: int
    cause: str | None
    reason: str | None
    entry: int


class Flags(NamedTuple):
    """The flags on record, the last of each subject.

    Attributes:
        current: Those that stand.
        superseded: Those that do not, by log index.
    """

    current: list[Record]
    superseded: Mapping[int, Superseded]


def draft(flag: Record, why: Why, run: Run, policy: TierPolicy = DEFAULT_POLICY) -> Draft:
    """Say in the log that a run does not raise a flag.

    Args:
        flag: The flag, with its content at the private tier.
        why: What has changed.
        run: Which run.
        policy: The workspace's tiers.
    """
    about: Content = {name: flag.attrs[name] for name in _ABOUT if name in flag.attrs}
    content: Content = {
        "party": run.party,
        "flag": [flag.index, b64(flag.leaf_hash)],
        **about,
        "cause": why.cause.value,
        "reason": why.reason,
        "evidence": [[one.index, b64(one.leaf_hash)] for one in why.changed],
        "tree_size": run.position,
        "root": b64(run.root),
    }
    plan = policy.plan(FLAG, {})
    tiers = {f"/{name}": plan.tier_of(f"/{name}") for name in content}
    tiers |= {"/flag": plan.tier_of("/evidence"), "/cause": plan.tier_of("/evidence")}
    identity = Identity(row_key(flag.attrs), {"superseded": content["flag"]})
    return Draft(EntryType.FLAG, VERSION, content, (identity,), on_change="version", tiers=tiers)


def read_flags(graph: GraphStore, tier: Tier = Tier.PRIVATE) -> Flags:
    """Read what detectors said last of each subject."""
    current: list[Record] = []
    superseded: dict[int, Superseded] = {}
    for record in graph.records(RecordKind.FLAG, tier):
        if "flag" not in record.attrs:
            current.append(record)
        else:
            index, content = record.attrs["flag"][0], record.attrs
            told = Superseded(index, content.get("cause"), content.get("reason"), record.index)
            superseded[index] = told
    return Flags(current, superseded)


def fallen(
    graph: GraphStore, find: Callable[[tuple[str, ...]], int | None]
) -> dict[tuple[str, ...], tuple[int, str]]:
    """Return log index and leaf hash of the superseded flags, by the row key they had.

    Args:
        graph: Where to read.
        find: Returns the entry that a row key stands for: if another flag followed, not this one.
    """
    last = {row_key(one.attrs): one for one in graph.contents(VERSION, Tier.PRIVATE)}
    return {
        key: (one.attrs["flag"][0], one.attrs["flag"][1])
        for key, one in last.items()
        if find(key) == one.index
    }


def whole(graph: GraphStore, indices: Iterable[int], tier: Tier = Tier.PRIVATE) -> list[Record]:
    """Return flags by log index, whether they stand or not; others are left out.

    Args:
        graph: Where to read.
        indices: Of the flags.
        tier: The viewer's.
    """
    keys = [flag_key(index) for index in indices]
    nodes = graph.fetch(keys, tier)
    found: Sequence[Record] = [
        Record(node.index, node.leaf_hash, node.attrs)
        for node in nodes.values()
        if node.index is not None and node.leaf_hash is not None
    ]
    return sorted(found, key=lambda record: record.index)
