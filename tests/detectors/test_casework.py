"""Decisions on flags: cases, what comes next, and how often flags hold."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_log import MemoryLog
from scipy import stats

from detectors.casework.cases import Case, group, subject_keys
from detectors.casework.precision import EXPLORED, draw, explored, interval, precisions
from detectors.casework.queue import suggest
from detectors.casework.reviews import Review, State, draft, latest
from graph.keys import event_key
from graph.model import Record, RecordKind
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance.entries import Draft, EntryType, Tier
from provenance.errors import UsageError


def flag(index: int, subject: str, kind: str = "event", /, **more: Any) -> Record:
    """A flag as the graph hands it over."""
    content = {
        "detector": "custody_gap",
        "type": "custody_gap",
        "subject_kind": kind,
        "subject_id": subject,
        "evidence_class": "rule",
        "evidence": [],
    }
    if kind == "event":
        content["subject_party"] = "acme"
    leaf_hash = random.Random(index).randbytes(32)
    return Record(index=index, leaf_hash=leaf_hash, attrs={**content, **more})


def case(index: int, state: State = State.OPEN, leaf_hash: bytes | None = None) -> Case:
    """A case of one flag."""
    one = flag(index, f"E-{index}")
    if leaf_hash is not None:
        one = Record(index, leaf_hash, one.attrs)
    return Case(index, (one,), -float(index), state)


def ids(cases: list[Case]) -> list[list[int]]:
    """The members of each case."""
    return sorted(sorted(member.index for member in one.flags) for one in cases)


def test_same_subject_is_one_case() -> None:
    """What several detectors say about one event is one incident; another party's event is not."""
    flags = [
        flag(10, "E-1"),
        flag(11, "E-1", detector="impossible_travel", type="impossible_travel"),
        flag(12, "E-1", subject_party="other"),
    ]
    assert ids(group(flags, {}, {})) == [[10, 11], [12]]


def test_evidence_joins_and_reference_data_does_not() -> None:
    """A flag that rests on the event another is about belongs to it; shared lists join nothing."""
    flags = [
        flag(10, "E-1", evidence=[[1, "x"], [5, "x"]]),
        flag(11, "E-2", evidence=[[2, "x"], [1, "x"], [5, "x"]]),
        flag(12, "E-3", evidence=[[3, "x"], [5, "x"]]),
    ]
    places = {event_key("acme", f"E-{number}"): number for number in (1, 2, 3)}
    assert places.keys() == subject_keys(flags)
    assert ids(group(flags, places, {})) == [[10, 11], [12]]


def test_following_months_are_one_case() -> None:
    """A site's months that follow each other, over the year's end too, are one incident."""
    months = ["A|2023-11", "A|2023-12", "A|2024-01", "A|2024-03", "B|2024-02"]
    flags = [flag(10 + at, month, "facility_month") for at, month in enumerate(months)]
    assert ids(group(flags, {}, {})) == [[10, 11, 12], [13], [14]]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12), st.randoms())
def test_cases_partition_flags(links: list[tuple[int, int]], dice: random.Random) -> None:
    """Every flag is in one case, links never cross cases, and order does not matter."""
    evidence: dict[int, list[list[object]]] = {}
    for one, other in links:
        evidence.setdefault(one, []).append([other, "x"])
    flags = [flag(100 + at, f"E-{at}", evidence=evidence.get(at, [])) for at in range(10)]
    places = {event_key("acme", f"E-{at}"): at for at in range(10)}
    found = ids(group(flags, places, {}))

    assert sorted(member for one in found for member in one) == [flag.index for flag in flags]
    home = {member: at for at, one in enumerate(found) for member in one}
    assert all(home[100 + one] == home[100 + other] for one, other in links)
    joined = sum(len(one) - 1 for one in found)
    assert joined <= len({tuple(sorted(link)) for link in links if link[0] != link[1]})
    dice.shuffle(flags)
    assert ids(group(flags, places, {})) == found


def test_case_is_open_while_a_member_is() -> None:
    """A case takes the decision on its most serious flag once all are decided."""
    flags = [flag(10, "E-1"), flag(11, "E-1", detector="other")]
    first = Review(10, State.CONFIRMED, "r", "ana", 20)
    second = Review(11, State.DISMISSED, "r", "ana", 21)
    assert [one.state for one in group(flags, {}, {10: first})] == [State.OPEN]
    assert [one.state for one in group(flags, {}, {10: first, 11: second})] == [State.CONFIRMED]


