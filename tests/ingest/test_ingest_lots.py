"""Lots: whoever handles a lot, it stays its maker's; what is ambiguous is never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ingest_log import MemoryLog, counts, feed, feed_paths

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    "event_id,event_time,event_type,product_id,lot_id,"
    "input_lots,input_quantities,input_product_ids\n"
)


def row(number: int, word: str, product: str = "", lot: str = "", rest: str = ",,") -> str:
    """One event."""
    return f"E{number},2024-01-{number:02}T00:00:00Z,{word},{product},{lot},{rest}\n"


def event(log: MemoryLog, event_id: str) -> dict[str, Any]:
    """The content of one event."""
    (found,) = [content for content in log.contents() if content["event_id"] == event_id]
    return found


def test_inputs_are_found_in_the_same_file(tmp_path: Path) -> None:
    """An input lot is the one that the file makes, wherever in the file that is."""
    log = MemoryLog()
    text = (
        HEAD
        + row(2, "transform", "yarn", "Y1", "C1;C2,3.5;,")
        + row(1, "produce", "cotton", "C1")
        + row(3, "produce", "cotton", "C2")
    )
    assert counts(feed(log, tmp_path, text)) == (3, 3, 0, 0, 3)
    assert event(log, "E2")["inputs"] == [
        {"party": "acme", "product_id": "cotton", "lot_id": "C1", "quantity": {"_d": "3.5"}},
        {"party": "acme", "product_id": "cotton", "lot_id": "C2"},
    ]


def test_a_lot_keeps_its_makers_party(tmp_path: Path) -> None:
    """Who receives, uses, packs or sells a lot names its maker, from the log."""
    log = MemoryLog()
    feed(log, tmp_path, HEAD + row(1, "produce", "cotton", "C1"), party="farm")
    text = HEAD + row(2, "receive", "cotton", "C1") + row(3, "transform", "yarn", "Y1", "C1,,")
    feed(log, tmp_path, text, party="mill")
    assert event(log, "E2")["items"][0]["party"] == "farm"
    assert event(log, "E2")["party"] == "mill"
    assert event(log, "E3")["items"][0]["party"] == "mill"
    assert event(log, "E3")["inputs"][0] == {
        "party": "farm",
        "product_id": "cotton",
        "lot_id": "C1",
    }


def test_an_unknown_lot_is_a_gap(tmp_path: Path) -> None:
    """A lot that nobody made is kept by its id, as a gap; the product's owner is the capturer."""
    log = MemoryLog()
    text = HEAD + row(1, "receive", "cotton", "C9") + row(2, "transform", "yarn", "Y1", "C8,,")
    feed(log, tmp_path, text)
    assert event(log, "E1")["items"] == [{"party": "acme", "product_id": "cotton", "lot_id": "C9"}]
    assert event(log, "E2")["inputs"] == [{"lot_id": "C8"}]


def test_a_gap_that_closes_later_makes_no_conflict(tmp_path: Path) -> None:
    """A file is the same file again although the log has learnt who made its lots."""
    log = MemoryLog()
    text = HEAD + row(1, "receive", "cotton", "C1") + row(2, "transform", "yarn", "Y1", "C1,,")
    feed(log, tmp_path, text, party="mill")
    feed(log, tmp_path, HEAD + row(3, "produce", "cotton", "C1"), party="farm", name="farm.csv")
    assert counts(feed(log, tmp_path, text, party="mill")) == (2, 0, 2, 0, 0)


def test_a_lot_of_several_products_is_ambiguous(tmp_path: Path) -> None:
    """An input that fits several products is set aside; naming the product settles it."""
    log = MemoryLog()
    made = row(1, "produce", "cotton", "L1") + row(2, "produce", "wool", "L1")
    receipt = feed(log, tmp_path, HEAD + made + row(3, "transform", "yarn", "Y1", "L1,,"))
    assert counts(receipt) == (3, 2, 0, 1, 2)
    (reason,) = receipt.total.reasons
    assert reason.startswith("input_lots: is ambiguous: several products have this lot")
    named = HEAD + row(3, "transform", "yarn", "Y1", "L1,,wool")
    assert counts(feed(log, tmp_path, named)) == (1, 1, 0, 0, 1)
    assert event(log, "E3")["inputs"][0]["product_id"] == "wool"


def test_lots_of_several_makers(tmp_path: Path) -> None:
    """Two others with the same lot of the same product are ambiguous; the own lot is the own."""
    log = MemoryLog()
    make = HEAD + row(1, "produce", "cotton", "L1")
    feed(log, tmp_path, make, party="a")
    feed(log, tmp_path, make, party="b")
    use = HEAD + row(2, "receive", "cotton", "L1") + row(3, "transform", "yarn", "Y1", "L1,,")
    receipt = feed(log, tmp_path, use, party="c")
    assert counts(receipt) == (2, 0, 0, 2, 0)
    assert sorted(receipt.total.reasons) == [
        "input_lots: is ambiguous: several parties made this lot of this product",
        "lot_id: several parties made this lot of this product",
    ]
    assert counts(feed(log, tmp_path, use, party="a")) == (2, 2, 0, 0, 2)
    assert event(log, "E3")["inputs"][0]["party"] == "a"


def test_lots_are_found_across_the_files_of_one_ingest(tmp_path: Path) -> None:
    """Files given together know each other's lots, in whatever order they are given."""
    uses, makes = tmp_path / "a_uses.csv", tmp_path / "b_makes.csv"
    uses.write_text(HEAD + row(2, "transform", "yarn", "Y1", "C1,,"))
    makes.write_text(HEAD + row(1, "produce", "cotton", "C1"))
    for paths in ([uses, makes], [makes, uses]):
        log = MemoryLog()
        feed_paths(log, tmp_path, paths)
        assert event(log, "E2")["inputs"][0]["product_id"] == "cotton"


def test_products_with_a_gtin_only(tmp_path: Path) -> None:
    """Where a row has no product_id, its GTIN names the product."""
    log = MemoryLog()
    head = "event_id,event_time,event_type,gtin,lot_id\n"
    feed(log, tmp_path, head + "E1,2024-01-01,produce,9506000134352,L1\n")
    assert event(log, "E1")["items"][0]["product_id"] == "09506000134352"


@pytest.mark.parametrize("word", ["inspect", "ship", "store"])
def test_an_event_about_a_place_or_shipment_needs_no_item(tmp_path: Path, word: str) -> None:
    """Only what makes a product must name one."""
    log = MemoryLog()
    assert counts(feed(log, tmp_path, HEAD + row(1, word))) == (1, 1, 0, 0, 1)
    assert event(log, "E1")["items"] == []
    assert counts(feed(log, tmp_path, HEAD + row(2, "transform")))[3] == 1
