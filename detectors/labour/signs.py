"""Signs: what a statistical question about a workplace has in common with the others.

A detector names its signs: figures of a facility-month that move when something
is wrong. Each is a departure from the site's own past and its peers. Several
weak signs in one month, and weak months in a row, add up; the null of the sum
comes from the sum's own middle.

Next: detectors/labour/hour_signs.py
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors import nulls
from detectors.allowances import by_family
from detectors.base import (
    Abstention,
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
from detectors.chances import beyond, deviate
from detectors.labour.departures import Peers, departures
from detectors.labour.persistence import LONGEST, runs
from detectors.labour.telling import listed, told
from detectors.partition import Partition
from detectors.quarters import Closing, families
from detectors.rules import not_judged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from detectors.base import Case
    from detectors.features import Features
    from detectors.labour.sign import Sign

    Floats = NDArray[np.float64]

__all__ = ["Signs"]

CLOSING: Final = Closing(window=12, following=2, first=4)
"""What follows tells an order from a new machine; what was usual three years ago is not usual."""
_FARTHEST: Final = 37.0
"""Normal deviate of about the smallest positive double; scores end here."""
MIN_SITES: Final = 30
"""Fewer sites do not show which of them is strange as a whole."""
_MONTHS_OF_SITE: Final = 12
"""What a site always shows is one chance, though a year of it is flagged at once."""
_STANDS_OUT: Final = 1.5
_SHOWN: Final = 3


class Signs(ABC):
    """Base of the statistical questions about facility-months; a subclass names its signs."""

    name: ClassVar[str]
    type: ClassVar[str]
    version: ClassVar[str]
    signs: ClassVar[tuple[Sign, ...]]
    benign: ClassVar[tuple[Benign, ...]]
    caveat: ClassVar[str]
    peers_are: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    evidence_class: Final = EvidenceClass.STATISTICAL
    subject_kind: Final = SubjectKind.FACILITY_MONTH
    min_samples: ClassVar[int] = 60
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "pandas", "scipy")

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """Every constant the answer depends on."""
        return {
            "first_quarters": CLOSING.first,
            "following_quarters": CLOSING.following,
            "window_quarters": CLOSING.window,
            "longest_run_months": LONGEST,
            "months_of_site": _MONTHS_OF_SITE,
            "sites_to_compare": MIN_SITES,
            "signs": " ".join(sign.name for sign in self.signs if sign.counts),
        }

    @abstractmethod
    def collect(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Return `value_*` and `noise_*` of each sign per facility-month, and what is left out.

        The table also holds the columns of the subject, `site` (whose past is compared),
        `group` (who is alike) and `trade` (who has seasons in common as well), as text.
        """

    def sheet_entries(self, case: Case) -> tuple[int, ...]:
        """Return the entries beyond the facility-month that the answer rests on."""
        entry = int(case.row.get("site_index", -1))
        return (entry,) if entry >= 0 else ()

    def prepare(self, window: pd.DataFrame) -> pd.DataFrame:
        """Finish values and noise that depend on a site's months of the window; none does."""
        return window

    def adjust(self, window: pd.DataFrame, site: NDArray[np.int64]) -> pd.DataFrame:
        """Take back departures that have an innocent explanation; none does by default."""
        del site
        return window

    def features(self, shared: Features) -> Sample:
        """Take each family's departures from the three years up to its end."""
        table, left_out = self.collect(shared)
        known = table[[f"value_{sign.name}" for sign in self._measured]].notna().any(axis=1)
        silent = table["subject_id"][~known]
        reasons = {"none of the figures it compares is reported": silent}
        left_out = left_out or not_judged(self.name, reasons)
        table = table[known].sort_values(["site", "first_day", "index"]).reset_index(drop=True)
        parts, digests = [], {}
        partition = Partition(shared, self.name, table)
        judged, fitted, window = 0, np.empty(0, np.intp), table
        for family in families(table["first_day"], self.min_samples, CLOSING):
            judged += len(family.own)
            if partition.is_settled(family.label, family.own, family.window):
                continue
            # Quarters that are not over have one window: it is fitted once for all of them.
            if not np.array_equal(fitted, family.window):
                window = self._window(table.iloc[family.window].reset_index(drop=True))
                fitted = family.window
            digests[family.label] = _digest(window[["subject_id", *self._values]])
            own = np.isin(family.window, family.own)
            parts.append(window[own].assign(family=family.label, window=len(window)))
        if judged < len(table):
            few = f"fewer than {self.min_samples} facility-months to compare with"
            left_out = (*left_out, Abstention(self.name, few, len(table) - judged))
        joined = pd.concat(parts, ignore_index=True) if parts else table.iloc[:0].assign(family="")
        found = partition.families()
        return Sample(joined, left_out, reference_digests=digests, families=found)

    @property
    def _measured(self) -> Sequence[Sign]:
        return [sign for sign in self.signs if not sign.needs]

    @property
    def _values(self) -> list[str]:
        return [f"value_{sign.name}" for sign in self._measured]

    def _window(self, window: pd.DataFrame) -> pd.DataFrame:
        """Add departures and the deviate of their sum; rows are in order of site and month."""
        window = self.prepare(window)
        site = pd.factorize(window["site"])[0].astype(np.int64)
        group = pd.factorize(window["group"].fillna(""))[0].astype(np.int64)
        month = pd.factorize(window["month"], sort=True)[0].astype(np.int64)
        trade = pd.factorize(window["trade"].fillna(""))[0].astype(np.int64)
        peers = Peers(site, group, month, trade)
        found: dict[str, Floats] = {}
        for sign in self._measured:
            found |= _measure(sign, window, peers)
        for sign in (one for one in self.signs if one.needs):
            found[f"z_{sign.name}"] = np.min([found[f"z_{name}"] for name in sign.needs], axis=0)
            found[f"apart_{sign.name}"] = found[f"month_{sign.name}"] = np.zeros(len(window))
        window = self.adjust(window.assign(**found), site)
        own = _deviates(runs(_standard(self._sum(window, "z")), site))
        return window.assign(deviate=_either(own, self._apart(window, site)))

    def _sum(self, window: pd.DataFrame, what: str) -> Floats:
        """Add signs up as squares: one strong sign, or several that are weak, are strange."""
        total = np.zeros(len(window))
        for sign in (one for one in self.signs if one.counts):
            z = window[f"{what}_{sign.name}"].to_numpy(np.float64)
            total += np.clip(z, 0, sign.most) ** 2
        return np.sqrt(total)

    def _apart(self, window: pd.DataFrame, site: NDArray[np.int64]) -> Floats:
        """Return how strange each site is among its peers, as a deviate.

        A month that is itself nearer to them counts only as far as it is away.
        """
        sites = int(site.max(initial=-1)) + 1
        if sites < MIN_SITES or not any(sign.between for sign in self.signs):
            return np.full(len(window), -_FARTHEST)
        first = np.searchsorted(site, np.arange(sites))
        whole = self._sum(window, "apart")
        null = nulls.fit(whole[first], "upper")
        one = _of_null(null, np.minimum(whole, self._sum(window, "month")))
        return deviate(np.minimum(_MONTHS_OF_SITE * beyond(one), 0.5))

    def score(self, sample: Sample) -> Floats:
        """Measure each row as a normal deviate under its window's null."""
        return sample.table["deviate"].to_numpy(np.float64)

    def decide(self, sample: Sample, scores: Floats, level: float) -> Decisions:
        """Flag what survives Benjamini-Hochberg within its family."""
        return by_family(beyond(scores), sample.table["family"].to_numpy(object), level)

    def explain(self, case: Case) -> Account:
        """Name the figures that stand out, and what they usually are."""
        row = case.row
        strength = {s: _shown(s, row) for s in self.signs}
        order = sorted((s for s in self.signs if s.counts), key=lambda s: (-strength[s], s.name))
        shown = [s for s in order[:_SHOWN] if strength[s] >= _STANDS_OUT] or order[:1]
        lines = [told(s, row) for s in shown]
        return Account(
            evidence=self.sheet_entries(case),
            observed=Measure("distance from the usual", case.score, "standard deviations"),
            expected=Expected(None, case.threshold, "standard deviations"),
            peer_group=PeerGroup(self.peers_are, int(row["window"])),
            sentence=f"At {row['facility_id']} in {row['month']}, {listed([a for a, _ in lines])}.",
            counterfactual=(
                f"The flag would disappear if these were as usual: "
                f"{listed([b for _, b in lines])}; the distance from the usual would then be "
                f"below {case.threshold:.1f}."
            ),
            benign=self.benign,
            caveat=self.caveat,
        )


