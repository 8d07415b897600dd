"""Worlds in which people have decided on many flags."""

from __future__ import annotations

import random

from frame_factories import BREMEN, HAMBURG, World


def reviewed(decisions: int = 260, *, suspect: bool = True, seed: int = 8) -> tuple[World, str]:
    """Flags on shipments of two carriers: reviewers confirm one's and dismiss the other's.

    Returns:
        The world, and the event of the last flag, which nobody has decided on: the confirmed
        carrier's if `suspect`, else the other's.
    """
    world, dice = World(), random.Random(seed)
    world.site("A", HAMBURG)
    world.site("B", BREMEN)
    world.product("P")
    subject = ""
    for number in range(decisions + 1):
        last = number == decisions
        bad = suspect if last else dice.random() < 0.5
        carrier = "Gloom Lines" if bad else "Sunny Haulage"
        world.make(6.0 * number - 3, "A", f"L{number}")
        subject, _ = world.send(6.0 * number, "A", "B", f"L{number}", f"S{number}", carrier=carrier)
        flag = world.add(
            "flag/1",
            detector="custody_gap",
            type="custody_gap",
            subject_kind="event",
            subject_id=subject,
            subject_party=world.party,
            severity="high",
            score=1.0 + dice.random(),
            threshold=1.0,
        )
        if not last:
            # Reviewers err, too.
            held = bad if dice.random() < 0.95 else not bad
            world.add("review/1", flag=[flag, ""], state="confirmed" if held else "dismissed")
    return world, subject
