"""How well a column fits a role: by its header, by its values, and by both together.

The header says what a column is meant to be, the values what it can be. A
role whose values do not fit is out, whatever the header says. Values that
prove themselves (check digits, country names) make up for a header that says
nothing.

Next: provenance/ingest/inspecting/matching.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.ingest.inspecting.roles import ROLES, Role
from provenance.ingest.inspecting.tokens import Heading, read_heading
from provenance.ingest.inspecting.words import NEUTRAL

if TYPE_CHECKING:
    from provenance.ingest.inspecting.profile import Profile

__all__ = ["LEAST", "SUMS_AGREE", "Score", "score"]

SUMS_AGREE: Final = "its sums agree"
"""Said of a column that is the product of two others, or one of the two."""
LEAST: Final = 0.35
"""A column that fits no role better than this has none."""
_EXTRA: Final = 0.13
_UNKNOWN: Final = 0.04
_AGAINST: Final = 0.3
_FUZZY: Final = 0.92
_BARE: Final = 0.5
_MOST: Final = 0.98


class Score(NamedTuple):
    """A role for a column.

    Attributes:
        role: Its name.
        confidence: 0 to 1.
        why: In words, the header first.
    """

    role: str
    confidence: float
    why: str


def score(header: str, profile: Profile, name: str, bonus: float = 0.0) -> Score:
    """Judge one role for one column.

    Args:
        header: The column's name.
        profile: Its values.
        name: The role.
        bonus: What arithmetic between columns adds, -1 to 1.
    """
    role = ROLES[name]
    heading = read_heading(header)
    denied = bool((role.against | _NOTHING) & set(heading.concepts))
    said, by = _heading_fit(heading, role)
    fit, alone, seen = _value_fit(role, name, profile)
    if profile.filled == 0:
        fit, alone, seen = 0.5, 0.0, "it is empty"
    if role.values == "name" and _CODED & set(heading.concepts):
        fit = max(fit, profile.has("whole"))
    if denied:
        alone *= _AGAINST
    by_header = said * (_BARE + (1 - _BARE) * fit) if fit else 0.0
    sure = 1 - (1 - by_header) * (1 - alone * fit) * (1 - max(bonus, 0) * 0.5)
    sure *= 1 + min(bonus, 0)
    if not said and not alone and not bonus:
        sure = 0.0
    if not fit or _is_only_counted(role, profile, heading):
        sure = 0.0
    why = "; ".join(part for part in (by, seen, SUMS_AGREE if bonus > 0 else "") if part)
    return Score(name, round(min(sure, _MOST), 2), why)


def _is_only_counted(role: Role, profile: Profile, heading: Heading) -> bool:
    """Numbers may be days or epochs only where the header speaks of a date: zip codes are none."""
    if role.values != "date" or profile.has("date") or not profile.filled:
        return False
    return not {"date", "time"} & set(heading.concepts)


def _heading_fit(heading: Heading, role: Role) -> tuple[float, str]:
    there = set(heading.concepts)
    if role.values == "date" and "time" in there:
        there.add("date")
    best, by = 0.0, ""
    for concepts, weight in role.says:
        if not concepts <= there:
            continue
        extra = there - concepts - NEUTRAL - _UNITS
        fit = weight * max(0.2, 1 - _EXTRA * len(extra) - _UNKNOWN * min(len(heading.unknown), 4))
        if (role.against | _NOTHING) & (there - concepts):
            fit *= _AGAINST
        if fit > best:
            best, by = fit, f"its header says {' + '.join(sorted(concepts))}"
    return (best * _FUZZY, f"{by}, nearly") if heading.fuzzy and best else (best, by)


_CODED: Final = frozenset({"id", "number", "code", "gln"})
"""Words for what may be a number though it names somebody."""
_NOTHING: Final = frozenset({"other"})
"""Words for what no role is: a header with one of them is about that."""
_UNITS: Final = frozenset({"kg", "lb", "tonne", "gram", "usd", "money", "unit"})


def _value_fit(role: Role, name: str, profile: Profile) -> tuple[float, float, str]:
    """How its values fit (0: not at all), how much they prove alone, and what was seen."""
    return _FITS[role.values](profile, name)


_Fit = tuple[float, float, str]
_Fitting = Callable[["Profile", str], _Fit]
_HALF: Final = 0.5
_MANY: Final = 0.8
_NEARLY_ALL: Final = 0.9
_MIXED: Final = 0.3
_FEW: Final = 12
_FEWEST: Final = 3
_SOME: Final = 20
_SHORT: Final = 3
_COUNTRIES: Final = 0.3


def _share(share: float, least: float, alone: float, what: str) -> _Fit:
    if share < least:
        return 0.0, 0.0, ""
    return share, alone if share > _NEARLY_ALL else 0.0, f"{share:.0%} are {what}"


def _date(p: Profile, name: str) -> _Fit:
    written = p.has("date")
    counted = max(p.has("serial") if p.has("number") > _NEARLY_ALL else 0.0, p.has("epoch"))
    share, what = max((written, "dates"), (counted, "day numbers or epochs"))
    if share > _NEARLY_ALL:
        alone = 0.4 if what == "dates" and name == "event_date" else 0.0
        return share, alone, f"{share:.0%} are {what}"
    if share and len(p.texts) <= _FEW:
        # The rest says in few words that there is no date: "open", "not captured".
        return max(share, 0.85), 0.0, f"{share:.0%} are {what}, the rest few words"
    return _share(share, 0.15, 0.0, what)


def _number(p: Profile, name: str) -> _Fit:
    share = p.has("number") * (1 - 0.7 * p.has("date"))
    if name in {"quantity", "packages", "pack_size"} and share:
        share *= 0.8 + 0.2 * p.has("whole")
    return _share(share, 0.3, 0.0, "numbers")


def _id(p: Profile, name: str) -> _Fit:
    whole = p.has("whole")
    if p.has("date") > _HALF or (p.has("number") > _NEARLY_ALL and whole < _NEARLY_ALL):
        return 0.0, 0.0, ""
    seen = "all are different" if p.distinct == 1 else f"{p.distinct:.0%} are different"
    code = max(p.has("code"), whole, 1 - p.has("words"))
    short = whole > _NEARLY_ALL and p.length <= _SHORT
    if name == "row_id":
        return code * (1.0 if p.distinct == 1 else 0.45 * p.distinct), 0.0, seen
    if name == "line_no":
        return whole * (1.0 if short and p.distinct < _NEARLY_ALL else 0.5), 0.0, seen
    fit = 0.4 + 0.6 * code
    if short or (p.filled > _SOME and len(p.all_texts) < _FEWEST):
        fit *= 0.6
    return fit, 0.0, seen


def _name(p: Profile, name: str) -> _Fit:
    if p.has("date") > _HALF:
        return 0.0, 0.0, ""
    seen = f"{len(p.all_texts)} different texts"
    if p.has("country") > _NEARLY_ALL:
        return _COUNTRIES, 0.0, seen
    if p.has("number") > _NEARLY_ALL and p.has("whole") < _NEARLY_ALL:
        return 0.0, 0.0, ""
    if name == "serial_ids" and p.distinct < _HALF:
        return _COUNTRIES, 0.0, seen
    # A party may be named by its number with somebody, which has some digits.
    least = _HALF if p.has("whole") > _NEARLY_ALL and p.length > _SHORT else 0.25
    return max(least, 1 - p.has("number")), 0.0, seen


def _country(p: Profile, name: str) -> _Fit:
    alone = 0.5 if p.length > 2 else 0.38  # noqa: PLR2004 - two letters are soon a code
    return _share(p.has("country"), _HALF, alone if name == "country" else 0.0, "countries")


def _container(p: Profile, name: str) -> _Fit:
    sure = max(p.has("sscc"), p.has("box"))
    if sure > _MANY:
        return 1.0, 0.7, f"{sure:.0%} are container numbers"
    if p.has("box like") > _MANY:
        return 1.0, 0.0, "they look like container numbers"
    fit, alone, seen = _id(p, name)
    return (fit * 0.4 if p.has("number") > _NEARLY_ALL else fit), alone, seen


def _unit(p: Profile, name: str) -> _Fit:
    if p.has("number") > _MIXED:
        return 0.0, 0.0, ""
    share = p.has("unit")
    alone = 0.38 if share > _NEARLY_ALL and name == "unit" else 0.0
    return max(share, 0.35 if p.distinct < _MIXED else 0.15), alone, f"{share:.0%} are units"


def _gtin(p: Profile, _name: str) -> _Fit:
    found = max(p.has("gtin"), p.has("rounded"))
    return _share(found, _HALF, 0.75 if p.filled > 2 else 0.3, "GTINs with right check digits")  # noqa: PLR2004


def _hs(p: Profile, _name: str) -> _Fit:
    return _share(max(p.has("hs"), p.has("whole") * 0.8), _HALF, 0.0, "tariff codes")


def _words(what: str, alone: float, said: str) -> _Fitting:
    return lambda p, _name: _share(p.has(what), _MIXED, alone, said)


def _text(p: Profile, _name: str) -> _Fit:
    return (0.0 if p.has("date") > _HALF else 1.0), 0.0, ""


def _mode(p: Profile, _name: str) -> _Fit:
    share = p.has("mode")
    if share < _MIXED and p.filled and len(p.all_texts) <= _SOME and not p.has("date"):
        # Codes of a list that nobody has here; a person says what they mean.
        return 0.5, 0.0, f"{len(p.all_texts)} different codes"
    return _share(share, _MIXED, 0.6, "ways of transport")


def _degrees(what: str) -> _Fitting:
    return lambda p, _name: _share(p.has(what), _MANY, 0.0, "degrees")


_FITS: Final[dict[str, _Fitting]] = {
    "date": _date,
    "number": _number,
    "id": _id,
    "name": _name,
    "list": _name,
    "country": _country,
    "currency": _words("currency", 0.5, "currencies"),
    "mode": _mode,
    "gtin": _gtin,
    "container": _container,
    "locode": _words("locode", 0.55, "UN/LOCODEs"),
    "unit": _unit,
    "latitude": _degrees("latitude"),
    "longitude": _degrees("longitude"),
    "hs": _hs,
    "event": _words("event", 0.35, "names of events"),
    "text": _text,
}
