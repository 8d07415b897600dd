"""Mass balance: what arrived bounds what can be made, however the lots are shared."""

from __future__ import annotations

from itertools import combinations

import pytest
from asking import ask, flagged, reasons
from frame_factories import World
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detectors.shortages import MANY

NAME = "mass_balance"


def mill(**product: object) -> World:
    """A farm and a mill that needs 2 kg of cotton for a shirt."""
    world = World()
    world.site("FARM")
    world.site("MILL")
    world.product("COTTON")
    rate = {"input_product_id": "COTTON", "input_units_per_output_unit": 2.0} | product
    world.product("SHIRT", "unit", **rate)
    return world


def bring(world: World, lot: str, quantity: float, hour: float = 0, **more: object) -> None:
    """Cotton comes to the mill."""
    world.make(hour, "FARM", lot, quantity, "COTTON")
    given_ = {"quantity": quantity, "product": "COTTON"} | more
    world.send(hour + 1, "FARM", "MILL", lot, f"S-{lot}", 1, **given_)


@pytest.mark.parametrize(("shirts", "count"), [(100.0, 0), (104.0, 0), (106.0, 1), (300.0, 1)])
def test_one_batch_from_one_lot(shirts: float, count: int) -> None:
    """200 kg make a hundred shirts and, with a good yield, up to five more."""
    world = mill()
    bring(world, "C1", 200.0)
    batch = world.turn(100, "MILL", [("COTTON", "C1")], "T1", shirts, "SHIRT")
    assert set(flagged(NAME, world)) == ({batch} if count else set())


def test_shared_lots_are_judged_together() -> None:
    """Three batches of 50 from a lot for a hundred: none is too much alone, together they are."""
    world = mill()
    bring(world, "C1", 200.0)
    for n in range(3):
        world.turn(100 + n, "MILL", [("COTTON", "C1")], f"T{n}", 50.0, "SHIRT")
    found = flagged(NAME, world)
    assert len(found) == 1
    flag = next(iter(found.values()))
    assert "together with 2 other batches sharing its lots" in flag.account.sentence
    assert len(flag.evidence) >= 5


def test_shared_lots_that_suffice_are_fine() -> None:
    """Two lots, three batches that each name both: the sum decides, not each share."""
    world = mill()
    bring(world, "C1", 100.0)
    bring(world, "C2", 300.0)
    for n, shirts in enumerate((120.0, 60.0, 20.0)):
        world.turn(100 + n, "MILL", [("COTTON", "C1"), ("COTTON", "C2")], f"T{n}", shirts, "SHIRT")
    assert flagged(NAME, world) == {}


def test_batch_beyond_the_usual_is_the_one_suspected() -> None:
    """Of batches that share a lot, the one far above the site's usual size answers for the sum."""
    world = mill()
    for n in range(6):
        bring(world, f"C{n}", 200.0)
        world.turn(200 + n, "MILL", [("COTTON", f"C{n}")], f"T{n}", 50.0, "SHIRT")
    bring(world, "CX", 200.0)
    sizes = (50.0, 90.0, 50.0)
    batches = [
        world.turn(300 + n, "MILL", [("COTTON", "CX")], f"X{n}", size, "SHIRT")
        for n, size in enumerate(sizes)
    ]
    assert set(flagged(NAME, world)) == {batches[1]}


def test_declared_inputs_bound_the_output() -> None:
    """120 shirts from 200 kg that the transform itself declares, though more had arrived."""
    world = mill()
    bring(world, "C1", 1000.0)
    batch = world.turn(100, "MILL", [("COTTON", "C1", 200.0)], "T1", 120.0, "SHIRT")
    found = flagged(NAME, world)
    assert set(found) == {batch}
    assert "declared inputs" in found[batch].account.sentence


def test_poor_yield_uses_up_the_lot() -> None:
    """Declared consumption above the rate counts: what was used cannot be used again."""
    world = mill()
    bring(world, "C1", 300.0)
    world.turn(100, "MILL", [("COTTON", "C1", 250.0)], "T1", 100.0, "SHIRT")
    world.turn(101, "MILL", [("COTTON", "C1", 160.0)], "T2", 70.0, "SHIRT")
    assert len(flagged(NAME, world)) == 1


def test_units_are_normalised() -> None:
    """Cotton received in pounds makes what its kilograms make."""
    world = mill()
    bring(world, "C1", 440.92, unit="lb")
    batch = world.turn(100, "MILL", [("COTTON", "C1")], "T1", 100.0, "SHIRT")
    wrong = world.turn(101, "MILL", [("COTTON", "C1")], "T2", 40.0, "SHIRT")
    assert batch
    assert len(flagged(NAME, world)) == 1
    assert set(flagged(NAME, world)) <= {batch, wrong}


