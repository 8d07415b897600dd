"""Tier files: which field of which version is public, partner or private, as a person writes it.

TOML, a table for each version and in it a line for each field:

    ["event/1"]
    "*" = "public"                           # the version's default
    carrier = "private"
    "items/*/serial_ids/*" = "partner"       # * is any one step

A file need not be complete: what it does not name stays as it is. A name that
no entry can have is refused, because a misspelt rule that is silently ignored
is a rule that a person believes in. So is a rule that would hide what the
entries of a version are told apart by.

Next: workspace/workspace.py
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from provenance.disclosure.tiers import DEFAULT_POLICY, TierPolicy
from provenance.entries import Tier
from provenance.errors import InputError
from provenance.ingest.columns import EVENTS, KINDS, TIMESHEETS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["FIELDS", "parse_tiers", "read_tiers", "tiers_text"]

_MAX_FILE: Final = 1 << 20
"""Bytes; a policy with a rule for every field has about ten thousand."""
_ANY: Final = "*"
_GOVERNING: Final = frozenset(("policy/1", "party/1"))
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

# Columns of events that become parts of `items` or `inputs`, or another name.
_IN_ITEMS: Final = "product_id lot_id quantity quantity_unit serial_ids"
_IN_INPUTS: Final = "input_lots input_quantities input_product_ids"
_EVENT: Final = (
    "party type action biz_step disposition time_text time_precision time_zone_offset quality "
    "items/*/party items/*/product_id items/*/lot_id items/*/quantity items/*/quantity_unit "
    "items/*/serial_ids/* inputs/*/party inputs/*/lot_id inputs/*/product_id inputs/*/quantity"
)
_TIMESHEET: Final = (
    "party facility_id month corrects workers/*/worker_id workers/*/weeks/*/week "
    "workers/*/weeks/*/hours workers/*/weeks/*/gross_pay workers/*/weeks/*/ext/*"
)
_BATCH: Final = "party count ranges/* root source/name source/digest note"
_FLAG: Final = (
    "party type subject_kind subject_id subject_party severity evidence_class detector "
    "detector_version evidence follows tree_size root score threshold likely_benign family "
    "family_size p q observed expected peer_group explanation counterfactual benign caveat "
    "parameters code_digest seed libraries reference_digest list_version"
)
_REVIEW: Final = "party flag detector type subject_id state reason reviewer"


def _fields() -> dict[str, frozenset[str]]:
    moved = {*_IN_ITEMS.split(), *_IN_INPUTS.split()}
    found = {
        kind.version: {
            *("party", "corrects", "ext/*"),
            *(f"{name}/*" if name == "product_ids" else name for name in kind.columns),
        }
        for kind in KINDS.values()
    }
    found[EVENTS.version] = {*(EVENTS.columns.keys() - moved), "ext/*", *_EVENT.split()}
    found[TIMESHEETS.version] = {*_TIMESHEET.split()}
    found |= {"batch/1": {*_BATCH.split()}, "flag/1": {*_FLAG.split()}}
    found["review/1"] = {*_REVIEW.split()}
    for version in DEFAULT_POLICY.rules.keys() - found.keys() - _GOVERNING:
        # Documents kept as they were written: what has a tier of its own is what can be named.
        rules = DEFAULT_POLICY.rules[version].keys() - {_ANY}
        found[version] = {*(pattern[1:] for pattern in rules), *_EVENT.split(), "ext/*"}
    return {version: frozenset(names) for version, names in found.items()}


FIELDS: Final = _fields()
"""By version: the fields that its entries can have, `*` for each item of a list."""

_CLEAR_EVENT: Final = (
    "party event_id facility_id items/0/party items/0/product_id items/0/lot_id inputs/0/party "
    "inputs/0/product_id inputs/0/lot_id"
)
_CLEAR: Final = {
    "event/1": _CLEAR_EVENT,
    "epcis/1": _CLEAR_EVENT,
    "facility/1": "party facility_id",
    "product/1": "party product_id",
    "location/1": "party locode",
    "labour/1": "party facility_id month corrects",
    "timesheet/1": "party facility_id month corrects",
    "batch/1": "party count ranges/0 root note",
    "flag/1": "party type subject_kind subject_id subject_party evidence",
    "review/1": "party flag detector type subject_id state",
}
"""By version: what its entries are told apart and checked by, which is therefore public."""


def read_tiers(path: Path, base: TierPolicy) -> TierPolicy:
    """Read a tier file.

    Args:
        path: The file.
        base: What holds where the file says nothing.

    Raises:
        InputError: It cannot be read, or names what does not exist; with line and place.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE + 1)
        if len(data) > _MAX_FILE:
            raise InputError(f"{path}: more than {_MAX_FILE} bytes; that is no tier file")
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{path}: cannot be read: {reason}") from None
    return parse_tiers(text, str(path), base)


