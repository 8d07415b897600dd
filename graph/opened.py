"""What an entry says, and to whom: its version, its content in layers, what was sealed.

An entry is opened once for all tiers. Where no part of a field was sealed by itself,
as in nearly all, it needs neither its salts nor an object for each opening.

Next: graph/event_parts.py
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from graph.facts import Form, form_of
from provenance import canonical
from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier

if TYPE_CHECKING:
    from graph.model import Layers
    from provenance.entries import Content, Entry

__all__ = ["ERASED", "Opened", "layers_of", "opened", "opened_columns"]

ERASED: Final = "erased"
"""The version of entries whose body is gone."""
_MARKERS: Final = ("_v", "_n", "_c", "_t")
"""The names in a body that are the format's own."""
_FORMS_KEPT: Final = 512
_TIERS: Final = {str(tier.value): tier for tier in Tier}


class Opened(NamedTuple):
    """What is read of an entry.

    Attributes:
        version: Of its body.
        layers: Its content, by tier.
        form: What was sealed.
    """

    version: str
    layers: Layers
    form: Form


def layers_of(entry: Entry) -> Layers:
    """Split what still opens of an entry by tier: `cut(layers_of(e), t) == open_entry(e, t)`."""
    return opened(entry).layers


def opened(entry: Entry) -> Opened:
    """Open an entry, reading body and openings once where that will do.

    A field that was sealed whole, as nearly all are, is its opening's value and nothing
    else. Where parts of a field were sealed, `open_entry` puts it together tier by tier.

    Raises:
        AttributeError, LookupError, TypeError, ValueError, EncodingError: It is none of ours.
    """
    form = form_of(entry.openings)
    if entry.body is None:
        return Opened(ERASED, [], form)
    version, public = _body(entry.body)
    layers: Layers = [public, {}, {}]
    said = canonical.loads(b"[%b]" % b",".join([each.preimage for each in entry.openings]))
    for opening, (path, value) in zip(entry.openings, said, strict=True):
        name = path[1:]
        if "/" in name or "~" in name:
            return Opened(version, _by_tier(entry), form)
        layers[opening.tier][name] = value
    return Opened(version, layers, form)


def opened_columns(body: bytes | None, tiers: str, said: bytes) -> Opened:
    """Do as `opened` with what `LogReader.columns` gives of an entry.

    Raises:
        ValueError: A part of a field was sealed; or as `opened`.
        AttributeError, LookupError, TypeError, EncodingError: As `opened`.
    """
    if body is None:
        return Opened(ERASED, [], form_of(()))
    version, public = _body(body)
    layers: Layers = [public, {}, {}]
    if not said:
        return Opened(version, layers, form_of(()))
    paths, values = zip(*canonical.loads(b"[%b]" % said), strict=True)
    form, places = _whole(paths, tiers)
    for (tier, name), value in zip(places, values, strict=True):
        layers[tier][name] = value
    return Opened(version, layers, form)


def _body(body: bytes) -> tuple[str, Content]:
    public = canonical.loads(body)
    version = public["_v"]
    for marker in _MARKERS:
        public.pop(marker, None)
    return version, public


@lru_cache(maxsize=_FORMS_KEPT)
def _whole(paths: tuple[str, ...], tiers: str) -> tuple[Form, list[tuple[Tier, str]]]:
    """Return the form of entries of which these fields were sealed, and where each belongs.

    Raises:
        ValueError: One is a part of a field.
    """
    if any("/" in path[1:] or "~" in path for path in paths):
        raise ValueError(paths)
    seen_from = [_TIERS[tier] for tier in tiers]
    names = [path[1:] for path in paths]
    return Form(zip(paths, seen_from, strict=True)), [*zip(seen_from, names, strict=True)]


def _by_tier(entry: Entry) -> Layers:
    layers: Layers = []
    below: Content = {}
    for tier in Tier:
        here = open_entry(entry, tier)
        changed = {
            name: value for name, value in here.items() if name not in below or below[name] != value
        }
        layers.append(changed)
        below = here
    return layers
