"""The reading port on a workspace: makings, links through large events, and the choice of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import api_world
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import story
from api.coverage import coverage, origins
from api.product import Product
from api.reading import Record, Step
from api.store_reading import StoreReading, open_reading
from api.viewer import ANONYMOUS, OPERATOR
from graph.keys import is_class, item_key
from graph.lineage import GapReason
from provenance.entries import Tier
from provenance.identifiers import ItemKey

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUTS, OUTPUTS = 33, 32
"""More pairs than the graph keeps as edges between items."""


def _item(product: str, lot: str) -> dict[str, str]:
    return {"party": "mill", "product_id": product, "lot_id": lot}


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReading]:
    """The small chain, a lot made three times, and one very large transformation."""
    with api_world.build(tmp_path_factory.mktemp("api") / "reading") as workspace:
        made = [_item("FLOUR", "F-1")]
        drafts = [
            api_world.event("mill", f"T-{hour}", "produce", f"2024-01-01T{hour}:00:00Z", items=made)
            for hour in ("09", "07", "11")
        ]
        drafts.append(
            api_world.event(
                *("mill", "BIG", "transform", "2024-02-01T00:00:00Z"),
                inputs=[_item("GRAIN", f"G-{number}") for number in range(INPUTS)],
                items=[_item("MEAL", f"M-{number}") for number in range(OUTPUTS)],
            )
        )
        drafts.append(
            api_world.event(
                "mill", "S", "store", "2024-02-01T00:00:00Z", items=[_item("SALT", "S-1")]
            )
        )
        drafts += [
            api_world.event(
                *("mill", f"G-{number}", "produce", f"2024-01-{number % 28 + 1:02}T00:00:00Z"),
                items=[_item("GRAIN", f"G-{number}")],
                facility_id=f"FIELD-{number % 3}",
            )
            for number in range(INPUTS)
        ]
        workspace.log.append(drafts)
        workspace.sync_graph()
        view = open_reading(workspace)
        yield view
        view.close()


def test_the_earliest_making_counts(reading: StoreReading) -> None:
    """Of several events that made a lot, the earliest by time is its making, however logged."""
    key = ItemKey("mill", "FLOUR", "F-1")
    assert reading.made_by([key], Tier.PUBLIC)[key].content["event_id"] == "T-07"


def test_a_large_transformation_links_its_items(reading: StoreReading) -> None:
    """Goods that pass through an event with very many pairs are linked item to item."""
    key = ItemKey("mill", "MEAL", "M-7")
    lineage = reading.lineage(key, "upstream", Tier.PUBLIC, 5, 250)
    grain = {ItemKey("mill", "GRAIN", f"G-{number}") for number in range(INPUTS)}
    assert {(link.source, link.target) for link in lineage.links} == {(g, key) for g in grain}
    product = Product(key, key, reading, ANONYMOUS)
    assert [(each.where, each.lots) for each in origins(product)] == [
        *((f"FIELD-{number}", 11) for number in range(3))
    ]
    assert coverage(product).documented == INPUTS + 1
    assert "FIELD-0 and 2 other sources" in coverage(product).sentence


def test_a_product_is_no_source_of_its_lots(reading: StoreReading) -> None:
    """That a lot belongs to a product is no step of transformation."""
    key = ItemKey(api_world.MAKER, api_world.SHIRT)
    lineage = reading.lineage(key, "upstream", Tier.PRIVATE, 5, 250)
    assert lineage.links
    assert not [link for link in lineage.links if is_class(item_key(*link.source))]
    found = Product(key, key, reading, OPERATOR)
    assert [each.material for each in origins(found)] == ["Raw cotton"]


def test_only_gaps_upstream_count_as_missing(reading: StoreReading) -> None:
    """A shipment that nobody recorded receiving is a gap, but no input without a record."""
    key = ItemKey(api_world.MAKER, api_world.SHIRT, api_world.LOT)
    product = Product(key, key, reading, ANONYMOUS)
    reasons = {gap.reason for gap in product.upstream.gaps}
    assert GapReason.UNKNOWN_LOT in reasons
    assert coverage(product).missing == 1


def test_an_unknown_making_is_said(reading: StoreReading) -> None:
    """A lot that nobody recorded making has a gap, and the sentence says no more than that."""
    key = ItemKey("mill", "SALT", "S-1")
    found = coverage(Product(key, key, reading, ANONYMOUS))
    assert (found.documented, found.missing) == (0, 1)
    assert found.sentence == "Where it was made is not on record here."


def _step(number: int, hops: int, event_type: str) -> Step:
    return Step(Record(f"event:p/{number}", {"event_type": event_type}), hops)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["ship", "produce", "transform", "store"])),
        min_size=55,
        max_size=90,
    )
)
def test_a_long_journey_keeps_what_tells_most(kinds: list[tuple[int, str]]) -> None:
    """At most 60 steps, in order; none is left out for one that is neither own nor a making."""
    steps = [_step(number, *kind) for number, kind in enumerate(kinds)]
    shown = story._shown(steps)
    assert len(shown) == min(len(steps), story.MAX_STEPS)
    assert [step for step in steps if step in shown] == list(shown)

    def telling(step: Step) -> bool:
        return step.hops == 0 or step.event.content["event_type"] in {"produce", "transform"}

    if any(not telling(step) for step in shown):
        assert all(step in shown for step in steps if telling(step))
