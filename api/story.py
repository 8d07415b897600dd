"""A product's records told for a reader: steps, origins, flags and verification.

Plain values, ready for the page and for the JSON view; nothing here is read
from a store except through `Product`, whose parts are cut to the viewer's tier.

Next: api/qr.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from api import phrases, reading, words
from api.coverage import Coverage, Origin, coverage, origins
from provenance.disclosure.privacy import b64

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from api.product import Product
    from api.reading import Head, Record
    from provenance.entries import Content
    from provenance.identifiers import ItemKey

__all__ = [
    "MAX_STEPS",
    "Certainty",
    "FlagGroup",
    "FlagStory",
    "Proof",
    "Step",
    "Story",
    "certainty",
    "proof_of",
    "tell",
]

Certainty = Literal["recorded", "approximate", "questioned"]
"""How sure a step is: recorded with time and place; recorded, but the exact time or the
place is not; recorded, but an open flag names it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Where an event stands in the log, and where its proof bundle is served."""

    party: str
    event_id: str
    index: int
    leaf_hash: str
    path: str


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the journey.

    Attributes:
        what: What happened, in words.
        who: The party that recorded it.
        when: The time for a reader; empty when it is not known.
        time: The time as recorded, ISO 8601.
        where: Site and country; empty when they are not recorded.
        goods: What it was about, and how much; empty when that is not recorded.
        own: Whether it is about the item itself, not about something it was made from.
        certainty: How sure it is.
        proof: Its place in the log.
        details: Every field that the viewer may see.
    """

    what: str
    goods: str
    who: str
    when: str
    time: str
    where: str
    own: bool
    certainty: Certainty
    proof: Proof | None
    details: Content


@dataclass(frozen=True, slots=True)
class FlagStory:
    """A flag in plain words.

    Attributes:
        about: What it names, in words a reader of the page can follow.
        explanation: The detector's own sentence; empty when the viewer may not see it.
        record: The flag as the viewer may see it.
    """

    type: str
    severity: str
    about: str
    explanation: str
    record: Record


@dataclass(frozen=True, slots=True)
class FlagGroup:
    """Flags of one type, which share their words."""

    type: str
    words: words.FlagWords
    evidence: str
    flags: Sequence[FlagStory]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the page shows about one product.

    Attributes:
        missing: The part of the code that is not on record, when something coarser is shown.
        steps: The journey, or the most telling steps of a long one.
        left_out: How many steps of the journey are not in `steps`; None when even that is unknown.
        proof: The proof of the latest step that has one.
    """

    title: str
    missing: str | None
    key: ItemKey
    gtin: str | None
    path: str
    facts: Sequence[tuple[str, str]]
    steps: Sequence[Step]
    left_out: int | None
    origins: Sequence[Origin]
    coverage: Coverage
    flags: Sequence[FlagGroup]
    certificates: Sequence[str]
    proof: Proof | None
    head: Head

    @property
    def step_count(self) -> int:
        """How many steps are on record, at least."""
        return len(self.steps) + (self.left_out or 0)

    @property
    def flag_count(self) -> int:
        """How many open flags there are."""
        return sum(len(group.flags) for group in self.flags)


MAX_STEPS = 60
"""The most steps on a page."""
_FACTS = (("brand", "Brand"), ("hs_code", "Customs code (HS)"))


def tell(product: Product) -> Story:
    """Tell everything about a product that its viewer may see."""
    shown = _shown(product.journey.steps)
    steps = [_step(step, product) for step in shown]
    known = {step.event.key: told for step, told in zip(shown, steps, strict=True)}
    master = product.master
    return Story(
        title=product.title,
        missing=product.missing,
        key=product.key,
        gtin=product.gtin,
        path=product.path,
        facts=[(label, str(master[name])) for name, label in _FACTS if name in master],
        steps=steps,
        left_out=None if product.journey.truncated else len(product.journey.steps) - len(steps),
        origins=origins(product),
        coverage=coverage(product),
        flags=_grouped(_flag(flag, known) for flag in product.flags),
        certificates=product.certificates,
        proof=next((step.proof for step in reversed(steps) if step.proof), None),
        head=product.reading.head(),
    )


def _shown(steps: Sequence[reading.Step]) -> Sequence[reading.Step]:
    """Choose the steps of a long journey: the item's own and the makings before the others."""
    if len(steps) <= MAX_STEPS:
        return steps
    making = ("produce", "transform")
    ranked = sorted(
        range(len(steps)),
        key=lambda at: (
            steps[at].hops > 0 and steps[at].event.content.get("event_type") not in making,
            steps[at].hops,
            at,
        ),
    )
    return [steps[at] for at in sorted(ranked[:MAX_STEPS])]