def test_delivery_nobody_scanned_counts_as_arrived() -> None:
    """A missing receipt is no reason to doubt the mill."""
    world = mill()
    world.make(0, "FARM", "C1", 200.0, "COTTON")
    world.ship(1, "FARM", "MILL", "C1", "S1", 200.0, "COTTON")
    world.turn(100, "MILL", [("COTTON", "C1")], "T1", 100.0, "SHIRT")
    assert flagged(NAME, world) == {}


def test_part_of_a_delivery_that_nobody_scanned_counts_as_arrived() -> None:
    """Two lorries bring 200 kg and one is scanned: custody asks for the other, not the mill."""
    world = mill()
    world.make(0, "FARM", "C1", 200.0, "COTTON")
    world.ship(1, "FARM", "MILL", "C1", "S1", 200.0, "COTTON")
    world.receive(9, "MILL", "C1", "S1", 90.0, "COTTON")
    world.turn(100, "MILL", [("COTTON", "C1")], "T1", 100.0, "SHIRT")
    assert flagged(NAME, world) == {}


def test_batches_that_say_what_they_used_show_how_exact_yields_are() -> None:
    """Lots are shared, so that only declared inputs tell: where all keep to the rate, 3 % is far.

    Some wrong ones among them widen nothing, and few batches of a product go by the others'.
    """
    world = mill()
    world.product("SOCK", "unit", input_product_id="COTTON", input_units_per_output_unit=2.0)
    bring(world, "C1", 100_000.0)
    wrong = set()
    for n in range(MANY + 10):
        over, product = (1.03 if n % 13 == 5 else 0.98), "SOCK" if n % 5 == 0 else "SHIRT"
        batch = world.turn(200 + n, "MILL", [("COTTON", "C1", 200.0)], f"T{n}", 100 * over, product)
        wrong |= {batch} if over > 1 else set()
    assert set(flagged(NAME, world)) == wrong


def test_what_was_passed_on_is_not_there_any_more() -> None:
    """Cotton that the mill sold on cannot be in its shirts."""
    world = mill()
    world.site("OTHER")
    bring(world, "C1", 200.0)
    world.send(50, "MILL", "OTHER", "C1", "S9", product="COTTON", quantity=120.0)
    batch = world.turn(100, "MILL", [("COTTON", "C1")], "T1", 100.0, "SHIRT")
    assert set(flagged(NAME, world)) == {batch}


def test_unnamed_lots_draw_on_the_running_stock() -> None:
    """A year of batches that name no lots: the site's whole balance is run, in time."""
    for excess, count in ((1.0, 0), (2.0, 1)):
        world = mill()
        for n in range(52):
            hour = 168.0 * n
            bring(world, f"C{n}", 200.0, hour)
            shirts = 100.0 * (excess if n > 25 else 1.0)
            world.turn(hour + 60, "MILL", [], f"T{n}", shirts, "SHIRT")
        assert bool(flagged(NAME, world)) is bool(count)


def test_opening_stock_is_allowed_for() -> None:
    """A site that names no lots may use what it had before the record began."""
    world = mill()
    for n in range(52):
        hour = 168.0 * n
        if n > 3:
            bring(world, f"C{n}", 200.0, hour)
        world.turn(hour + 60, "MILL", [], f"T{n}", 100.0, "SHIRT")
    assert flagged(NAME, world) == {}


def test_a_rate_that_every_batch_contradicts_is_wrong_itself() -> None:
    """Master data that is off must not flood the run with flags; the run says what it left."""
    world = mill(input_units_per_output_unit=3.0)
    for n in range(12):
        bring(world, f"C{n}", 200.0)
        world.turn(100 + n, "MILL", [("COTTON", f"C{n}")], f"T{n}", 100.0, "SHIRT")
    assert flagged(NAME, world) == {}
    assert "a declared conversion rate that most batches contradict" in reasons(NAME, world)


def test_slip_of_units_is_named() -> None:
    """An excess of exactly pounds to kilograms is information, not an accusation."""
    world = mill()
    bring(world, "C1", 200.0)
    batch = world.turn(100, "MILL", [("COTTON", "C1")], "T1", 220.46, "SHIRT")
    flag = flagged(NAME, world)[batch]
    assert flag.likely_benign
    assert flag.severity == "info"


