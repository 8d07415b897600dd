"""What judging does for all rows at once, against the same done one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from frame_factories import World, chain
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detectors import nulls
from detectors.base import Decisions, Sample
from detectors.custody_gap import CustodyGap
from detectors.features import Features
from detectors.judging import Judgement, strangest, subjects
from detectors.run import counted

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.sampled_from(["x", "y", "z"]),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=20,
)


@given(ROWS)
def test_the_strangest_row_of_each_subject_speaks_for_it(rows: list[Any]) -> None:
    """One row per party and id, the highest score, the first of equals; highest rank first."""
    party, name, score = zip(*rows, strict=True)
    table = pd.DataFrame(
        {"subject_party": pd.Series(party, dtype="str"), "subject_id": name, "index": 0}
    )
    scores = np.array(score, np.float64)
    flagged = scores > 1
    decisions = Decisions(flagged, np.ones(len(rows)), np.zeros(len(rows), bool))
    found = Judgement(CustodyGap(), Sample(table), scores, decisions, subjects(table))
    chosen = strangest(found)
    assert counted(found) == {"": len(set(zip(party, name, strict=True)))}
    halves = np.array(["first", "second"] * len(rows), object)[: len(rows)]
    split = replace(found, decisions=replace(decisions, family=halves))
    assert counted(split) == Counter(
        label for *_, label in {*zip(party, name, halves, strict=True)}
    )
    best: dict[Any, int] = {}
    for row, key in enumerate(zip(party, name, strict=True)):
        if key not in best or scores[row] > scores[best[key]]:
            best[key] = row
    assert sorted(chosen["row"]) == sorted(best.values())
    assert list(chosen["rank"]) == sorted(chosen["rank"], reverse=True)
    assert list(chosen["flagged"]) == list(flagged[chosen["row"]])
    assert len(np.unique(subjects(table))) == len(best)


@given(st.lists(st.tuples(st.sampled_from(["q1", "q2", "q3"]), st.floats(0, 1)), max_size=20))
def test_each_family_is_adjusted_and_limited_alone(rows: list[tuple[str, float]]) -> None:
    """The same q-values and limits as for each family by itself."""
    family = np.array([label for label, _ in rows], object)
    p = np.array([value for _, value in rows], np.float64)
    q = nulls.adjust_families(p, family)
    limits = nulls.thresholds(q, family, 0.05)
    for label in set(family):
        own = family == label
        assert q[own] == pytest.approx(nulls.adjust(p[own]), abs=0)
        passed = max(int((q[own] <= 0.05).sum()), 1)
        assert set(limits[own]) == {stats.norm.isf(0.05 * passed / own.sum())}


def test_leaf_hashes_are_those_of_the_entries() -> None:
    """Every entry that a frame holds has its hash, and no other entry has any."""
    frames = chain(World()).frames()
    tables = (frames.events, frames.facilities, frames.products, frames.labour)
    held = {
        int(index): leaf
        for table in tables
        for index, leaf in zip(table["index"], table["leaf_hash"], strict=True)
    }
    shared = Features(frames)
    assert shared.leaf_hashes(held) == held
    assert shared.leaf_hashes([-1, max(held) + 1_000, *list(held)[:2]]) == {
        index: held[index] for index in list(held)[:2]
    }
    assert shared.leaf_hashes([]) == {}
