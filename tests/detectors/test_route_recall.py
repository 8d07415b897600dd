"""What must be found among things that look like it: laws of recall for routes."""

from __future__ import annotations

import random

from asking import flagged
from frame_factories import HAMBURG, PARTY, World


def test_open_doors_hide_no_breach() -> None:
    """Five in a hundred readings are of open doors, three of broken coolers: only these flag."""
    world, dice = World(), random.Random(3)
    world.site("STORE", HAMBURG)
    world.product("P")
    breaches = set()
    for n in range(300):
        degrees = dice.gauss(4, 0.8) + (dice.uniform(2, 3) if n % 20 == 1 else 0)
        warm = n % 33 == 7
        item = {"party": PARTY, "product_id": "P", "lot_id": f"L{n}", "quantity": 1.0}
        degrees = 9.5 + dice.random() if warm else min(degrees, 7.2)
        reading = world.event("receive", 9.0 * n, "STORE", items=[item], temperature_c=degrees)
        if warm:
            breaches.add(reading)
    assert set(flagged("cold_chain_breach", world)) == breaches
