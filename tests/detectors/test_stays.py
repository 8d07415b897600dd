"""Stays at a site: what is counted of them, and who keeps whom company."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from asking import flagged, reasons
from frame_factories import World
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.custody import DAY_US
from detectors.features import Features
from detectors.routes import company
from detectors.routes.closures import days_of_rest
from detectors.routes.company import unshown
from detectors.routes.scales import outer_reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

FIRST = 19_723
"""1 January 2024, a Monday, in days since 1970."""
LOADS = 110
EVERY = 48.0


def at_work(
    days: Iterable[int], site: str = "A", world: World | None = None, kind: str = "mill"
) -> World:
    """A site that records something at noon on some days of 2024."""
    world = world or World()
    world.site(site, facility_type=kind)
    for day in days:
        world.make(24 * day + 12, site, f"{site}{day}")
    return world


def rest(world: World, since: int, left: int, site: str = "A") -> int:
    """Days of rest before goods left a site, by days of 2024."""
    shared = Features(world.frames())
    rows = shared.rows
    number = rows.loc[rows["site"] == site, "site_number"].to_numpy(np.int64)[:1]
    since_us, left_us = (np.array([(FIRST + day) * DAY_US], np.int64) for day in (since, left))
    return int(days_of_rest(shared, number, since_us, left_us)[0])


def working(day: int) -> bool:
    """Nobody works on Saturdays and Sundays, at Easter or on 1 May."""
    return day % 7 < 5 and day not in {88, 91, 121}


YEAR = range(200)


def test_a_weekly_rest_and_holidays_before_goods_leave_are_days_of_rest() -> None:
    """From Maundy Thursday to Tuesday are four of them; from Monday to Wednesday none."""
    world = at_work(filter(working, YEAR))
    assert rest(world, 87, 92) == 4
    assert rest(world, 91 + 7, 93 + 7) == 0
    assert rest(world, 120, 122) == 1


def test_the_day_of_arrival_is_no_day_of_rest() -> None:
    """What came on Sunday and left on Monday waited for nobody."""
    assert rest(at_work(filter(working, YEAR)), 97 + 7, 98 + 7) == 0


def test_days_of_rest_in_the_middle_of_a_stay_are_part_of_it() -> None:
    """A weekend that ended before others were at work does not count."""
    assert rest(at_work(filter(working, YEAR)), 100, 109) == 0


def test_a_day_on_which_a_site_recorded_anything_is_no_day_of_rest() -> None:
    """Somebody worked at the site on 1 May."""
    assert rest(at_work([*filter(working, YEAR), 121]), 120, 122) == 0


def test_a_site_that_works_every_day_never_rests() -> None:
    """Where Sundays are days like others, nobody keeps holidays: the record had only a gap."""
    assert rest(at_work(day for day in YEAR if day not in {88, 91, 121}), 120, 122) == 0


def test_a_small_site_rests_as_those_of_its_kind_and_country_do() -> None:
    """Ten scans show no weekly rest; those of three like it do, and those of a port do not."""
    world = at_work(filter(working, YEAR), "B")
    at_work((1, 2), "A", world)
    at_work((1, 2), "C", world, "port")
    assert rest(world, 101, 105) == 2
    assert rest(world, 101, 105, "C") == 0


def test_a_day_beside_a_holiday_counts_where_nobody_of_the_country_worked() -> None:
    """The Friday after a Thursday holiday is taken off, or is not, as the others' record shows."""
    bridge = {129, 130}
    quiet = at_work(day for day in YEAR if working(day) and day not in bridge)
    assert rest(quiet, 128, 133) == 4
    busy = at_work(
        [*filter(working, YEAR)],
        "B",
        at_work((day for day in YEAR if working(day) and day not in bridge), "A"),
    )
    assert rest(busy, 128, 133) == 2


