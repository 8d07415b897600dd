"""Managers under pressure, and worse: what goes wrong with people, in stretches of months.

An affair is one site, a few months and one way of doing wrong. It changes what
the site's books say; a month belongs to one affair at most.

Next: samples/timesheets.py
"""

# ruff: noqa: ARG001 - every way of doing wrong is called alike

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samples.dice import Dice
from samples.goods import UNIT
from samples.labour import Month, Workplace, settle
from samples.law import law_in
from samples.timesheets import CLOCKED

if TYPE_CHECKING:
    from collections.abc import Callable

    from samples.strength import Strength

__all__ = ["commit_abuses"]

_FACTORIES = frozenset(("garment_factory", "knitter", "weaver", "dyer", "spinner"))
_FIELDS = frozenset(("farm", "cooperative", "gin"))
_ORDINARY_18, _ORDINARY_FEE = 0.03, 55  # a share of the workers; US dollars at most
_FORGOTTEN = 3  # sites that let a certificate lapse and go on claiming it
_MAKERS = _FACTORIES | {"grinder", "chocolate_maker", "gin", "cooperative"}


def rush(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """An order came late and everybody stays until it is done."""
    weekly = entry.law.max_hours * dice.between(1.07, 1.32)
    entry.weekly = round(_over(entry, strength, dice) or weekly, 1)
    settle(entry)
    entry.made = entry.made * 11 // 10
    return f"a late order: {entry.weekly} hours a week"


def hidden_rush(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """As above, but the weekly average is written as the limit; the totals tell."""
    weekly = entry.law.max_hours * dice.between(1.1, 1.28)
    entry.weekly = round(_over(entry, strength, dice) or weekly, 1)
    settle(entry)
    entry.weekly = entry.law.max_hours - 1.0
    return "the average is written as legal, the month's total hours are not"


def _over(entry: Month, strength: Strength | None, dice: Dice) -> float | None:
    """Draw hours above the limit; None without a strength."""
    return entry.law.max_hours + strength.draw("hours", dice) if strength else None


def stale_rate(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """The minimum went up and the payroll did not."""
    year, month = int(entry.month[:4]), int(entry.month[5:])
    before = year * 12 + month - 2 - turn
    old = law_in(entry.site.country, f"{before // 12}-{before % 12 + 1:02d}").minimum
    entry.rate = old * dice.between(1.02, 1.08)
    if strength:
        entry.rate = entry.law.minimum * (1 - strength.draw("pay", dice))
    settle(entry)
    return "pay stayed where it was when the legal minimum rose"


def unpaid_overtime(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """Hours after the regular ones are expected, not paid."""
    entry.rate = entry.law.minimum * dice.between(0.74, 0.94)
    if strength:
        entry.rate = entry.law.minimum * (1 - strength.draw("pay", dice))
    settle(entry)
    return "part of the hours was not paid"


def subcontract(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """A too large order is given to unseen workshops and booked as one's own work."""
    more = dice.whole(165, 270)
    if strength:
        more = round(100 + 100 * strength.draw("output", dice))
    entry.made = entry.made * more // 100
    entry.made -= entry.made % UNIT
    return "more goods than these hands can make: unseen workshops"


def young_hands(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """Children help with the harvest and are on the list."""
    younger = dice.whole(1, 4)
    if strength:
        younger = max(1, round(strength.draw("age", dice)))
    entry.min_age = entry.law.min_age - younger
    return f"workers of {entry.min_age} on the list"


def borrowed_papers(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """Children are hired under papers that make them eighteen."""
    before = entry.jan_1, entry.no_papers
    entry.min_age = 18
    entry.exactly_18 = round(dice.between(0.17, 0.34), 3)
    entry.jan_1 = round(min(0.8, entry.jan_1 + dice.between(0.2, 0.4)), 3)
    entry.no_papers = round(min(0.6, entry.no_papers + dice.between(0.08, 0.25)), 3)
    if strength:
        entry.exactly_18 = round(_ORDINARY_18 + strength.draw("exactly_18", dice), 3)
        entry.jan_1 = round(before[0] + strength.draw("jan_1", dice), 3)
        entry.no_papers = round(before[1] + strength.draw("no_papers", dice), 3)
    return "many who are just eighteen, born on 1 January, without papers"


def flat_sheet(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """The sheet is written at the desk: everybody the same hours."""
    entry.sheet_style = "flat"
    return "everybody has the same hours in every week"


def copied_sheet(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """Last month's sheet is used again."""
    entry.sheet_style = "copied"
    return "the sheet of the month before, to the quarter hour"


def capped_sheet(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """Whoever worked longer than the law allows is written down at the limit."""
    entry.sheet_style = "capped"
    entry.sheet_weekly = float(entry.law.max_hours) + 4
    entry.weekly = entry.law.max_hours - 0.5
    settle_keeping_sheet(entry)
    entry.made = entry.made * 115 // 100
    entry.made -= entry.made % UNIT
    return "hours above the limit are cut to the limit"


def settle_keeping_sheet(entry: Month) -> None:
    """Work out the totals, with the sheet's own average left alone."""
    kept = entry.sheet_weekly
    settle(entry)
    entry.sheet_weekly = kept


def ghosts(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """People who do not exist draw wages."""
    more = dice.whole(122, 148)
    if strength:
        more = round(100 + 100 * strength.draw("heads", dice))
    entry.heads = entry.heads * more // 100
    settle(entry)
    entry.sheet_style = "ghosts"
    return "ghosts on the payroll: more heads and wages, the same goods"


def invented_books(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """Nobody kept books; before the audit they are written in one evening."""
    stable = Dice(0, entry.site.id, str(entry.law.minimum))
    entry.heads = round(entry.site.people / 10) * 10
    entry.weekly = min(48.0, entry.law.max_hours - 5.0)
    entry.total_hours = round(entry.heads * entry.weekly * 13 / 3, -2)
    pay = entry.law.minimum * stable.between(1.05, 1.12)
    entry.wages = round(entry.total_hours * pay, -3)
    entry.sheet_weekly = entry.weekly
    entry.sheet_style = "flat"
    return "round figures that repeat month after month"


def coercion(entry: Month, dice: Dice, turn: int, strength: Strength | None) -> str:
    """An agent brought people from far away; they owe him, and he keeps their passports."""
    before = entry.migrants, entry.deductions
    entry.migrants = round(dice.between(0.45, 0.85), 3)
    entry.fee = round(dice.between(650, 2600))
    entry.passports = round(dice.between(0.25, 0.95), 3)
    entry.deductions = round(dice.between(0.16, 0.4), 3)
    if strength:
        entry.migrants = round(min(0.95, before[0] + strength.draw("migrants", dice)), 3)
        entry.fee = round(_ORDINARY_FEE + strength.draw("fee", dice))
        entry.passports = round(strength.draw("passports", dice), 3)
        entry.deductions = round(before[1] + strength.draw("deductions", dice), 3)
    entry.grievances = 0
    return "recruitment debts, passports held, pay withheld, nobody complains"


@dataclass(frozen=True, slots=True)
class _Affair:
    """A way of doing wrong, where it happens, and for how many months."""

    kind: str
    deed: Callable[[Month, Dice, int, Strength | None], str]
    trades: frozenset[str]
    months: tuple[int, int]
    clocked: bool = False
    needs: str = ""


_AFFAIRS = (
    _Affair("wage_below_minimum", stale_rate, _FACTORIES, (2, 4), needs="raise"),
    _Affair("falsified_timesheet", flat_sheet, _MAKERS, (2, 3), clocked=True),
    _Affair("falsified_timesheet", copied_sheet, _MAKERS, (1, 2), clocked=True),
    _Affair("falsified_timesheet", capped_sheet, _MAKERS, (2, 3), clocked=True),
    _Affair("fabricated_payroll", ghosts, _MAKERS, (3, 4), clocked=True),
    _Affair("fabricated_payroll", invented_books, _FIELDS, (3, 4)),
    _Affair("excess_hours", rush, _FACTORIES, (2, 3)),
    _Affair("excess_hours", rush, _MAKERS, (1, 2)),
    _Affair("excess_hours", hidden_rush, _FACTORIES, (2, 3)),
    _Affair("wage_below_minimum", unpaid_overtime, _MAKERS | _FIELDS, (2, 4)),
    _Affair("output_beyond_capacity", subcontract, frozenset(("garment_factory",)), (2, 3)),
    _Affair("output_beyond_capacity", subcontract, _FACTORIES, (2, 3)),
    _Affair("child_labour", young_hands, _FIELDS, (2, 4), needs="harvest"),
    _Affair("child_labour", borrowed_papers, _FACTORIES, (2, 4)),
    _Affair("coercion_indicators", coercion, _MAKERS, (3, 4)),
    _Affair("coercion_indicators", coercion, _FACTORIES | _FIELDS, (2, 3)),
)


def commit_abuses(
    places: list[Workplace], seed: int, strength: Strength | None = None
) -> list[tuple[Month, str, str]]:
    """Let the affairs happen; change the books in place.

    Args:
        places: The honest books.
        seed: The world's seed.
        strength: Of the affairs; None for what such affairs are.

    Returns:
        (month, type, note) for every month that an affair touched.
    """
    labels = _forgotten_audits(places, Dice(seed, "forgotten audits"))
    taken = {(entry.site.id, entry.month) for entry, _, _ in labels}
    for number, affair in enumerate(_AFFAIRS):
        dice = Dice(seed, "affair", str(number), affair.kind)
        spans = [
            span for place in places for span in _spans(place, affair, dice) if _free(span, taken)
        ]
        if not spans:
            continue
        span = dice.pick(spans)
        taken.update((entry.site.id, entry.month) for entry in span)
        labels += [
            (entry, affair.kind, affair.deed(entry, dice, turn, strength))
            for turn, entry in enumerate(span)
        ]
    return labels


def _forgotten_audits(places: list[Workplace], dice: Dice) -> list[tuple[Month, str, str]]:
    """Let some sites keep their label on the goods after the certificate ran out."""
    renewals = [
        (place, number)
        for place in places
        for number in range(4, len(place.months) - 8)
        if place.months[number].audits != place.months[number - 1].audits
    ]
    labels: list[tuple[Month, str, str]] = []
    for place, number in dice.some(renewals, _FORGOTTEN):
        old, new = place.months[number - 1].audits, place.months[number].audits
        late = place.months[number:]
        lapsed = [entry for entry in late if not old.valid_in(entry.month)][: dice.whole(2, 5)]
        if not lapsed or lapsed[0].audits != new:
            continue
        again = new.visited(lapsed[-1].month, dice)
        for entry in late:
            if entry.audits == new:
                entry.audits = old if entry.month <= lapsed[-1].month else again
                entry.claims = True
        note = "certified goods sold on an expired audit"
        labels += [(entry, "audit_lapsed", note) for entry in lapsed]
    return labels


def _free(span: list[Month], taken: set[tuple[str, str]]) -> bool:
    """Whether no month of the span belongs to another affair."""
    return not any((entry.site.id, entry.month) in taken for entry in span)


def _spans(place: Workplace, affair: _Affair, dice: Dice) -> list[list[Month]]:
    """List the stretches of months in which the affair could happen at a site."""
    if place.site.kind not in affair.trades or (affair.clocked and place.site.id not in CLOCKED):
        return []
    length = dice.whole(*affair.months)
    # The first months are left alone: a site has a past before it goes wrong.
    starts = range(3, len(place.months) - length)
    spans = [place.months[start : start + length] for start in starts]
    return [span for span in spans if _fits(span, place, affair.needs)]


def _fits(span: list[Month], place: Workplace, needs: str) -> bool:
    """Whether the circumstances of an affair are there."""
    first = span[0]
    before = place.months[place.months.index(first) - 1]
    if needs == "raise":
        old, new = before.law.minimum, first.law.minimum
        return new > 1.12 * old and len({entry.law for entry in span}) == 1
    if needs == "harvest":
        return all(entry.heads > 0.8 * place.site.people for entry in span)
    return True
