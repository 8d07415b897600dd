"""From what columns are to the fields of a mapping: which column, which words, which unit.

Next: provenance/ingest/inspecting/toml_text.py
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from provenance.ingest.inspecting.countries import country_code
from provenance.ingest.inspecting.events_planned import plan_events
from provenance.ingest.inspecting.plan import Line, Plan, quoted
from provenance.ingest.inspecting.scoring import SUMS_AGREE
from provenance.ingest.inspecting.tokens import read_heading
from provenance.ingest.inspecting.vocabulary import WEIGHT_UNITS, event_word, mode_word, unit_word
from provenance.ingest.values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provenance.ingest.inspecting.recognising import Guess

__all__ = ["make_plan"]

_WORDS_KEPT: Final = 60
_FEW: Final = 12
_AGAIN: Final = 2
_TO_KG: Final = {"tonne": "1000", "gram": "0.001", "t": "1000", "g": "0.001"}
"""By the word of a heading and by the unit."""
_PLAIN: Final = {
    "product_id": "product_id",
    "lot_id": "lot_id",
    "gtin": "gtin",
    "shipment_id": "shipment_id",
    "bill_of_lading": "bill_of_lading",
    "purchase_order": "purchase_order",
    "container_id": "container_id",
    "certificate_id": "certificate_id",
    "carrier": "carrier",
    "locode": "locode",
    "latitude": "latitude",
    "longitude": "longitude",
    "expiry_date": "batch_expiry_date",
}
"""Role -> the native field that it fills as it stands."""


def make_plan(guesses: Sequence[Guess], rows: Sequence[Sequence[str]]) -> Plan:
    """Work out a mapping to events.

    Args:
        guesses: From `recognise_columns`.
        rows: The rows that they were made from.
    """
    plan = Plan(list(guesses))
    _plan_numbers(plan)
    for role, name in _PLAIN.items():
        guess = plan.role(role)
        if guess is not None:
            plan.common.append(plan.line(name, guess))
    _plan_product(plan)
    _plan_lists(plan)
    _plan_quantity(plan)
    _plan_temperature(plan)
    _plan_weight(plan)
    _plan_value(plan)
    _plan_price(plan)
    _plan_words(plan, "transport_mode", "transport_mode", mode_word)
    _plan_words(plan, "country_origin", "declared_origin_country", country_code)
    _plan_words(plan, "event_type", "event_type", event_word)
    plan_events(plan, rows)
    return plan


def _plan_numbers(plan: Plan) -> None:
    """The decimal sign of the file, and the texts that stand in number columns."""
    numbers = [g for g in plan.guesses if g.best and g.profile.has("number") > 0.3]  # noqa: PLR2004
    comma = sum(guess.profile.comma for guess in numbers)
    point = sum(guess.profile.point for guess in numbers)
    either = sum(guess.profile.either for guess in numbers)
    if comma and not point:
        plan.decimal = ","
    elif point and not comma and either:
        plan.decimal = "."
    elif comma and point:
        plan.notes.append(
            f"{comma} numbers have a decimal comma and {point} a decimal point; "
            "those that can be read in two ways are set aside"
        )
    elif either:
        plan.notes.append(
            f'{either} numbers such as 1.234 can be read in two ways; say decimal = "." or ","'
        )
    texts: Counter[str] = Counter()
    for guess in numbers:
        if guess.best and guess.best.role in {"quantity", "weight", "value", "temperature"}:
            texts.update({t: n for t, n in guess.profile.texts.items() if not t.startswith("See ")})
    plan.missing = [t for t, n in texts.most_common(_FEW) if n >= _AGAIN and not t[0].isdigit()]


def _plan_product(plan: Plan) -> None:
    if plan.role("product_id") is not None:
        return
    for role in ("product_name", "gtin", "hs_code", "category"):
        guess = plan.role(role)
        if guess is not None:
            line = plan.line("product_id", guess)
            line.comment += "; the file has no product code, so this stands for one"
            plan.common.insert(0, line)
            return
    plan.common.insert(0, Line("product_id", "", '{ value = "goods" }', "no column was found"))
    plan.notes.append("no column names the product; correct product_id")


def _plan_lists(plan: Plan) -> None:
    guess = plan.role("serial_ids")
    if guess is None:
        return
    text = " ".join(guess.profile.samples)
    mark = next((m for m in ("|", ",", " ") if m in text and ";" not in text), "")
    given = f"{{ column = {quoted(guess.header)}, split = {quoted(mark)} }}" if mark else ""
    plan.common.append(plan.line("serial_ids", guess, given))


def _number(guess: Guess, units: Sequence[str] = (), factor: str = "") -> str:
    """The right side for a column of numbers; `units` are those that may stand in its cells."""
    more = f", factor = {quoted(factor)}" if factor else ""
    if guess.profile.units:
        listed = f", units = [{', '.join(map(quoted, units))}]" if units else ""
        more += f', part = "number"{listed}'
    return f"{{ column = {quoted(guess.header)}{more} }}" if more else ""


def _unit_within(name: str, guess: Guess) -> Line:
    """A field that takes the units in a column of numbers."""
    return Line(name, guess.header, f'{{ column = {quoted(guess.header)}, part = "unit" }}')


def _plan_quantity(plan: Plan) -> None:
    counted = plan.role("quantity")
    if counted is None:
        return
    guess = plan.role("unit")
    said_twice = guess is not None and bool(counted.profile.units)
    units = sorted(counted.profile.units) if said_twice else []
    plan.common.append(plan.line("quantity", counted, _number(counted, units)))
    if counted.profile.units and not said_twice:
        plan.common.append(_unit_within("quantity_unit", counted))
        words = {unit: unit_word(unit) for unit in counted.profile.units}
        plan.values["quantity_unit"] = {u: word for u, word in words.items() if word and word != u}
        return
    if guess is None:
        said = "no column says it; kg, lb, m, case, pack ..."
        plan.common.append(Line("quantity_unit", "", '{ value = "unit" }', said))
        return
    plan.common.append(plan.line("quantity_unit", guess))
    words = {text: unit_word(text) for text in guess.profile.all_texts}
    changed = {text: word for text, word in words.items() if word and word != text}
    if changed and len(words) <= _WORDS_KEPT:
        plan.values["quantity_unit"] = changed


def _plan_weight(plan: Plan) -> None:
    guess = plan.role("weight")
    if guess is None:
        return
    if guess.profile.units:
        _plan_weighed(plan, guess)
        return
    unit = plan.role("weight_unit")
    there = set(read_heading(guess.header).concepts)
    factor = next((_TO_KG[c] for c in ("tonne", "gram") if c in there), "")
    plan.common.append(plan.line("gross_weight", guess, _number(guess, factor=factor)))
    if unit is not None:
        plan.common.append(plan.line("weight_unit", unit))
        known = {
            w: u for u, text in WEIGHT_UNITS.items() for w in text.split() if u in {"kg", "lb"}
        }
        found = {text: known.get(text.casefold(), "") for text in unit.profile.all_texts}
        plan.values["weight_unit"] = {t: w for t, w in found.items() if w != t}
        return
    word = "lb" if "lb" in there else "kg"
    said = "" if factor or there & {"kg", "lb"} else "nothing says so; kg or lb"
    plan.common.append(Line("weight_unit", "", f'{{ value = "{word}" }}', said))


def _plan_weighed(plan: Plan, guess: Guess) -> None:
    """Weights with their units in their cells: the field takes kg and lb, or all are of one."""
    words = {unit: unit_word(unit) for unit in guess.profile.units}
    often = Counter[str]()
    for unit, count in guess.profile.units.items():
        often[words[unit]] += count
    usual = often.most_common(1)[0][0]
    taken = ("kg", "lb") if usual in {"kg", "lb"} else (usual,)
    units = sorted(unit for unit, word in words.items() if word in taken)
    factor = _TO_KG.get(usual, "")
    plan.common.append(plan.line("gross_weight", guess, _number(guess, units, factor)))
    if factor:
        plan.common.append(Line("weight_unit", "", '{ value = "kg" }'))
    else:
        plan.common.append(_unit_within("weight_unit", guess))
        plan.values["weight_unit"] = {unit: words[unit] for unit in units if words[unit] != unit}
    _tell_others(plan, guess, units)


def _plan_temperature(plan: Plan) -> None:
    guess = plan.role("temperature")
    if guess is None:
        return
    units = sorted(unit for unit in guess.profile.units if unit.upper() in {"°C", "ºC", "℃", "C"})
    if guess.profile.units and not units:
        _tell_others(plan, guess, units)
        return
    plan.common.append(plan.line("temperature_c", guess, _number(guess, units)))
    _tell_others(plan, guess, units)


def _tell_others(plan: Plan, guess: Guess, units: Sequence[str]) -> None:
    others = sorted(guess.profile.units.keys() - set(units))
    if others:
        plan.notes.append(
            f"{quoted(guess.header)}: numbers in {', '.join(others[:4])} have no field "
            f"{'beside those in ' + ', '.join(units[:4]) if units else 'of their own'}"
        )


def _plan_value(plan: Plan) -> None:
    guess = plan.role("value")
    if guess is None:
        return
    currency = plan.role("currency")
    found = set(currency.profile.all_texts) if currency else set()
    dollars = sorted(guess.profile.units.keys() & {"USD", "US$", "$"})
    found |= {unit for unit in guess.profile.units if unit not in dollars}
    found |= {"USD"} if {"USD", "US$"} & set(dollars) else set()
    said = {c for g in plan.guesses for c in read_heading(g.header).concepts} & {"usd", "money"}
    if found and found != {"USD"}:
        plan.notes.append(
            f"{quoted(guess.header)} is in {', '.join(sorted(found)[:4])}; only values in US "
            "dollars have a field of their own, so it is kept as a foreign column"
        )
        return
    if "money" in said and "usd" not in said:
        plan.notes.append(f"{quoted(guess.header)} seems not to be in US dollars; it has no field")
        return
    line = plan.line("declared_value_usd", guess, _number(guess, dollars))
    if not found and "usd" not in set(read_heading(guess.header).concepts):
        line.comment += "; nothing says that it is in US dollars"
    plan.common.append(line)


def _plan_price(plan: Plan) -> None:
    """The price, where arithmetic has shown which column is it and the mapping has the value."""
    if not any(line.field == "declared_value_usd" for line in plan.common):
        return
    for guess in plan.guesses:
        if guess.profile.units:
            continue
        scores = (*((guess.best,) if guess.best else ()), *guess.others)
        if any(one.role == "unit_price" and SUMS_AGREE in one.why for one in scores):
            plan.price = guess.header


def _plan_words(plan: Plan, role: str, name: str, word_of: Callable[[str], str]) -> None:
    """A field with a vocabulary: the file's words and ours."""
    guess = plan.role(role)
    if guess is None:
        return
    plan.common.append(plan.line(name, guess))
    texts = [text for text, _ in guess.profile.all_texts.most_common(_WORDS_KEPT)]
    words = {text: word_of(text) for text in texts if text not in MISSING}
    if any(text != word for text, word in words.items()):
        plan.values[name] = {text: word for text, word in words.items() if text != word}
    unknown = [text for text, word in words.items() if not word]
    if unknown:
        shown = ", ".join(map(quoted, unknown[:3]))
        plan.notes.append(f"{quoted(guess.header)}: what does {shown} mean? see [values.{name}]")
