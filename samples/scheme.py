"""What a planted irregularity may do: a set of occasions to act on.

A scheme is somebody with a motive. He is asked at every occasion of his trade
and acts on few of them. To have his deeds spread over the two years, the world
is lived through once before, unharmed, while every scheme only counts its
occasions; then `spread` chooses which ones to take.

Next: samples/papers.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from samples.dice import Dice
    from samples.freight import Consignment
    from samples.making import Batch
    from samples.places import Site
    from samples.world import Parcel, Row, World

__all__ = ["Scheme"]

_CERTAIN = 0.9  # the last occasions may vanish when others act too


class Scheme:
    """Somebody who does nothing; subclasses act on some of the occasions."""

    deeds = 6  # how often at scale 1
    fewest = 3

    def __init__(self) -> None:
        """Start without any occasion seen."""
        self.seen = 0
        self.taken: frozenset[int] | None = None
        self.mine: dict[Consignment, int] = {}  # loads acted on, and the leg that matters

    def occasion(self) -> bool:
        """Count an occasion and say whether to act on it."""
        self.seen += 1
        return self.taken is not None and self.seen in self.taken

    def spread(self, scale: float, dice: Dice) -> None:
        """Choose the occasions to act on: one in each of equal stretches of them."""
        wanted = max(self.fewest, round(self.deeds * scale))
        known = int(self.seen * _CERTAIN)
        count = min(wanted, known)
        stretch = known / count if count else 0.0
        self.taken = frozenset(
            dice.whole(int(place * stretch) + 1, max(int((place + 1) * stretch), 1))
            for place in range(count)
        )
        self.seen = 0

    def begin(self, world: World) -> None:
        """Put deeds of one's own on the agenda."""

    def plan(self, world: World, load: Consignment) -> None:
        """Change a consignment's way or waits before it leaves."""

    def load(self, world: World, load: Consignment) -> None:
        """Change what is on board before a leg's ship scans."""

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """See (and change) the ship scans of a leg."""

    def received(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """See (and change) the receive scans of a leg."""

    def arrived(self, world: World, site: Site, parcel: Parcel, when: datetime) -> None:
        """See a parcel that a site takes over; its quantity may be changed."""

    def making(self, world: World, batch: Batch) -> None:
        """Change a batch before its transform scan."""

    def made(self, world: World, batch: Batch, row: Row) -> None:
        """See the transform scan of a batch."""

    def measured(self, world: World, row: Row) -> None:
        """See (and change) a scan with a temperature."""

    def sold(self, world: World, row: Row) -> None:
        """See (and change) a sale."""
