"""Content negotiation, entity tags' comparison, paging and small phrases, as laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api import phrases, words
from api.errors import answer_for
from api.fields import number, plain, text, whole, word
from api.paging import check_first, connection, position
from api.vocabulary import EventType, Severity
from api.web import choose, matches
from provenance import errors
from provenance.errors import InputError

_OFFERED = ("text/html", "application/json", "image/png")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/json", "application/json"),
        ("application/json;q=0.4, text/html;q=0.5", "text/html"),
        ("text/html;q=0, */*", "application/json"),
        ("image/*", "image/png"),
        ("image/*;q=0.9, IMAGE/PNG;q=0.1, application/json;q=0.5", "application/json"),
        ("text/csv", None),
        ("text/html;q=nonsense", None),
        ("", "text/html"),
        (";;;,,,=", None),
    ],
)
def test_negotiation_follows_the_standard(accept: str | None, chosen: str | None) -> None:
    """The most specific range decides, then the quality, then our order (RFC 9110, 12.5.1)."""
    assert choose(accept, _OFFERED) == chosen


@given(st.text(max_size=80))
def test_negotiation_takes_any_text(accept: str) -> None:
    """No header breaks negotiation; the answer is an offer or nothing."""
    assert choose(accept, _OFFERED) in (*_OFFERED, None)


@pytest.mark.parametrize(
    ("sent", "same"),
    [('"a"', True), ('"b", W/"a"', True), ('"ab"', False), ("", False), ("a", False)],
)
def test_entity_tags_are_compared_weakly(sent: str, same: bool) -> None:
    """`If-None-Match` holds a list, compared weakly (RFC 9110, 13.1.2)."""
    scope = {"type": "http", "headers": [(b"if-none-match", sent.encode())]}
    assert matches(Request(scope), '"a"') is same


@given(st.lists(st.integers(0, 10**9), max_size=30, unique=True), st.integers(1, 10))
def test_pages_together_are_the_list(values: list[int], size: int) -> None:
    """Following endCursor until there is no next page brings every node once, in order."""
    seen: list[int] = []
    cursor = None
    while True:
        start = position(cursor) or 0
        found = list(enumerate(values, 1))[start : start + size + 1]
        page = connection(found, size, later=start > 0)
        seen += page.nodes
        assert [edge.node for edge in page.edges] == page.nodes
        assert page.page_info.has_previous_page == (start > 0)
        cursor = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            break
    assert seen == values


@given(st.text(max_size=40))
def test_foreign_cursors_are_refused(cursor: str) -> None:
    """What is no cursor of ours is an input error, never a crash."""
    with pytest.raises(InputError, match="cursor"):
        position(cursor)


@pytest.mark.parametrize("size", [0, -1, 251, 2**40])
def test_page_sizes_have_limits(size: int) -> None:
    """A page has 1 to 250 nodes."""
    with pytest.raises(InputError, match="250"):
        check_first(size)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just({"_d": "1.50"}),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_JSON)
def test_no_value_breaks_a_field(value: object) -> None:
    """Whatever an old record holds in a field, reading it gives a value of the type or null."""
    content = {"f": value}
    assert isinstance(text(content, "f"), str | None)
    assert isinstance(whole(content, "f"), int | None)
    assert isinstance(number(content, "f"), str | None)
    assert isinstance(word(EventType, value), EventType | None)
    assert word(Severity, value) is None or value in {each.value for each in Severity}
    plain(value)
    for phrase in (phrases.day, phrases.moment, phrases.amount):
        assert isinstance(phrase({"event_time": value, "quantity": value}), str)
    assert isinstance(phrases.place({"facility_id": value, "locode": value}, {}), str)


def test_numbers_are_exact() -> None:
    """Decimals come out as they went in."""
    assert number({"f": {"_d": "26.50"}}, "f") == "26.50"
    assert plain({"a": [{"_d": "0.10"}]}) == {"a": ["0.10"]}


def test_phrases_say_what_is_known() -> None:
    """Times are as precise as recorded, places as good as known, amounts readable."""
    moment = {"event_time": "2024-03-23T22:17:32Z"}
    assert phrases.moment(moment) == "23 March 2024, 22:17 UTC"
    assert phrases.moment(moment | {"time_precision": "day"}) == "23 March 2024"
    assert phrases.day({"event_time": "2024-03-24T00:30:00+02:00"}) == "23 March 2024"
    assert phrases.date(moment) == "2024-03-23"
    sites = {"F": {"name": "Gin 4", "country": "NA"}}
    assert phrases.place({"facility_id": "F"}, sites) == "Gin 4, Namibia"
    assert phrases.place({"facility_id": "G", "locode": "NLRTM"}, sites) == "G"
    assert phrases.place({"locode": "NLRTM"}, sites) == "NLRTM"
    assert phrases.country("ZZ") == "ZZ"
    assert phrases.amount({"quantity": {"_d": "1250.50"}, "quantity_unit": "kg"}) == "1,250.50 kg"
    assert phrases.amount({"quantity": {"_d": "1e900"}}) == "1E+900"


def test_every_error_of_the_tree_has_an_answer() -> None:
    """Each error maps to a status of its own kind; the workspace's paths are never shown."""
    tree = [getattr(errors, name) for name in errors.__all__]
    answers = {kind.__name__: answer_for(kind("/srv/place: words")) for kind in tree}
    for name, answer in answers.items():
        assert 400 <= answer.status < 600
        told = name in {"NotFound", "AccessDenied", "InputError", "EncodingError", "UsageError"}
        assert ("/srv/place" in answer.message) == told, name
    assert answers["NotFound"].status == 404
    assert answers["AccessDenied"].status == 403
    assert answers["WorkspaceLocked"].status == answers["StorageError"].status == 503
    assert answers["VerificationError"].status == 500


def test_defects_are_logged_and_masked(caplog: pytest.LogCaptureFixture) -> None:
    """An error outside the tree is told in general words and logged with its traceback."""
    answer = answer_for(KeyError("SECRETPRIVATE"))
    assert (answer.status, answer.code) == (500, "INTERNAL")
    assert "SECRET" not in answer.message
    assert caplog.records[-1].exc_info is not None


def test_unknown_words_are_said_as_they_are() -> None:
    """An event or flag type from elsewhere still gets words."""
    assert words.event_words("re_pack") == "Re pack"
    assert words.flag_words("new_kind").title == "New kind"
    assert words.evidence_words("") == ""
