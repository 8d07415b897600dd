"""Partners without a history: papers, silence, likeness, and what they say together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from asking import flagged
from frame_factories import BREMEN, HAMBURG, PARTY, World
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detectors.features import Features
from detectors.routes.lane_novelty import LaneNovelty
from detectors.routes.likeness import USUAL, akin, as_strange, newness, strangeness
from detectors.routes.papers import consignments
from detectors.routes.silence import ONE_LOAD_DAYS, RARE, WAIT_DAYS, silence
from detectors.rules import a_or_an

MILLS, DEPOTS, SHOPS = ("M1", "M2", "M3"), ("D1", "D2", "D3"), ("S1", "S2", "S3", "S4")


class Chain:
    """Mills send lots to depots, and depots to shops, on every lane about as often."""

    def __init__(self, loads: int = 14) -> None:
        """Tell two years of trade."""
        self.world, self._sent = World(), 0
        self.world.product("P", unit_weight_kg=1.0)
        for kind, names in (("mill", MILLS), ("depot", DEPOTS), ("shop", SHOPS)):
            for name in names:
                self.world.site(name, HAMBURG, facility_type=kind, country="DE")
        lanes = [(m, d) for m in MILLS for d in DEPOTS] + [(d, s) for d in DEPOTS for s in SHOPS]
        for place, (start, end) in enumerate(lanes):
            for load in range(loads):
                self.send(24.0 * (50 * load + place), start, end)
        self.hours = 24.0 * 50 * loads

    def send(self, hour: float, *way: str, bill: str | None = None) -> list[str]:
        """Make a lot where its way begins, and ship it leg by leg under one bill, or under none."""
        self._sent += 1
        lot = {"party": PARTY, "product_id": "P", "lot_id": f"L{self._sent}", "quantity": 10.0}
        self.world.event("produce", hour - 5, way[0], items=[lot])
        return [
            self.world.event(
                "ship",
                hour + 48 * leg,
                ends[0],
                items=[lot],
                from_facility_id=ends[0],
                to_facility_id=ends[1],
                shipment_id=f"{self._sent}-{leg}",
                bill_of_lading=bill,
            )
            for leg, ends in enumerate(pairwise(way))
        ]


@pytest.mark.parametrize(
    ("ends", "strange"),
    [(("M1", "S1"), True), (("D1", "D2"), True), (("D1", "NEW"), True), (("M1", "NEWER"), False)],
    ids=["past the depot", "depot to depot", "a firm that nobody knows", "a depot like others"],
)
def test_one_load_between_firms_of_unlike_kinds_flags(
    ends: tuple[str, str], *, strange: bool
) -> None:
    """Whom such firms never send to, or whom nobody supplies; another depot with suppliers not."""
    chain = Chain()
    chain.world.site("NEW", BREMEN, facility_type="shop", country="DE")
    chain.world.site("NEWER", BREMEN, facility_type="depot", country="DE")
    for load in range(14):
        chain.send(24.0 * (50 * load + 7), "M2", "NEWER")
        chain.send(24.0 * (50 * load + 8), "M3", "NEWER")
    (event,) = chain.send(chain.hours / 2, *ends)
    assert set(flagged("lane_novelty", chain.world)) == ({event} if strange else set())


def test_a_port_on_the_way_is_no_partner() -> None:
    """One load by a port that nobody uses otherwise, under one bill, to a usual buyer."""
    chain = Chain()
    chain.world.site("PORT", BREMEN, facility_type="port", country="DE")
    chain.send(chain.hours / 2, "D1", "PORT", "S1", bill="B1")
    assert flagged("lane_novelty", chain.world) == {}


def test_the_first_shipment_speaks_for_the_way_to_a_new_partner() -> None:
    """By the same port to a buyer who is none of the mill's: its departure from the mill flags."""
    chain = Chain()
    chain.world.site("PORT", BREMEN, facility_type="port", country="DE")
    first, _ = chain.send(chain.hours / 2, "M1", "PORT", "S1", bill="B1")
    assert set(flagged("lane_novelty", chain.world)) == {first}


