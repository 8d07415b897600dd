"""Audits of a site: certificates with a last visit and an expiry, renewed in time.

Next: samples/abuses.py
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samples.dice import Dice
    from samples.places import Site

__all__ = ["Audits"]

_SCHEMES = {
    "farm": ("", "FarmMark"),
    "cooperative": ("FarmMark",),
    "exporter": ("TradeTrace", ""),
    "distribution_centre": ("",),
    "trader": ("",),
}
_FACTORY_SCHEMES = ("FourPillar", "SocialMark 8", "FourPillar")
_TIDY = 0.85  # renew before the old certificate ends; the others withdraw their claim


@dataclass(frozen=True, slots=True)
class Audits:
    """What a site can show: `scheme` is empty where it never was audited."""

    scheme: str
    last: date
    expiry: date

    @classmethod
    def first(cls, site: Site, dice: Dice) -> Audits:
        """Draw the certificate with which the two years begin."""
        last = date(2022, 1, 10) + timedelta(days=dice.whole(0, 230))
        scheme = dice.pick(_SCHEMES.get(site.kind, _FACTORY_SCHEMES))
        return cls(scheme, last, last + timedelta(days=dice.pick((365, 365, 540))))

    def valid_in(self, month: str) -> bool:
        """Whether there is a certificate on the first day of a month (`YYYY-MM`)."""
        return bool(self.scheme) and self.expiry >= date.fromisoformat(f"{month}-01")

    def renewed(self, month: str, dice: Dice) -> Audits:
        """Return what the site can show next month."""
        following = date.fromisoformat(f"{month}-28") + timedelta(days=4)
        if not self.scheme or self.expiry > following + timedelta(days=28):
            return self
        if self.expiry >= following and not dice.chance(_TIDY):
            return self
        if self.expiry < following and not dice.chance(_TIDY):
            return self
        return self.visited(month, dice)

    def visited(self, month: str, dice: Dice) -> Audits:
        """Return the certificate that an audit in this month leads to."""
        visit = date.fromisoformat(f"{month}-01") + timedelta(days=dice.whole(2, 24))
        return Audits(self.scheme, visit, visit + timedelta(days=365))