@given(st.sets(st.integers(0, 400), max_size=60))
def test_queue_offers_every_open_case_once(indices: set[int]) -> None:
    """Nothing open is left out or offered twice, and nothing decided is offered."""
    cases = [case(at, State.OPEN if at % 3 else State.DISMISSED) for at in sorted(indices)]
    offered = [one.case.id for one in suggest(cases)]
    assert sorted(offered) == [one.id for one in cases if one.state is State.OPEN]


def test_drawn_cases_come_early_and_the_rest_by_rank() -> None:
    """One suggestion in thirteen is a drawn one as long as there are any; the others keep order."""
    found = list(suggest([case(at) for at in range(1000)]))
    due = found[6::13]
    drawn = sum(explored(one.case.flags[0].leaf_hash) for one in found)
    assert all(one.drawn for one in due[: drawn // 2])
    ranked = [one.case.id for at, one in enumerate(found) if at % 13 != 6]
    assert all(low < high for low, high in pairwise(ranked))


def test_drawing_is_uniform() -> None:
    """The share put up whatever its rank is the stated one, and depends on the hash alone."""
    dice = random.Random(4)
    places = [draw(dice.randbytes(32)) for _ in range(4_000)]
    assert stats.kstest(places, "uniform").pvalue > 0.01
    assert draw(bytes(32)) == draw(bytes(32))
    assert abs(sum(place < EXPLORED for place in places) / 4_000 - EXPLORED) < 0.015


@pytest.mark.parametrize(
    ("confirmed", "decided", "low", "high"),
    [(0, 10, 0.0, 0.30850), (10, 10, 0.69150, 1.0), (5, 10, 0.18709, 0.81291), (1, 1, 0.025, 1.0)],
)
def test_interval_is_clopper_and_pearsons(
    confirmed: int, decided: int, low: float, high: float
) -> None:
    """The interval is the tabulated exact one."""
    assert interval(confirmed, decided) == pytest.approx((low, high), abs=1e-4)


def test_precision_counts_current_flags() -> None:
    """Each current flag counts once in its state; reviews of flags that are gone count nowhere."""
    flags = [flag(at, f"E-{at}") for at in range(40)]
    reviews = {
        at: Review(at, State.CONFIRMED if at < 12 else State.DISMISSED, "r", "ana", 100 + at)
        for at in range(16)
    } | {99: Review(99, State.CONFIRMED, "r", "ana", 300)}
    (one,) = precisions(flags, reviews)
    assert (one.flags, one.decided, one.share) == (40, 16, 0.75)
    assert (one.low, one.high) == interval(12, 16)
    drawn = [at for at in range(16) if explored(flags[at].leaf_hash)]
    assert one.drawn_decided == len(drawn)
    assert one.drawn_confirmed == sum(at < 12 for at in drawn)


def _log_with_flag() -> tuple[MemoryLog, Record]:
    content = {**flag(0, "A|2024-01", "facility_month").attrs, "party": "acme"}
    log = MemoryLog([Draft(EntryType.FLAG, "flag/1", content)])
    return log, Record(0, log.held[0].leaf_hash, content)


def test_latest_decision_is_the_state() -> None:
    """Decisions follow each other; the graph hands over the latest, whole at the private tier."""
    log, about = _log_with_flag()
    for state, reason in ((State.CONFIRMED, "seen"), (State.DISMISSED, "found the receipt")):
        log.append(draft(about, state, reason=reason, reviewer="ana", party="acme"))
    store = MemoryStore()
    catch_up(log, store)
    found = latest(store.records(RecordKind.REVIEW, Tier.PRIVATE))
    assert found == {0: Review(0, State.DISMISSED, "found the receipt", "ana", 2)}


def test_reason_and_reviewer_are_private() -> None:
    """A stranger learns that a flag was dismissed, and neither by whom nor why."""
    log, about = _log_with_flag()
    log.append(draft(about, State.DISMISSED, reason="found it", reviewer="ana", party="acme"))
    store = MemoryStore()
    catch_up(log, store)
    found = latest(store.records(RecordKind.REVIEW, Tier.PUBLIC))
    assert found == {0: Review(0, State.DISMISSED, None, None, 1)}


@pytest.mark.parametrize(("reason", "reviewer"), [("", "ana"), ("x", " "), ("x" * 2_001, "ana")])
def test_decision_needs_words(reason: str, reviewer: str) -> None:
    """A decision without a reason or a person, or with a file for a reason, is refused."""
    _, about = _log_with_flag()
    with pytest.raises(UsageError):
        draft(about, State.CONFIRMED, reason=reason, reviewer=reviewer, party="acme")
