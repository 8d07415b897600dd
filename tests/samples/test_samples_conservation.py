"""The honest world obeys physics and law; nothing planted is needed to see that."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest

from samples.goods import feasible_output, implied_input
from samples.labour import workplaces
from samples.places import distance_km
from samples.simulate import simulate
from samples.timesheets import timesheets
from samples.workdays import END, START

if TYPE_CHECKING:
    from samples.world import Row, World

SEEDS = (1, 2, 3, 7, 20)
SPEED = {"sea": 46, "road": 75, "rail": 45, "air": 800}  # km/h from door to door


@cache
def honest(seed: int) -> World:
    """A small world without anything planted; made once."""
    return simulate(seed, 0.25, clean=True)


def scans(seed: int) -> list[Row]:
    """Its scans, in the order of their times."""
    return sorted(honest(seed).rows, key=lambda row: (row.when, row.order))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lot_leaves_a_site_only_after_it_came(seed: int) -> None:
    """What a site ships, uses up, sells or destroys of a lot, it had made or received before."""
    held: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in scans(seed):
        place = (row.site.id, row.lot.id)
        if row.kind in {"produce", "transform", "receive"}:
            held[place] += row.quantity
        if row.kind in {"ship", "sell", "destroy"}:
            held[place] -= row.quantity
        for lot, quantity in row.inputs:
            held[row.site.id, lot] -= quantity
            assert held[row.site.id, lot] >= 0, (row, lot)
        assert held[place] >= 0, row


@pytest.mark.parametrize("seed", SEEDS)
def test_no_lot_gives_more_than_was_made(seed: int) -> None:
    """Over the whole world, what is sold, used and destroyed of a lot was made of it."""
    made: defaultdict[str, int] = defaultdict(int)
    gone: defaultdict[str, int] = defaultdict(int)
    for row in scans(seed):
        if row.kind in {"produce", "transform"}:
            made[row.lot.id] += row.quantity
        if row.kind in {"sell", "destroy"}:
            gone[row.lot.id] += row.quantity
        for lot, quantity in row.inputs:
            gone[lot] += quantity
    assert gone
    assert all(gone[lot] <= made[lot] for lot in gone)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_batch_stays_within_its_yield(seed: int) -> None:
    """A transform's output needs no more than its inputs; a blend is kilo for kilo."""
    product_of = {row.lot.id: row.lot.product.id for row in scans(seed)}
    batches = [row for row in scans(seed) if row.kind == "transform"]
    assert batches
    for row in batches:
        consumed = sum(quantity for _, quantity in row.inputs)
        kinds = {product_of[lot] for lot, _ in row.inputs}
        if kinds == {row.lot.product.id}:
            assert row.quantity == consumed
            continue
        assert kinds == {row.lot.product.input}
        assert row.quantity <= feasible_output(row.lot.product, consumed, 1000)
        assert implied_input(row.lot.product, row.quantity) <= consumed
        assert row.quantity >= 0.93 * feasible_output(row.lot.product, consumed, 1000)


@pytest.mark.parametrize("seed", SEEDS)
def test_receipts_follow_their_shipment_at_a_possible_speed(seed: int) -> None:
    """A receipt comes after its shipment, not faster than its vehicle, and not with more."""
    left: dict[tuple[str, str], Row] = {}
    arrived: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in scans(seed):
        key = (row.cells.get("shipment_id", ""), row.lot.id)
        if row.kind == "ship":
            assert key not in left
            left[key] = row
        if row.kind != "receive":
            continue
        ship = left[key]
        arrived[key] += row.quantity
        hours = (row.when - ship.when) / timedelta(hours=1)
        km = distance_km(ship.site, row.site)
        assert hours > 0
        assert km / hours <= SPEED[row.cells["transport_mode"]], (ship, row)
        assert arrived[key] <= ship.quantity
    assert arrived