def depot(
    longer: Mapping[int, float] | None = None,
    together: Mapping[int, int] | None = None,
    late: Callable[[World], object] = lambda _: None,
) -> tuple[World, list[str]]:
    """Loads come to a hub every two days and stay for two or three; some as much longer.

    Args:
        longer: Hours that some loads stay longer, by number.
        together: Loads that wait for another and leave with it.
        late: What else happened.

    Returns:
        The world, and the departures from the hub.
    """
    world, dice, left = World(), random.Random(3), []
    for name in ("WORKS", "HUB", "SHOP"):
        world.site(name)
    world.product("P")
    hours = [EVERY * n + 60 * dice.lognormvariate(0, 0.3) for n in range(LOADS)]
    for n, more in (longer or {}).items():
        hours[n] += more
    for n in range(LOADS):
        world.make(EVERY * n - 40 * dice.lognormvariate(0, 0.3), "WORKS", f"L{n}")
        world.send(EVERY * n - 24, "WORKS", "HUB", f"L{n}", f"S{n}", 1)
        load = (together or {}).get(n, n)
        when = hours[load] + (n - load) / 4
        left.append(world.ship(when, "HUB", "SHOP", f"L{n}", f"T{load}"))
    late(world)
    return world, left


WEEKS = 24 * 21.0


def test_a_load_that_was_held_back_is_flagged() -> None:
    """Three weeks longer than others, and no other load was in those weeks."""
    world, left = depot({60: WEEKS})
    assert set(flagged("dwell_anomaly", world)) == {left[60]}


def test_lots_of_one_load_are_no_company_for_each_other() -> None:
    """Three lots of one shipment, scanned one after the other: each is flagged."""
    world, left = depot({62: WEEKS}, {60: 62, 61: 62})
    assert set(flagged("dwell_anomaly", world)) == {left[60], left[61], left[62]}


def test_what_holds_back_the_loads_of_some_weeks_accuses_none() -> None:
    """A full port: five loads in a row leave late, each by itself."""
    world, _ = depot({n: WEEKS + 10 * n for n in range(60, 65)})
    assert flagged("dwell_anomaly", world) == {}


def test_goods_that_had_left_before_are_not_judged() -> None:
    """A lot that leaves a second time, whole, was not there to stay."""
    world, _ = depot(late=lambda told: told.ship(EVERY * 60 + 800, "HUB", "SHOP", "L60", "X"))
    assert flagged("dwell_anomaly", world) == {}
    assert "goods of a lot of which more left than ever came" in reasons("dwell_anomaly", world)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), far=st.floats(4, 30))
def test_groups_whose_outer_ones_lie_far_reach_far(seed: int, far: float) -> None:
    """One in four far out: the middle does not show it, the outer ones do; no other group moves."""
    dice = np.random.default_rng(seed)
    codes = np.repeat(np.arange(10), 60)
    z = dice.normal(0, 1, len(codes))
    z[(codes == 0) & (np.arange(len(codes)) % 4 == 0)] = far
    reach = outer_reach(z, codes)
    assert (reach >= 1).all()
    assert reach[0] == pytest.approx(far / 1.5, rel=0.35)
    assert np.median(reach[codes > 0]) < 1.15
    assert reach == pytest.approx(outer_reach(z[::-1], codes[::-1])[::-1])


def harbour(full: Iterable[int], alone: Mapping[int, float]) -> tuple[World, list[str]]:
    """Loads come to four ports every two days and stay for two or three; some of them queue.

    Args:
        full: Loads of the first port that stand in a queue.
        alone: By their number, hours that loads of the second port stay longer. For a month
            before and after each of them nothing else comes.

    Returns:
        The world, and the departures from the second port.
    """
    world, dice, left = World(), random.Random(5), []
    ports = [f"PORT{n}" for n in range(4)]
    for name in ("WORKS", "SHOP"):
        world.site(name)
    for name in ports:
        world.site(name, facility_type="port")
    world.product("P")
    longer = {(0, n): WEEKS * dice.uniform(0.5, 2) for n in full}
    longer |= {(1, n): hours for n, hours in alone.items()}
    for port, name in enumerate(ports):
        for n in range(LOADS):
            lot, stay = f"L{port}-{n}", 60 * dice.lognormvariate(0, 0.3)
            if port == 1 and any(0 < abs(n - one) < 15 for one in alone):
                continue
            world.make(EVERY * n - 40, "WORKS", lot)
            world.send(EVERY * n - 24, "WORKS", name, lot, f"S{lot}", 1)
            when = EVERY * n + stay + longer.get((port, n), 0.0)
            row = world.ship(when, name, "SHOP", lot, f"T{lot}")
            if port == 1 and n in alone:
                left.append(row)
    return world, left


