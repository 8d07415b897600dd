"""Cloned serial: one serial number on two pieces.

Of the events of a serial the longest chain that one piece can have had is taken
for the piece; shipped, received or sold somewhere else at the same time, made
a second time, or sold again elsewhere, is another piece. One missing scan
is allowed at every step, and goods brought back to the shop are.

Next: detectors/routes/phantom_shipment.py
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.base import (
    Account,
    Benign,
    EvidenceClass,
    Expected,
    Measure,
    Sample,
    SubjectKind,
)
from detectors.routes.serials import NUMBERS, SOLD, breaks, foreign, histories
from detectors.rules import beyond_limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions
    from detectors.features import Features

__all__ = ["ClonedSerial"]

_OVERLAP: Final = 2.0
_LATER: Final = 1.6
"""A piece that turns up elsewhere only after its last trace might have moved unseen, twice."""
_MOST_EVIDENCE: Final = 50
_JUDGED: Final = ("ship", "receive", "sell", "produce", "transform")


class ClonedSerial:
    """Can all events of this serial number be of one piece?"""

    name: Final = "cloned_serial"
    type: Final = "cloned_serial"
    version: Final = "1"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /from_facility_id",
        "event/1 /items",
        "event/1 /shipment_id",
        "event/1 /to_facility_id",
    )
    parameters: Final[Mapping[str, float | int | str]] = {"missing_scans_allowed": 1}
    libraries: Final = ("numpy", "pandas")

    def features(self, shared: Features) -> Sample:
        """Find the events of each serial that cannot be of the piece the others are of."""
        table = histories(shared)
        foreigners = _foreigners(table[table["serial"].isin(breaks(table))])
        worst = foreigners.sort_values(["score", "name"], ascending=[False, True])
        worst = worst.drop_duplicates("index").set_index("index")
        count = foreigners.groupby("index")["many"].sum()
        rows = shared.rows[["event_id", "party", "index", "kind"]]
        rows = rows[rows["index"].isin(table["index"].unique())].drop_duplicates("index")
        rows = rows[rows["kind"].isin(_JUDGED)]
        index = rows["index"].to_numpy()
        return Sample(
            pd.DataFrame(
                {
                    "subject_id": rows["event_id"].to_numpy(),
                    "subject_party": rows["party"].to_numpy(),
                    "index": index,
                    "position": rows.index.to_numpy(),
                    "degree": worst["score"].reindex(index).fillna(0.0).to_numpy(np.float64),
                    "serial": worst["name"].reindex(index).fillna("").to_numpy(object),
                    "others": worst["others"].reindex(index).to_numpy(object),
                    "serials": count.reindex(index).fillna(0).to_numpy(np.float64),
                }
            )
        )

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Two places at once is twice the limit, two places one after the other less."""
        return sample.table["degree"].to_numpy(np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what cannot be of the same piece."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say where the piece was, and where it was at the same time."""
        return _account(case)


def _foreigners(suspects: pd.DataFrame) -> pd.DataFrame:
    """List the foreign events of all serials; pieces that went together are asked once.

    Returns:
        `index`, `name` (the first of the serials), `many` (how many), `score` and `others`.
    """
    serial, index = suspects["serial"].to_numpy(), suspects["index"].to_numpy(np.int64)
    names = suspects["name"].to_numpy(object)
    columns = {name: suspects[name].to_numpy(np.int64) for name in NUMBERS}
    asked: dict[bytes, tuple[slice, list[str]]] = {}
    starts = np.flatnonzero(np.diff(serial, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(serial)]):
        own = slice(start, end)
        asked.setdefault(index[own].tobytes(), (own, []))[1].append(str(names[start]))
    found = [
        (*event, min(pieces), len(pieces))
        for own, pieces in asked.values()
        for event in _foreign(index[own], {name: one[own] for name, one in columns.items()})
    ]
    return pd.DataFrame(found, columns=["index", "score", "others", "name", "many"])


def _foreign(
    index: NDArray[np.int64], columns: Mapping[str, NDArray[np.int64]]
) -> Iterator[tuple[int, float, tuple[int, ...]]]:
    """Yield the events of one serial that are of another piece: index, score and the others."""
    outside = foreign(columns)
    if not outside:
        return
    rest = np.delete(np.arange(len(index)), outside)
    last = columns["at"][rest].max(initial=np.iinfo(np.int64).min)
    sold = bool((columns["kind"][rest] == SOLD).any())
    entries = tuple(dict.fromkeys(index[rest].tolist()))[-_MOST_EVIDENCE:]
    for one in outside:
        overlaps = sold or columns["at"][one] < last
        yield int(index[one]), _OVERLAP if overlaps else _LATER, entries


_WORDS: Final = {
    "ship": "was shipped from",
    "receive": "was received at",
    "sell": "was sold at",
    "produce": "was made at",
    "transform": "was made at",
}


def _account(case: Case) -> Account:
    row, shared = case.row, case.shared
    own = shared.row(int(row["position"]))
    others = shared.rows_of(set(row["others"]) - {int(own["index"])})
    away = np.abs(shared.cells("at", others) - own["at"])
    near = [shared.row(int(others[np.argmin(away)]))] if len(others) else []
    where = ", ".join(f"{_WORDS.get(o['kind'], 'was seen at')} {o['site']}" for o in near)
    many = int(row["serials"])
    first = f"Serial {row['serial']} of {own['product_id']}"
    more = f" (and {many - 1} more of the same event)" if many > 1 else ""
    return Account(
        evidence=tuple(row["others"]),
        observed=Measure("number of pieces under one serial", 2.0, "pieces"),
        expected=Expected(None, 1.0, "pieces"),
        sentence=(
            f"{first}{more} {_WORDS[own['kind']]} {own['site']}, where by its other records the "
            f"piece was not; nearest in time it {where}."
        ),
        counterfactual=(
            "The flag would disappear if events showed how the piece came there, or if the serial "
            "were not on this event."
        ),
        benign=(
            Benign("one scan that was forgotten on the way", "ruled out"),
            Benign("a piece that was brought back to the shop", "ruled out"),
            Benign("two forgotten scans in a row", "possible"),
            Benign("a serial that was mistyped", "possible" if many == 1 else "ruled out"),
        ),
        caveat="It does not say which of the pieces is the genuine one, nor that either is not.",
    )