def test_what_cannot_be_known_is_not_judged() -> None:
    """No rate, unknown lots, other materials, lots without quantity: each told with its reason."""
    world = mill()
    world.product("MYSTERY")
    world.product("THREAD")
    for lot, quantity in (("C1", None), ("C2", 200.0)):
        world.make(0, "MILL", lot, quantity, "COTTON")
    world.make(0, "MILL", "Y1", 10.0, "THREAD")
    no_rate = world.turn(100, "MILL", [("COTTON", "C2")], "T1", 10.0, "MYSTERY")
    elsewhere = world.turn(101, "MILL", [("THREAD", "Y1")], "T2", 10.0, "SHIRT")
    unknown = world.turn(102, "MILL", [("COTTON", "C1")], "T3", 10.0, "SHIRT")
    inputs = [{"lot_id": "GONE"}]
    items = [{"party": "acme", "product_id": "SHIRT", "lot_id": "T4", "quantity": 9.0}]
    gap = world.event("transform", 103, "MILL", items=items, inputs=inputs)
    assert reasons(NAME, world) == {
        "no declared conversion rate, site or output quantity": (no_rate,),
        "none of the inputs is the declared material": (elsewhere,),
        "an input lot of which no known quantity arrived": (unknown,),
        "an input lot that the record does not hold": (gap,),
    }


def test_products_of_two_makers_keep_their_own_rates() -> None:
    """Two parties may use one product id for different things."""
    world = mill()
    other = World("other")
    other.entries = world.entries
    other.product("SHIRT", "unit", input_product_id="COTTON", input_units_per_output_unit=9.0)
    bring(world, "C1", 200.0)
    world.turn(100, "MILL", [("COTTON", "C1")], "T1", 100.0, "SHIRT")
    assert flagged(NAME, world) == {}


@given(
    lots=st.lists(st.integers(50, 300), min_size=2, max_size=5),
    batches=st.lists(
        st.tuples(st.sets(st.integers(0, 4), min_size=1), st.integers(5, 200)),
        min_size=1,
        max_size=5,
    ),
)
@settings(max_examples=12)
def test_flagged_exactly_when_some_batches_cannot_be(
    lots: list[int], batches: list[tuple[set[int], int]]
) -> None:
    """Some batches need more than all their lots together hold: Hall's condition, by hand."""
    used = [({one % len(lots) for one in named}, 2.0 * shirts / 1.05) for named, shirts in batches]
    short = False
    for size in range(1, len(used) + 1):
        for some in combinations(used, size):
            there = sum(lots[one] for one in set().union(*(own for own, _ in some)))
            need = sum(need for _, need in some)
            assume(abs(need / there - 1) > 0.01)
            short |= need > there
    world = mill()
    for n, amount in enumerate(lots):
        bring(world, f"C{n}", float(amount))
    for n, ((own, _), (_, shirts)) in enumerate(zip(used, batches, strict=True)):
        inputs: list[tuple[str, str]] = [("COTTON", f"C{one}") for one in sorted(own)]
        world.turn(100 + n, "MILL", inputs, f"T{n}", float(shirts), "SHIRT")  # type: ignore[arg-type]
    result = ask(NAME, world)
    told = [one.reason for one in result.abstentions]
    contradicted = "a declared conversion rate that most batches contradict" in told
    assert bool(result.flags) == (short and not contradicted)


def test_what_came_later_fed_no_batch_before_it() -> None:
    """A lot in two deliveries a month apart: the batch between them cannot have used the second.

    By quantities alone the later batch, which is larger, would be the one too large.
    """
    world = mill()
    for n in range(200):
        bring(world, f"X{n}", 200.0, 10.0 * n)
        world.turn(10.0 * n + 60, "MILL", [("COTTON", f"X{n}")], f"Y{n}", 99.0, "SHIRT")
    world.make(3000, "FARM", "C", 500.0, "COTTON")
    world.send(3010, "FARM", "MILL", "C", "one", 1, quantity=200.0, product="COTTON")
    early = world.turn(3100, "MILL", [("COTTON", "C")], "T1", 115.0, "SHIRT")
    world.send(3700, "FARM", "MILL", "C", "two", 1, quantity=300.0, product="COTTON")
    world.turn(3800, "MILL", [("COTTON", "C")], "T2", 149.0, "SHIRT")
    assert set(flagged(NAME, world)) == {early}


@pytest.mark.parametrize(("used", "wrong"), [(13.0, False), (12.0, True)])
def test_nobody_uses_part_of_a_piece(used: float, *, wrong: bool) -> None:
    """1.02 cells a telephone: thirteen telephones need 13.26, and 13 were written down."""
    world = World()
    world.site("WORKS")
    world.product("CELL", "unit")
    world.product("PHONE", "unit", input_product_id="CELL", input_units_per_output_unit=1.02)
    world.make(0, "WORKS", "C", 100.0, "CELL")
    batch = world.turn(10, "WORKS", [("CELL", "C", used)], "T", 13.0, "PHONE")
    assert (batch in flagged(NAME, world)) is wrong
