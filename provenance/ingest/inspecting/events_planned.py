"""Which events a row makes, where they happen, and what makes their ids.

Next: provenance/ingest/inspecting/fields_planned.py
"""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING, Final

from provenance.ingest.inspecting.plan import Line, Plan, quoted
from provenance.ingest.values import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.ingest.inspecting.recognising import Guess

__all__ = ["plan_events"]

_DATED: Final = (
    ("order_date", "order", "order"),
    ("production_date", "production", "produce"),
    ("ship_date", "despatch", "ship"),
    ("delivery_date", "delivery", "receive"),
)
_INSTEAD: Final = (
    ("planned_delivery", "delivery", "receive"),
    ("planned_ship", "despatch", "ship"),
    ("invoice_date", "despatch", "ship"),
    ("recorded_date", "despatch", "ship"),
)
_FROM: Final = (
    ("site", "site"), ("shipper", "shipper"), ("vendor", "vendor"), ("port_loading", "port"),
)  # fmt: skip
_TO: Final = (
    ("consignee", "client"), ("port_discharge", "port"), ("country_destination", "country"),
    ("country", "country"),
)  # fmt: skip
_KEYS: Final = (
    "row_id", "shipment_id", "line_no", "purchase_order", "bill_of_lading", "sales_order",
    "invoice_number", "container_id", "lot_id", "product_id", "gtin", "product_name", "hs_code",
    "quantity",
)  # fmt: skip
_NEVER: Final = re.compile(r"0[0\W]*\Z|(?:31\W?12\W?|12\W31\W)?9999(?:\W?12\W?31)?(?:\D|\Z)")
"""What systems write for no date: nothing but zeros, or the last day there is."""
_FULL: Final = 0.95
_ALONE: Final = frozenset({"row_id", "shipment_id", "bill_of_lading", "purchase_order", "lot_id"})


def plan_events(plan: Plan, rows: Sequence[Sequence[str]]) -> None:
    """Add the events of a row to a plan."""
    ids = _ids(plan, rows)
    origin, goal = _place(plan, _FROM), _place(plan, _TO)
    for name, line in (("from_facility_id", origin), ("to_facility_id", goal)):
        if line is not None:
            plan.common.append(Line(name, line.column, line.text, line.comment))
    when = plan.role("event_date")
    found = _dated(plan, _DATED)
    if plan.role("event_type") is not None and (when is not None or not found):
        _typed(plan, ids, when)
        return
    if (said := plan.role("event_type")) is not None:
        # Columns of dates say what happened and when; a status says how it stands at the end.
        plan.common = [line for line in plan.common if line.field != "event_type"]
        plan.values.pop("event_type", None)
        plan.used.discard(said.header)
    if not found and when is not None:
        found = [(when, "event", "receive" if goal and not origin else "ship")]
        plan.notes.append(f"{quoted(when.header)} is the only date; say what happened: event_type")
    if not found:
        found = _dated(plan, _INSTEAD)[:1]
        for guess, *_ in found:
            plan.notes.append(f"{quoted(guess.header)} is no date of something that happened")
    if not found:
        plan.notes.append("no column of dates was found; event_time must be filled")
    for guess, name, word in found:
        plan.events.append((name, _event(plan, guess, name, word, ids)))
    _undated(plan, [guess for guess, *_ in found])


def _dated(plan: Plan, wanted: Sequence[tuple[str, str, str]]) -> list[tuple[Guess, str, str]]:
    """The columns with these roles, each with the name and the word of its event."""
    return [(g, name, word) for role, name, word in wanted if (g := plan.role(role)) is not None]


def _ids(plan: Plan, rows: Sequence[Sequence[str]]) -> list[Guess]:
    """The columns that make event ids, and what to say of them."""
    ids, unique = _id_columns(plan, rows)
    plan.used.update(guess.header for guess in ids)
    shown = ", ".join(quoted(guess.header) for guess in ids)
    if not ids:
        plan.notes.append("no column tells rows apart; event_id must be made of some")
    elif not unique:
        plan.notes.append(
            f"event_id is made of {shown}, and some rows still have the same; add what differs"
        )
    return ids


def _typed(plan: Plan, ids: list[Guess], when: Guess | None) -> None:
    """A file that says itself what happened: one event a row."""
    plan.common.insert(0, Line("event_id", _columns(ids), _template(ids, "")))
    if when is None:
        plan.notes.append("no column of dates was found; event_time must be filled")
        return
    plan.common.insert(1, plan.line("event_time", when))
    place = plan.role("facility") or plan.role("site")
    if place is not None:
        plan.common.append(plan.line("facility_id", place))
    _undated(plan, [when])


