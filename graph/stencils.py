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

from graph.event_parts import checked
from graph.facts import Stated
from graph.keys import plain_or_quoted
from graph.marked import HOLDERS, NEVER, PART_TEXTS, PART_VALUES, TEXTS, picker, stencil_of
from graph.model import EdgeFact, micros
from provenance.errors import EncodingError, UsageError

if TYPE_CHECKING:
    from graph.facts import Form
    from graph.marked import Pick, Stencil
    from graph.model import Changes
    from provenance.entries import Content

__all__ = ["Stencils"]

_MOST: Final = 64
"""Texts and values of an event; with more, shapes hardly come again."""
_SHAPES_KEPT: Final = 512
_WORTH_IT: Final = 2
"""From which event of a shape on; making a stencil costs as much as stating some ten events."""

_MALFORMED: Final = (
    *(AttributeError, LookupError, TypeError, ValueError, OverflowError),
    *(EncodingError, UsageError),
)


class _Parted(NamedTuple):
    """An event taken apart: what its facts are made from, and its shape."""

    texts: list[str]
    values: list[Any]
    shape: tuple[Any, ...]


class Stencils:
    """The stencils of a projection."""

    def __init__(self, worth_it: int = _WORTH_IT) -> None:
        """Make one for each shape that has come `worth_it` times."""
        self._worth_it = worth_it
        self._times: dict[tuple[Any, ...], int] = {}
        self._stencils: dict[tuple[Any, ...], Stencil | None] = {}

    def state(self, index: int, content: Content, form: Form, changes: Changes) -> str | None:
        """Add the facts of an event to those of its batch, as `project_event` states them.

        Args:
            index: The entry's.
            content: Of version event/1 or epcis/1, with every field that still opens.
            form: Gives the tiers.
            changes: Those of the batch.

        Returns:
            The event's key; None where nothing was added: `project_event` can say it, or why not.
        """
        if len(form.tiers) > _MOST or not NEVER.isdisjoint(content):
            return None
        try:
            parted = _take_apart(content)
            stencil = self._stencil((form, *parted.shape), content, form)
            return None if stencil is None else _fill(stencil, parted, index, content, changes)
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
    names = tuple(content)
    texts = list(_picked(names, TEXTS)(content))
    values: list[Any] = []
    own = content["party"]
    shape: list[Any] = [names, content.get("event_type")]
    for holder in HOLDERS:
        for part in content.get(holder, ()):
            fields = tuple(part)
            serials = part.get("serial_ids", ())
            texts += _picked(fields, PART_TEXTS)(part)
            texts += serials
            values += _picked(fields, PART_VALUES)(part)
            shape += holder, fields, part.get("party") == own, len(serials)
    if "epcis" in content:
        shape.append("errorDeclaration" in content["epcis"])
    if len(texts) + len(values) > _MOST or None in values or "" in texts:
        raise ValueError
    return _Parted(texts, values, tuple(shape))


@lru_cache(maxsize=_SHAPES_KEPT)
def _picked(names: tuple[str, ...], wanted: tuple[str, ...]) -> Pick:
    """Return what picks the wanted fields of a content with these names."""
    return picker([name for name in wanted if name in names])


def _fill(
    stencil: Stencil, parted: _Parted, index: int, content: Content, changes: Changes
) -> str | None:
    """Put the texts and values of an event into a stencil."""
    texts, values, _ = parted
    quoted = plain_or_quoted(texts)
    if stencil.quoted_twice and quoted is not texts:
        return None
    keys = (stencil.form % stencil.texts(quoted)).split("\n")
    time_us = micros(content["event_time"]) if "event_time" in content else None
    for value in values:
        if type(value) is dict:
            checked(value)
    pool = [*texts, *values, *keys]
    edges = [
        EdgeFact(
            keys[src],
            kind,
            keys[dst],
            index,
            seq,
            role,
            tier,
            time_us,
            [dict(zip(names, pick(pool), strict=True)) for names, pick in layers],
        )
        for src, kind, dst, seq, role, tier, layers in stencil.edges
    ]
    Stated(
        [(keys[key], tier, index if own else None) for key, tier, own in stencil.nodes],
        [(keys[src], kind, keys[dst], tier) for src, kind, dst, tier in stencil.links],
        [(field, texts[at], keys[key], tier) for field, at, key, tier in stencil.names],
        edges,
    ).hand_over(changes)
    return keys[stencil.key]
