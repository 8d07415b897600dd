"""Rules of what the API says about witnesses: in words, in GraphQL, and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import api_world
import pytest
from api_asker import Asker
from api_world import GTIN, LOT

from api.app import create_app
from api.seen import seen_words
from api.settings import ApiSettings
from provenance.clock import system_entropy
from provenance.notes.checkpoint import COSIGNATURE, format_line, parse_note
from provenance.notes.cosignature import cosign
from provenance.notes.keys import generate
from provenance.store.witnessed import Cosignature, Sighting, Standing, store

if TYPE_CHECKING:
    from pathlib import Path

SEEN_AT = 1_774_300_000  # 2026-03-23T21:06:40Z
SINCE = 1_774_200_000_000_000
PATH = f"/01/{GTIN}/10/{quote(LOT, safe='')}"
ASK = """{log {size checkpoint witnessing {
    words known seenSize seenBy {name time} quorum quorumMet witnessedSize unwitnessedSince
}}}"""


def standing(**parts: Any) -> Standing:
    """A log of ten entries that nobody has seen, but for what is given."""
    plain = {
        "size": 10,
        "root": bytes(32),
        "known": 3,
        "quorum": True,
        "seen_size": 0,
        "seen_by": (),
        "witnessed": 0,
        "since_us": SINCE,
    }
    return Standing(**(plain | parts))


TWO = (Sighting("a", SEEN_AT), Sighting("b", SEEN_AT - 60))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"known": 0}, "Nobody else is asked to remember this history"),
        ({}, "Not yet seen by any witness since 22 March 2026, 17:20 UTC."),
        (
            {"seen_size": 10, "seen_by": TWO, "witnessed": 10, "since_us": None},
            "Seen by 2 of 3 witnesses at 23 March 2026, 21:06 UTC, all of it.",
        ),
        ({"seen_size": 10, "seen_by": TWO}, "more of them must see it"),
        (
            {"seen_size": 6, "seen_by": TWO, "witnessed": 6},
            "up to entry 5; what came after is not yet seen since 22 March 2026, 17:20 UTC.",
        ),
        ({"seen_size": 6, "seen_by": (Sighting("a", 2**62),)}, "at a time unknown"),
    ],
)
def test_the_words(parts: dict[str, Any], words: str) -> None:
    """Who, of how many, when; and where nobody has, since when."""
    assert words in seen_words(standing(**parts))


def test_a_cosignature_shows_everywhere(tmp_path: Path) -> None:
    """Page, JSON view, GraphQL and checkpoint tell of a witness as soon as it has cosigned."""
    key = generate("witness.example/w", system_entropy, COSIGNATURE)
    with api_world.build(tmp_path / "chain") as workspace:
        policy = workspace.layout.policy
        policy.write_text(f"log {workspace.vkey}\nwitness west {key.vkey}\nquorum west\n")
        ask = Asker(create_app(workspace, ApiSettings(base=api_world.BASE)))
        before = ask.get(PATH, "text/html")
        told = ask.graphql(ASK)["data"]["log"]
        assert told["witnessing"]["words"].startswith("Not yet seen by any witness since ")
        assert told["witnessing"]["quorumMet"] is False
        log = workspace.reader
        line = format_line(cosign(key, parse_note(log.checkpoint()).text, SEEN_AT)).strip()
        store(workspace.layout.log, [Cosignature(log.size, key.verifier, line)])
        after = ask.get(PATH, "text/html")
        again = ask.graphql(ASK)["data"]["log"]
        shown = ask.get("/checkpoint").text
        plain = ask.get(PATH, "application/json").json()

    assert "Not yet seen by any witness" in before.text
    assert "Seen by 1 of 1 witnesses at 23 March 2026" in after.text
    assert before.headers["etag"] != after.headers["etag"]
    assert again["witnessing"] == {
        "words": "Seen by 1 of 1 witnesses at 23 March 2026, 21:06 UTC, all of it.",
        "known": 1,
        "seenSize": again["size"],
        "seenBy": [{"name": "west", "time": "2026-03-23T21:06:40Z"}],
        "quorum": True,
        "quorumMet": True,
        "witnessedSize": again["size"],
        "unwitnessedSince": None,
    }
    assert again["checkpoint"].endswith(f"{line}\n")
    assert shown.endswith(f"{line}\n")
    assert plain["log"]["seen"] == again["witnessing"]["words"]
