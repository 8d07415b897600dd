"""Flags that stand by themselves: the same case, and an explanation that rests on the same."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from following import Follower, assert_same
from frame_factories import BREMEN, HAMBURG, ROOT, SHANGHAI, World, chain
from planted import concluded

from detectors.base import Account, Decisions, EvidenceClass, Expected, Measure, Sample, SubjectKind
from detectors.onward.going import go_on
from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from detectors.base import Case
    from detectors.features import Features

RULES = [one for one in BUILT_IN if one.evidence_class is EvidenceClass.RULE]


def odd_shipment(world: World, dice: random.Random, name: str) -> None:
    """Somebody ships, at any time, what it may not have, under any origin, and it may arrive."""
    product, lot = dice.choice([("COTTON", f"C{dice.randrange(9)}"), ("SHIRT", "T1")])
    sites = ["FARM", "MILL", "SHOP", "TRADER"]
    origin = dice.choice([None, "DE", "XX", "CN"])
    hour, amount = dice.uniform(0, 1500), dice.choice([20.0, 98.0, 200.0])
    where: dict[str, Any] = {"product": product, "quantity": amount, "transport_mode": "road"}
    world.ship(hour, dice.choice(sites), "SHOP", lot, name, declared_origin_country=origin, **where)
    if dice.random() < 0.7:
        late = dice.choice([-50.0, 1.0, 30.0])
        world.receive(hour + late, dice.choice(sites), lot, name, **where)


def piece_seen(world: World, dice: random.Random, _name: str) -> None:
    """A serial is seen, made or sold somewhere."""
    item = {"party": world.party, "product_id": "SHIRT", "serial_ids": [f"P{dice.randrange(2)}"]}
    kind, site = dice.choice(["produce", "sell", "sell"]), dice.choice(["MILL", "SHOP", "TRADER"])
    world.event(kind, dice.uniform(0, 1500), site, items=[item | {"quantity": 1.0}])


def batch(world: World, dice: random.Random, name: str) -> None:
    """A batch is made, perhaps of too little."""
    used: list[Any] = [("COTTON", f"C{dice.randrange(9)}")]
    world.turn(
        dice.uniform(60, 1500), "MILL", used, f"B{name}", dice.choice([40.0, 150.0]), "SHIRT"
    )


def master_data(world: World, dice: random.Random, name: str) -> None:
    """A site comes that is first in every list, or one moves; a product is another; a law."""
    match dice.randrange(6):
        case 0:
            world.site(f"A{name}", BREMEN)
        case 1:
            world.site("MILL", dice.choice([BREMEN, SHANGHAI]))
        case 2:
            world.product("SHIRT", "unit", input_product_id="COTTON", unit_weight_kg=0.2)
        case 3:
            world.limit(since="2024-02-01", max_weekly_hours=dice.choice([36.0, 40.0, 60.0]))
        case 4:
            world.listed("country", dice.choice(["XX", "CN"]))
        case _:
            world.listed("entity", "Works TRADER")


def work_month(world: World, dice: random.Random, _name: str) -> None:
    """A month is reported, or reported again."""
    month = f"2024-{dice.randrange(1, 13):02d}"
    world.month(dice.choice(["FARM", "MILL"]), month, avg_weekly_hours=dice.choice([38.0, 61.0]))


HAPPENINGS: list[Callable[[World, random.Random, str], None]] = [
    odd_shipment,
    odd_shipment,
    piece_seen,
    piece_seen,
    batch,
    master_data,
    work_month,
]


@pytest.mark.parametrize("seed", range(2))
def test_rules_that_go_on_say_what_a_whole_run_says(seed: int) -> None:
    """Whatever is recorded, at whatever time it happened: the flags that stand and those that are
    raised are those of a whole run, word for word.
    """
    dice = random.Random(seed)
    world = chain(World(), lots=9)
    world.site("TRADER", HAMBURG)
    for number in range(14):
        dice.choice(HAPPENINGS)(world, dice, f"first{number}")
    follower, stood = Follower(RULES), 0
    for step in range(3):
        frames = world.frames()
        done, flags = follower.go_on(frames)
        assert_same(done, flags, run(frames, RULES, tree_size=frames.position, root=ROOT))
        asked = set(done.asked)
        stood += sum(one.detector in asked for one in done.standing)
        for number in range(dice.randrange(1, 4)):
            dice.choice(HAPPENINGS)(world, dice, f"{step}x{number}")
    assert stood


class Teller:
    """Flags every shipment, and explains it by whatever a test wants it to look at."""

    name = type = "teller"
    version = "1"
    evidence_class = EvidenceClass.RULE
    subject_kind = SubjectKind.EVENT
    min_samples = 1
    reads = ()
    parameters: ClassVar[dict[str, float]] = {}
    libraries = ("numpy",)

    def __init__(
        self,
        look: Callable[[Case], object],
        beside: object = 0,
        listed: Callable[[Features], pd.DataFrame] | None = None,
    ) -> None:
        """Look at something when explaining; hold something in every case."""
        self.look = look
        self.beside = beside
        self.listed = listed

    def features(self, shared: Features) -> Sample:
        """Take every shipment."""
        if self.listed is not None:
            return Sample(self.listed(shared))
        rows = shared.rows[shared.rows["kind"] == "ship"]
        table = pd.DataFrame(
            {
                "subject_id": rows["event_id"].to_numpy(),
                "subject_party": rows["party"].to_numpy(),
                "index": rows["index"].to_numpy(),
                "position": rows.index.to_numpy(),
                "lot": rows["lot"].to_numpy(),
                "beside": pd.Series([self.beside] * len(rows), dtype=object).to_numpy(),
            }
        )
        return Sample(table)

    def score(self, sample: Sample) -> Any:
        """All are strange."""
        return np.full(len(sample.table), 2.0)

    def decide(self, sample: Sample, scores: Any, _level: float) -> Decisions:
        """All are flagged."""
        size = len(sample.table)
        return Decisions(scores > 1, np.ones(size), np.zeros(size, bool))

    def explain(self, case: Case) -> Account:
        """Tell what was looked at."""
        seen = Measure(str(self.look(case)), 1.0, "")
        return Account((), seen, Expected(None, 0.0, ""), "It was.", "If not.", (), "Nothing.")


def stood(teller: Teller, more: Callable[[World], object]) -> set[str]:
    """Which of two shipments' flags stand when a world of the two has grown."""
    world = World()
    world.site("A")
    for lot in ("L1", "L2"):
        world.make(1, "A", lot)
        world.event("ship", 5, "A", event_id=lot, items=world._item("P", lot, 100.0, None))
    follower = Follower([teller])
    follower.go_on(world.frames())
    more(world)
    done, flags = follower.go_on(world.frames())
    whole = run(world.frames(), [teller], tree_size=1, root=ROOT)
    assert_same(done, flags, whole)
    return {one.subject for one in done.standing}


