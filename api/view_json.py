"""The JSON view of a product: what the page shows, with the records behind it.

Next: api/graphql_http.py
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from api.fields import plain
from api.seen import seen_words

if TYPE_CHECKING:
    from api.coverage import Origin
    from api.story import FlagGroup, Proof, Step, Story
    from provenance.identifiers import ItemKey

__all__ = ["view"]


def view(story: Story, uri: str) -> dict[str, Any]:
    """Return the view as plain JSON values; decimals are text.

    Args:
        story: What is told.
        uri: The item's full URI.
    """
    return {
        "digitalLink": uri,
        "item": _item(story.key),
        "gtin": story.gtin,
        "name": story.title,
        "missing": story.missing,
        "facts": dict(story.facts),
        "coverage": _camel(asdict(story.coverage)),
        "origins": [_origin(origin) for origin in story.origins],
        "journey": [_step(step) for step in story.steps],
        "stepsLeftOut": story.left_out,
        "flags": [_group(group) for group in story.flags],
        "certificates": list(story.certificates),
        "log": {
            "origin": story.head.origin,
            "size": story.head.size,
            "checkpoint": story.head.checkpoint,
            "vkey": story.head.vkey,
            "seen": seen_words(story.head.standing),
        },
    }


def _item(key: ItemKey) -> dict[str, Any]:
    return {
        "party": key.party,
        "productId": key.product_id,
        "lot": key.lot_id,
        "serial": key.serial_id,
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "item": _item(origin.key),
        "lots": origin.lots,
        "stepsBack": origin.steps_back,
        "material": origin.material,
        "place": origin.where or None,
        "firstDay": origin.first or None,
        "lastDay": origin.last or None,
        "party": origin.who,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "what": step.what,
        "goods": step.goods or None,
        "where": step.where or None,
        "own": step.own,
        "certainty": step.certainty,
        "proof": _proof(step.proof),
        "record": plain(step.details),
    }


def _proof(proof: Proof | None) -> dict[str, Any] | None:
    return None if proof is None else _camel(asdict(proof))


def _group(group: FlagGroup) -> dict[str, Any]:
    return {
        "type": group.type,
        "title": group.words.title,
        "means": group.words.means,
        "doesNotMean": group.words.does_not_mean,
        "flags": [
            {"about": flag.about, "index": flag.record.index, "record": plain(flag.record.content)}
            for flag in group.flags
        ],
    }


def _camel(content: dict[str, Any]) -> dict[str, Any]:
    return {
        "".join(part.title() if at else part for at, part in enumerate(name.split("_"))): value
        for name, value in content.items()
    }
