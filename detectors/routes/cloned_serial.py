"""Cloned serial: one serial number on two pieces.

Of the events of a serial the longest chain that one piece can have had is taken
for the piece; shipped, received or sold somewhere else at the same time, made
a second time, or sold again elsewhere, is another piece. One missing scan
is allowed at every step, and goods brought back to the shop are; a receipt of
a whole load shows every piece of it, read or not. What turns up elsewhere only
after its last trace may have moved unseen: it is another piece where the last
trace is at a shop, and else a question of custody.

Next: detectors/routes/phantom_shipment.py
"""

from __future__ import annotations

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
from detectors.goods.clones import MOST_EVENTS, PASSED_ON, clones
from detectors.partition import Apart
from detectors.past import LEAST_QUARTERS
from detectors.rules import beyond_limit, not_judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions
    from detectors.features import Features

__all__ = ["ClonedSerial"]

_JUDGED: Final = ("ship", "receive", "sell", "produce", "transform")


class ClonedSerial:
    """Can all events of this serial number be of one piece?"""

    name: Final = "cloned_serial"
    type: Final = "cloned_serial"
    version: Final = "4"
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
    parameters: Final[Mapping[str, float | int | str]] = {
        "missing_scans_allowed": 1,
        "most_events_of_a_piece": MOST_EVENTS,
        "passed_on_share": PASSED_ON,
        "quarters_of_a_custom": LEAST_QUARTERS,
    }
    libraries: Final = ("numpy", "pandas")
    apart: Final = Apart()

    def features(self, shared: Features) -> Sample:
        """Find the events of each serial that cannot be of the piece the others are of."""
        said = shared.once(clones)
        foreign = said.foreign
        worst = foreign.sort_values(["score", "name"], ascending=[False, True])
        worst = worst.drop_duplicates("index").set_index("index")
        count = foreign.groupby("index")["many"].sum()
        rows = _first_rows(shared)
        reasons = {
            "more serials than pieces: which of them were there is unknown": said.uncounted,
            "a piece that came unseen from a place that passes goods on": said.unseen,
            "a serial with more events than one piece can have": said.stand_ins,
        }
        left_out = {
            reason: rows["event_id"][rows["index"].isin(np.setdiff1d(entries, worst.index))]
            for reason, entries in reasons.items()
        }
        rows = rows[rows["index"].isin(said.judged) & rows["kind"].isin(_JUDGED)]
        index = rows["index"].to_numpy()
        table = pd.DataFrame(
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
        return Sample(table, not_judged(self.name, left_out))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Two places at once is twice the limit, two places one after the other less."""
        return sample.table["degree"].to_numpy(np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what cannot be of the same piece."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say where the piece was, and where it was at the same time."""
        return _account(case)


def _first_rows(shared: Features) -> pd.DataFrame:
    """Return one row per log entry."""
    rows = shared.rows[["event_id", "party", "index", "kind"]]
    return rows[~rows["index"].duplicated().to_numpy()]


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
