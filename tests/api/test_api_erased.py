"""What was erased is answered nowhere, also by a server that was asked before; nothing breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import api_world
import pytest
from api_asker import Asker
from api_world import GTIN, LOT, MAKER

from api.app import build_app
from api.errors import answer_for
from api.readers import Readers
from api.settings import ApiSettings
from api.store_reading import open_reading
from graph.sync import catch_up
from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Tier
from provenance.errors import Erased
from provenance.forget.survey import Survey
from provenance.forget.wanted import Subject, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.forget.wanted import Wanted
    from workspace.workspace import Workspace

PAGE = f"/01/{GTIN}/10/{quote(LOT, safe='')}"
QUERY = f"""{{
    product(gtin: "{GTIN}", lot: "{LOT}") {{
        name coverage {{ documented missing }} flags(first: 20) {{ nodes {{ type explanation }} }}
        journey(first: 20) {{ nodes {{ id }} }}
    }}
}}"""

COVERAGE = (
    f'{{ product(gtin: "{GTIN}", lot: "{LOT}") {{ coverage {{ missing erased sentence }} }} }}'
)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of one's own, to erase from."""
    with api_world.build(tmp_path / "chain") as made:
        yield made


@pytest.fixture
def asked(own: Workspace) -> Iterator[Asker]:
    """A server that has been asked before anything is erased."""
    pool = Readers(lambda: open_reading(own))
    app = Asker(build_app(pool, ApiSettings(base=api_world.BASE, token=api_world.TOKEN)))
    assert "errors" not in app.graphql(QUERY, operator=True)
    yield app
    pool.close()


def erase(workspace: Workspace, wanted: Wanted) -> None:
    """Erase beside the running server."""
    survey = Survey(workspace.log, wanted)
    survey.advance()
    forgetter = workspace.forgetter(workspace.log)
    forgetter.erase(survey, party="self")
    assert forgetter.follow().done


def everything(asked: Asker) -> str:
    """What the server says to its operator, as one text."""
    page = asked.get(PAGE, accept="text/html", operator=True)
    assert page.status_code in {200, 404}
    links = asked.get(PAGE, accept="application/linkset+json", operator=True)
    assert links.status_code < 500
    answer = asked.graphql(QUERY, operator=True)
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    assert codes <= {"NOT_FOUND"}
    return page.text + links.text + str(answer)


def test_private_values_are_answered_before_and_not_after(own: Workspace, asked: Asker) -> None:
    """The explanation of a flag goes with the entry that it rests on."""
    before = everything(asked)
    secrets = [text for text in api_world.SECRETS if text in before]
    assert secrets

    for secret in secrets:
        survey = Survey(own.reader, Subject(secret))
        survey.advance()
        if survey.targets:
            erase(own, Subject(secret))
    for index in flags_of(own):
        erase(own, record_of(own.reader.entry(index), ("*",)))

    after = everything(asked)
    assert [secret for secret in secrets if secret in after] == []
    assert "errors" not in asked.graphql(QUERY, operator=True)


def test_an_erased_event_is_told_as_erased(own: Workspace, asked: Asker) -> None:
    """Its proof, its id, and a page on which something is missing now, say what became of it."""
    asks = f'{{ proof(eventId: "M-1", party: "{MAKER}") {{ erased bundle }} }}'
    before = asked.graphql(asks)["data"]["proof"]
    assert (before["erased"], before["bundle"]["body"] is None) == (False, False)
    reading = open_reading(own)
    assert reading.event_named("M-1", [MAKER], Tier.PUBLIC) is not None
    assert "erased" not in everything(asked)
    index = own.reader.find(("event", MAKER, "M-1"))
    assert index is not None

    erase(own, record_of(own.reader.entry(index), ()))

    after = asked.graphql(asks)["data"]["proof"]
    assert (after["erased"], after["bundle"]["body"]) == (True, None)
    with pytest.raises(Erased) as gone:
        reading.event_named("M-1", [MAKER], Tier.PUBLIC)
    reading.close()
    assert answer_for(gone.value)[:2] == (410, "ERASED")
    answer = asked.graphql(COVERAGE)["data"]["product"]["coverage"]
    assert answer["erased"] == 1
    assert answer["missing"] > 0
    assert answer["sentence"].endswith("1 event of this log was erased, which may be why.")
    assert answer["sentence"] in asked.get(PAGE, accept="text/html").text


def flags_of(workspace: Workspace) -> list[int]:
    """The flags that still open."""
    return [e.index for e in workspace.reader.entries(0) if e.type == EntryType.FLAG and e.openings]


def test_every_event_erased_leaves_a_server_that_answers(own: Workspace, asked: Asker) -> None:
    """One event after the other goes; pages, lists and proofs go on answering."""
    events = [entry.index for entry in own.reader.entries(0) if entry.type == EntryType.EVENT]
    for index in events:
        named: dict[str, Any] = open_entry(own.reader.entry(index), Tier.PRIVATE)
        erase(own, record_of(own.reader.entry(index), ()))
        everything(asked)
        proof = asked.get(f"/proof/{named['party']}/{quote(named['event_id'], safe='')}")
        assert proof.status_code in {200, 404}
    catch_up(own.reader, own.graph)
    assert own.graph.skipped()["erased"] == len(events)
