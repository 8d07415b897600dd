"""The facts of one entry while they are being stated.

Knows the tier of each path of the entry, numbers its edges, and hands all to
the changes of its batch at the end, so that an entry that turns out to be
malformed half-way leaves nothing behind.

Next: graph/opened.py
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from graph.model import EdgeFact, RecordFact, layered
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from graph.changes import Changes
    from graph.model import Amount, EdgeKind, RecordKind, Role
    from provenance.entries import Content, Opening

__all__ = ["Facts", "Form", "Stated", "Watched", "form_of"]

_PUBLIC: Final = Tier.PUBLIC
_FORMS_KEPT: Final = 512
_FEW: Final = 64
_ANSWERS_KEPT: Final = 1_024


def _public(*_names: str) -> Tier:
    return _PUBLIC


class Stated(NamedTuple):
    """Nodes, links, names and edges that an entry states, with their tiers.

    Attributes:
        nodes: As (key, tier, index of the entry if it defines the node).
        links: As (source, kind, target, tier).
        names: As (field, value, node, tier).
        edges: In their order.
    """

    nodes: list[tuple[str, Tier, int | None]]
    links: list[tuple[str, EdgeKind, str, Tier]]
    names: list[tuple[str, str, str, Tier]]
    edges: list[EdgeFact]

    def hand_over(self, batch: Changes) -> None:
        """Add everything to the changes of the batch."""
        for key, tier, index in self.nodes:
            batch.mention(key, tier, index)
        for link in self.links:
            batch.link(*link)
        for name in self.names:
            batch.name(*name)
        batch.edges += self.edges


class Facts:
    """What one entry states.

    Attributes:
        index: The entry's log index.
        stated: What it states beside records, erasures and what it takes back.
    """

    __slots__ = (
        "_erased",
        "_form",
        "_records",
        "_time_tier",
        "_time_us",
        "_withdrawn",
        "index",
        "stated",
    )

    def __init__(self, index: int, form: Form) -> None:
        """Begin with nothing stated; `form` gives the tiers."""
        self.index = index
        self._time_us: int | None = None
        self._time_tier = _PUBLIC
        self._form = form
        self.stated = Stated([], [], [], [])
        self._records: list[RecordFact] = []
        self._erased: set[int] = set()
        self._withdrawn: set[int] = set()

    def tier(self, *paths: str) -> Tier:
        """Return the strictest tier of the fields at `paths`; a field never sealed is public.

        A field is at least as strict as the object or list that holds it. The items of a
        list count as strict as the strictest of them: an erased one shifts the others.
        """
        form = self._form
        if not form.tiers:
            return _PUBLIC
        known = form.answers.get(paths)
        return form.strictest(paths) if known is None else known

    def tiers_in(self, holder: str, number: int) -> Callable[..., Tier]:
        """Return what gives the strictest tier of some fields of `/holder/number`, by name."""
        if holder not in self._form.holders:
            return _public
        base = f"/{holder}/{number}/"
        return lambda *names: self.tier(*(base + name for name in names))

    def at(self, time_us: int, tier: Tier) -> None:
        """State when the entry took place: who may not see the time sees no edge that bears it."""
        self._time_us, self._time_tier = time_us, tier

    def node(self, key: str, tier: Tier, *, defines: bool = False) -> None:
        """State that a node exists; `defines` when its attributes are this entry's content."""
        self.stated.nodes.append((key, tier, self.index if defines else None))

    def edge(
        self,
        src: str,
        kind: EdgeKind,
        dst: str,
        tier: Tier,
        *,
        role: Role | None = None,
        amounts: Iterable[Amount] = (),
    ) -> None:
        """State an edge; each of its attributes comes with its own tier."""
        edges, time_tier = self.stated.edges, self._time_tier
        seen_from = max(time_tier, tier)
        layers = layered(amounts) if amounts else []
        edges.append(
            EdgeFact(src, kind, dst, self.index, len(edges), role, seen_from, self._time_us, layers)
        )

    def link(self, src: str, kind: EdgeKind, dst: str, tier: Tier) -> None:
        """State an aggregated edge."""
        self.stated.links.append((src, kind, dst, tier))

    def name(self, field: str, value: str, node: str, tier: Tier) -> None:
        """Let a node be found by the value of a field."""
        self.stated.names.append((field, value, node, tier))

    def record(self, kind: RecordKind, key: str, tier: Tier) -> None:
        """State that this entry is a version of a record."""
        self._records.append(RecordFact(kind, key, self.index, tier))

    def erase(self, index: int) -> None:
        """State that the log has forgotten something of an entry."""
        self._erased.add(index)

    def withdraw(self, index: int) -> None:
        """State that what this entry or an earlier one says of goods was declared wrong."""
        if 0 <= index <= self.index:
            self._withdrawn.add(index)

    def is_more(self) -> bool:
        """Say whether the entry does more than to state nodes, links, names and edges."""
        return bool(self._records or self._erased or self._withdrawn)

    def hand_over(self, batch: Changes) -> None:
        """Add everything stated to the changes of the batch."""
        self.stated.hand_over(batch)
        batch.records += self._records
        batch.erased |= self._erased
        batch.withdrawn |= self._withdrawn


class Watched(dict[str, Any]):
    """A content that remembers which of its fields were asked for."""

    def __init__(self, content: Content) -> None:
        """Watch over it; nothing was asked for yet."""
        super().__init__(content)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        """Return a field."""
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        """Say whether there is such a field."""
        self.read.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, if there is one."""
        self.read.add(name)
        return super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of all fields."""
        self.read.update(super().keys())
        return super().__iter__()

    def items(self) -> Any:
        """Return all fields."""
        self.read.update(super().keys())
        return super().items()


class Form:
    """Which fields of an entry were sealed, and for whom; many entries have the same form.

    Attributes:
        tiers: By path, and for a list by the path of the list.
        holders: The names of the fields that they are, or lie in.
        answers: What `strictest` has found, for the fields that were asked for last.
    """

    def __init__(self, sealed: Iterable[tuple[str, Tier]]) -> None:
        """Know of these fields."""
        self.tiers: dict[str, Tier] = {}
        self.answers: dict[tuple[str, ...], Tier] = {}
        for path, tier in sealed:
            self._note(path, tier)
            holder, _, last = path.rpartition("/")
            if last.isdigit():
                self._note(holder, tier)
        self.holders = {path.split("/", 2)[1] for path in self.tiers}

    def _note(self, path: str, tier: Tier) -> None:
        self.tiers[path] = max(tier, self.tiers.get(path, tier))

    def strictest(self, paths: tuple[str, ...]) -> Tier:
        """Return the strictest tier of some fields and of what holds them."""
        strictest = _PUBLIC
        for path in paths:
            here = path
            while here:
                strictest = max(strictest, self.tiers.get(here, _PUBLIC))
                here = here[: here.rindex("/")]
        if len(self.answers) >= _ANSWERS_KEPT:
            self.answers.clear()
        self.answers[paths] = strictest
        return strictest


_ALL_PUBLIC: Final = Form(())


def form_of(openings: Sequence[Opening]) -> Form:
    """Say which fields of an entry were sealed, from what opens them."""
    if not openings:
        return _ALL_PUBLIC
    if len(openings) > _FEW:
        return Form((opening.path, opening.tier) for opening in openings)
    return _form(
        tuple([opening[0] for opening in openings]), bytes([opening[1] for opening in openings])
    )


@lru_cache(maxsize=_FORMS_KEPT)
def _form(paths: tuple[str, ...], tiers: bytes) -> Form:
    return Form(zip(paths, map(Tier, tiers), strict=True))
