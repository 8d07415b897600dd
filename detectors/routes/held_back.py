"""What held back a load: a full site, a holiday of the country, or a rest that all keep.

Others were held back in those days, too. A full site makes all of its stays longer in its own
measure; a rest adds days to stays, so that only sites where so many days stand out can show it.

Next: detectors/routes/travel_time.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from detectors.custody import DAY_US
from detectors.routes.company import Around, unshown
from detectors.routes.residuals import effects, spread

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from detectors.routes.scales import Scale

__all__ = [
    "COMPANY",
    "COMPANY_DAYS",
    "COMPANY_SHARE",
    "HOLIDAY_DAYS",
    "MOST",
    "NEAR_DAYS",
    "ODD",
    "REST_OF_ALL",
    "held_back",
]

NEAR_DAYS: Final = 20
COMPANY: Final = 2
"""So many others of those weeks, and such a share of them, held back too: no load did that."""
COMPANY_DAYS: Final = 14
COMPANY_SHARE: Final = 0.2
MOST: Final = 0.5
"""One other is company enough where it is half of all that there were in those weeks."""
HOLIDAY_DAYS: Final = 5
REST_OF_ALL: Final = 4
"""So many loads held back wherever they were, and such a share, show a rest that all keep."""
ODD: Final = 2.0
_AS_LONG: Final = 0.35
_PRODUCT_SIZE: Final = 8
_LEVELS: Final = tuple(float(one) for one in np.geomspace(2, 20, 11))
_HOURS: Final = tuple(float(one) for one in np.geomspace(12, 720, 9))


class Back(NamedTuple):
    """What may have held back each load.

    Attributes:
        held: Whether others were held back with it.
        queue: How probable it is that it stood in a queue that nobody else shows.
    """

    held: NDArray[np.bool_]
    queue: NDArray[np.float64]


def held_back(stay: NDArray[np.float64], scale: Scale, window: pd.DataFrame) -> Back:
    """Tell long stays in company: at the site in those weeks, or in the country in those days.

    Stays count against the site's usual alone: what the weeks' others explain already is what is
    asked here.

    Args:
        stay: How long each load stayed, on the scale.
        scale: The scale on which stays are even.
        window: The loads, with `site`, `site_product`, `country`, `kind`, `at` and `since`.
    """
    site, country = window["site"].to_numpy(), window["country"].to_numpy()
    rest = effects(stay, [(site, 0), (window["site_product"].to_numpy(), _PRODUCT_SIZE)])
    usual_spread = spread(rest, site, 1e-9)
    far = rest / usual_spread
    farthest = max(COMPANY_DAYS, NEAR_DAYS, HOLIDAY_DAYS) * DAY_US
    left, came, at_home = (
        Around(window[name].to_numpy(), place, farthest_us=farthest)
        for name, place in (("at", site), ("since", site), ("at", country))
    )
    marked = np.zeros(len(far), bool)
    for level in _LEVELS:
        asked = (far >= ODD) & (_AS_LONG * far <= level)
        for around, days, least, share in (
            (left, COMPANY_DAYS, COMPANY, COMPANY_SHARE),
            (came, COMPANY_DAYS, COMPANY, COMPANY_SHARE),
            (left, NEAR_DAYS, 1, MOST),
            (came, NEAR_DAYS, 1, MOST),
            (at_home, HOLIDAY_DAYS, COMPANY, COMPANY_SHARE),
        ):
            marked |= around.company(
                far >= level, reach_us=days * DAY_US, least=least, share=share, asked=asked
            )
    usual = [one.others(far < ODD, reach_us=COMPANY_DAYS * DAY_US) for one in (left, came)]
    kind = window["kind"].to_numpy()
    # A rest is seen by all who keep it: nobody stands in it unseen.
    queue = unshown(far, marked, np.maximum(*usual), site=site, kind=kind)
    resting = _resting(stay, rest, usual_spread, scale, window)
    return Back(marked | resting, np.where(far >= ODD, queue, 0.0))


def _resting(
    stay: NDArray[np.float64],
    rest: NDArray[np.float64],
    usual_spread: NDArray[np.float64],
    scale: Scale,
    window: pd.DataFrame,
) -> NDArray[np.bool_]:
    """Mark long stays of days in which the others that could show it were held back as well.

    Args:
        stay: How long each load stayed, on the scale.
        rest: That less the usual of its site and goods.
        usual_spread: How far the stays of its site usually stray.
        scale: The scale on which stays are even.
        window: The loads, with `country`, `at` and `since`.
    """
    usual = stay - rest
    usual_hours = scale.back(usual)
    more = scale.back(stay) - usual_hours
    odd = rest >= ODD * usual_spread
    country = window["country"].to_numpy()
    around = [
        (Around(window[name].to_numpy(), place, farthest_us=HOLIDAY_DAYS * DAY_US), least)
        for place, least in ((country, COMPANY), (np.zeros_like(country), REST_OF_ALL))
        for name in ("at", "since")
    ]
    marked = np.zeros(len(stay), bool)
    for hours in _HOURS:
        asked = odd & (_AS_LONG * more <= hours)
        able = scale.values(usual_hours + hours) - usual >= ODD * usual_spread
        for one, least in around:
            marked |= one.company(
                odd & (more >= hours),
                reach_us=HOLIDAY_DAYS * DAY_US,
                least=least,
                share=COMPANY_SHARE,
                asked=asked,
                able=able,
            )
    return marked