def _event(plan: Plan, when: Guess, name: str, word: str, ids: list[Guess]) -> list[Line]:
    lines = [
        Line("event_id", _columns(ids), _template(ids, name)),
        Line("event_type", "", f'{{ value = "{word}" }}'),
        plan.line("event_time", when),
    ]
    wanted = {"order": (("vendor", "vendor"),), "receive": _TO}.get(word, _FROM)
    place = _place(plan, (("facility", ""), *wanted))
    if place is not None:
        lines.append(Line("facility_id", place.column, place.text, place.comment))
    return lines


def _place(plan: Plan, wanted: Sequence[tuple[str, str]]) -> Line | None:
    """Where: the best column there is, with its role in front, for names are no codes."""
    for role, before in wanted:
        guess = plan.role(role)
        if guess is not None:
            plan.used.add(guess.header)
            text = f"{before}/{{{guess.header}}}" if before else ""
            given = f"{{ template = {quoted(text)} }}" if before and _bare(guess.header) else ""
            return Line("", guess.header, given or quoted(guess.header), plan.why(guess))
    return None


def _bare(header: str) -> bool:
    return "{" not in header and "}" not in header


def _columns(ids: list[Guess]) -> str:
    return ids[0].header if ids else ""


def _template(ids: list[Guess], name: str) -> str:
    bare = [guess for guess in ids if _bare(guess.header)]
    if not bare:
        return '{ template = "correct this" }'
    if len(bare) == 1 and not name:
        return quoted(bare[0].header)
    text = "/".join([*(f"{{{guess.header}}}" for guess in bare), *([name] if name else [])])
    return f"{{ template = {quoted(text)} }}"


def _id_columns(plan: Plan, rows: Sequence[Sequence[str]]) -> tuple[list[Guess], bool]:
    """The fewest columns, of those that identify, that together tell the rows apart."""
    # A line of totals at the end is no row to be told from others.
    usual = median(sum(map(bool, row)) for row in rows)
    rows = [row for row in rows if sum(map(bool, row)) >= usual / 2]
    wanted = (*_KEYS, *(role for role, *_ in _DATED), "event_date")
    full = [g for role in wanted if (g := plan.role(role)) and g.profile.filled > _FULL * len(rows)]
    for guess in full:
        if guess.best and guess.best.role in _ALONE and _apart([guess], rows):
            return [guess], True
    chosen: list[Guess] = []
    for guess in full:
        if _count([*chosen, guess], rows) > _count(chosen, rows):
            chosen.append(guess)
        if _apart(chosen, rows):
            break
    else:
        return _with_unknown(plan, chosen, rows)
    # What came early may be told by what came late.
    for guess in list(chosen):
        others = [other for other in chosen if other is not guess]
        if _apart(others, rows):
            chosen = others
    return chosen, True


def _with_unknown(
    plan: Plan, chosen: list[Guess], rows: Sequence[Sequence[str]]
) -> tuple[list[Guess], bool]:
    """Columns that nobody knows may number the rows all the same: the first that does is taken."""
    for guess in plan.guesses:
        profile = guess.profile
        numbers = profile.has("code") + profile.has("whole") > _FULL and not profile.has("date")
        if guess.best is None and numbers and _apart([guess], rows):
            return [guess], True
    return chosen, False


def _count(guesses: list[Guess], rows: Sequence[Sequence[str]]) -> int:
    return len({tuple(row[guess.column].strip() for guess in guesses) for row in rows})


def _apart(guesses: list[Guess], rows: Sequence[Sequence[str]]) -> bool:
    return bool(guesses) and _count(guesses, rows) == len(rows)


def _undated(plan: Plan, dates: list[Guess]) -> None:
    """Texts in place of dates, and dates that are day numbers."""
    for guess in dates:
        profile = guess.profile
        plan.undated += [
            text
            for text, _ in profile.texts.most_common(8)
            if text not in plan.undated and any(c.isalpha() for c in text)
        ]
        plan.undated += [
            text
            for text in profile.all_texts
            if _NEVER.match(text) and text not in (*plan.undated, *MISSING)
        ]
        if profile.has("serial") > max(0.5, profile.has("date")):
            plan.serial = True
