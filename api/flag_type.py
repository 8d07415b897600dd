"""The schema's type for flags.

Next: api/product_type.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from api import words
from api.fields import (
    flag_field,
    global_id,
    json_field,
    number_field,
    text_field,
    whole_field,
    word_field,
)
from api.reading import Record
from api.vocabulary import JSON, Decimal, EvidenceClass, FlagState, Severity, SubjectKind
from provenance.disclosure.privacy import b64

if TYPE_CHECKING:
    from provenance.entries import Content

__all__ = ["EvidenceRef", "Flag"]


@strawberry.type(description="A log entry that a conclusion rests on.")
class EvidenceRef:
    """A log entry by place and leaf hash."""

    index: int
    leaf_hash: str


@strawberry.type(
    description="A claim that records do not fit together. It accuses nobody. "
    "Fields above your tier are null."
)
class Flag:
    """A flag."""

    record: strawberry.Private[Record]
    type: str | None = text_field("type", "For example custody_gap; detectors may add types.")
    severity: Severity | None = word_field(Severity, "severity")
    evidence_class: EvidenceClass | None = word_field(EvidenceClass, "evidence_class")
    detector: str | None = text_field("detector")
    detector_version: str | None = text_field("detector_version")
    subject_kind: SubjectKind | None = word_field(SubjectKind, "subject_kind")
    subject_id: str | None = text_field("subject_id")
    subject_party: str | None = text_field("subject_party")
    explanation: str | None = text_field("explanation")
    counterfactual: str | None = text_field("counterfactual", "When the flag would disappear.")
    caveat: str | None = text_field("caveat", "What the detector says that it does not say.")
    likely_benign: bool | None = flag_field("likely_benign", "An innocent cause is likely.")
    score: Decimal | None = number_field("score", "Higher is stranger.")
    p: Decimal | None = number_field("p")
    q: Decimal | None = number_field("q")
    threshold: Decimal | None = number_field("threshold")
    family: str | None = text_field("family", "Its false-discovery family.")
    family_size: int | None = whole_field("family_size")
    observed: JSON | None = json_field("observed")
    expected: JSON | None = json_field("expected")
    peer_group: JSON | None = json_field("peer_group")
    benign: JSON | None = json_field("benign", "Innocent causes that were considered.")
    parameters: JSON | None = json_field("parameters")
    code_digest: str | None = text_field("code_digest")
    libraries: JSON | None = json_field("libraries")
    seed: int | None = whole_field("seed")
    reference_digest: str | None = text_field("reference_digest")
    list_version: str | None = text_field("list_version")
    reason: str | None = text_field("review_reason", "Why it was decided so.")
    reviewer: str | None = text_field("review_by", "Who decided.")
    review_index: int | None = whole_field("review_index", "The decision's place in the log.")
    superseded_reason: str | None = text_field("superseded_reason", "Why a run superseded it.")
    superseded_cause: str | None = text_field(
        "superseded_cause", "What has changed: the record, or the detector."
    )
    superseded_index: int | None = whole_field(
        "superseded_index", "Where the log says that it was superseded."
    )
    tree_size: int | None = whole_field("tree_size", "The log's size when it was raised.")
    root: str | None = text_field("root", "The log's root at that size.")

    @property
    def content(self) -> Content:
        """What the viewer may see of the flag."""
        return self.record.content

    @strawberry.field
    def id(self) -> strawberry.ID:
        """Return the global id."""
        return global_id("Flag", self.record.key)

    @strawberry.field
    def index(self) -> int | None:
        """Return the flag's place in the log."""
        return self.record.index

    @strawberry.field
    def state(self) -> FlagState:
        """Return what people have decided on it."""
        return FlagState(self.content.get("review_state", FlagState.OPEN.value))

    @strawberry.field
    def leaf_hash(self) -> str | None:
        """Return the leaf hash in base64url."""
        return None if self.record.leaf_hash is None else b64(self.record.leaf_hash)

    @strawberry.field
    def title(self) -> str:
        """Say the type in plain words."""
        return self._words.title

    @strawberry.field
    def means(self) -> str:
        """Say what it means."""
        return self._words.means

    @strawberry.field
    def does_not_mean(self) -> str:
        """Say what it does not mean."""
        return self._words.does_not_mean

    @property
    def _words(self) -> words.FlagWords:
        return words.flag_words(str(self.content.get("type", "")))

    @strawberry.field
    def evidence(self) -> list[EvidenceRef]:
        """Return the log entries that it rests on."""
        pairs = self.content.get("evidence") or []
        return [EvidenceRef(index=index, leaf_hash=leaf_hash) for index, leaf_hash in pairs]

    @strawberry.field
    def follows(self) -> EvidenceRef | None:
        """Return the superseded flag of the same kind and subject that this one follows."""
        pair = self.content.get("follows")
        return None if pair is None else EvidenceRef(index=pair[0], leaf_hash=pair[1])