@pytest.mark.parametrize("loads", [1, RARE + 1], ids=["within a load", "more loads"])
def test_who_comes_back_is_no_single_load(loads: int) -> None:
    """Shipments of one load are one; the partner who takes more than two is none to ask about."""
    chain = Chain()
    gaps = [0.0, ONE_LOAD_DAYS - 1] if loads == 1 else [WAIT_DAYS * one for one in range(loads)]
    events = {chain.send(chain.hours / 2 + 24.0 * gap, "M1", "S1")[0] for gap in gaps}
    assert set(flagged("lane_novelty", chain.world)) == (events if loads == 1 else set())


@pytest.mark.parametrize("days", [WAIT_DAYS - 1, WAIT_DAYS + 1])
def test_first_partners_do_not_count_against_later_ones(days: int) -> None:
    """Who comes after the shipper traded without him for a while is judged among such."""
    chain = Chain()
    (event,) = chain.send(24.0 * days, "M1", "S1")
    judged = LaneNovelty().features(Features(chain.world.frames())).table
    apart = judged["family"].str.endswith(", partners who came later")
    assert set(judged["subject_id"][apart]) == ({event} if days > WAIT_DAYS else set())
    assert event in set(judged["subject_id"])


def test_a_closure_accuses_nobody() -> None:
    """A mill sends single loads past its depot to three shops that depots supply, within weeks."""
    chain = Chain()
    for place, shop in enumerate(SHOPS[:3]):
        chain.send(chain.hours / 2 + 100.0 * place, "M1", shop)
    assert flagged("lane_novelty", chain.world) == {}


def test_papers_used_for_other_goods_months_later_are_two_consignments() -> None:
    """And one whose first shipment nobody recorded has no consignor."""
    world = World()
    for name in ("A", "B", "C", "D"):
        world.site(name, HAMBURG)
    world.product("P")

    def scan(kind: str, hour: float, ends: str, lot: str) -> None:
        item = {"party": PARTY, "product_id": "P", "lot_id": lot, "quantity": 1.0}
        more = {"from_facility_id": ends[0], "to_facility_id": ends[1], "bill_of_lading": "B"}
        world.event(kind, hour, ends[0 if kind == "ship" else 1], items=[item], **more)

    for hour, ends, lot in ((10, "AB", "L1"), (90, "BC", "L1"), (3000, "AD", "L2")):
        scan("ship", hour, ends, lot)
    scan("receive", 6000, "DA", "L3")
    scan("ship", 6100, "AC", "L3")
    shared = Features(world.frames())
    found = consignments(shared)
    named = dict(zip(shared.rows["to_site_number"], shared.rows["to_site"], strict=True))
    assert [named[one] for one in found["target"]] == ["C", "D"]
    assert shared.rows["lot_id"].iloc[found["position"]].tolist() == ["L1", "L2"]


@pytest.mark.parametrize("over", [True, False])
def test_a_deal_may_take_two_loads(*, over: bool) -> None:
    """They are one question, at the first; what came again lately may be a trade that begins."""
    chain = Chain(loads=25)
    start = 24.0 * 40
    (first,) = chain.send(start, "M1", "S1")
    chain.send(start + 24 * 30 if over else chain.hours - 24 * WAIT_DAYS / 2, "M1", "S1")
    found = flagged("lane_novelty", chain.world)
    assert set(found) == ({first} if over else set())
    assert not over or "S1 twice in the record" in found[first].account.sentence


@pytest.mark.parametrize(
    ("kind", "said"),
    [("exporter", "an exporter"), ("garment_factory", "a garment factory"), ("firm", "a firm")],
)
def test_kinds_of_firms_are_said_as_people_say_them(kind: str, said: str) -> None:
    """With the right article, and without marks of a file's columns."""
    assert a_or_an(kind) == said


