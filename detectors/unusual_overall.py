"""Unusual overall: the one place of general outlier models, clearly weaker than the rest.

Subjects are judged by quarter, each quarter being one false-discovery family.
Its peers come from the two years up to its end, its models and null from the
last reference, which is taken anew when the record has grown by half or a year
has passed; where the last one was large, at the end of a quarter. So a closed
quarter keeps its flags when later data arrive, and an open one its models. The
first quarters wait for each other until there is enough to compare with.

Next: detectors/ranking.py
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from detectors.allowances import by_family
from detectors.base import (
    Account,
    Benign,
    Decisions,
    EvidenceClass,
    Expected,
    Measure,
    PeerGroup,
    Sample,
    SubjectKind,
)
from detectors.chances import beyond
from detectors.labour.unusual import MONTH_WORDS, month_residuals, months
from detectors.partition import Partition
from detectors.peers import SHRINKAGE, scaled
from detectors.quarters import AT_ITS_END, families_in_time
from detectors.rules import plain
from detectors.unusual_features import LEG_WORDS, leg_residuals, leg_values
from detectors.unusual_models import (
    FOREST_ROWS,
    NEIGHBOUR_ROWS,
    TREES,
    Fitted,
    deviates,
    draw,
    fitted,
    packed,
    unpacked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from detectors.base import Case
    from detectors.features import Features

__all__ = ["UnusualOverall", "unusual_legs", "unusual_months"]

GROWTH: Final = 1.5
MAX_AGE: Final = 3
"""Models are fitted anew when the record has grown by half, and after this many quarters; those of
`FOREST_ROWS` or more, which none has more of, wait for the end of an open one."""
_TOLD: Final = 3
_STANDS_OUT: Final = 2.0


class UnusualOverall:
    """Do many small departures from the usual come together in one subject?"""

    type: Final = "unusual_overall"
    version: Final = "7"
    evidence_class: Final = EvidenceClass.STATISTICAL
    libraries: Final = ("numpy", "pandas", "pyod", "scikit-learn", "scipy")

    def __init__(
        self,
        *,
        name: str,
        subject_kind: SubjectKind,
        min_samples: int,
        reads: tuple[str, ...],
        words: Mapping[str, str],
        values: Callable[[Features], pd.DataFrame],
        residuals: Callable[[pd.DataFrame], pd.DataFrame],
    ) -> None:
        """Judge one kind of subject.

        Args:
            name: Unique id.
            subject_kind: What the subjects are.
            min_samples: Rows that the first family waits for.
            reads: The fields behind the columns.
            words: What a departure in each column means, with a place for the factor.
            values: Collects the raw columns, in time order.
            residuals: Holds a window of them against their peers.
        """
        self.name = name
        self.subject_kind = subject_kind
        self.min_samples = min_samples
        self.reads = reads
        self._words = words
        self._values = values
        self._residuals = residuals
        self.parameters: Mapping[str, float | int | str] = {
            "trees": TREES,
            "forest_rows": FOREST_ROWS,
            "neighbour_rows": NEIGHBOUR_ROWS,
            "peer_shrinkage": SHRINKAGE,
            "peer_window_quarters": AT_ITS_END.window,
            "reference_growth": GROWTH,
            "reference_quarters": MAX_AGE + 1,
            "first_family_rows": min_samples,
        }

    def features(self, shared: Features) -> Sample:
        """Take each quarter's subjects as residuals against the two years up to its end."""
        values = self._values(shared)
        told = values[values.columns.intersection(list(self._words))].notna().any(axis=1)
        values = values[told].reset_index(drop=True)
        parts, references = [], {}
        partition = Partition(shared, self.name, values)
        taken: dict[str, Fitted] = {}
        since = slice(0, 0)
        for label, rows, window, renewed in _families(values["at"], self.min_samples):
            since = window if renewed else since
            named = partition.name(since)
            if partition.is_settled(label, rows, window, named):
                continue
            peers = self._residuals(values.iloc[window])
            standard = peers.apply(scaled)
            if named not in taken:
                drawn = standard if renewed else None
                fit = partial(self._fitted, values.iloc[since], drawn, shared.seed)
                taken[named] = unpacked(shared.fitted(named, fit))
            references[label] = taken[named]
            own = values.iloc[rows].join(peers.add_prefix("log_"))
            parts.append(own.join(standard.add_prefix("z_")).assign(family=label))
        table = pd.concat(parts, ignore_index=True) if parts else self._of_none(values)
        return Sample(
            table,
            context={"references": references},
            reference_digests={label: one.digest for label, one in references.items()},
            families=partition.families(),
        )

    def _fitted(self, reference: pd.DataFrame, standard: pd.DataFrame | None, seed: int) -> bytes:
        """Fit models to the residuals of a reference among themselves, which may be known."""
        known = self._residuals(reference).apply(scaled) if standard is None else standard
        return packed(fitted(draw(known.to_numpy(np.float64), FOREST_ROWS, seed), seed))

    def _of_none(self, values: pd.DataFrame) -> pd.DataFrame:
        none = {f"{kind}_{name}": 0.0 for kind in ("log", "z") for name in self._words}
        return values.iloc[:0].assign(**none, family="")

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure each row as a normal deviate under its quarter's models and null."""
        table, scores = sample.table, np.zeros(len(sample.table))
        rows = table[[f"z_{name}" for name in self._words]].to_numpy(np.float64)
        for label, reference in sample.context["references"].items():
            own = (table["family"] == label).to_numpy()
            if reference.model is not None:
                scores[own] = deviates(reference.model, rows[own])
        return scores

    def decide(self, sample: Sample, scores: NDArray[np.float64], level: float) -> Decisions:
        """Flag what survives Benjamini-Hochberg within its quarter."""
        return by_family(beyond(scores), sample.table["family"].to_numpy(object), level)

    def explain(self, case: Case) -> Account:
        """Name what stands out most, and by how much."""
        row, words = case.row, self._words
        order = sorted(words, key=lambda name: (-abs(row[f"z_{name}"]), name))
        told = [name for name in order[:_TOLD] if abs(row[f"z_{name}"]) >= _STANDS_OUT]
        phrases = [words[name].format(_factor(row[f"log_{name}"])) for name in told or order[:1]]
        size = case.sample.context["references"][row["family"]].size
        other = row.get("other_index")
        return Account(
            evidence=() if other is None else (int(other),),
            observed=Measure("distance from the usual", case.score, "standard deviations"),
            expected=Expected(None, case.threshold, "standard deviations"),
            peer_group=PeerGroup(f"{self.subject_kind.value} subjects up to {row['family']}", size),
            sentence=f"Taken together this is far from usual: {_listed(phrases)}.",
            counterfactual=(
                f"The flag would disappear if the distance from the usual were below "
                f"{plain(case.threshold)}; the largest part of it is that {phrases[0]}."
            ),
            benign=_BENIGN,
            caveat=(
                "It does not say that anything is wrong, or what would be: it is a reason to "
                "look after the specific flags have been seen."
            ),
        )


