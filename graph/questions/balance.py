"""What came in, what went out and what is left, by site, material and month.

Nothing is converted: each unit has its own lines. A line without quantities
for all its movements says how many lack one, and from then on its stock is not
known.

Next: graph/questions/exposure.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from graph.keys import NodeKind, class_of, kind_of
from graph.lineage import same_goods
from graph.questions.ledger import Act, ledger
from graph.questions.recall import items_at
from graph.store import DEFAULT_LIMIT
from provenance.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graph.questions.ledger import Move
    from graph.store import GraphStore
    from provenance.entries import Tier

__all__ = ["Balance", "Line", "balance"]

_COMES: Final = (Act.MADE, Act.RECEIVED)
_SUBJECTS: Final = (NodeKind.ITEM, NodeKind.FACILITY)


class Line(Struct, frozen=True, gc=False):
    """One material at one site in one month, in one unit.

    Attributes:
        place: Key of the facility or location; "" where it is not recorded.
        material: Key of the product class.
        unit: Of the quantities; "" where none is recorded.
        month: As YYYY-MM in UTC; "" for movements without a time.
        made: How much was made there.
        received: How much arrived.
        used: How much was used up.
        sent: How much left.
        unmeasured: How many movements of this month have no quantity.
        stock: What should be left at the end of the month, months before counted; negative
            where more left than came. None once a movement has no quantity.
    """

    place: str
    material: str
    unit: str
    month: str
    made: Decimal
    received: Decimal
    used: Decimal
    sent: Decimal
    unmeasured: int
    stock: Decimal | None


@dataclass(frozen=True, slots=True)
class Balance:
    """The lines of a site, or of an item wherever it was.

    Attributes:
        subject: Key of the facility or item.
        tier: Whose view this is.
        position: The log position that the answer is true for.
        at: The time that it was asked for; None for all that is recorded.
        lines: By site, material, unit, then month; undated ones last.
        truncated: Whether a limit left something out.
    """

    subject: str
    tier: Tier
    position: int
    at: int | None
    lines: tuple[Line, ...]
    truncated: bool


def balance(
    store: GraphStore,
    subject: str,
    tier: Tier,
    *,
    at: int | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Balance:
    """Say what came in, what went out and what is left.

    Args:
        store: Where to read.
        subject: Key of a facility, or of an item: of a class all its lots count.
        tier: The viewer's.
        at: Microseconds since the epoch: only events up to then count.
        limit: How many items to look at, and how many lines to return, at most.

    Raises:
        NotFound: There is no such thing for this viewer.
        UsageError: The key names something else.
    """
    if kind_of(subject) not in _SUBJECTS:
        raise UsageError(f"a balance is of a facility or an item, not of {subject!r}")
    with store.snapshot():
        if not store.fetch([subject], tier):
            raise NotFound(f"the graph knows no {subject!r}, or it may not be shown at this tier")
        site = kind_of(subject) is NodeKind.FACILITY
        if site:
            items, cut = items_at(store, subject, tier, at)
        else:
            same = same_goods(store, subject, tier, limit, at)
            items = [subject, *(e.dst for e in same if e.src == subject)]
            cut = False
        book = ledger(store, items[:limit], tier, at)
        position = store.position()
    counted = [move for move in book.moves if not site or move.place == subject]
    lines = list(_lines(counted))
    return Balance(
        subject=subject,
        tier=tier,
        position=position,
        at=at,
        lines=tuple(lines[:limit]),
        truncated=cut or book.truncated or len(items) > limit or len(lines) > limit,
    )


def _lines(moves: Iterable[Move]) -> Iterator[Line]:
    months: dict[tuple[str, str, str], dict[str, list[Move]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for move in moves:
        if move.act is not Act.SEEN:
            account = (move.place, class_of(move.item), move.unit or "")
            months[account][_month(move.time_us)].append(move)
    for account, own in sorted(months.items()):
        stock: Decimal | None = Decimal(0)
        for month in sorted(own, key=lambda month: (not month, month)):
            line = _line(account, month, own[month], stock)
            stock = line.stock
            yield line


def _line(
    account: tuple[str, str, str], month: str, moves: list[Move], before: Decimal | None
) -> Line:
    sums = dict.fromkeys(Act, Decimal(0))
    for move in moves:
        sums[move.act] += move.quantity or 0
    unmeasured = sum(move.quantity is None for move in moves)
    change = sum(sums[act] for act in _COMES) - sums[Act.USED] - sums[Act.SENT]
    stock = None if before is None or unmeasured else before + change
    return Line(
        *account,
        month=month,
        made=sums[Act.MADE],
        received=sums[Act.RECEIVED],
        used=sums[Act.USED],
        sent=sums[Act.SENT],
        unmeasured=unmeasured,
        stock=stock,
    )


def _month(time_us: int | None) -> str:
    return "" if time_us is None else f"{datetime.fromtimestamp(time_us // 10**6, UTC):%Y-%m}"
