"""Node keys: one spelling each, taken apart into what they were built from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import keys
from graph.keys import NodeKind, parse_item, parse_key
from provenance.errors import UsageError
from provenance.identifiers import ItemKey

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["10", "21", "a/b", ":", "%2F", "", "é", "..", "item:x", "10/21"]),
)
ITEMS = st.builds(ItemKey, TEXT, TEXT, st.none() | TEXT, st.none() | TEXT)
BUILDERS: list[tuple[Callable[..., str], NodeKind, int]] = [
    (keys.event_key, NodeKind.EVENT, 2),
    (keys.container_key, NodeKind.CONTAINER, 1),
    (keys.shipment_key, NodeKind.SHIPMENT, 1),
    (keys.facility_key, NodeKind.FACILITY, 1),
    (keys.party_key, NodeKind.PARTY, 1),
    (keys.location_key, NodeKind.LOCATION, 1),
    (keys.certificate_key, NodeKind.CERTIFICATE, 1),
    (keys.lane_key, NodeKind.LANE, 1),
]


@given(st.sampled_from(BUILDERS), st.data())
def test_parsing_undoes_building(
    builder: tuple[Callable[..., str], NodeKind, int], data: Any
) -> None:
    """`parse(build(parts)) == parts`, for any text in the parts."""
    build, kind, count = builder
    parts = tuple(data.draw(TEXT) for _ in range(count))
    assert parse_key(build(*parts)) == (kind, parts)
    assert build(*parts).isascii()


@given(ITEMS)
def test_an_item_survives_its_key(item: ItemKey) -> None:
    """Absent and empty lots and serials stay apart, whatever characters the ids hold."""
    key = keys.item_key(*item)
    assert parse_item(key) == item
    assert keys.is_item(key)
    assert keys.is_class(key) == (item.lot_id is None and item.serial_id is None)
    assert keys.is_serial(key) == (item.serial_id is not None)
    assert keys.class_of(key) == keys.item_key(*item[:2])
    both = item.lot_id is not None and item.serial_id is not None
    assert keys.lot_of(key) == (keys.item_key(*item[:3]) if both else None)


@given(ITEMS, ITEMS)
def test_different_items_have_different_keys(one: ItemKey, other: ItemKey) -> None:
    """No two items share a key."""
    assert (keys.item_key(*one) == keys.item_key(*other)) == (one == other)


@given(st.lists(TEXT, max_size=3), st.lists(TEXT, max_size=3))
def test_records_with_equal_first_parts_lie_together(one: list[str], other: list[str]) -> None:
    """A record's key begins with its first parts and a slash exactly when the parts do."""
    longer, shorter = keys.record_key("k", *one, *other), keys.record_key("k", *one)
    assert longer == shorter or longer.startswith(f"{shorter}/")
    assert (longer == shorter) == (not other)


@pytest.mark.parametrize(
    "text",
    [
        *("", "item", "item:", "item:a", "item:a/b/c", "item:a/b/10", "item:a/b/11/c"),
        *("item:a/b/21/s/10/l", "item:a/b/10/l/10/l", "item:é/b", "item:%C3%A9x/b\n"),
        *("item:%c3%a9/b", "event:a", "event:a/b/c", "flag:01", "flag:-1", "flag:x", "entry:٣"),
        *("gap:lot/a", "planet:mars", "party:a/b", "item:%FF/b"),
    ],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    """Text that no builder makes is no key, and says so in one line."""
    with pytest.raises(UsageError) as caught:
        parse_key(text)
    assert "\n" not in str(caught.value)


def test_lone_surrogates_name_nothing() -> None:
    """Text that is not Unicode is refused instead of failing somewhere below."""
    with pytest.raises(UsageError):
        keys.item_key("a", "\ud800")
    assert not keys.is_unicode("a\udfff")
    assert keys.is_unicode("é𝄞")


def test_an_entry_is_named_by_its_index_alone() -> None:
    """`entry:{index}` gives its index back; other spellings name nothing."""
    assert keys.entry_index(keys.entry_key(0)) == 0
    assert keys.entry_index(keys.entry_key(123)) == 123
    assert [keys.entry_index(t) for t in ("entry:007", "entry:", "7", f"entry:{10**40}")] == [
        None
    ] * 4
