"""Plain words for people who scan a code: events, flags and kinds of evidence.

Every flag says what it means and what it does not mean. None of the sentences
accuses anybody: a flag says that records do not fit together, not why.

Next: api/phrases.py
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FlagWords", "event_words", "evidence_words", "flag_words"]


class FlagWords(NamedTuple):
    """What a consumer reads about one type of flag."""

    title: str
    means: str
    does_not_mean: str


_EVENTS = {
    "produce": "Made",
    "transform": "Made from other materials",
    "ship": "Sent",
    "receive": "Received",
    "pack": "Packed",
    "unpack": "Unpacked",
    "inspect": "Inspected",
    "store": "Stored",
    "recall": "Recalled",
    "destroy": "Destroyed",
    "sell": "Sold",
    "order": "Ordered",
}

_EVIDENCE = {
    "rule": "A fixed rule is broken on the records as they stand.",
    "statistical": "Unusual compared with similar records; some flags of this kind are chance.",
    "learned": "Resembles cases that people confirmed before.",
}

_FLAGS = {
    "origin_laundering": FlagWords(
        "The stated origin changes on the way",
        "The country of origin on the papers changes without a recorded step that explains it.",
        "It does not mean that the goods come from somewhere forbidden.",
    ),
    "impossible_travel": FlagWords(
        "It arrived sooner than it can have travelled",
        "Two recorded places lie too far apart for the time between them.",
        "It does not mean that the goods are false; often a clock or a date was wrong.",
    ),
    "route_detour": FlagWords(
        "An unusual route",
        "The goods passed through a place that is rare on this route.",
        "It does not mean that something happened there; closed ports also cause detours.",
    ),
    "custody_gap": FlagWords(
        "A hand-over is missing",
        "The records do not show who held the goods at some point, or the amounts differ.",
        "It does not mean that goods were swapped; hand-overs are often just not scanned.",
    ),
    "cloned_serial": FlagWords(
        "One serial number in two places",
        "The same serial number appears at places where one object cannot be at once.",
        "It does not say which of the two is the original.",
    ),
    "mass_balance": FlagWords(
        "More came out than the recorded inputs can give",
        "The recorded materials are not enough for the recorded product.",
        "It does not mean that materials were mixed in; an input may not have been recorded.",
    ),
    "dwell_anomaly": FlagWords(
        "An unusually long or short stay",
        "The goods stayed at a place for a time that is unusual there.",
        "It does not mean that the goods were touched; congestion and holidays do this too.",
    ),
    "phantom_shipment": FlagWords(
        "Goods without a recorded beginning",
        "More was sent than recorded as made, or the same papers were used twice.",
        "It does not mean that the goods do not exist; their beginning may not be recorded.",
    ),
    "lane_novelty": FlagWords(
        "A new partner or route",
        "This sender or route has no history in these records.",
        "It does not mean that the partner is untrustworthy; every partner is new once.",
    ),
    "weight_misdeclared": FlagWords(
        "The weight is out of line",
        "The recorded weight does not fit goods of this kind and amount.",
        "It does not mean that the goods differ; units are sometimes mixed up.",
    ),
    "value_misdeclared": FlagWords(
        "The declared value is out of line",
        "The declared value does not fit goods of this kind and amount.",
        "It does not mean that duties were evaded.",
    ),
    "listed_source": FlagWords(
        "A supplier or region on a watch list",
        "A material in its history comes from a place or company on a published list.",
        "It does not mean that this item was made under the conditions the list is about.",
    ),
    "cold_chain_breach": FlagWords(
        "The recorded temperature is far from usual",
        "A temperature reading on the way is far from what is usual for these goods.",
        "It does not mean that the goods are spoiled.",
    ),
    "temporal_order": FlagWords(
        "Steps in an impossible order",
        "A step is dated before another that must come first.",
        "It does not mean that the step did not happen; dates are often entered wrongly.",
    ),
    "excess_hours": FlagWords(
        "Working hours above the legal limit",
        "A site on the way reported working hours above the law's limit for that month.",
        "It does not say whether work on this item was part of those hours.",
    ),
    "wage_below_minimum": FlagWords(
        "Pay below the minimum wage",
        "A site on the way reported pay below the legal minimum for that month.",
        "It does not say whether the people who made this item were underpaid.",
    ),
    "output_beyond_capacity": FlagWords(
        "More output than the site can make",
        "A site on the way reported more output than its people and machines usually give.",
        "It does not mean that work was passed on in secret.",
    ),
    "child_labour": FlagWords(
        "Ages below the legal minimum",
        "A site on the way reported ages below the legal minimum, or doubtful records of age.",
        "It does not say that a child worked on this item.",
    ),
    "falsified_timesheet": FlagWords(
        "Time sheets that look copied or rounded",
        "Time sheets of a site on the way show patterns that measured hours rarely show.",
        "It does not mean that anybody falsified them; some clocks round.",
    ),
    "fabricated_payroll": FlagWords(
        "Pay records that look made up",
        "Pay records of a site on the way show patterns that real pay rarely shows.",
        "It does not mean that anybody invented them.",
    ),
    "audit_lapsed": FlagWords(
        "An audit has run out",
        "A site on the way had no valid audit in that month.",
        "It does not mean that conditions were bad.",
    ),
    "coercion_indicators": FlagWords(
        "Signs that workers may not be free to leave",
        "A site on the way reported several of the signs that the ILO lists for forced labour.",
        "It does not prove forced labour, and does not say who is responsible.",
    ),
    "confirmed_before": FlagWords(
        "Like flags that people confirmed",
        "A flag on this record resembles earlier ones that reviewers found to be right.",
        "It says nothing new about the record, and reviewers err.",
    ),
    "unusual_overall": FlagWords(
        "Unusual taken as a whole",
        "Several small things about a record are unusual together.",
        "On its own it means little; it is a reason to look, nothing more.",
    ),
}


def flag_words(flag_type: str) -> FlagWords:
    """Say what a flag type means; a type from somebody else's detector gets general words."""
    return _FLAGS.get(flag_type) or FlagWords(
        flag_type.replace("_", " ").capitalize(),
        "A check found that the records do not fit together here.",
        "It does not say why, and it accuses nobody.",
    )


def event_words(event_type: str) -> str:
    """Say what happened; a word that is not known is shown as it was recorded."""
    return _EVENTS.get(event_type) or event_type.replace("_", " ").capitalize()


def evidence_words(evidence_class: str) -> str:
    """Say how strong a class of evidence is; empty for a class that is not known."""
    return _EVIDENCE.get(evidence_class, "")
