"""Rules of tlog-tiles paths and entry bundles: one resource has one path, and one form."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import InputError
from provenance.wire.bundles import format_entries, parse_entries
from provenance.wire.paths import (
    ENTRIES,
    Address,
    addresses,
    body_path,
    entries_path,
    parse_body,
    parse_tile,
    tile_path,
    width_at,
)

ADDRESSES = st.builds(
    Address,
    st.sampled_from([ENTRIES, 0, 1, 2, 9, 10, 63]),
    st.integers(0, 2**63 - 1) | st.integers(0, 3000),
    st.integers(1, 256),
)
LEAVES = st.lists(st.binary(min_size=88, max_size=88), min_size=1, max_size=256)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (Address(0, 0), "tile/0/000"),
        (Address(0, 999), "tile/0/999"),
        (Address(1, 1000), "tile/1/x001/000"),
        (Address(3, 1_234_067), "tile/3/x001/x234/067"),
        (Address(3, 1_234_067, 1), "tile/3/x001/x234/067.p/1"),
        (Address(63, 0, 255), "tile/63/000.p/255"),
        (Address(ENTRIES, 1_234_067, 8), "tile/entries/x001/x234/067.p/8"),
        (Address(0, 2**63 - 1), "tile/0/x009/x223/x372/x036/x854/x775/807"),
    ],
)
def test_paths_are_those_of_the_specification(address: Address, path: str) -> None:
    """The examples of c2sp.org/tlog-tiles, and the borders of each part."""
    assert address.path == path
    assert parse_tile(path) == address


@given(ADDRESSES)
def test_a_path_is_read_back(address: Address) -> None:
    """Every address has one path, which leads back to it; the two writers agree with it."""
    assert parse_tile(address.path) == address
    writer = entries_path if address.level == ENTRIES else tile_path
    level = () if address.level == ENTRIES else (address.level,)
    assert writer(*level, *address[1:]) == address.path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/entries",
        "tile/data/000",
        "tile/0/x000/000",
        "tile/0/x000/x001/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x234",
        "tile/0/X001/000",
        "tile/0/x01/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/",
        "tile/0/000.P/1",
        "tile/0/000.p/-1",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/0/x001/x009/x223/x372/x036/x854/x775/807",
        "tile/0/../0/000",
        "tile/0/000\n",
        "tile/0/00\u0660",
        "tile/\u0661/000",
        "tile/0/x001/%32%33%34",
        "tile//000",
        "tile/0//000",
        "tile/0/000?p=1",
        "tile/0/" + "x001/" * 100_000 + "000",
    ],
)
def test_any_other_path_is_refused(path: str) -> None:
    """No spare zero, no second spelling, no climbing out; the message quotes at most a line."""
    with pytest.raises(InputError, match="is not the path of a tile") as caught:
        parse_tile(path)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@given(st.text(st.sampled_from("tile/entris0123456789x.pP% \n-+"), max_size=40))
def test_what_is_read_is_written_back(path: str) -> None:
    """Of arbitrary text, a path is taken only where it is the one path of its address."""
    with suppress(InputError):
        assert parse_tile(path).path == path
    with suppress(InputError):
        assert body_path(parse_body(path)) == path


@given(st.integers(0, 2**63 - 1))
def test_a_bodys_path_is_read_back(index: int) -> None:
    """`body/` and a plain number."""
    assert parse_body(body_path(index)) == index


@pytest.mark.parametrize(
    "path",
    [
        "body/",
        "body/01",
        "body/-1",
        "body/+1",
        "body/1/",
        "body/x",
        "body/1\n",
        "body/\u0661",
        "body/9223372036854775808",
        "/body/1",
        "body/1.0",
        "body/ 1",
        "body/" + "9" * 9999,
    ],
)
def test_any_other_body_path_is_refused(path: str) -> None:
    """No sign, no zero in front, no other digits, nothing of 2**63 and more."""
    with pytest.raises(InputError, match="is not the path of a body"):
        parse_body(path)


def test_a_tree_has_the_tiles_of_the_specification() -> None:
    """70,000 leaves: 273 full tiles and one of 112, one full and one of 17, one of 1."""
    widths = [[one.width for one in addresses(70_000, level)] for level in range(4)]
    assert widths == [[256] * 273 + [112], [256, 17], [1], []]
    assert [one.width for one in addresses(70_000, ENTRIES)] == widths[0]
    assert list(addresses(0, 0)) == []


@given(st.integers(0, 200_000), st.integers(0, 200_000), st.sampled_from([ENTRIES, 0, 1, 2]))
def test_what_is_new_is_what_the_older_tree_had_not(one: int, two: int, level: int) -> None:
    """`since` leaves out exactly the paths of the older tree; widths add up to the level's."""
    old, new = sorted((one, two))
    whole = [*addresses(new, level)]
    assert [*addresses(new, level, old)] == [
        each for each in whole if width_at(level, each.number, old) != each.width
    ]
    assert sum(each.width for each in whole) == new >> (8 * max(level, 0))


@given(LEAVES)
def test_an_entry_bundle_is_read_back(leaves: list[bytes]) -> None:
    """Each leaf behind its length; cut or padded by any number of bytes it is no such bundle."""
    data = format_entries(leaves)
    assert parse_entries(data) == parse_entries(data, len(leaves)) == leaves
    for other in (data[:-1], data[1:], data + b"\0", b"\0" + data, data + data[: 90 * 257]):
        with suppress(InputError):
            assert format_entries(parse_entries(other)) == other
    with pytest.raises(InputError, match="are needed"):
        parse_entries(data, len(leaves) + 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "of 0 bytes"),
        (b"\0\x58" + bytes(87), "of 89 bytes"),
        ((b"\0\x58" + bytes(88)) * 257, "1 to 256 leaves"),
        (b"\0\x57" + bytes(88), "not 88 bytes long"),
        (b"\0\x58" + bytes(88) + b"\x58\0" + bytes(88), "not 88 bytes long"),
        (b"\0\xb2" + bytes(178), "not 88 bytes long"),
    ],
)
def test_an_entry_bundle_of_other_entries_is_refused(data: bytes, reason: str) -> None:
    """Only whole leaves of 88 bytes, 1 to 256 of them."""
    with pytest.raises(InputError, match=reason):
        parse_entries(data)


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=90)).map(b"\0\x58".join))
def test_arbitrary_bytes_are_a_bundle_or_refused(data: bytes) -> None:
    """Nothing but InputError comes out, and what is read is written back."""
    with suppress(InputError):
        assert format_entries(parse_entries(data)) == data
