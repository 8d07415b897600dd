"""The event hash: the published vectors, and what it must not depend on."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest
from epcis_world import PREFIX, event, parsed, transformation
from hypothesis import given
from hypothesis import strategies as st

from provenance.epcis.content import own_context
from provenance.epcis.document import Header, read_events
from provenance.epcis.eventhash import event_hash, pre_hash, utc_milliseconds
from provenance.epcis.jsonpull import JsonText, Number
from provenance.epcis.vocabulary import PREFIXES, prefixes

if TYPE_CHECKING:
    import random
    from pathlib import Path

NAMES = prefixes([PREFIX])


def hash_of(made: dict[str, Any]) -> str:
    """The hash of an event."""
    return event_hash(parsed(made), NAMES)


def test_every_published_vector_gives_its_hash(test_data: Path) -> None:
    """The 43 events of GS1's reference generator have the hashes it gives them."""
    folder = test_data / "vectors" / "epcis_event_hash"
    judged = 0
    for path in sorted(folder.glob("*.jsonld")):
        header = Header()
        with path.open(encoding="utf-8") as file:
            found = list(read_events(JsonText(file.read, path.name), header))
        names = prefixes(header.context)
        wanted = path.with_suffix(".hashes").read_text().split()
        for one, known in zip_longest(found, wanted):
            assert event_hash(one.value, names, header.ignored) == known, path.name
            judged += 1
    assert judged == 43


def test_the_form_of_the_name() -> None:
    """An RFC 6920 name with the version of the vocabulary."""
    assert len(hash_of(event())) == len("ni:///sha-256;") + 64 + len("?ver=CBV2.0")


@given(st.randoms(use_true_random=False))
def test_order_says_nothing(chance: random.Random) -> None:
    """Neither the order of members nor that of lists changes the hash."""
    made = event(
        epcList=[f"urn:epc:id:sgtin:0614141.107346.{serial}" for serial in range(5)],
        **{"ex:a": [3, 1, {"ex:b": "x", "ex:c": [1, 2]}], "ex:z": {"ex:y": 1, "ex:x": 2}},
    )
    assert hash_of(shuffled(made, chance)) == hash_of(made)


def shuffled(value: Any, chance: random.Random) -> Any:
    """A value with everything in another order."""
    if isinstance(value, dict):
        pairs = [(name, shuffled(part, chance)) for name, part in value.items()]
        chance.shuffle(pairs)
        return dict(pairs)
    if isinstance(value, list):
        parts = [shuffled(part, chance) for part in value]
        chance.shuffle(parts)
        return parts
    return value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/10614141073464/21/2017"),
        (
            "urn:epc:id:sgtin:0614141.107346.2017",
            "https://x.example/p/01/10614141073464/10/L/21/2017",
        ),
        ("urn:epc:id:sscc:4012345.0000000333", "https://id.gs1.org/00/040123450000003338"),
        ("urn:epc:id:sgtin:0614141.107346.A%2FB", "https://id.gs1.org/01/10614141073464/21/A%2fB"),
    ],
)
def test_both_spellings_of_a_uri_are_one(one: str, other: str) -> None:
    """EPC URIs and Digital Links of one thing give one hash."""
    assert hash_of(event(epcList=[one])) == hash_of(event(epcList=[other]))


@pytest.mark.parametrize("text", ["100", "100.0", "1e2", "1E+2", "100.00"])
def test_equal_numbers_are_one(text: str) -> None:
    """However a number is written, it is the same number."""
    made = parsed(event())
    made["quantityList"][0]["quantity"] = Number(text)
    other = event(quantityList=[{**event()["quantityList"][0], "quantity": 100}])
    assert event_hash(made, NAMES) == hash_of(other)


@pytest.mark.parametrize(
    "spelling", ["shipping", "cbv:BizStep-shipping", "https://ref.gs1.org/cbv/BizStep-shipping"]
)
def test_words_have_many_spellings(spelling: str) -> None:
    """Bare words, prefixed names, URIs and the URNs of older versions are one."""
    assert hash_of(event(bizStep=spelling)) == hash_of(event())
    assert hash_of(event(bizStep="urn:epcglobal:cbv:bizstep:shipping")) == hash_of(event())


