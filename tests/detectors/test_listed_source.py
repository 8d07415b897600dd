"""Listed sources: regions, names, and how far goods carry them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asking import flagged, reasons
from frame_factories import START, World
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.names import essence, similarity

NAME = "listed_source"


def world_with(kind: str, value: str, **site: object) -> World:
    """A watchlist line and a field that may be on it; mill and shop are not."""
    world = World()
    world.listed(kind, value)
    world.site("FIELD", **{"country": "XX", "region": "XX-01"} | site)  # type: ignore[arg-type]
    world.site("MILL")
    world.site("SHOP")
    world.make(0, "FIELD", "L")
    return world


@pytest.mark.parametrize(
    ("value", "hit"),
    [("XX-01", True), ("xx-01", True), ("XX", True), ("XX-02", False), ("X", False), ("DE", False)],
)
def test_region_matches_by_code(value: str, hit: bool) -> None:
    """A country covers its parts; a part covers itself."""
    world = world_with("region", value)
    left, _ = world.send(10, "FIELD", "DOCK", "L", "S1")
    assert set(flagged(NAME, world)) == ({left} if hit else set())


@pytest.mark.parametrize("written", ["KP", "PRK", "Korea, Democratic People's Republic of"])
def test_countries_match_however_they_are_written(written: str) -> None:
    """Alpha-2, alpha-3 and full names are one country."""
    world = world_with("region", "KP", country=written, region=None)
    left, _ = world.send(10, "FIELD", "MILL", "L", "S1")
    assert set(flagged(NAME, world)) == {left}


def test_region_by_location_code() -> None:
    """A site without a region is where its location code is."""
    world = world_with("region", "XX-01", region=None, country="YY", locode="YYABC")
    world.add("location/1", locode="YYABC", country_region="XX-01")
    left, _ = world.send(10, "FIELD", "MILL", "L", "S1")
    assert set(flagged(NAME, world)) == {left}


@pytest.mark.parametrize(
    ("listed", "registered", "hit"),
    [
        ("Red Star Textile Co., Ltd.", "RED STAR TEXTILE", True),
        ("Red Star Textile Co., Ltd.", "Textile Red-Star (Co) Limited", True),
        ("Red Star Textile Co., Ltd.", "Red Star Textiles Limited", True),
        ("Red Star Textile Co., Ltd.", "Blue Star Textile Co., Ltd.", False),
        ("Красная Звезда ООО", "Krasnaya Zvezda LLC", True),  # noqa: RUF001 - Cyrillic
        ("Süd-Garn GmbH & Co. KG", "sud garn", True),
        ("新疆棉业有限公司", "新疆棉业", True),
        ("Works No. 5", "Works No. 6", False),
        ("Ace", "Ice", False),
        ("Delta Garments II", "Delta Garments III", False),
        ("Unit A Garments", "Unit B Garments", False),
        ("East Coast Fisheries", "West Coast Fisheries", False),
        ("Henan Cotton", "Hunan Cotton", False),
        ("Kampala Hauling Ltd", "Kampala Hulling", False),
        ("Kampala Hauling Ltd", "Kampala Haulers", True),
        ("Kampala Hauling Ltd", "Kampala Haulling", True),
        ("Jiangsu Huafang Textile", "Jiangxi Huafang Textile", False),
        ("Shandong Zhonghe Fishery Co Ltd", "Shan Dong Zhong He Fisheries", True),
        ("Tex-Mart International Ltd", "Texmart Intl", True),
        ("M/s. Rahman Spinning Mills (Pvt.) Ltd.", "Rahman Spinning Mills", True),
        ("Minera Río Azul S. A. C.", "Minera Rio Azul", True),
        ("Joint Stock Company Fergana Cotton", "The Fergana Cotton JSC", True),
    ],
)
def test_names_match_without_what_does_not_tell_them_apart(
    listed: str, registered: str, hit: bool
) -> None:
    """Legal form, case, order, accents and alphabet do not matter; words and numbers do."""
    assert (similarity(essence(listed), essence(registered)) >= 90) is hit
    assert similarity(essence(registered), essence(listed)) == similarity(
        essence(listed), essence(registered)
    )


def test_similar_name_ranks_below_an_equal_one() -> None:
    """A likeness is said to be one."""
    world = world_with("entity", "Red Star Textile Co., Ltd.", name="Red Star Textiles Ltd")
    world.site("TWIN", name="RED STAR TEXTILE LIMITED")
    world.make(0, "TWIN", "M")
    like, _ = world.send(10, "FIELD", "MILL", "L", "S1")
    equal, _ = world.send(10, "TWIN", "MILL", "M", "S2")
    found = flagged(NAME, world)
    assert set(found) == {like, equal}
    assert found[like].rank < found[equal].rank
    assert ("another company of a similar name", "possible") in found[like].account.benign


def test_aliases_in_the_note_count() -> None:
    """The list's own aliases are names of the entity."""
    world = World()
    world.listed("entity", "Qizil Yultuz", note="a.k.a. Red Star Textile; Hongxing Fangzhi")
    world.site("FIELD", name="Hongxing Fangzhi Co Ltd")
    world.site("MILL")
    world.make(0, "FIELD", "L")
    left, _ = world.send(10, "FIELD", "MILL", "L", "S1")
    assert set(flagged(NAME, world)) == {left}