@pytest.mark.parametrize("occasional", [0.0, 0.3])
def test_honest_lanes_are_silent_as_often_as_said(occasional: float) -> None:
    """Over many worlds, lanes of so few loads are about as many as expected, and never far more."""
    dice, seen, said = np.random.default_rng(5), 0, 0.0
    for _ in range(30):
        expected = dice.uniform(5, 40, 150)
        rare = dice.random(150) < occasional
        rate = np.where(rare, dice.uniform(0, 0.5, 150), dice.gamma(4, 0.25, 150))
        loads = 1 + dice.poisson(expected * rate)
        chance = silence(loads, expected, np.zeros(150, np.int64))
        seen, said = seen + int((loads <= RARE).sum()), said + float(chance.sum())
    assert seen <= 1.25 * said + 10
    assert said <= 2 * seen + 30 * 2


def test_each_kind_of_shipper_has_its_own_regularity() -> None:
    """Where lanes of mills never end at a few loads and those of shops do, a mill's counts more."""
    dice = np.random.default_rng(8)
    kind = np.repeat([0, 1], 80)
    rate = np.where(kind == 0, 1.0, dice.uniform(0, 2, 160))
    loads = 2 + dice.poisson(20 * rate)
    chance = silence(loads, np.full(160, 20.0), kind)
    assert chance[0] < chance[-1] / 2


LANES = st.lists(
    st.tuples(*[st.integers(0, 3)] * 3, st.integers(0, 1), st.integers(1, 9)), min_size=1
)


@settings(max_examples=40)
@given(LANES)
def test_a_lane_counts_in_nothing_that_is_expected_of_it(told: list[tuple[int, ...]]) -> None:
    """Strangeness, newness and kin of each lane are those of a single one put to the others."""
    lanes = pd.DataFrame(told, columns=["target", "kind_from", "kind_to", "border", "loads"])
    for one in range(len(lanes)):
        alone = lanes.assign(loads=lanes["loads"].where(lanes.index != one, USUAL - 1))
        kinds = len(lanes["kind_to"][lanes["loads"] >= USUAL].unique())
        if kinds == len(alone["kind_to"][alone["loads"] >= USUAL].unique()):
            assert strangeness(lanes)[one] == pytest.approx(strangeness(alone)[one])
        assert newness(lanes)[one] == pytest.approx(newness(alone)[one])
        assert akin(lanes)[one] == akin(alone)[one]


def test_the_usual_kind_of_firm_is_no_excuse_for_crossing_a_border() -> None:
    """Whom a farm sells to is always a mill; one abroad, where none sells, is the oddest lane."""
    usual = [(n % 8, n % 8, 0, USUAL) for n in range(48)] + [(8, 8, 1, USUAL)] * 12
    told = pd.DataFrame([*usual, (0, 0, 1, 1)], columns=["kind_from", "kind_to", "border", "loads"])
    strange = strangeness(told)
    assert strange[-1] > strange[:-1].max()
    assert strange[-1] > 0


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_the_share_of_lanes_as_strange_is_a_p_value(strange: list[float]) -> None:
    """Among exchangeable lanes no more than a share t of them has a share below t."""
    values = np.array(strange)
    shares = as_strange(values, np.ones(len(values), bool))
    for level in (0.05, 0.2, 0.5):
        assert (shares <= level).mean() <= level
    apart = as_strange(np.append(values, 9.0), np.append(np.ones(len(values), bool), False))
    assert apart[-1] == pytest.approx(1 / (len(values) + 1))


def test_what_is_improbable_twice_over_multiplies() -> None:
    """Chance and share of honest lanes, multiplied, flag honest worlds as often as promised."""
    dice, false = np.random.default_rng(3), 0
    for _ in range(300):
        silent = dice.uniform(0.005, 0.1, 100)
        like = as_strange(dice.normal(size=100), np.ones(100, bool))
        p = np.where(dice.random(100) < silent, silent * like, 1.0)
        false += bool((stats.false_discovery_control(p) <= 0.05).any())
    assert false <= 300 * 0.08