def test_alone_at_a_port_of_those_that_fill_up_a_load_stood_in_a_queue() -> None:
    """Nobody was near it who would show it, and the next port was full for weeks."""
    held = {60: 300.0}
    world, left = harbour((), held)
    assert set(flagged("dwell_anomaly", world)) == set(left)
    world, _ = harbour(range(20, 30), held)
    assert flagged("dwell_anomaly", world) == {}


def drawn_towards(held: NDArray[np.bool_], pool: float, before: float) -> float:
    """A share, drawn towards what is known before as if by so many more."""
    return float((held.sum() + pool * before) / (len(held) + pool))


@settings(max_examples=50, deadline=None)
@given(data=st.data(), size=st.integers(1, 60))
def test_the_risk_of_a_queue_is_what_counting_gives(data: st.DataObject, size: int) -> None:
    """Each share is a count; the risk falls with every other that went through, and with far."""

    def drawn(most: int) -> NDArray[np.int64]:
        values = st.lists(st.integers(0, most), min_size=size, max_size=size)
        return np.array(data.draw(values), np.int64)

    far, held, usual, site = drawn(6).astype(float), drawn(1) > 0, drawn(4), drawn(5)
    kind = site % 2
    told = unshown(far, held, usual, site=site, kind=kind)
    assert ((told >= 0) & (told <= 1)).all()
    assert (unshown(far, held, usual + 1, site=site, kind=kind) <= told).all()
    assert told[::-1] == pytest.approx(
        unshown(far[::-1], held[::-1], usual[::-1], site=site[::-1], kind=kind[::-1])
    )
    for one in range(size):
        alike, here = kind == kind[one], site == site[one]
        of_kind = drawn_towards(held[alike], company._OF_KINDS, held.mean())
        often = drawn_towards(held[here], company._OF_SITES, of_kind)
        beyond = (held & alike & (far >= far[one])).sum()
        as_far = (1 + beyond) / (1 + (held & alike).sum())
        assert told[one] == pytest.approx(often * company._PASSES ** usual[one] * as_far)
    assert (unshown(far, held & False, usual, site=site, kind=kind) == 0).all()


def mills(resting: int) -> tuple[World, str]:
    """Mills and stores of many countries send a load every ten days, mills soon, stores late.

    Args:
        resting: How many of the other mills hold back one load of the week in which the first
            mill holds back one: each by six days.

    Returns:
        The world, and what the first mill held back.
    """
    world, dice, kept = World(), random.Random(7), ""
    world.site("SHOP")
    countries = ("DE", "FR", "IT", "ES", "PL", "NL", "SE", "PT")
    for number, country in enumerate((*countries, *countries)):
        name, is_mill = f"{country}-{number}", number < len(countries)
        world.site(name, country=country)
        for n in range(50):
            hours = (30 if is_mill else 600) * dice.lognormvariate(0, 0.25)
            held = is_mill and n == 25 and number <= resting
            came = 240.0 * n + 5 * number
            world.make(came, name, f"L{name}{n}")
            sent = world.ship(came + hours + 144 * held, name, "SHOP", f"L{name}{n}", f"T{name}{n}")
            kept = sent if held and number == 0 else kept
    return world, kept


@pytest.mark.parametrize(("resting", "accused"), [(0, True), (5, False)])
def test_a_rest_that_mills_of_many_countries_keep_accuses_none(
    resting: int, *, accused: bool
) -> None:
    """Stores in which goods wait for weeks anyway cannot show it, and count for nothing."""
    world, kept = mills(resting)
    assert set(flagged("dwell_anomaly", world)) == ({kept} if accused else set())
