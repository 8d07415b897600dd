"""Which events are valid: GS1's schema is the oracle, and what goes beyond it."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from epcis_world import PREFIX, document, event, parsed, transformation
from hypothesis import given, settings
from hypothesis import strategies as st
from schema_oracle import events_of, examples_in, schema_in

from provenance import canonical
from provenance.epcis.checks import MOST_LEVELS, InvalidEvent
from provenance.epcis.content import as_written, event_content
from provenance.epcis.jsonpull import Number, parse
from provenance.epcis.keys import canonical_uri, parse_key
from provenance.epcis.lossless import give_back, keep
from provenance.epcis.rules import check_event
from provenance.epcis.writing import json_text
from provenance.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def fault(made: Any) -> tuple[str, str] | None:
    """Place and reason of what is wrong with an event, or None."""
    try:
        check_event(parsed(made))
    except InvalidEvent as error:
        return error.pointer, error.reason
    return None


def test_every_example_of_gs1_is_valid(test_data: Path) -> None:
    """All events of the 47 examples pass, and so does the schema that judges the rest here."""
    paths = examples_in(test_data)
    assert len(paths) == 47
    for path in paths:
        text = path.read_text()
        assert schema_in(test_data).faults(json.loads(text)) == [], path.name
        for one in events_of(parse(text)):
            check_event(one)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values within a value."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return [at, *(path for name, part in pairs for path in places(part, (*at, name)))]
    return [at]


def changed(value: Any, path: tuple[Any, ...], how: Any) -> Any:
    """A copy in which one value was replaced, or removed (`how` is `changed` itself)."""
    made = copy.deepcopy(value)
    here = made
    for step in path[:-1]:
        here = here[step]
    if how is changed:
        del here[path[-1]]
    else:
        here[path[-1]] = how
    return made


SPOILT = [None, 1, "x", "", [], {}, True, "not a uri", [""], {"x": 1}, "2024-01-01", changed]


@settings(max_examples=60)
@given(st.data())
def test_whatever_the_schema_refuses_is_refused(test_data: Path, data: st.DataObject) -> None:
    """No event that GS1's schema does not allow passes, whichever value was spoilt."""
    path = data.draw(st.sampled_from(examples_in(test_data)))
    whole = json.loads(path.read_text())
    place = data.draw(st.sampled_from(range(len(events_of(whole)))))
    one = events_of(whole)[place]
    where = data.draw(st.sampled_from([path for path in places(one) if path]))
    spoilt = changed(one, where, data.draw(st.sampled_from(SPOILT)))
    about = json.loads(document(spoilt))
    allowed = not schema_in(test_data).faults(about)
    if fault(spoilt) is None:
        assert allowed, (path.name, where, spoilt)


@pytest.mark.parametrize(
    ("made", "pointer", "reason"),
    [
        (event(type="Event"), "/type", "is not one of"),
        (event(eventTime=None), "/eventTime", "is missing"),
        (event(eventTime="2024-04-05T02:33:31"), "/eventTime", "is not a time with its offset"),
        (event(eventTime="2024-02-30T02:33:31Z"), "/eventTime", "is not a time with its offset"),
        (event(eventTimeZoneOffset="Z"), "/eventTimeZoneOffset", "is not an offset"),
        (event(eventTimeZoneOffset="+25:00"), "/eventTimeZoneOffset", "is not an offset"),
        (event(action="SEEN"), "/action", "is not one of"),
        (event(bizStep="travelling"), "/bizStep", "is neither a word of CBV 2.0"),
        (event(epcList=["4711"]), "/epcList/0", "is not a URI"),
        (event(epcList=["urn:epc:id:sgtin:0614141.1.1"]), "/epcList/0", "have 13 digits"),
        (
            event(epcList=["https://id.gs1.org/01/10614141073465/21/1"]),
            "/epcList/0",
            "wrong check digit",
        ),
        (event(readPoint={"id": "https://id.gs1.org/414/4012345000116"}), "/readPoint/id", "digit"),
        (
            event(quantityList=[{"epcClass": "urn:x:y", "quantity": -2}]),
            "/quantityList/0/quantity",
            "negative",
        ),
        (
            event(quantityList=[{"epcClass": "urn:x:y", "quantity": "2"}]),
            "/quantityList/0/quantity",
            "is not a number",
        ),
        (event(colour="red"), "/colour", "has no namespace"),
        (event(ilmd={"ex:a": 1}), "/ilmd", "only for action ADD"),
        (event(epcList=None, quantityList=None), "", "needs epcList or quantityList"),
        (transformation() | {"outputQuantityList": []}, "", "names no inputs"),
        ([], "", "is not an object"),
        ("x", "", "is not an object"),
    ],
)
def test_faults_name_the_field(made: Any, pointer: str, reason: str) -> None:
    """A fault is told by its place within the event and a reason that quotes no value."""
    found = fault(made)
    assert found is not None
    assert found[0] == pointer
    assert reason in found[1]