def shipped_again(world: World) -> None:
    """The second lot moves once more."""
    world.ship(9, "A", "B", "L2", "S9")


LOOKS: dict[str, tuple[Callable[[Case], object], set[str]]] = {
    "nothing": (lambda case: case.score, {"L1", "L2"}),
    "its own row": (lambda case: case.shared.row(int(case.row["position"]))["site"], {"L1", "L2"}),
    "a cell": (
        lambda case: case.shared.cells("at", np.array([case.row["position"]])).tolist(),
        {"L1", "L2"},
    ),
    "rows of an entry": (
        lambda case: case.shared.rows_of([int(case.row["index"])]).tolist(),
        {"L1", "L2"},
    ),
    "what moved its lot": (lambda case: len(case.shared.flows_of(case.row["lot"]).at), {"L1"}),
    "the last row": (lambda case: case.shared.row(-1)["lot_id"], set()),
    "all rows": (lambda case: len(case.shared.rows), set()),
    "all events": (lambda case: len(case.shared.frames.events), set()),
    "other cases": (lambda case: len(case.sample.table), set()),
    "the time of the record": (lambda case: case.shared.last_time, set()),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_flag_stands_while_what_its_explanation_looked_at_does(name: str) -> None:
    """Rows stay what they are; the moves of a lot are compared; all else counts as changed."""
    look, expected = LOOKS[name]
    assert stood(Teller(look), shipped_again) == expected


def test_a_flag_that_looked_at_a_site_stands_until_sites_change() -> None:
    """Whatever table an explanation read, new rows in it count as another explanation."""

    def look(case: Case) -> object:
        return case.shared.site_entries("A")

    def moved(world: World) -> None:
        shipped_again(world)
        world.site("A", BREMEN)

    assert stood(Teller(look), shipped_again) == {"L1", "L2"}
    assert stood(Teller(look), moved) == set()


@pytest.mark.parametrize(
    ("beside", "expected"),
    [((1, "x", None), {"L1", "L2"}), (float("nan"), {"L1", "L2"}), (object(), set())],
)
def test_a_case_that_cannot_be_written_down_never_stands(
    beside: object, expected: set[str]
) -> None:
    """Cases are compared by what they hold; what has no content of its own is never the same."""
    assert stood(Teller(lambda _: 0, beside), shipped_again) == expected


def test_what_stood_once_still_rests_on_its_tables() -> None:
    """A flag that stood over a run is explained again when a table comes that it read before."""
    world = World()
    world.site("A")
    world.make(1, "A", "L1")
    world.ship(5, "A", "B", "L1")
    teller = Teller(lambda case: case.shared.site_entries("A"))
    follower = Follower([teller])
    raised = []
    for more in (lambda: None, lambda: shipped_again(world), lambda: world.site("A", BREMEN)):
        more()
        done, flags = follower.go_on(world.frames())
        assert_same(done, flags, run(world.frames(), [teller], tree_size=1, root=ROOT))
        raised.append(len(done.result.flags))
    assert raised == [1, 1, 2]


def test_what_cases_are_made_of_counts_as_read_however_it_is_asked_for() -> None:
    """Only explanations are of single rows: cases made of a lot's moves are new when it moves."""

    def listed(shared: Features) -> pd.DataFrame:
        moves = len(shared.flows_of(0).at) + len(shared.rows_of([1])) + shared.row(0)["lot"]
        return pd.DataFrame(
            {"subject_id": ["x"], "subject_party": ["acme"], "index": [0], "moves": [moves]}
        )

    teller = Teller(lambda case: case.row["moves"], listed=listed)
    assert stood(teller, lambda world: world.ship(9, "A", "B", "L1", "S9")) == set()


@pytest.mark.parametrize("name", ["weight_misdeclared", "travel_time", "value_misdeclared"])
def test_explanations_do_not_reopen_quarters(name: str) -> None:
    """What an explanation says of single events, notes of ingest among it, stays: if it counted as
    reading all events, every quarter would be judged again with every event.
    """
    frames = concluded(name)[1]
    detectors = [one for one in BUILT_IN if one.name == name]
    done = go_on(frames, detectors, tree_size=frames.position, root=ROOT)
    assert done.result.flags
    assert not done.kept.answers[name].told & {"events", "inputs"}