def test_what_the_goods_become_is_context_not_more_flags() -> None:
    """One flag on leaving the listed site; the shirt made of it two steps on is named in it."""
    world = world_with("region", "XX-01")
    left, _ = world.send(10, "FIELD", "MILL", "L", "S1")
    world.turn(100, "MILL", [("P", "L")], "YARN", 50.0, "Q")
    world.turn(110, "MILL", [("Q", "YARN")], "SHIRT", 20.0, "R")
    world.send(120, "MILL", "SHOP", "SHIRT", "S2", product="R", quantity=20.0)
    found = flagged(NAME, world)
    assert set(found) == {left}
    assert "2 later lots carry it, up to 2 steps on" in found[left].account.sentence


def test_first_trace_is_flagged_where_the_listed_shipment_is_missing() -> None:
    """Nobody recorded the cotton leaving; the first shipment of what it became carries the flag."""
    world = world_with("region", "XX-01")
    world.turn(100, "MILL", [("P", "L")], "YARN", 50.0, "Q")
    first, _ = world.send(120, "MILL", "SHOP", "YARN", "S2", product="Q", quantity=20.0)
    world.send(130, "MILL", "SHOP", "YARN", "S3", product="Q", quantity=30.0)
    found = flagged(NAME, world)
    assert set(found) == {first}
    assert "1 transformation" in found[first].account.sentence


def test_declared_origin_is_flagged_once_per_lot() -> None:
    """Goods declared to come from a listed country, whose site nobody knows."""
    world = world_with("region", "XX", country="DE", region=None)
    first, _ = world.send(10, "MILL", "SHOP", "M", "S1", declared_origin_country="XX")
    world.send(20, "MILL", "SHOP", "M", "S2", declared_origin_country="XX")
    world.send(20, "MILL", "SHOP", "N", "S3", declared_origin_country="DE")
    assert set(flagged(NAME, world)) == {first}


def test_goods_by_country_never_flag_alone() -> None:
    """A listed good from a listed country is context for a person, not a flag."""
    world = World()
    world.listed("goods_country", "*|XX")
    world.site("FIELD", country="XX")
    world.site("MILL")
    world.make(0, "FIELD", "L")
    world.send(10, "FIELD", "MILL", "L", "S1")
    assert flagged(NAME, world) == {}


def test_goods_by_country_are_shown_next_to_a_flag() -> None:
    """By product id or prefix of the HS code."""
    world = world_with("region", "XX-01")
    world.listed("goods_country", "5201|XX")
    world.product("P", hs_code="5201.00")
    left, _ = world.send(10, "FIELD", "MILL", "L", "S1")
    assert "Context only: Example list: 5201|XX" in flagged(NAME, world)[left].account.sentence


def test_cycles_end() -> None:
    """Lots that became each other are followed once."""
    world = world_with("region", "XX-01")
    left, _ = world.send(10, "FIELD", "MILL", "L", "S1")
    world.turn(100, "MILL", [("P", "L")], "A", 50.0, "P")
    world.turn(110, "MILL", [("P", "A")], "L", 50.0, "P")
    assert set(flagged(NAME, world)) == {left}


