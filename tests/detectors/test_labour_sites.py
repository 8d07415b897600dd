"""What a site always shows is held against the other sites, as one chance and not one a month."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from asking import flagged
from planted_labour import SITE, workplaces

if TYPE_CHECKING:
    from planted_labour import Change


@pytest.mark.parametrize(
    ("fee", "deducted", "accused"),
    [(30.0, 0.03, False), (52.0, 0.06, False), (400.0, 0.3, True)],
)
def test_standing_level_of_a_site_is_one_chance(
    fee: float, deducted: float, *, accused: bool
) -> None:
    """The largest fees and deductions of forty sites are no coercion; many times as much are."""

    def levels(site: str, month: str, own: Change) -> Change:
        del month
        dice = random.Random(site)
        fees, share = dice.gauss(30, 8), dice.gauss(0.03, 0.008)
        fees, share = (fee, deducted) if site == SITE else (fees, share)
        away = own["wage_deduction_share"] - 0.03
        return own | {"recruitment_fee_usd": round(fees, 2), "wage_deduction_share": share + away}

    world = workplaces(everywhere=levels, sites=40, months=12)
    months = {one for one in flagged("coercion_signs", world) if one.startswith(f"{SITE}|")}
    assert (len(months) > 6) == accused
    assert bool(months) == accused
