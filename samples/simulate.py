"""Lives the world through: once to look for occasions, once for the record.

Next: samples/labour.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.chains import build_chains
from samples.dice import Dice
from samples.doubles import CopiedTags, EarlySale, GreyImport, ListedSource, PaperTrade, WarmTruck
from samples.papers import (
    BeanSmuggler,
    DoubleUse,
    FalseValue,
    FalseWeight,
    HubRelabel,
    ShamFactory,
    Stretch,
)
from samples.ways import (
    Backdated,
    Detour,
    ForgedReceipt,
    LongWait,
    LostHands,
    OddBuyer,
    SideSale,
    TopUp,
)
from samples.world import World

if TYPE_CHECKING:
    from samples.scheme import Scheme
    from samples.strength import Strength

__all__ = ["simulate"]

# Who is asked first: rare occasions before frequent ones.
_SCHEMES: tuple[type[Scheme], ...] = (
    BeanSmuggler,
    ListedSource,
    LostHands,
    OddBuyer,
    Detour,
    LongWait,
    HubRelabel,
    TopUp,
    ShamFactory,
    SideSale,
    Stretch,
    DoubleUse,
    ForgedReceipt,
    Backdated,
    FalseValue,
    FalseWeight,
    PaperTrade,
    WarmTruck,
    CopiedTags,
    GreyImport,
    EarlySale,
)


def simulate(seed: int, scale: float, *, clean: bool, strength: Strength | None = None) -> World:
    """Run the two chains over the two years.

    Args:
        seed: Names the world; the same seed is the same world on every machine.
        scale: How much is grown and made, 1 for about 5,000 scans; above 0.
        clean: Whether to leave out everything planted.
        strength: Of the deeds; None for what such deeds are.

    Returns:
        The world after its last day, with its scans and labels.
    """
    schemes = [] if clean else [scheme() for scheme in _SCHEMES]
    if not clean:
        _live(World(seed, scale, schemes, strength))
        chosen = [scheme() for scheme in _SCHEMES]
        for scout, scheme in zip(schemes, chosen, strict=True):
            scheme.seen = scout.seen
            scheme.spread(scale, Dice(seed, "occasions", type(scheme).__name__))
        schemes = chosen
    return _live(World(seed, scale, schemes, strength))


def _live(world: World) -> World:
    """Let one world run its course."""
    build_chains(world)
    for scheme in world.schemes:
        scheme.begin(world)
    world.run()
    return world
