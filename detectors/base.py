"""What a detector is, and what a flag says.

Score, decision and explanation are three things, made by three methods; a
higher score is stranger, everywhere. Features come from one shared store per
run (`features.Features`), so that a detector holds only its own question.

Next: detectors/columns.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = [
    "Abstention",
    "Account",
    "Benign",
    "Case",
    "Decisions",
    "Detector",
    "Evidence",
    "EvidenceClass",
    "Expected",
    "Families",
    "Finding",
    "Flag",
    "Measure",
    "PeerGroup",
    "Sample",
    "Severity",
    "SubjectKind",
]

Severity = Literal["info", "low", "medium", "high", "critical"]
Finding = Literal["ruled out", "possible", "likely", "not checked"]


class EvidenceClass(StrEnum):
    """What kind of claim a flag makes; the classes are never mixed."""

    RULE = "rule"
    STATISTICAL = "statistical"
    LEARNED = "learned"


class SubjectKind(StrEnum):
    """What `subject_id` names: an event id, FACILITY|YYYY-MM, or another node's id."""

    EVENT = "event"
    FACILITY_MONTH = "facility_month"
    ITEM = "item"
    SHIPMENT = "shipment"
    LANE = "lane"
    FACILITY = "facility"


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """One log entry that a conclusion rests on."""

    index: int
    leaf_hash: bytes


class Measure(NamedTuple):
    """An observed value; `what` completes "the … was"."""

    what: str
    value: float
    unit: str


class Expected(NamedTuple):
    """The interval in which the value would not have been flagged; None is open."""

    low: float | None
    high: float | None
    unit: str


class PeerGroup(NamedTuple):
    """What the value was compared with, and how many of them there are."""

    name: str
    size: int


class Benign(NamedTuple):
    """An innocent explanation that was considered, and what became of it."""

    cause: str
    outcome: Finding


@dataclass(frozen=True, slots=True, order=True)
class Abstention:
    """Something was not judged, and why.

    Attributes:
        detector: Whose question stays open.
        reason: One clause a person understands.
        count: How many subjects it concerns; 0 for the detector as a whole.
        examples: A few of them, in order.
        subjects: All of them; None where nobody says which.
    """

    detector: str
    reason: str
    count: int = 0
    examples: tuple[str, ...] = ()
    subjects: frozenset[str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Families:
    """That a detector's cases are judged family by family, each for itself; see `partition`.

    Attributes:
        inputs: Digest of all that each family's answer rests on, by the family's label.
        settled: Families whose inputs are those of the run before: they are not in the table.
        cases: How many cases there are, those of settled families among them.
    """

    inputs: Mapping[str, str]
    settled: frozenset[str]
    cases: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The subjects a detector judges in one run.

    Attributes:
        table: One row per judged case, at least the columns `subject_id`,
            `subject_party` (missing where ids are global) and `index` (log index of the
            subject's entry). Several rows may share a subject: the strangest speaks for it.
        abstentions: What is not in the table, and why.
        context: Whatever scoring and explaining need besides the rows.
        reference_digests: Digest of the reference rows by family, where there are any.
        list_version: Name and digest of the list used, where there is one.
        families: Where families are judged each for itself; None where all cases are judged
            together, or by rules.
    """

    table: pd.DataFrame
    abstentions: tuple[Abstention, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    reference_digests: Mapping[str, str] = field(default_factory=dict)
    list_version: str | None = None
    families: Families | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What follows from the scores, row by row.

    Attributes:
        flagged: Whether the case is flagged.
        threshold: The score above which a case is flagged.
        likely_benign: An innocent cause is more likely than not; ranks below all others.
        p: Probability of such a score under the null, where there is a null.
        q: `p` after Benjamini-Hochberg: within its family as the detector says it, with all
            families of the period once the run knows them.
        family: Label of the false-discovery family, for example "2024Q1".
    """

    flagged: NDArray[np.bool_]
    threshold: NDArray[np.float64]
    likely_benign: NDArray[np.bool_]
    p: NDArray[np.float64] | None = None
    q: NDArray[np.float64] | None = None
    family: NDArray[np.object_] | None = None


class Case(NamedTuple):
    """One flagged row on its way to an explanation."""

    row: Mapping[str, Any]
    score: float
    threshold: float
    sample: Sample
    shared: Features


@dataclass(frozen=True, slots=True)
class Account:
    """A flag in words and numbers, for a person who was not there.

    Attributes:
        evidence: Log indices the conclusion rests on; the subject's own comes by itself.
        observed: The value.
        expected: Where it would have been unremarkable.
        peer_group: Compared with what; None for a rule that compares with nothing.
        sentence: One plain sentence.
        counterfactual: "The flag would disappear if …", with the nearest value.
        benign: Innocent causes considered.
        caveat: What the flag does not say.
    """

    evidence: tuple[int, ...]
    observed: Measure
    expected: Expected
    sentence: str
    counterfactual: str
    benign: tuple[Benign, ...]
    caveat: str
    peer_group: PeerGroup | None = None


class Detector(Protocol):
    """One typed question. Stateless: everything comes in through the arguments.

    A detector must not change its input, must not depend on the order of rows, and
    must answer the same for the same input, in any process, on any number of threads.
    """

    @property
    def name(self) -> str:
        """Unique id, for example "impossible_travel"."""
        ...

    @property
    def type(self) -> str:
        """Type of the flags it raises; several detectors may share one."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same input may give another answer."""
        ...

    @property
    def evidence_class(self) -> EvidenceClass:
        """The kind of claim its flags make."""
        ...

    @property
    def subject_kind(self) -> SubjectKind:
        """What its subjects are."""
        ...

    @property
    def min_samples(self) -> int:
        """Fewer cases than this are not judged at all."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Fields it looks at, as "version path", for example "event/1 /latitude"."""
        ...

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """Every constant the answer depends on."""
        ...

    @property
    def libraries(self) -> tuple[str, ...]:
        """Distributions whose version may matter to the numbers."""
        ...

    def features(self, shared: Features, /) -> Sample:
        """Collect the cases to judge, and say what cannot be judged."""
        ...

    def score(self, sample: Sample, /) -> NDArray[np.float64]:
        """Measure each row of the sample's table; finite, higher is stranger."""
        ...

    def decide(self, sample: Sample, scores: NDArray[np.float64], level: float, /) -> Decisions:
        """Hold the scores against a threshold, or a null at false-discovery `level`."""
        ...

    def explain(self, case: Case, /) -> Account:
        """Put one flagged case into words, with its evidence."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """The stored claim: a detector's conclusion on one subject, with all it rests on.

    Never a verdict on a person or company. `rank` orders flags of all detectors within
    one run (see `detectors.ranking`); it is derived and not stored.
    """

    type: str
    subject_kind: SubjectKind
    subject_id: str
    subject_party: str | None
    severity: Severity
    evidence_class: EvidenceClass
    detector: str
    detector_version: str
    evidence: tuple[Evidence, ...]
    tree_size: int
    root: bytes
    score: float
    threshold: float
    account: Account
    rank: float
    likely_benign: bool
    p: float | None
    q: float | None
    family: str | None
    family_size: int | None
    parameters: Mapping[str, float | int | str]
    code_digest: str
    seed: int
    libraries: Mapping[str, str]
    reads: tuple[str, ...]
    reference_digest: str | None
    list_version: str | None