def test_bounds_of_values() -> None:
    """Nesting, length, half characters and numbers beyond reason are refused."""
    deep: Any = "x"
    for _ in range(MOST_LEVELS):
        deep = {"ex:a": deep}
    assert fault(event(**{"ex:a": deep})) is not None
    assert fault(event(**{"ex:a": "x" * 200_000})) is not None
    assert fault(event(**{"ex:a": "\ud800"})) is not None
    for text in ("NaN", "Infinity", "1e9999", "9" * 100):
        made = parsed(event(**{"ex:a": 1})) | {"ex:a": Number(text)}
        with pytest.raises(InvalidEvent, match="no number"):
            check_event(made)


@pytest.mark.parametrize(
    ("uri", "link"),
    [
        ("urn:epc:id:sgtin:4012345.011111.98%22", "01/04012345111118/21/98%22"),
        ("urn:epc:id:sscc:4012345.3111111111", "00/340123451111111111"),
        ("urn:epc:id:sgln:4012345.00005.0", "414/4012345000054"),
        ("urn:epc:id:sgln:4012345.00005.122", "414/4012345000054/254/122"),
        ("urn:epc:id:pgln:999999999999.", "417/9999999999994"),
        ("urn:epc:id:grai:4012345.00022.334455", "8003/04012345000221334455"),
        ("urn:epc:id:giai:4012345.ABC345", "8004/4012345ABC345"),
        ("urn:epc:id:gdti:987659999999..9", "253/98765999999929"),
        ("urn:epc:id:gsrn:4012345.0000006765", "8018/401234500000067657"),
        ("urn:epc:id:gsrnp:4012345.0000000007", "8017/401234500000000074"),
        ("urn:epc:id:cpi:4012345.ABC.123", "8010/4012345ABC/8011/123"),
        ("urn:epc:id:sgcn:4012345.99999.44", "255/401234599999044"),
        ("urn:epc:id:ginc:4012345.333", "401/4012345333"),
        ("urn:epc:id:gsin:4012345.999987654", "402/40123459999876541"),
        ("urn:epc:id:itip:4012345.012345.01.02.999", "8006/040123451234560102/21/999"),
        ("urn:epc:id:upui:4012345.012345.AB12", "01/04012345123456/235/AB12"),
        ("urn:epc:class:lgtin:4012345.012345.Lot987", "01/04012345123456/10/Lot987"),
        ("urn:epc:idpat:sgtin:4054739.099914.*", "01/04054739999148"),
        ("urn:epc:idpat:grai:4012345.66666.*", "8003/04012345666663"),
    ],
)
def test_a_key_has_one_name(uri: str, link: str) -> None:
    """An EPC URI and its Digital Link, on any domain, are one key."""
    key = parse_key(uri)
    assert key is not None
    assert canonical_uri(key) == f"https://id.gs1.org/{link}"
    assert parse_key(f"https://shop.example/stem/{link}?x=1") == key


@given(st.text(max_size=60) | st.from_regex(r"urn:epc:(id|class|idpat):[a-z]{3,5}:[0-9.*]{1,30}"))
def test_any_text_is_a_key_or_not(text: str) -> None:
    """A text names a key, or none, or is refused; and a key's name is read as the same key."""
    try:
        key = parse_key(text)
    except InputError:
        return
    if key is not None and "" not in key[:2]:
        again = parse_key(canonical_uri(key))
        assert again is None or again.value == key.value


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.text(max_size=8)
    | st.integers()
    | st.sampled_from(["_d", "\\"])
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=6) | st.sampled_from(["_d", "_c", "_"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_extension_is_kept_without_a_loss(value: Any) -> None:
    """Whatever an extension holds, names and numbers included, comes back as it was written."""
    text = json.dumps({"a": value})
    found = parse(text)
    kept = canonical.decode(canonical.encode(keep(found)))
    assert give_back(kept) == found
    assert parse(json_text(give_back(kept))) == found


def test_every_example_comes_back_as_it_was(test_data: Path) -> None:
    """Content of version epcis/1 gives back the event with every member and number text."""
    for path in examples_in(test_data):
        for one in events_of(parse(path.read_text())):
            content = event_content(
                one, party="p", event_id=one.get("eventID", "x"), context=[PREFIX]
            )
            again, context = as_written(canonical.decode(canonical.encode(content)))
            assert again == dict(one), path.name
            assert context == [PREFIX]
