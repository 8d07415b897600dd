"""What families of one period may flag: laws, a naive twin, and the promise itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.allowances import COMMONEST, Rare, allowances, rare_of
from detectors.base import Decisions, SubjectKind
from detectors.ranking import GENERAL

P = st.floats(1e-12, 0.02)
FAMILY = st.tuples(st.lists(P, max_size=8), st.integers(8, 3000))
PERIOD = st.lists(FAMILY, min_size=1, max_size=5)
LEVEL = st.sampled_from([0.01, 0.05, 0.1])


def asked(name: str, *, kind: SubjectKind = SubjectKind.EVENT, type_: str = "dwell") -> Any:
    """A detector, as far as sharing goes."""
    return SimpleNamespace(name=name, subject_kind=kind, type=type_)


def brought(p: list[float], size: int) -> Rare:
    """What a family of so many cases brings, of which `p` are the rarest."""
    return Rare(size, tuple(sorted(one for one in p if one <= COMMONEST)))


def answers(period: list[tuple[list[float], int]]) -> dict[str, Any]:
    """One detector for each family, all of the same quarter."""
    return {f"d{i}": (asked(f"d{i}"), {"2024Q1": brought(*one)}) for i, one in enumerate(period)}


def alone(ps: list[float], size: int, level: float) -> int:
    """How many of a family's rare cases Benjamini and Hochberg flag by itself."""
    rare = sorted(p for p in ps if p <= COMMONEST)
    return max((k for k in range(1, len(rare) + 1) if rare[k - 1] * size <= k * level), default=0)


@given(PERIOD, LEVEL)
def test_the_families_of_a_period_share_the_level(
    period: list[tuple[list[float], int]], level: float
) -> None:
    """Most flags k for which the k-th of p * size / share is at most k * level; naive twin."""
    counted = [4 + alone(ps, size, level) for ps, size in period]
    every = [
        (p * size * sum(counted) / counted[i], i, p)
        for i, (ps, size) in enumerate(period)
        for p in ps
    ]
    every = sorted(one for one in every if one[2] <= COMMONEST)
    passing = [k for k in range(1, len(every) + 1) if every[k - 1][0] <= k * level * (1 + 1e-12)]
    flags = every[: max(passing, default=0)]
    found = allowances(answers(period), level)
    for i, (ps, _) in enumerate(period):
        allowed = found[f"d{i}"]["2024Q1"]
        mine = sorted(p for _, owner, p in flags if owner == i)
        assert sorted(p for p in ps if p <= allowed.cut)[: len(mine)] == mine
        assert allowed.cut <= COMMONEST
        q = allowed.q_of(np.sort(ps))
        assert list(q) == sorted(q)
        assert (q[np.sort(ps) > COMMONEST] == 1).all()


@given(PERIOD, LEVEL)
def test_q_is_the_smallest_level_that_flags(
    period: list[tuple[list[float], int]], level: float
) -> None:
    """A case passes at a level exactly if its q is at most that; nearly equal ones aside."""
    found = allowances(answers(period), level)
    for i, (ps, _) in enumerate(period):
        allowed = found[f"d{i}"]["2024Q1"]
        for p, q in zip(ps, allowed.q_of(np.array(ps)), strict=True):
            if abs(q - level) > 1e-6 * level:
                assert (p <= allowed.cut) == (q <= level)


def test_a_family_full_of_flags_is_held_to_its_own_company() -> None:
    """With many of its own it nears what it may flag alone, and takes little from a single one."""
    crowd = asked("crowd"), {"2024Q1": Rare(1000, (1e-9,) * 30)}
    single = asked("single"), {"2024Q1": Rare(1000, (1e-9,))}
    cuts = {
        name: one["2024Q1"].cut
        for name, one in allowances({"crowd": crowd, "single": single}, 0.05).items()
    }
    assert 0.85 * 30 * 0.05 / 1000 < cuts["crowd"] < 0.05 * 31 / 1000
    assert 0.05 / 1000 < cuts["single"] < 5 * 0.05 / 1000


def test_every_detector_has_the_same_share_however_much_it_judges() -> None:
    """Twice the cases allow half the p-value; the general models have a quarter of a share."""
    families = {
        "few": (asked("few"), {"2024Q1": Rare(100, (1e-9,))}),
        "many": (asked("many"), {"2024Q1": Rare(10_000, (1e-9,))}),
        "all": (asked("all", type_=GENERAL), {"2024Q1": Rare(100, (1e-9,))}),
    }
    cuts = {name: one["2024Q1"].cut for name, one in allowances(families, 0.05).items()}
    assert cuts["few"] == pytest.approx(100 * cuts["many"])
    assert cuts["few"] == pytest.approx(4 * cuts["all"])
    assert cuts["few"] == pytest.approx(0.05 * 3 / 2.25 / 100)


def test_periods_and_kinds_of_subjects_share_nothing() -> None:
    """A quarter full of flags makes neither another quarter nor months of sites more generous."""
    crowd = Rare(1000, (1e-9,) * 20)
    alone = allowances({"a": (asked("a"), {"2024Q2": Rare(1000, (1e-9,))})}, 0.05)
    among = allowances(
        {
            "a": (asked("a"), {"2024Q1": crowd, "2024Q2": Rare(1000, (1e-9,))}),
            "b": (asked("b", kind=SubjectKind.FACILITY_MONTH), {"2024Q2": crowd}),
        },
        0.05,
    )
    assert among["a"]["2024Q2"].cut == alone["a"]["2024Q2"].cut
    assert among["a"]["2024Q1"].cut > among["a"]["2024Q2"].cut


def test_the_share_of_false_flags_keeps_to_the_level() -> None:
    """Over many periods of four unequal families their mean share exceeds it by a fifth at most."""
    chance = np.random.default_rng(7)
    sizes, shares = (40, 400, 1500, 1500), []
    for _ in range(600):
        families: dict[str, Any] = {}
        planted = {f"d{i}": chance.integers(0, 4) for i in range(len(sizes))}
        ps: dict[str, Any] = {}
        for (name, count), size in zip(planted.items(), sizes, strict=True):
            p = chance.uniform(size=size)
            p[:count] = 10.0 ** -chance.uniform(3, 8, count)
            ps[name] = p
            decisions = Decisions(p < 0, p, p < 0, p, p, np.full(size, "2024Q1", object))
            families[name] = (asked(name), rare_of(decisions))
        found = allowances(families, 0.1)
        flagged = {name: p <= found[name]["2024Q1"].cut for name, p in ps.items()}
        false = sum(int(flagged[name][planted[name] :].sum()) for name in ps)
        shares.append(false / max(sum(int(one.sum()) for one in flagged.values()), 1))
    assert 0.06 < np.mean(shares) < 0.12
