"""What the statistical route detectors share: cases, quarters, null, false-discovery rate.

Each detector collects its cases once, in the order of time, and says what is
left of a value when its peers' usual is taken off, in units of their usual
spread. The null is fitted to all that remains in the window; p-values are
adjusted within the quarter.

Next: detectors/routes/weight_misdeclared.py
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
import pandas as pd

from detectors.allowances import by_family
from detectors.base import Decisions, EvidenceClass, Sample, SubjectKind
from detectors.chances import beyond, deviate
from detectors.partition import Partition
from detectors.quarters import AT_ITS_END, Closing, Span, families_in_time
from detectors.routes.tails import weigh

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention
    from detectors.features import Features

__all__ = ["LATER_TOO", "Statistical"]

FIRST_FAMILY: Final = 400
"""The first quarters are judged together until there are so many cases, or at the end."""
LATER_TOO: Final = Closing(window=10, following=2)
"""What came later tells a season, a partner's terms or a price that rose from one odd shipment."""
_SMALLEST: Final = 0.7
"""Residuals come in usual spreads; a null far narrower than that would undo the floor of those."""
_FARTHEST: Final = 37.0
"""Normal deviate of about the smallest positive double; scores end here."""


class Statistical(ABC):
    """A detector whose cases are residuals against peers. To be subclassed.

    Subclasses give `cases` and `standing`; the rest is the same for all of them.
    """

    name: str
    evidence_class: Final = EvidenceClass.STATISTICAL
    subject_kind: Final = SubjectKind.EVENT
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "pandas", "scipy")
    min_samples: ClassVar[int] = 60
    side: ClassVar[Literal["both", "upper", "lower"]] = "both"
    constants: ClassVar[Mapping[str, float | int | str]] = {}
    by_quarter: ClassVar[bool] = True
    """False where later events decide about earlier ones: all is judged anew with every run."""

    closing: ClassVar[Closing] = AT_ITS_END
    """When quarters close, and how far back and ahead of them peers are looked for."""

    null_of_all: ClassVar[bool] = False
    """True where an innocent cause is what most have: they are the ordinary then."""

    stands_off: ClassVar[bool] = False
    """True where what is wrong may be expected to stand off from the ordinary (`weigh`)."""

    strata: ClassVar[tuple[str, ...]] = ()
    """Parts of each period that are families of their own, besides what is in none of them: they
    are told apart by what the p-values do not rest on, so that many that are hardly ever wrong do
    not count against few that may be."""

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """Every constant the answer depends on."""
        return {
            **self.constants,
            "peer_window_quarters": self.closing.window if self.by_quarter else "all",
            "quarters_that_follow": self.closing.following,
            "first_family_cases": FIRST_FAMILY,
        }

    @abstractmethod
    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Collect all cases, with `subject_id`, `subject_party`, `index` and `at`."""

    @abstractmethod
    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold each case of a window against its peers there.

        Returns:
            At least `z`, the residual in usual spreads; optionally `benign`, the name of an
            innocent cause that is more likely than not, `judged`, False for cases that
            only serve others as peers, and `stratum`, one of `strata` or "".
        """

    def features(self, shared: Features) -> Sample:
        """Hold each quarter's cases against the two years up to its end."""
        found, left_out = self.cases(shared)
        found = found.sort_values(["at", "index"], kind="stable").reset_index(drop=True)
        parts: list[pd.DataFrame] = []
        digests: dict[str, str] = {}
        partition = Partition(shared, self.name, found)
        fitted, peers = slice(0), pd.DataFrame()
        for label, rows, window in self._families(found["at"]):
            labels = {part: f"{label}, {part}" if part else label for part in ("", *self.strata)}
            same = [partition.is_settled(one, rows, window) for one in labels.values()]
            if all(same):
                continue
            # Quarters that are not over have one window: it is fitted once for all of them.
            if window != fitted:
                peers, fitted = self._peers(found, window), window
            own = peers[(peers.index >= rows.start) & (peers.index < rows.stop)]
            mine = found.loc[own.index].drop(columns="judged", errors="ignore")
            family = own["stratum"].map(labels) if self.strata else label
            parts.append(
                mine.join(own.drop(columns="stratum", errors="ignore")).assign(family=family)
            )
            digests |= dict.fromkeys(labels.values(), _digest(peers["z"].to_numpy(np.float64)))
        table = (
            pd.concat(parts, ignore_index=True)
            if parts
            else found.iloc[:0].assign(z=0.0, deviate=0.0, family="")
        )
        families = partition.families()
        return Sample(table, left_out, reference_digests=digests, families=families)

    def _peers(self, found: pd.DataFrame, window: slice) -> pd.DataFrame:
        """Hold the cases of a window against each other, and tell how rare each is."""
        peers = self.standing(found.iloc[window].reset_index(drop=True))
        peers = peers.set_axis(range(window.start, window.stop))
        if "judged" in peers:
            peers = peers[peers["judged"]].drop(columns="judged")
        # What has an innocent cause is no sample of what is ordinary.
        told = "benign" in peers and not self.null_of_all
        explained = (peers["benign"] != "").to_numpy() if told else None
        return peers.assign(deviate=self.deviates(peers["z"].to_numpy(np.float64), explained))

    def _families(self, at: pd.Series) -> list[Span]:
        least = min(FIRST_FAMILY, max(len(at), self.min_samples))
        found = list(families_in_time(at, least, self.closing))
        if self.by_quarter or not found:
            return found
        # The whole record is a period of its own, and no part of its last quarter.
        return [Span(f"to {found[-1].label}", slice(0, len(at)), slice(0, len(at)))]

    def deviates(
        self, z: NDArray[np.float64], explained: NDArray[np.bool_] | None = None, /
    ) -> NDArray[np.float64]:
        """Return each residual as the normal deviate that is as rare under the null.

        Args:
            z: Residuals in usual spreads.
            explained: Which of them have an innocent cause, and are left out of the null.
        """
        side: Literal["both", "upper"] = "both" if self.side == "both" else "upper"
        stranger = -z if self.side == "lower" else z
        left = stranger if explained is None or explained.all() else stranger[~explained]
        null = weigh(left, side, least=_SMALLEST, stands_off=self.stands_off)
        if null is None:
            # Most are equal to a digit: the floor of the spread is then the only yardstick.
            away = stranger - np.median(stranger)
            p = 2 * beyond(np.abs(away)) if side == "both" else beyond(away)
        else:
            p = null.p_values(stranger, side)
        return np.asarray(np.clip(deviate(p), -_FARTHEST, _FARTHEST))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure each case as a normal deviate under its quarter's null."""
        return sample.table["deviate"].to_numpy(np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], level: float) -> Decisions:
        """Flag what survives Benjamini-Hochberg within its quarter."""
        table = sample.table
        benign = (table["benign"] != "").to_numpy() if "benign" in table else np.zeros(1, bool)
        p = np.where(benign, 1.0, beyond(scores))
        return by_family(p, table["family"].to_numpy(object), level)


def _digest(values: NDArray[np.float64]) -> str:
    data = np.ascontiguousarray(values, dtype="<f8").tobytes()
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