def parse_tiers(text: str, place: str, base: TierPolicy) -> TierPolicy:
    """Read the text of a tier file; see `read_tiers`.

    Args:
        text: TOML.
        place: The file's name, for messages.
        base: As for `read_tiers`.

    Raises:
        InputError: As for `read_tiers`.
    """
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{place}: is not TOML: {error}") from None
    rules = {version: dict(own) for version, own in base.rules.items()}
    for version, table in tables.items():
        name = None
        try:
            for name, tier in _table(version, table).items():
                pattern = _pattern(name, version)
                rules.setdefault(version, {})[pattern] = _tier(tier, f"{version}: {name}")
        except InputError as error:
            # Where it stands is looked for only now: a long file has many lines.
            where = f"{place}{_line(text, version, name)}"
            raise InputError(f"{where}: {error}") from None
    policy = TierPolicy(rules)
    _refuse_hidden(policy, tables, text, place)
    return policy


def _table(version: str, table: Any) -> dict[str, Any]:
    """Return the rules of a version, each field named once."""
    if version in _GOVERNING:
        raise InputError(f"{version} governs the log; its tiers are not yours to set")
    if version not in FIELDS:
        raise InputError(f"there is no version {_short(version)}{_meant(version, FIELDS)}")
    if not isinstance(table, dict):
        raise InputError(f'{version} must be a table, ["{version}"]')
    if len({name.removeprefix("/") for name in table}) < len(table):
        raise InputError(f"{version}: names a field twice, with and without a slash before it")
    return table


def _pattern(name: str, version: str) -> str:
    """Turn a name of the file into a pattern of the policy; it must fit a field of the version."""
    if name == _ANY:
        return name
    steps = name.removeprefix("/").split("/")
    if not any(_fits(steps, field.split("/")) for field in FIELDS[version]):
        raise InputError(f"{version}: has no field {_short(name)}{_meant(name, FIELDS[version])}")
    return f"/{'/'.join(steps)}"


def _fits(steps: list[str], field: list[str]) -> bool:
    """Whether a pattern names a field, a part of a list of fields, or what a field lies in."""
    return len(steps) <= len(field) and all(
        step == named or (named == _ANY and re.fullmatch(r"0|[1-9][0-9]{0,8}", step))
        for step, named in zip(steps, field, strict=False)
    )


def _tier(tier: Any, of: str) -> Tier:
    names = [each.name.lower() for each in Tier]
    if not isinstance(tier, str) or tier not in names:
        raise InputError(
            f"{of}: {_short(tier)} is not a tier, which is {', '.join(names[:-1])} or "
            f"{names[-1]}{_meant(tier, names)}"
        )
    return Tier[tier.upper()]


def _short(value: Any) -> str:
    return ascii(value)[:60]


def _refuse_hidden(policy: TierPolicy, tables: Iterable[str], text: str, place: str) -> None:
    for version in tables:
        plan = policy.plan(version, {})
        for name in _CLEAR.get(version, "").split():
            if plan.tier_of(f"/{name}") is not Tier.PUBLIC:
                field = name.replace("/0", "/*")
                raise InputError(
                    f"{place}{_line(text, version)}: {version}: {field} would be hidden, which its "
                    "entries are told apart by; it stays public"
                )


def _meant(word: Any, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word).removeprefix("/"), sorted(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _line(text: str, version: str, name: str | None = None) -> str:
    """Say where a table, or a line of it, stands; nothing where it is written in a rarer form."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*(?:\"([^\"]*)\"|'([^']*)'|([^\]\s]*))\s*\]", line):
            inside = version in header.groups()
            if inside and name is None:
                return f":{number}"
        quoted = re.escape(name or "")
        if inside and name is not None and re.match(rf"\s*([\"']?){quoted}\1\s*=", line):
            return f":{number}"
    return ""


def tiers_text(policy: TierPolicy) -> str:
    """Write a policy as a tier file that `parse_tiers` reads back; of all versions but its own.

    What governs the log is public for good and not a matter of the file.
    """
    lines = []
    for version in sorted(policy.rules.keys() & FIELDS.keys()):
        lines.append(f'["{version}"]')
        for pattern, tier in policy.rules[version].items():
            name = pattern.removeprefix("/")
            key = name if _NAME.fullmatch(name) else f'"{name}"'
            lines.append(f'{key} = "{tier.name.lower()}"')
        lines.append("")
    return "\n".join(lines)