def _shown(sign: Sign, row: Mapping[str, Any]) -> float:
    """Return how much a sign stands out; one without a figure this month cannot be shown."""
    named = sign.needs[-1] if sign.needs else sign.name
    known = not np.isnan(row[f"value_{named}"])
    return max(row[f"z_{sign.name}"], row[f"apart_{sign.name}"]) if known else -np.inf


def _digest(window: pd.DataFrame) -> str:
    """Name the rows of a window by their subjects and numbers, whatever their order."""
    lines = window.sort_values("subject_id").round(12)
    state = hashlib.sha256(pd.util.hash_pandas_object(lines, index=False).to_numpy().tobytes())
    return f"sha256:{state.hexdigest()}"


def _measure(sign: Sign, window: pd.DataFrame, peers: Peers) -> dict[str, Floats]:
    value = window[f"value_{sign.name}"].to_numpy(np.float64)
    noise = window[f"noise_{sign.name}"].to_numpy(np.float64)
    found = departures(value, noise, peers, sign.reach)
    centre, z, apart, month = found.centre, found.own, found.site, np.nan_to_num(found.month)
    if sign.least is not None:
        centre = np.maximum(centre, sign.least)
        z = np.nan_to_num((value - centre) / found.spread)
    if sign.side == "down":
        z, apart, month = -z, -apart, -month
    if sign.side == "both":
        z, month = np.abs(z), month * np.sign(apart)
        apart = np.abs(apart)
    return {
        f"z_{sign.name}": z,
        f"apart_{sign.name}": apart if sign.between else np.zeros(len(z)),
        f"month_{sign.name}": month if sign.between else np.zeros(len(z)),
        f"centre_{sign.name}": centre,
        f"spread_{sign.name}": found.spread,
    }


def _standard(sums: Floats) -> Floats:
    """Return sums in the spreads of their own upper middle; as they are where there is none."""
    null = nulls.fit(sums, "upper", cleaned=True)
    return sums if null is None else (sums - null.centre) / null.scale


def _deviates(sums: Floats) -> Floats:
    """Turn sums into normal deviates by the null of their own middle; 0 where there is none."""
    return _of_null(nulls.fit(sums, "upper", cleaned=True), sums)


def _of_null(null: nulls.RobustT | None, sums: Floats) -> Floats:
    if null is None:
        return np.zeros(len(sums))
    p = nulls.p_values(null, sums, "upper")
    return np.asarray(np.clip(deviate(p), -_FARTHEST, _FARTHEST))


def _either(own: Floats, apart: Floats) -> Floats:
    """Return the deviate of the stranger of two, with two chances taken into account."""
    most = np.maximum(own, apart)
    alone = apart <= -_FARTHEST
    doubled = deviate(np.minimum(2 * beyond(most), 1 - 1e-12))
    return np.asarray(np.clip(np.where(alone, own, doubled), -_FARTHEST, _FARTHEST))