@pytest.mark.parametrize("seed", SEEDS)
def test_a_serial_is_in_one_place_at_a_time(seed: int) -> None:
    """A serial appears where it was made or received last, and not after its sale."""
    where: dict[str, str] = {}
    seen = 0
    for row in scans(seed):
        for serial in row.serials:
            seen += 1
            if row.kind == "transform":
                assert serial not in where
            elif row.kind == "receive":
                assert where[serial] == "on the way"
            else:
                assert where[serial] == row.site.id, row
            where[serial] = row.site.id
            if row.kind == "ship":
                where[serial] = "on the way"
            if row.kind in {"sell", "destroy"}:
                where[serial] = "gone"
    assert seen


@pytest.mark.parametrize("seed", SEEDS)
def test_origin_changes_only_where_something_is_made(seed: int) -> None:
    """A lot keeps its origin for life, and a new one is the maker's only for real making."""
    origin: dict[str, str] = {}
    for row in scans(seed):
        assert origin.setdefault(row.lot.id, row.lot.origin) == row.lot.origin
        if row.kind == "transform":
            made_here = row.lot.product.confers_origin and row.inputs[0][0] in origin
            inherited = {origin[lot] for lot, _ in row.inputs}
            assert row.lot.origin == row.site.country if made_here else row.lot.origin in inherited


@pytest.mark.parametrize("seed", SEEDS)
def test_honest_sites_keep_the_law(seed: int) -> None:
    """Hours, pay, age and claims of every month are within the limits of its first day."""
    places = workplaces(honest(seed))
    assert len(places) > 30
    for place in places:
        assert len(place.months) == 24
        for entry in place.months:
            assert entry.weekly < entry.law.max_hours
            assert entry.wages / entry.total_hours >= entry.law.minimum
            assert entry.min_age >= entry.law.min_age
            assert entry.passports == 0
            assert not entry.claims or entry.audits.expiry.isoformat() >= f"{entry.month}-01"
            expected = entry.heads * entry.weekly * 52 / 12
            assert abs(entry.total_hours - expected) <= 0.5


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_honest_clocks_agree_with_the_books(seed: int) -> None:
    """A sheet's hours are legal quarter hours near the site's average, its pay above minimum."""
    places = {place.site.id: place for place in workplaces(honest(seed))}
    hours: defaultdict[str, list[float]] = defaultdict(list)
    for punch in timesheets(list(places.values()), seed):
        entry = next(each for each in places[punch.site].months if each.month == punch.month)
        assert punch.quarters < entry.law.max_hours * 4
        assert punch.pay + 1 >= punch.quarters * entry.law.minimum * 25
        hours[punch.site].append(punch.quarters / 4 - entry.weekly)
    assert hours
    assert all(abs(sum(gaps) / len(gaps)) < 1.5 for gaps in hours.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_books_hold_at_least_what_was_scanned(seed: int) -> None:
    """A site's monthly output covers what the scans say it made, within declared capacity."""
    scanned: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for row in scans(seed):
        if row.kind in {"produce", "transform"}:
            scanned[row.site.id, f"{row.when:%Y-%m}", row.lot.product.id] += row.quantity
    for place in workplaces(honest(seed)):
        for entry in place.months:
            assert entry.made >= scanned[place.site.id, entry.month, place.product]
            assert entry.made <= place.capacity * 10 or not place.product


def test_the_two_years_are_full_of_work() -> None:
    """Scans run from the first weeks to the last, and every month has some."""
    months = {f"{row.when:%Y-%m}" for row in scans(7) if row.when < END}
    assert len(months) == 24
    assert min(row.when for row in scans(7)) >= START


def test_the_honest_world_is_the_planted_one_without_its_deeds() -> None:
    """With and without planted deeds, the world has the same harvests and the same people."""
    clean, planted = (simulate(7, 0.5, clean=clean) for clean in (True, False))
    harvests = [
        [
            (row.when, row.site.id, row.quantity)
            for row in world.rows
            if row.kind == "produce" and row.site.kind == "farm"
        ]
        for world in (clean, planted)
    ]
    assert harvests[0] == harvests[1]
    heads = [
        [entry.heads for place in workplaces(world) for entry in place.months]
        for world in (clean, planted)
    ]
    assert heads[0] == heads[1]
    assert clean.labels == []
    assert len(planted.labels) > 40
