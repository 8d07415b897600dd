"""What a report says, put together from the graph, a run of the detectors, and the reviews.

Next: api/report/lane_map.py
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from api.words import evidence_words, flag_words
from detectors.base import EvidenceClass
from detectors.casework.cases import read_board
from detectors.casework.precision import precisions
from detectors.casework.reviews import State
from detectors.overview import overview
from graph.model import RecordKind
from provenance.canonical import decimal
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detectors.casework.cases import Case
    from detectors.casework.precision import Precision
    from detectors.casework.reviews import Review
    from detectors.overview import Lane, SiteMonth
    from detectors.run import RunResult
    from graph.frames import Frames
    from graph.model import Record
    from graph.store import GraphStore

__all__ = ["CaseTold", "DetectorTold", "FlagTold", "Head", "Report", "SiteTold", "gather"]

_EVIDENCE_SHOWN: Final = 12
_CLASSES: Final = ("rule", "learned", "statistical")


class Head(NamedTuple):
    """Which state of which log a report is true for.

    Attributes:
        origin: The log's name.
        position: Tree size.
        root: Root hash at that size, in hex.
        made: When the report was made, ISO 8601.
    """

    origin: str
    position: int
    root: str
    made: str


@dataclass(frozen=True, slots=True)
class FlagTold:
    """One flag in words; every text is the detector's own or `api.words`'."""

    index: int
    type: str
    title: str
    severity: str
    evidence_class: str
    subject: str
    sentence: str
    observed: str
    expected: str
    peers: str
    counterfactual: str
    caveat: str
    benign: tuple[tuple[str, str], ...]
    chance: str
    evidence: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class CaseTold:
    """One incident: its flags, the most serious first."""

    id: int
    state: str
    flags: tuple[FlagTold, ...]


@dataclass(frozen=True, slots=True)
class DetectorTold:
    """How one detector did in this run, and in the eyes of reviewers.

    Attributes:
        name: Whose.
        judged: How many subjects it judged.
        flags: How many of its flags are current.
        by_chance: How many of those the level lets expect on nothing; None without such flags.
        precision: What reviewers found, None where it has no flags.
    """

    name: str
    judged: int
    flags: int
    by_chance: float | None
    precision: Precision | None


@dataclass(frozen=True, slots=True)
class SiteTold:
    """A site's months, and of which types flags stand in them; each type once a month."""

    site: str
    name: str
    months: tuple[SiteMonth, ...]
    flagged: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page shows; it computes nothing itself."""

    head: Head
    first_day: str | None
    last_day: str | None
    events: int
    site_months: int
    flags: int
    level: float
    expected_false: float
    classes: tuple[tuple[str, int, str], ...]
    types: tuple[tuple[str, str, int], ...]
    states: tuple[tuple[str, int], ...]
    superseded: int
    cases: tuple[CaseTold, ...]
    more_cases: tuple[CaseTold, ...]
    lanes: tuple[Lane, ...]
    sites: tuple[SiteTold, ...]
    sites_left_out: int
    detectors: tuple[DetectorTold, ...]
    not_judged: tuple[tuple[str, str, int], ...]
    errors: tuple[str, ...]


def gather(
    graph: GraphStore,
    frames: Frames,
    result: RunResult,
    head: Head,
    *,
    level: float,
    cases: int,
    sites: int,
) -> Report:
    """Put a report together.

    Args:
        graph: At the position of `head`.
        frames: Of that graph.
        result: A run of the detectors on these frames.
        head: Which state of the log this is.
        level: False-discovery level of the run.
        cases: How many cases to tell in full; the others take a line each.
        sites: How many sites to draw; those with flags first.
    """
    flags, reviews, found, superseded = read_board(graph)
    told = [_case(one, reviews) for one in found]
    seen = overview(frames, _events(flags))
    drawn, left_out = _sites(seen.months, flags, _names(graph), sites)
    types = Counter(flag.attrs["type"] for flag in flags)
    classes = Counter(flag.attrs["evidence_class"] for flag in flags)
    return Report(
        head=head,
        first_day=seen.first_day,
        last_day=seen.last_day,
        events=seen.events,
        site_months=len(seen.months),
        flags=len(flags),
        level=level,
        expected_false=result.expected_false,
        classes=tuple((name, classes[name], evidence_words(name)) for name in _CLASSES),
        types=tuple((name, flag_words(name).title, n) for name, n in types.most_common()),
        states=tuple(_states(found).items()),
        superseded=len(superseded),
        cases=tuple(told[:cases]),
        more_cases=tuple(told[cases:]),
        lanes=tuple(seen.lanes),
        sites=drawn,
        sites_left_out=left_out,
        detectors=_detectors(flags, reviews, result, level),
        not_judged=tuple((one.detector, one.reason, one.count) for one in result.abstentions),
        errors=tuple(f"{one.detector}: {one.message}" for one in result.errors),
    )


def _events(flags: Sequence[Record]) -> list[tuple[str, str]]:
    return [
        (flag.attrs.get("subject_party", ""), flag.attrs["subject_id"])
        for flag in flags
        if flag.attrs["subject_kind"] == "event"
    ]


def _states(cases: Sequence[Case]) -> dict[str, int]:
    counts = Counter(case.state for case in cases)
    return {state.value: counts[state] for state in State}


def _names(graph: GraphStore) -> dict[str, str]:
    records = graph.records(RecordKind.FACILITY, Tier.PRIVATE)
    return {one.attrs["facility_id"]: one.attrs.get("name", "") for one in records}


def _case(case: Case, reviews: Mapping[int, Review]) -> CaseTold:
    flags = tuple(_flag(flag, reviews.get(flag.index)) for flag in case.flags)
    return CaseTold(case.id, case.state.value, flags)


def _flag(flag: Record, review: Review | None) -> FlagTold:
    content = flag.attrs
    expected, peers = content.get("expected", {}), content.get("peer_group")
    evidence = [f"#{index}" for index, _ in content.get("evidence", ())]
    more = len(evidence) - _EVIDENCE_SHOWN
    return FlagTold(
        index=flag.index,
        type=content["type"],
        title=flag_words(content["type"]).title,
        severity=content.get("severity", ""),
        evidence_class=content.get("evidence_class", ""),
        subject=content["subject_id"],
        sentence=content.get("explanation", ""),
        observed=_observed(content.get("observed", {})),
        expected=_expected(expected),
        peers=f"{peers['name']} ({peers['size']:,})" if peers else "",
        counterfactual=content.get("counterfactual", ""),
        caveat=content.get("caveat", ""),
        benign=tuple((one["cause"], one["outcome"]) for one in content.get("benign", ())),
        chance=_chance(content),
        evidence=", ".join(evidence[:_EVIDENCE_SHOWN]) + (f" and {more} more" if more > 0 else ""),
        state=State.OPEN.value if review is None else review.state.value,
        reason="" if review is None or review.reason is None else review.reason,
    )


def _observed(observed: Mapping[str, Any]) -> str:
    if not observed:
        return ""
    return f"{observed['what']}: {_number(observed['value'])} {observed['unit']}"


def _expected(expected: Mapping[str, Any]) -> str:
    low, high, unit = (expected.get(name) for name in ("low", "high", "unit"))
    if low is None and high is None:
        return ""
    if low is None:
        return f"at most {_number(high)} {unit}"
    if high is None:
        return f"at least {_number(low)} {unit}"
    return f"{_number(low)} to {_number(high)} {unit}"


def _chance(content: Mapping[str, Any]) -> str:
    if content.get("q") is None:
        return ""
    return f"p {_number(content['p'])}, q {_number(content['q'])} among {content['family_size']:,}"


def _number(value: Any) -> str:
    number = decimal(value)
    return "" if number is None else f"{float(number):,.4g}"


def _sites(
    months: Sequence[SiteMonth], flags: Sequence[Record], names: Mapping[str, str], limit: int
) -> tuple[tuple[SiteTold, ...], int]:
    """Choose the sites to draw: most flagged months first, then by id; and how many are not."""
    flagged: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for flag in flags:
        if flag.attrs["subject_kind"] == "facility_month":
            site, _, month = flag.attrs["subject_id"].rpartition("|")
            flagged[site][month].add(flag.attrs["type"])
    by_site: dict[str, list[SiteMonth]] = defaultdict(list)
    for month in months:
        by_site[month.site].append(month)
    order = sorted(by_site, key=lambda site: (-len(flagged.get(site, ())), site))
    told = tuple(
        SiteTold(
            site,
            names.get(site, ""),
            tuple(by_site[site]),
            {month: tuple(sorted(types)) for month, types in flagged.get(site, {}).items()},
        )
        for site in order[:limit]
    )
    return told, max(len(order) - limit, 0)


def _detectors(
    flags: Sequence[Record], reviews: Mapping[int, Review], result: RunResult, level: float
) -> tuple[DetectorTold, ...]:
    held = {one.detector: one for one in precisions(flags, reviews)}
    promised = Counter(
        flag.attrs["detector"]
        for flag in flags
        if flag.attrs["evidence_class"] == EvidenceClass.STATISTICAL
    )
    names = sorted(result.judged.keys() | held.keys())
    return tuple(
        DetectorTold(
            name,
            result.judged.get(name, 0),
            held[name].flags if name in held else 0,
            level * promised[name] if name in promised else None,
            held.get(name),
        )
        for name in names
    )