def test_no_watchlist_means_nothing_was_screened() -> None:
    """Silence without a list must not look like a clean bill."""
    world = World()
    world.site("FIELD")
    world.make(0, "FIELD", "L")
    world.send(10, "FIELD", "MILL", "L", "S1")
    assert reasons(NAME, world) == {"no watchlist in the record": ()}


def test_list_version_changes_with_any_line() -> None:
    """A flag names the list it was screened against, to the letter."""
    versions = set()
    for value in ("XX-01", "XX"):
        world = world_with("region", value)
        left, _ = world.send(10, "FIELD", "MILL", "L", "S1")
        versions.add(flagged(NAME, world)[left].list_version)
    assert len(versions) == 2
    assert all(str(version).startswith("Example list sha256:") for version in versions)


def test_goods_without_a_lot_are_screened_too() -> None:
    """Leaving a listed site is enough; what cannot be followed is not said to lead anywhere."""
    world = world_with("region", "XX-01")
    left, _ = world.send(10, "FIELD", "MILL", None, "S1")  # type: ignore[arg-type]
    sentence = flagged(NAME, world)[left].account.sentence
    assert sentence.startswith("P left FIELD, which is on a watchlist")
    assert "lot" not in sentence


DAYS = ("2023-01-01", "2024-01-05", "2024-01-11", "2024-06-30")


@given(
    st.sampled_from([None, *DAYS]),
    st.sampled_from([None, *DAYS]),
    st.sampled_from([-60, 0, 9]),
    st.sampled_from(["region", "entity"]),
)
@settings(max_examples=12)
def test_a_listing_counts_on_the_days_it_held(
    since: str | None, until: str | None, made: int, kind: str
) -> None:
    """When the goods left, or when they were made there; both ends count, unknown ends are open."""
    world = world_with(kind, {"region": "XX-01", "entity": "Red Star"}[kind], name="Red Star Ltd")
    world.entries[0][1].update({"valid_from": since} if since else {})
    world.entries[0][1].update({"valid_until": until} if until else {})
    world.entries.pop()
    world.make(24 * made, "FIELD", "L")
    left, _ = world.send(24 * 10 + 5, "FIELD", "MILL", "L", "S1")
    days = {(START + timedelta(days=day)).strftime("%Y-%m-%d") for day in (made, 10)}
    held = any((since or "0") <= day <= (until or "9") for day in days)
    assert set(flagged(NAME, world)) == ({left} if held else set())


def test_the_edition_that_held_then_speaks() -> None:
    """An older edition spelled the name better; on the day of the shipment a newer one held."""
    world = world_with("entity", "Red Star Textile", name="Red Star Textile", region=None)
    world.entries[0][1]["valid_until"] = "2023-12-31"
    world.listed("entity", "Red Star Textiles Group", valid_from="2024-01-01")
    left, _ = world.send(24 * 10, "FIELD", "MILL", "L", "S1")
    assert "Red Star Textiles Group" in flagged(NAME, world)[left].account.sentence


def test_a_declared_origin_counts_from_the_day_its_country_was_listed() -> None:
    """The first shipment since then carries the flag, not the lot's first one."""
    world = world_with("region", "XX", country="DE", region=None)
    world.entries[0][1]["valid_from"] = "2024-01-15"
    world.send(24, "MILL", "SHOP", "M", "S1", declared_origin_country="XX")
    later, _ = world.send(24 * 20, "MILL", "SHOP", "M", "S2", declared_origin_country="XX")
    assert set(flagged(NAME, world)) == {later}


def test_a_trace_of_goods_made_before_or_after_a_listing_is_none() -> None:
    """What was made, and came to light, while the list did not hold, is not flagged."""
    for since, until, hit in (
        ("2024-03-01", "", False),
        ("2020-01-01", "2020-12-31", False),
        ("2024-01-01", "", True),
    ):
        world = world_with("region", "XX-01")
        world.entries[0][1].update(valid_from=since, valid_until=until)
        world.turn(100, "MILL", [("P", "L")], "YARN", 50.0, "Q")
        world.send(120, "MILL", "SHOP", "YARN", "S2", product="Q", quantity=20.0)
        assert bool(flagged(NAME, world)) is hit
