"""What is usual: episodes and seasons of a site; and slips of units, dates and sheets."""

from __future__ import annotations

import numpy as np
import pytest
from asking import flagged
from frame_factories import World
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_labour import add_sheets, workplaces

from detectors.labour.departures import Peers, departures
from detectors.labour.episodes import episodes

SITES = 12
MONTHS = 30


def panel(seed: int, **raised: tuple[range, float]) -> np.ndarray:
    """Sites of independent months with spread 1; `s3=(range, height)` raises some of site 3."""
    values = np.random.default_rng(seed).normal(size=(SITES, MONTHS))
    for name, (months, height) in raised.items():
        values[int(name[1:]), list(months)] += height
    return values.ravel()


SITE = np.repeat(np.arange(SITES), MONTHS)
PEERS = Peers(SITE, np.zeros(len(SITE), np.int64), np.tile(np.arange(MONTHS), SITES))
NOISE = np.full(len(SITE), 0.1)


def of(site: int, rows: np.ndarray) -> np.ndarray:
    """The months of one site."""
    return np.asarray(rows.reshape(SITES, MONTHS)[site])


@given(st.integers(0, 50), st.integers(4, 10), st.integers(5, 16), st.sampled_from([-6.0, 6.0]))
@settings(max_examples=25)
def test_stretch_that_ends_is_found(seed: int, start: int, length: int, height: float) -> None:
    """Up to more than half of all months: what was before and comes back is the usual."""
    stretch = range(start, start + length)
    found = of(3, episodes(panel(seed, s3=(stretch, height)), SITE, NOISE))
    planted = np.isin(np.arange(MONTHS), stretch)
    assert (found != planted).sum() <= 3


def test_chance_is_no_episode() -> None:
    """Of forty records without any, hardly a month is taken for one."""
    share = [episodes(panel(seed), SITE, NOISE).mean() for seed in range(40)]
    assert np.mean(share) < 0.01


def test_end_of_an_old_level_is_no_episode() -> None:
    """A slow start, or a practice given up, leaves the months before as they were."""
    found = of(3, episodes(panel(1, s3=(range(12), 8.0)), SITE, NOISE))
    assert not found[:12].any()


def test_level_that_stays_for_more_than_a_year_is_no_episode() -> None:
    """A new payroll or clock: the same step is an episode as long as it may still end."""
    known = range(MONTHS - 10, MONTHS), range(MONTHS - 15, MONTHS)
    share = [
        of(3, episodes(panel(4, s3=(stretch, 6.0)), SITE, NOISE))[stretch.start :].mean()
        for stretch in known
    ]
    assert share[0] > 0.9
    assert share[1] == 0.0


def test_months_of_an_episode_stand_out_though_they_are_most() -> None:
    """A wrong of sixteen months among thirty is measured against the other fourteen."""
    stretch = range(6, 22)
    z = of(3, departures(panel(2, s3=(stretch, 6.0)), NOISE, PEERS).own)
    assert np.median(z[6:22]) > 3
    assert np.abs(np.median(z[22:])) < 1


def test_season_of_one_site_comes_back() -> None:
    """The same month of two years is a season of the site's own; once is not."""
    twice = panel(3, s3=(range(6, 7), 9.0))
    twice[3 * MONTHS + 18] += 9.0
    once = departures(panel(3, s3=(range(6, 7), 9.0)), NOISE, PEERS).own
    assert of(3, once)[6] > 4
    assert of(3, departures(twice, NOISE, PEERS).own)[6] < 3


def test_wrong_in_a_harvest_stands_out_though_every_year_has_one() -> None:
    """All make more each harvest; who makes twice that in one of them is not excused by it."""
    values = panel(11).reshape(SITES, MONTHS)
    values[:, [5, 6, 7, 17, 18, 19]] += 8.0
    values[0, 18] += 8.0
    found = departures(values.ravel(), NOISE, PEERS).own.reshape(SITES, MONTHS)
    assert found[0, 18] > 5
    assert np.abs(found[1:, 18]).max() < 4


def test_what_all_of_a_small_group_show_is_theirs() -> None:
    """A bonus of all four sites of a country is no departure; what one of them shows is."""
    group = np.where(SITE < 4, 1, 0)
    peers = Peers(SITE, group.astype(np.int64), PEERS.month)
    months = {f"s{n}": (range(9, 10), 8.0) for n in range(4)}
    together = departures(panel(5, **months), NOISE, peers).own
    alone = departures(panel(5, s2=months["s2"]), NOISE, peers).own
    assert all(abs(of(n, together)[9]) < 3.0 for n in range(4))
    assert of(2, alone)[9] > 5.0


