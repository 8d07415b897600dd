"""Serials: what shows a second piece, and what only shows that nobody scanned."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from asking import flagged, reasons
from frame_factories import World
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.features import Features
from detectors.goods.clones import MOST_EVENTS
from detectors.goods.serials import histories

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "cloned_serial"
UNSEEN = "a piece that came unseen from a place that passes goods on"
UNCOUNTED = "more serials than pieces: which of them were there is unknown"
STAND_IN = "a serial with more events than one piece can have"


class Pieces(World):
    """Works W and X send pieces by depots D and E to shops S and T; others do so, too."""

    def __init__(self, others: int = 3) -> None:
        """Let some pieces go their ordinary ways."""
        super().__init__()
        for name in "WXDEST":
            self.site(name)
        self.product("P", "unit")
        for n in range(others):
            self.whole(f"{n}-a", 50 * n, "W", "D", "S")
            self.whole(f"{n}-b", 50 * n, "X", "E", "T")

    def scan(self, kind: str, hour: float, site: str, *pieces: str, **more: Any) -> str:
        """Scan some pieces, those named alone of lot L, the others of a lot each."""
        lot = pieces[0] if "-" in pieces[0] else "L"
        item: dict[str, Any] = {
            "party": self.party,
            "product_id": "P",
            "lot_id": lot,
            "quantity_unit": "unit",
        }
        quantity = more.pop("quantity", float(len(pieces)))
        item |= {"quantity": quantity, "serial_ids": list(pieces)}
        return self.event(kind, hour, site, items=[item], **more)

    def bring(self, hour: float, start: str, end: str, *pieces: str) -> list[str]:
        """Ship pieces, and scan them in a day later."""
        ends = {"from_facility_id": start, "to_facility_id": end, "shipment_id": f"{hour}{pieces}"}
        left = self.scan("ship", hour, start, *pieces, **ends)
        return [left, self.scan("receive", hour + 24, end, *pieces, **ends)]

    def whole(self, piece: str, hour: float, works: str, depot: str, shop: str) -> None:
        """Make a piece, bring it to a shop and sell it."""
        self.scan("produce", hour, works, piece)
        self.bring(hour + 10, works, depot, piece)
        self.bring(hour + 100, depot, shop, piece)
        self.scan("sell", hour + 200, shop, piece)


def on_the_shelf() -> Pieces:
    """A world with a piece on the shelf of shop S since hour 1,124."""
    world = Pieces()
    world.scan("produce", 1000, "W", "1")
    world.bring(1010, "W", "D", "1")
    world.bring(1100, "D", "S", "1")
    return world


def test_piece_that_comes_back_was_never_away() -> None:
    """Seen at another shop between two scans at its own: what happened there is of another piece.

    However many scans the other has: what follows without a break is the piece.
    """
    world = on_the_shelf()
    fakes = world.bring(1150, "E", "T", "1")
    fakes.append(world.scan("inspect", 1180, "T", "1"))
    fakes.append(world.scan("sell", 1200, "T", "1"))
    world.scan("sell", 1300, "S", "1")
    found = flagged(NAME, world)
    assert set(found) == {fakes[0], fakes[1], fakes[3]}
    assert all(flag.score == 2.0 for flag in found.values())


def test_what_leaves_a_shop_unseen_is_another_piece() -> None:
    """Nothing is passed on from a shop: shipped from a depot after that, it is likely a copy."""
    world = on_the_shelf()
    fakes = world.bring(1150, "E", "T", "1")
    found = flagged(NAME, world)
    assert set(found) == set(fakes)
    assert all(1 < flag.score < 2 for flag in found.values())
    # It has one name: the shipper never had the goods, but they are not what they say.
    assert flagged("custody_gap", world) == {}


def test_what_leaves_a_depot_unseen_is_a_gap_in_custody() -> None:
    """A depot passes goods on: the pieces turn up at another one, and it is asked how."""
    world = Pieces()
    world.scan("produce", 1000, "W", "1")
    world.bring(1010, "W", "D", "1")
    left, came = world.bring(1150, "E", "T", "1")
    sold = world.scan("sell", 1300, "T", "1")
    assert flagged(NAME, world) == {}
    assert set(flagged("custody_gap", world)) == {left}
    assert reasons(NAME, world)[UNSEEN] == tuple(sorted([left, came, sold]))


def test_second_making_is_another_piece_and_so_is_what_follows() -> None:
    """Made twice: the second one's ways are not the first one's."""
    world = on_the_shelf()
    again = world.scan("produce", 1200, "X", "1")
    found = flagged(NAME, world)
    assert set(found) == {again}
    follows = world.bring(1210, "X", "E", "1")
    assert set(flagged(NAME, world)) == {again, *follows}


@pytest.mark.parametrize(("quantity", "known"), [(2.0, False), (3.0, True)])
def test_list_longer_than_the_load_names_nobody(quantity: float, *, known: bool) -> None:
    """Three serials on a return of two pieces: which went back is unknown, and who was sold."""
    world = Pieces()
    pieces = ("1", "2", "3")
    world.scan("produce", 1000, "W", *pieces)
    world.bring(1010, "W", "S", *pieces)
    ends = {"from_facility_id": "S", "to_facility_id": "W", "shipment_id": "R"}
    back = world.scan("ship", 1100, "S", *pieces, quantity=quantity, **ends)
    sold = world.scan("sell", 1200, "S", "2")
    world.scan("receive", 1300, "W", *pieces, quantity=quantity, **ends)
    assert set(flagged(NAME, world)) == ({sold} if known else set())
    assert (back in reasons(NAME, world).get(UNCOUNTED, ())) is not known


@pytest.mark.parametrize("shipped", [True, False])
@pytest.mark.parametrize("quantity", [3.0, 2.0])
def test_receipt_of_a_whole_load_shows_what_was_not_read(quantity: float, *, shipped: bool) -> None:
    """One tag of three is read at the depot: three pieces came there; of two nothing is known.

    Where nobody scanned the ship, the whole lot tells as much.
    """
    world = Pieces(others=0)
    pieces = ("1", "2", "3")
    world.scan("produce", 1000, "W", *pieces)
    ends = {"from_facility_id": "W", "to_facility_id": "D", "shipment_id": "in"}
    if shipped:
        world.scan("ship", 1010, "W", *pieces, **ends)
    world.scan("receive", 1030, "D", "1", quantity=quantity, **ends)
    table = histories(Features(world.frames()))
    known = table[~table["read"].to_numpy(bool)]
    assert sorted(known["name"]) == (["2", "3"] if quantity == len(pieces) else [])


def test_list_that_names_others_is_not_filled_up() -> None:
    """Three counted and one read, which was not shipped: who the two others were is unknown."""
    world = Pieces(others=0)
    world.scan("produce", 1000, "W", "1", "2", "3")
    ends = {"from_facility_id": "W", "to_facility_id": "D", "shipment_id": "in"}
    world.scan("ship", 1010, "W", "1", "2", "3", **ends)
    world.scan("receive", 1030, "D", "9", quantity=3.0, **ends)
    assert histories(Features(world.frames()))["read"].all()


def test_piece_that_was_counted_and_not_read_was_there() -> None:
    """It came in a full box and was sold: the two scans elsewhere are of another piece."""
    world = Pieces()
    world.scan("produce", 1000, "W", "1", "2")
    world.bring(1010, "W", "D", "1", "2")
    ends = {"from_facility_id": "D", "to_facility_id": "S", "shipment_id": "box"}
    world.scan("ship", 1100, "D", "1", "2", **ends)
    world.scan("receive", 1120, "S", "1", quantity=2.0, **ends)
    fakes = world.bring(1150, "D", "T", "2")
    world.scan("sell", 1200, "S", "2")
    assert set(flagged(NAME, world)) == set(fakes)


def test_serial_of_everything_is_nobodys() -> None:
    """A thousand and one sales under "0" are no thousand clones: nothing is said of them."""
    world = on_the_shelf()
    for n in range(MOST_EVENTS + 1):
        world.scan("sell", 1200 + n, "ST"[n % 2], "0")
    assert flagged(NAME, world) == {}
    assert len(reasons(NAME, world)[STAND_IN]) > 0


def test_late_scan_and_a_wrong_date_make_no_clone() -> None:
    """Scanned in after it had left again, sold before it came, received before it was shipped."""
    world = Pieces()
    world.scan("produce", 1000, "W", "1", "2", "3")
    ends = {"from_facility_id": "W", "to_facility_id": "D", "shipment_id": "late"}
    world.scan("ship", 1010, "W", "1", "2", "3", **ends)
    world.bring(1050, "D", "S", "1", "2", "3")
    world.scan("receive", 1090, "D", "1", "2", "3", **ends)
    world.scan("sell", 900, "S", "1")
    world.scan("sell", 1020, "S", "2")
    back = {"from_facility_id": "S", "to_facility_id": "D", "shipment_id": "back"}
    world.scan("receive", 1040, "D", "3", **back)
    world.scan("ship", 1200, "S", "3", **back)
    assert flagged(NAME, world) == {}


@given(seed=st.integers(0, 2**32))
@settings(max_examples=2)
def test_one_piece_on_an_ordinary_way_is_one(seed: int) -> None:
    """Whatever way a piece takes, with one scan of it missing or none, it is one piece."""
    dice = random.Random(seed)
    world = Pieces(others=1)
    for number in range(40):
        scans = list(way(dice, f"{number}-"))
        if number % 2:
            scans.pop(dice.randrange(1, len(scans) - 1))
        for kind, when, site, more in scans:
            world.scan(kind, when, site, f"{number}-", **more)
    assert flagged(NAME, world) == {}


def way(dice: random.Random, name: str) -> Iterator[tuple[str, float, str, dict[str, str]]]:
    """Yield the scans of a piece that is made, goes somewhere by somewhere, and is sold."""
    at, hour = "W", 1000.0
    yield "produce", hour, at, {}
    for n in range(dice.randrange(1, 4)):
        start, at = at, dice.choice([one for one in "DEST" if one != at])
        ends = {"from_facility_id": start, "to_facility_id": at, "shipment_id": f"{name}{n}"}
        yield "ship", hour + 10, start, ends
        yield "receive", hour + 40, at, ends
        hour += 50
    yield "sell", hour + 10, at, {}