_BENIGN: Final = (
    Benign("what its own site, lane, product or mode usually shows", "ruled out"),
    Benign("a value missing from the record: it counts as usual", "ruled out"),
    Benign("a season, holiday or disruption that touched many at once", "not checked"),
    Benign("a new partner, product or lane", "not checked"),
)


def _families(at: pd.Series, minimum: int) -> Iterator[tuple[str, slice, slice, bool]]:
    """Yield each family's label, its rows, its window of peers, and whether models are renewed.

    Rows are in time order. The first family is the first quarters that hold `minimum` rows.
    """
    fitted, seen, age = 0, 0, 0
    found = list(families_in_time(at, minimum))
    for number, (label, rows, window) in enumerate(found, 1):
        age += 1
        # The last quarter is open: what comes into it moves no models that have seen enough.
        waits = number == len(found) and seen >= FOREST_ROWS
        due = rows.stop >= GROWTH * fitted or age > MAX_AGE
        renewed = due and not waits
        if renewed:
            fitted, seen, age = rows.stop, window.stop - window.start, 0
        yield label, rows, window, renewed


def _factor(log: Any) -> str:
    """Write a log ratio as a factor people say."""
    if np.isnan(log):
        return "as usual"
    return f"{plain(float(np.exp(np.clip(log, -20.0, 20.0))), 2)} times"


def _listed(phrases: list[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def unusual_legs() -> UnusualOverall:
    """Judge each leg, by its ship event."""
    names = (
        "event_time facility_id from_facility_id items latitude longitude gross_weight "
        "weight_unit declared_value_usd shipment_id to_facility_id transport_mode"
    )
    return UnusualOverall(
        name="unusual_overall_legs",
        subject_kind=SubjectKind.EVENT,
        min_samples=200,
        reads=tuple(f"event/1 /{name}" for name in names.split()),
        words=LEG_WORDS,
        values=leg_values,
        residuals=leg_residuals,
    )


def unusual_months() -> UnusualOverall:
    """Judge each facility-month."""
    return UnusualOverall(
        name="unusual_overall_months",
        subject_kind=SubjectKind.FACILITY_MONTH,
        min_samples=100,
        reads=("facility/1 /country", "labour/1 /total_hours", "labour/1 /gross_wages"),
        words=MONTH_WORDS,
        values=months,
        residuals=month_residuals,
    )