@pytest.mark.parametrize("payers", [4, 8, SITES])
def test_bonus_of_some_accuses_neither_them_nor_the_others(payers: int) -> None:
    """A month that divides a group is strange for no member; what one site alone shows is."""
    values = panel(9).reshape(SITES, MONTHS)
    values[:payers, 17] += np.linspace(20.0, 24.0, payers)
    assert (
        np.abs(departures(values.ravel(), NOISE, PEERS).own.reshape(SITES, MONTHS)[:, 17]).max() < 4
    )
    values[0, 22] += 20.0
    assert of(0, departures(values.ravel(), NOISE, PEERS).own)[22] > 10


def test_site_that_never_joins_a_custom_is_not_accused_of_it() -> None:
    """All others pay a bonus every year; two of the years are enough to know who does not."""
    values = panel(3).reshape(SITES, MONTHS)
    values[1:, [5, 17, 29]] += 20.0
    values[0, [5, 17, 29]] = 0.0
    assert np.abs(of(0, departures(values.ravel(), NOISE, PEERS).own)[[5, 17, 29]]).max() < 2


def test_peers_say_which_of_two_levels_is_usual() -> None:
    """A record that begins with a wrong: its months stand out, not those after it."""
    found = of(3, departures(panel(2, s3=(range(10), 8.0)), NOISE, PEERS).own)
    assert np.median(found[:10]) > 3.0
    assert np.abs(np.median(found[10:])) < 1.5


@pytest.mark.parametrize("size", [0, 1, 5])
def test_few_months_have_no_episodes(size: int) -> None:
    """A record too short to say what is usual has none, and nothing fails."""
    rows = np.zeros(size, np.int64)
    assert not episodes(np.linspace(0, 9, size), rows, np.ones(size)).any()
    assert not episodes(np.full(size, np.nan), rows, np.ones(size)).any()


def test_wages_in_thousands_are_no_hunger_wages() -> None:
    """A site that reports thousands is read so; what is too little even then is flagged."""
    world = World()
    world.limit()
    world.site("A")
    world.site("B")
    for month in range(1, 7):
        heads, hours = 100.0, 100 * 40 * 52 / 12
        given = {"headcount": heads, "total_hours": hours}
        world.month("A", f"2024-{month:02d}", gross_wages=hours * 15 / 1000, **given)
    low = world.month("B", "2024-03", gross_wages=100 * 40 * 52 / 12 * 8 / 1000)
    assert set(flagged("wage_below_minimum", world)) == {low}


def test_audit_stands_as_long_as_the_sites_own_do() -> None:
    """A month without expiry goes by the site's other audits, not by shorter ones elsewhere."""
    world = World()
    for site, until in (("A", "2025-06-01"), ("B", "2023-06-01"), ("C", "2023-06-01")):
        for month in (1, 2):
            dates = {"last_audit_date": "2022-06-01", "audit_expiry_date": until}
            if site == "A" and month == 2:
                del dates["audit_expiry_date"]
            claim = {"certified_claim": "yes", "audit_scheme": "GoodWork"}
            world.month(site, f"2023-{month + 7:02d}", **dates, **claim)
    assert {subject[0] for subject in flagged("audit_lapsed", world)} == {"B", "C"}


def test_part_timer_off_the_sheet_is_no_falsification() -> None:
    """One of nine who works half the week is missing in a month: nothing becomes strange."""

    def shift(left: int) -> list[list[tuple[float, float]]]:
        dice = np.random.default_rng(left)
        weeks = np.round(4 * dice.normal(40, 2.5, (9, 4))) / 4
        weeks[8] /= 2
        return [[(float(h), float(15 * h)) for h in own] for own in weeks[: 9 - (left == 7)]]

    world, count = workplaces(sites=8, months=14), 0
    for number, (version, entry) in enumerate(world.entries):
        if version == "timesheet/1" and entry["facility_id"] == "F3":
            rows, count = shift(count), count + 1
            fresh = World()
            add_sheets(fresh, "F3", entry["month"], rows)
            world.entries[number] = fresh.entries[0]
    assert not {one for one in flagged("falsified_timesheet", world) if one.startswith("F3")}