def _step(step: reading.Step, product: Product) -> Step:
    content = step.event.content
    return Step(
        what=words.event_words(str(content.get("event_type", ""))),
        goods=_goods(content, product),
        who=str(content.get("party", "")),
        when=phrases.moment(content),
        time=str(content.get("event_time", "")),
        where=phrases.place(content, product.facilities),
        own=step.hops == 0,
        certainty=certainty(content, flagged=step.event.key in product.flagged),
        proof=proof_of(step.event),
        details=content,
    )


def _goods(content: Content, product: Product) -> str:
    """Say what and how much of it an event is about: its first item of this lineage."""
    items = [item for item in content.get("items", ()) if isinstance(item, dict)]
    for item in items:
        name = (item.get("party", ""), item.get("product_id", ""))
        if (*name, item.get("lot_id")) in product.goods:
            title = product.materials.get(name, {}).get("name") or name[1]
            return " · ".join(part for part in (str(title), phrases.amount(item)) if part)
    return ""


def certainty(content: Content, *, flagged: bool) -> Certainty:
    """Say how sure an event is, given whether an open flag names it."""
    if flagged:
        return "questioned"
    placed = "facility_id" in content or "locode" in content
    if not placed or "event_time" not in content or phrases.is_day_only(content):
        return "approximate"
    return "recorded"


def proof_of(event: Record) -> Proof | None:
    """Return where an event stands in the log; None when it has no entry or no name."""
    party, event_id = event.content.get("party"), event.content.get("event_id")
    if event.index is None or event.leaf_hash is None or party is None or event_id is None:
        return None
    path = f"/proof/{quote(str(party), safe='')}/{quote(str(event_id), safe='')}"
    return Proof(str(party), str(event_id), event.index, b64(event.leaf_hash), path)


def _flag(flag: Record, steps: Mapping[str, Step]) -> FlagStory:
    content = flag.content
    return FlagStory(
        type=str(content.get("type", "")),
        severity=str(content.get("severity", "")),
        about=_about(flag, steps),
        explanation=str(content.get("explanation", "")),
        record=flag,
    )


def _grouped(flags: Iterable[FlagStory]) -> list[FlagGroup]:
    """Put flags of one type together, in the order of the first of each."""
    groups: dict[str, list[FlagStory]] = {}
    for flag in flags:
        groups.setdefault(flag.type, []).append(flag)
    return [
        FlagGroup(
            type=flag_type,
            words=words.flag_words(flag_type),
            evidence=words.evidence_words(str(same[0].record.content.get("evidence_class", ""))),
            flags=same,
        )
        for flag_type, same in groups.items()
    ]


def _about(flag: Record, steps: Mapping[str, Step]) -> str:
    step = steps.get(flag.about or "")
    if step is not None:
        return ", ".join(part for part in (step.what, step.when, step.where) if part)
    subject = str(flag.content.get("subject_id", ""))
    kind = str(flag.content.get("subject_kind", ""))
    if kind == "facility_month":
        facility, _, month = subject.partition("|")
        return f"Site {facility} in {month}"
    earlier = "An earlier step, record" if kind == "event" else kind.capitalize()
    return f"{earlier} {subject}".strip()
