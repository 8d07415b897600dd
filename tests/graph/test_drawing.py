"""Pictures of lineage: nothing is left out or made up, whatever the records hold."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import networkx as nx
from graph_factories import COTTON, SHIRT, YARN, chain
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.drawing import formats, layout
from graph.drawing.cards import Card, cards
from graph.drawing.picture import Arrow, Box, Picture, picture
from graph.drawing.svg import svg
from graph.keys import item_key
from graph.lineage import Gap, GapReason, Lineage
from graph.model import Edge, EdgeKind
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance.entries import Tier

if TYPE_CHECKING:
    from graph.store import Direction, GraphStore

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert(1)</script>&\"'\x00\x1b\ud800]]>"
PRODUCTS = ("COTTON", "YARN", "SHIRT")


@st.composite
def lineages(draw: st.DrawFn) -> Lineage:
    """Any shape that a store could answer with: trees, shared inputs, circles, self-made goods."""
    direction: Direction = draw(st.sampled_from(["upstream", "downstream"]))
    count = draw(st.integers(1, 30))
    keys = [item_key("acme", PRODUCTS[at % 3], f"L{at}") for at in range(count)]
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    links = draw(st.lists(ends, max_size=60))
    near = nx.DiGraph([(b, a) if direction == "upstream" else (a, b) for a, b in links])
    near.add_nodes_from(range(count))
    hops = nx.single_source_shortest_path_length(near, 0)
    ordered = sorted(hops, key=lambda at: (hops[at], keys[at]))
    edges = [
        Edge(keys[a], EdgeKind.BECAME, keys[b], at, None, None, {"consumed": at + 1})
        for at, (a, b) in enumerate(links)
        if a in hops and b in hops
    ]
    gaps = [
        Gap(keys[at], GapReason.NO_ORIGIN)
        for at in draw(st.sets(st.sampled_from(ordered), max_size=3))
    ]
    return Lineage(
        keys[0],
        direction,
        Tier.PRIVATE,
        1,
        {keys[at]: hops[at] for at in ordered},
        tuple(edges),
        tuple(sorted(gaps)),
        truncated=False,
    )


def _about(lineage: Lineage, severity: str = "") -> dict[str, Card]:
    return {key: Card("thing", key, "Site, XX", "2024-01-01", 0, severity) for key in lineage.hops}


@given(lineages(), st.sampled_from([1, 100]))
@settings(max_examples=120, deadline=None)
def test_every_item_is_in_one_box_and_every_flow_in_one_arrow(
    lineage: Lineage, detail: int
) -> None:
    """Each item has one box, and the quantities on the arrows add up to those of the edges."""
    drawn = picture(lineage, _about(lineage), "t", detail=detail)

    held = Counter(key for box in drawn.boxes for key in box.keys)
    assert held == Counter(list(lineage.hops))
    total = sum(Decimal(arrow.label.replace(",", "")) for arrow in drawn.arrows if arrow.label)
    assert total == sum(edge.attrs["consumed"] for edge in lineage.edges)
    assert sum(box.asked for box in drawn.boxes) == 1
    assert sum(box.gap for box in drawn.boxes) == len(lineage.gaps)
    assert sum(arrow.dashed for arrow in drawn.arrows) == len(lineage.gaps)


@given(lineages())
@settings(max_examples=120, deadline=None)
def test_no_box_lies_on_another_and_goods_flow_to_the_right(lineage: Lineage) -> None:
    """Boxes keep apart, all within the picture; without circles every arrow leads rightwards."""
    drawn = picture(lineage, _about(lineage), "t")
    plan = layout.lay_out(drawn)

    for at, (x, y) in enumerate(plan.centres):
        assert layout.BOX_WIDTH / 2 <= x <= plan.width - layout.BOX_WIDTH / 2 + 0.1
        assert 0 < y < plan.height
        for x2, y2 in plan.centres[:at]:
            assert abs(x - x2) >= layout.BOX_WIDTH or abs(y - y2) >= 5 * layout.LINE_HEIGHT
    if not lineage.cycles():
        for arrow in drawn.arrows:
            assert plan.centres[arrow.src][0] < plan.centres[arrow.dst][0]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_whatever_records_hold_is_text(lines: list[str], label: str) -> None:
    """Any text gives well-formed files in which it is text: no element is added, none opened."""
    boxes = (Box(("a",), tuple(lines), asked=True), Box(("b",), (NASTY,), "high", 2))
    drawn = Picture(label, (label,), boxes, (Arrow(0, 1, label), Arrow(1, 1)))

    tree = ET.fromstring(svg(drawn))
    assert {node.tag for node in tree.iter()} <= {
        f"{SVG}{name}"
        for name in "svg title desc style defs marker path rect text g".split()  # noqa: SIM905
    }
    page = formats.html(drawn)
    assert "<script" not in page
    assert page.encode("utf-8", "surrogatepass")


def _world() -> tuple[GraphStore, Lineage]:
    store = MemoryStore()
    catch_up(chain(), store)
    return store, store.upstream(SHIRT, Tier.PRIVATE)


def test_cards_say_what_the_store_knows() -> None:
    """A card names product and lot, and where and when the item was made."""
    store, lineage = _world()

    about = cards(store, lineage)

    assert about[YARN].lot == "Y1"
    assert about[YARN].product == "YARN"
    assert about[COTTON].day


def test_a_flag_shows_on_the_items_of_its_event(full: GraphStore) -> None:
    """What a flag is about bears its mark; a card counts each flag once."""
    lineage = full.upstream(SHIRT, Tier.PRIVATE)
    about = cards(full, lineage)

    marked = {key for key, card in about.items() if card.flags}
    parts = full.edges(lineage.hops, Tier.PRIVATE, EdgeKind.INVOLVES, "upstream")
    assert marked == {
        part.dst for part in parts if full.flags_for(part.src, Tier.PRIVATE, superseded=False)
    }
    assert marked


def test_the_same_picture_everywhere(tmp_path: Path) -> None:
    """Two processes with other hash seeds draw the same bytes."""
    script = tmp_path / "draw.py"
    script.write_text(
        "import test_drawing as t, sys\n"
        "store, lineage = t._world()\n"
        "sys.stdout.write(t.svg(t.picture(lineage, t.cards(store, lineage), 't')))\n"
    )
    here = Path(__file__).parent
    drawn = {
        subprocess.run(
            [sys.executable, script],
            env={"PYTHONPATH": f"{here}:{here.parent.parent}", "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(drawn) == 1
    assert b"</svg>" in drawn.pop()


def test_many_alike_share_a_box() -> None:
    """Of hundreds of lots that went into one few boxes are drawn, and a flagged one by itself."""
    keys = [item_key("acme", "COTTON", f"L{at:03}") for at in range(300)]
    edges = tuple(Edge(key, EdgeKind.BECAME, YARN, 1, None, None, {"consumed": 2}) for key in keys)
    hops = {YARN: 0, **dict.fromkeys(keys, 1)}
    lineage = Lineage(YARN, "upstream", Tier.PRIVATE, 9, hops, edges, (), truncated=False)
    about = _about(lineage) | {keys[7]: Card("thing", "L007", flags=1, severity="high")}

    drawn = picture(lineage, about, "t")

    assert [len(box.keys) for box in drawn.boxes] == [1, 299, 1]
    assert "299 lots" in drawn.boxes[1].lines
    assert sorted(arrow.label for arrow in drawn.arrows) == ["2", "598"]


@given(lineages())
@settings(max_examples=60, deadline=None)
def test_other_formats_hold_every_item_and_edge(lineage: Lineage) -> None:
    """GraphML is read back with the same items and edges; DOT names each of them."""
    about = _about(lineage)
    graph = nx.parse_graphml(formats.graphml(lineage, about), force_multigraph=True)
    text = formats.dot(lineage, about)

    assert set(graph.nodes) == set(lineage.hops)
    assert Counter(graph.edges()) == Counter((edge.src, edge.dst) for edge in lineage.edges)
    assert text.count(" -> ") == len(lineage.edges) + len(lineage.gaps)
    assert all(f'"{key}"' in text for key in lineage.hops)