def test_what_is_not_part_of_it() -> None:
    """Id, record time, error declaration, comments and the prefixes' names change nothing."""
    more = event(
        eventID="urn:uuid:00000000-0000-0000-0000-000000000000",
        recordTime="2025-01-01T00:00:00Z",
        errorDeclaration={"declarationTime": "2025-01-01T00:00:00Z"},
        **{"rdfs:comment": "seen"},
    )
    assert hash_of(more) == hash_of(event())
    renamed = prefixes([{"other": PREFIX["ex"]}])
    one = event_hash(parsed(event(**{"ex:a": "1"})), NAMES)
    assert event_hash(parsed(event(**{"other:a": "1"})), renamed) == one


@pytest.mark.parametrize(
    "change",
    [
        {"eventTime": "2024-04-05T02:33:31.117Z"},
        {"eventTimeZoneOffset": "+00:00"},
        {"action": "DELETE"},
        {"bizStep": "receiving"},
        {"disposition": "in_progress"},
        {"epcList": ["urn:epc:id:sgtin:0614141.107346.2018"]},
        {"quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877"}]},
        {"readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1235"}},
        {"bizTransactionList": None},
        {"ex:new": "1"},
    ],
)
def test_every_other_field_is_part_of_it(change: dict[str, Any]) -> None:
    """Changing, adding or taking away a field gives another hash."""
    assert hash_of(event(**change)) != hash_of(event())


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2020-03-04T11:00:30+01:00", "2020-03-04T10:00:30.000Z"),
        ("2023-02-02T11:04:03.1415Z", "2023-02-02T11:04:03.142Z"),
        ("2023-02-02T11:04:03.1414Z", "2023-02-02T11:04:03.141Z"),
        ("2023-12-31T23:59:59.99995Z", "2024-01-01T00:00:00.000Z"),
        ("2005-04-03T20:33:31.116000-06:00", "2005-04-04T02:33:31.116Z"),
    ],
)
def test_times_are_utc_with_milliseconds(text: str, utc: str) -> None:
    """The fourth decimal place is rounded half up."""
    assert utc_milliseconds(text) == utc


@pytest.mark.parametrize("text", ["", "2020-02-30T00:00:00Z", "2020-01-01", "2020-01-01T00:00:00"])
def test_what_is_no_time(text: str) -> None:
    """A day that does not exist, or a time without its offset, is refused."""
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the caller's business
        utc_milliseconds(text)


def test_a_transformation_as_text() -> None:
    """The text that is hashed, by hand."""
    assert pre_hash(parsed(transformation()), PREFIXES) == (
        "eventType=TransformationEventeventTime=2024-04-05T02:33:31.116Z"
        "eventTimeZoneOffset=-06:00inputQuantityListquantityElement"
        "epcClass=https://id.gs1.org/01/04012345111118/10/4444quantity=10"
        "outputQuantityListquantityElement"
        "epcClass=https://id.gs1.org/01/04012345222227/10/X1quantity=3"
        "bizStep=https://ref.gs1.org/cbv/BizStep-commissioning"
        "disposition=https://ref.gs1.org/cbv/Disp-in_transit"
        "readPointid=https://id.gs1.org/414/0614141073467/254/1234"
        "bizTransactionListtype=https://ref.gs1.org/cbv/BTT-po"
        "bizTransaction=http://acme.example/po/7"
    )


def test_the_standard_context_says_nothing_new(test_data: Path) -> None:
    """Prefixes of GS1's own context are the ones built in."""
    import json  # noqa: PLC0415 - used here only

    context = json.loads((test_data / "epcis" / "epcis-context.jsonld").read_text())["@context"]
    assert {name: context[name] for name in PREFIXES} == PREFIXES
    assert own_context(["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]) == []
