"""The measures by which flags are judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from detectors.evaluation.baselines import MODELS, outlier_scores
from detectors.evaluation.metrics import Truth, average_precision, judge_run, pooled
from detectors.export import Row

LABELLED = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40)


def row(subject: str, kind: str, score: float, flagged: int, detector: str = "d") -> Row:
    """One row of an export."""
    return Row(subject, kind, score, flagged, None, None, detector, "")


@given(LABELLED.filter(lambda found: any(planted for _, planted in found)))
def test_average_precision_is_the_usual_one(found: list[tuple[int, bool]]) -> None:
    """Ties included, it is what scikit-learn computes."""
    scores = np.array([float(score) for score, _ in found])
    planted = np.array([one for _, one in found])
    expected = average_precision_score(planted, scores)
    assert average_precision(scores, planted) == pytest.approx(expected)


def test_blind_ranking_is_worth_the_share_planted() -> None:
    """Equal scores give the share of planted subjects, and nothing planted gives no number."""
    planted = np.array([True, False, False, False])
    assert average_precision(np.zeros(4), planted) == 0.25
    assert np.isnan(average_precision(np.zeros(4), np.zeros(4, bool)))


def test_right_type_counts_as_found_and_a_wrong_one_is_no_false_flag() -> None:
    """A planted subject flagged with another type is not found, and not an innocent either."""
    truth = Truth.of(["a", "b", "c", "d"], [("a", "x"), ("a", "y"), ("b", "x"), ("z", "x")])
    rows = [
        row("a", "x", 4.0, 1),
        row("b", "y", 3.0, 1, "s"),
        row("c", "x", 2.0, 1, "s"),
        row("d", "x", 0.5, 0, "s"),
        row("elsewhere", "x", 4.0, 1),
    ]
    found = judge_run(rows, truth, {"s"})
    assert found.planted == {"x": 2, "y": 1}
    assert found.recalls == {"x": 0.5, "y": 0.0}
    assert found.macro_recall == 0.25
    assert (found.innocent, found.innocent_per_10_000) == (1, 2_500)
    assert (found.statistical, found.chance) == (2, 1)
    assert found.average_precision == 1.0
    assert pooled([found, found]) == (4, 2, 0.5)


def test_unjudged_subjects_come_last() -> None:
    """A planted subject that no detector judged ranks below every judged one."""
    truth = Truth.of(["a", "b", "c"], [("a", "x")])
    found = judge_run([row("b", "x", 0.0, 0), row("c", "x", 0.0, 0)], truth, ())
    assert found.average_precision == pytest.approx(1 / 3)


@pytest.mark.parametrize("model", MODELS)
def test_models_rank_what_stands_out(model: str) -> None:
    """The models compared with do find a row that differs in everything; chance does not."""
    figures = np.random.default_rng(3).normal(size=(300, 4))
    figures[7] = 9
    scores = outlier_scores(model, figures, 5)
    assert int((scores > scores[7]).sum()) < 3 or model == "random"
    assert (outlier_scores(model, figures, 5) == scores).all()
