"""The facts of an event by stencil: worked out once for all events of one shape.

Which facts an event states, who may see them and which of its fields each is made
from follows from its shape alone: the names of its fields, its kind, what was sealed
for whom, how many items and inputs it has. So the facts of an event with a mark in
each field are a stencil for all others of its shape, and only keys and values are left
to be filled in. An event for which that does not hold is left to `graph.events`; so is
one of a shape that has hardly come yet.

Next: graph/project.py
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from graph.changes import EdgeRun
from graph.event_parts import checked
from graph.keys import plain_or_quoted
from graph.marked import HOLDERS, NEVER, PART_TEXTS, PART_VALUES, TEXTS, picker, stencil_of
from graph.model import micros
from provenance.errors import EncodingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graph.changes import Changes
    from graph.facts import Form
    from graph.marked import Stencil
    from provenance.entries import Content

__all__ = ["Alike", "Stencils"]

_MOST: Final = 64
"""Texts and values of an event; with more, shapes hardly come again."""
_SHAPES_KEPT: Final = 512
_WORTH_IT: Final = 2
"""From which event of a shape on; making a stencil costs as much as stating some ten events."""

_MALFORMED: Final = (
    *(AttributeError, LookupError, TypeError, ValueError, OverflowError),
    *(EncodingError, UsageError),
)


class _Fields:
    """What is picked from objects that have the same names; equal ones are one object."""

    __slots__ = ("texts", "values")

    def __init__(self, names: tuple[str, ...], texts: Sequence[str], values: Sequence[str]) -> None:
        self.texts = picker([name for name in texts if name in names])
        self.values = picker([name for name in values if name in names])


class _Parted(NamedTuple):
    """An event taken apart: what its facts are made from, and its shape."""

    texts: list[str]
    values: list[Any]
    shape: tuple[Any, ...]


class Alike:
    """Events of a batch taken apart, those that one stencil fits together."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: dict[int, tuple[Stencil, list[tuple[Any, ...]]]] = {}

    def put(self, stencil: Stencil, row: tuple[Any, ...]) -> None:
        """Keep an event: its index and time, and its pool of texts, values and keys."""
        kept = self._rows.get(id(stencil))
        if kept is None:
            self._rows[id(stencil)] = kept = (stencil, [])
        kept[1].append(row)

    def hand_over(self, batch: Changes) -> None:
        """Add what all of them state to the changes of the batch."""
        for stencil, rows in self._rows.values():
            indexes, times, *pool = zip(*rows, strict=True)
            _state(stencil, indexes, times, pool, batch)
        self._rows.clear()


class Stencils:
    """The stencils of a projection."""

    def __init__(self, worth_it: int = _WORTH_IT) -> None:
        """Make one for each shape that has come `worth_it` times."""
        self._worth_it = worth_it
        self._times: dict[tuple[Any, ...], int] = {}
        self._stencils: dict[tuple[Any, ...], Stencil | None] = {}

    def take(self, index: int, content: Content, form: Form, alike: Alike) -> str | None:
        """Put an event to those like it, which state later what `project_event` states of each.

        Args:
            index: The entry's.
            content: Of version event/1 or epcis/1, with every field that still opens.
            form: Gives the tiers.
            alike: Those of the batch.

        Returns:
            The event's key; None where it was not put: `project_event` can say it, or why not.
        """
        if len(form.tiers) > _MOST or not NEVER.isdisjoint(content):
            return None
        try:
            parted = _take_apart(content)
            stencil = self._stencil((form, *parted.shape), content, form)
            return None if stencil is None else _put(stencil, parted, index, content, alike)
        except _MALFORMED:  # it is not made from what it should be; nothing was added yet
            return None

    def _stencil(self, shape: tuple[Any, ...], content: Content, form: Form) -> Stencil | None:
        if shape in self._stencils:
            return self._stencils[shape]
        times = self._times.get(shape, 0) + 1
        if times < self._worth_it:
            if len(self._times) >= _SHAPES_KEPT:
                self._times.clear()
            self._times[shape] = times
            return None
        if len(self._stencils) >= _SHAPES_KEPT:
            self._stencils.clear()
        # Where the making fails, that is known from then on.
        self._stencils[shape] = None
        self._stencils[shape] = made = stencil_of(content, form)
        return made


def _take_apart(content: Content) -> _Parted:
    """Collect the texts and values of an event in the order of its fields.

    Raises:
        ValueError: It is too large, or has texts that are empty or values that are null.
        TypeError, AttributeError, LookupError: It is not what an event should be.
    """
    own_fields = _fields(tuple(content))
    texts = [*own_fields.texts(content)]
    values: list[Any] = []
    own = content["party"]
    shape: list[Any] = [own_fields, content.get("event_type")]
    for holder in HOLDERS:
        for part in content.get(holder, ()):
            fields = _fields_of_part(tuple(part))
            texts += fields.texts(part)
            values += fields.values(part)
            serials = part.get("serial_ids", ())
            texts += serials
            shape += holder, fields, part.get("party") == own, len(serials)
    if "epcis" in content:
        shape.append("errorDeclaration" in content["epcis"])
    if len(texts) + len(values) > _MOST or None in values or "" in texts:
        raise ValueError
    return _Parted(texts, values, tuple(shape))


@lru_cache(maxsize=_SHAPES_KEPT)
def _fields(names: tuple[str, ...]) -> _Fields:
    return _Fields(names, TEXTS, ())


@lru_cache(maxsize=_SHAPES_KEPT)
def _fields_of_part(names: tuple[str, ...]) -> _Fields:
    return _Fields(names, PART_TEXTS, PART_VALUES)


def _put(
    stencil: Stencil, parted: _Parted, index: int, content: Content, alike: Alike
) -> str | None:
    """Put the texts of an event into the keys of a stencil."""
    texts, values, _ = parted
    quoted = plain_or_quoted(texts)
    if stencil.quoted_twice and quoted is not texts:
        return None
    keys = (stencil.form % stencil.texts(quoted)).split("\n")
    time_us = micros(content["event_time"]) if "event_time" in content else None
    for value in values:
        if type(value) is dict:
            checked(value)
    alike.put(stencil, (index, time_us, *texts, *values, *keys))
    return keys[stencil.key]


def _state(
    stencil: Stencil,
    indexes: Sequence[int],
    times: Sequence[int | None],
    pool: Sequence[Sequence[Any]],
    batch: Changes,
) -> None:
    """Add what events of one shape state, given in columns."""
    keys = pool[stencil.first :]
    for key, tier, own in stencil.nodes:
        if own:
            for name, index in zip(keys[key], indexes, strict=True):
                batch.mention(name, tier, index)
        else:
            for name in dict.fromkeys(keys[key]):
                batch.mention(name, tier)
    for src, kind, dst, tier in stencil.links:
        for ends in dict.fromkeys(zip(keys[src], keys[dst], strict=True)):
            batch.link(ends[0], kind, ends[1], tier)
    for field, at, key, tier in stencil.names:
        for value, node in dict.fromkeys(zip(pool[at], keys[key], strict=True)):
            batch.name(field, value, node, tier)
    for src, kind, dst, seq, role, tier, layers in stencil.edges:
        filled = tuple([(names, tuple([pool[at] for at in places])) for names, places in layers])
        run = EdgeRun(keys[src], kind, keys[dst], indexes, seq, role, tier, times, filled)
        batch.runs.append(run)
