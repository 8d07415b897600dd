"""Whether the settings of a mapping fit each other and the native format.

Next: provenance/ingest/layout.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from provenance.entries import Tier
from provenance.errors import InputError
from provenance.ingest.columns import EVENTS, KINDS, KNOWN_COLUMNS
from provenance.ingest.values import ident_list, nearest, number_list

if TYPE_CHECKING:
    from provenance.ingest.columns import Kind
    from provenance.ingest.mapping_form import EventRule, Field, Mapping

__all__ = ["check_mapping"]

_FACTOR: Final = re.compile(r"(?=.*[1-9])\d{1,12}(?:\.\d{1,12})?\Z", re.ASCII)
_IDENTIFYING: Final = frozenset({"event_id", "product_id", "lot_id", "facility_id", "input_lots"})
_IN_PARTS: Final = frozenset(
    {"event_time", "input_quantities", "quantity", "quantity_unit", "serial_ids", "worker_id"}
)
"""Native fields that do not lie at their own name in the body; timesheets know their persons."""


def check_mapping(mapping: Mapping, place: str) -> None:
    """Check what the form of a mapping does not tell.

    Args:
        mapping: As it was read.
        place: For messages.

    Raises:
        InputError: A setting that does not fit another, or the native format.
    """
    if mapping.kind not in KINDS:
        raise InputError(f"{place}: kind {mapping.kind!r} is none of {', '.join(KINDS)}")
    if mapping.event and mapping.native is not EVENTS:
        raise InputError(f"{place}: [[event]] belongs to kind events, not to {mapping.kind}")
    for name in (each for pair in mapping.subjects.items() for each in (pair[0], *pair[1])):
        _check_subject(mapping, name, f"{place}: subjects: {name}")
    if not mapping.maps:
        unused = next(
            (name for name in ("values", "missing", "undated") if getattr(mapping, name)), ""
        )
        if unused:
            raise InputError(f"{place}: {unused} has no effect without [fields]")
        return
    for rule in mapping.rules():
        _check_rule(mapping.native, rule, f"{place}: event {rule.name}" if rule.name else place)
    for name in mapping.values:
        _check_field(mapping.native, name, f"{place}: values")
    for name in mapping.tiers:
        if name in _IDENTIFYING:
            raise InputError(f"{place}: tiers: {name} identifies entries and has its tier for good")


def _check_subject(mapping: Mapping, name: str, place: str) -> None:
    if name in _IDENTIFYING or name in _IN_PARTS:
        raise InputError(f"{place} is not a field that can be about a person by itself")
    if mapping.tier_of(name) is Tier.PUBLIC:
        raise InputError(f"{place} is public, and could not be forgotten; see [tiers]")


def _check_rule(kind: Kind, rule: EventRule, where: str) -> None:
    for name, given in rule.fields.items():
        _check_field(kind, name, where)
        if not isinstance(given, str):
            _check_given(kind, name, given, where)
            _check_part(kind, name, given, rule, where)
    lacking = [name for name in kind.key if name not in rule.fields]
    if lacking:
        raise InputError(f"{where}: fields: {', '.join(lacking)} must be filled")


def _check_given(kind: Kind, name: str, given: Field, where: str) -> None:
    if [bool(given.value), bool(given.template), bool(given.column)].count(True) != 1:
        raise InputError(f"{where}: {name} needs a column, a value or a template")
    if (given.factor or given.split) and not given.column:
        raise InputError(f"{where}: {name}: factor and split belong to a column")
    if given.factor and (kind.columns[name].form != "number" or not _FACTOR.match(given.factor)):
        raise InputError(f"{where}: {name}: a factor is a number above zero, for a number")
    if given.split and kind.columns[name].convert not in {ident_list, number_list}:
        raise InputError(f"{where}: {name} is no list that could be split")


def _check_part(kind: Kind, name: str, given: Field, rule: EventRule, where: str) -> None:
    if given.part and not given.column:
        raise InputError(f"{where}: {name}: a part is one of a column")
    if given.units and given.part != "number":
        raise InputError(f'{where}: {name}: units belong to part = "number"')
    if given.part != "number":
        return
    if kind.columns[name].form != "number":
        raise InputError(f"{where}: {name} is no number that could have a unit")
    others = [each for each in rule.fields.values() if not isinstance(each, str)]
    if not given.units and not any(
        each.part == "unit" and each.column == given.column for each in others
    ):
        raise InputError(
            f"{where}: {name}: say which units may stand there, or let a field take the unit"
        )


def _check_field(kind: Kind, name: str, where: str) -> None:
    if name not in kind.columns:
        close = nearest(name, kind.columns, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        known = " (a column of another kind of file)" if name in KNOWN_COLUMNS else ""
        raise InputError(f"{where}: {kind.name} have no field {name!r}{known}{hint}")
