"""The report: one file that asks nothing of a network, says everything once, and escapes it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from math import isclose
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.report import write_report
from api.report.charts import site_chart
from api.report.gather import (
    CaseTold,
    DetectorTold,
    FlagTold,
    Head,
    Report,
    SiteTold,
    _detectors,
    _sites,
)
from api.report.lane_map import _circle, lane_map
from detectors.geo import EARTH_RADIUS_KM, great_circle
from detectors.overview import Lane, SiteMonth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

EVIL = "<script>alert('x')</script>\"&"


def flag(index: int, text: str = "Plain.") -> FlagTold:
    """A flag all of whose words are `text`."""
    return FlagTold(
        index=index,
        type="custody_gap",
        title=text,
        severity="high",
        evidence_class="rule",
        subject=text,
        sentence=text,
        observed=text,
        expected=text,
        peers=text,
        counterfactual=text,
        caveat=text,
        benign=((text, "ruled out"),),
        chance=text,
        evidence=f"#{index}",
        state="dismissed",
        reason=text,
    )


def report(text: str = "Plain.") -> Report:
    """A report with a little of everything."""
    case = CaseTold(7, "open", (flag(7, text), flag(9, text)))
    months = tuple(month(f"2024-{number:02}", site=text) for number in range(1, 13))
    return Report(
        head=Head("log.example/t", 12, "ab" * 32, "2026-11-23 10:00 UTC"),
        first_day="2024-01-01",
        last_day="2024-12-31",
        events=5,
        site_months=12,
        flags=2,
        level=0.05,
        expected_false=0.1,
        classes=(("rule", 2, text),),
        types=(("custody_gap", text, 2),),
        states=(("open", 1), ("confirmed", 0)),
        superseded=3,
        cases=(case,),
        more_cases=(replace(case, id=8),),
        lanes=(Lane(text, "B", (51.9, 4.1), (1.3, 103.8), 12, 1), Lane("C", "D", None, None, 3, 0)),
        sites=(SiteTold(text, text, months, {"2024-03": ("excess_hours", "audit_lapsed")}),),
        sites_left_out=3,
        detectors=(DetectorTold("custody_gap", 5, 2, None, None),),
        not_judged=(("mass_balance", text, 0),),
        errors=(f"other: {text}",),
    )


def month(name: str, site: str = "S", hours: float | None = 50.0) -> SiteMonth:
    """A month's figures."""
    return SiteMonth(site, name, hours, 60.0, 4.0, 3.0, "EUR", None)


class _Page(HTMLParser):
    """Notes what a page would fetch or run, and its ids and links."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src", "srcset", "action", "data"}:
                self.links.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


def read(page: str) -> _Page:
    """Parse a page."""
    parser = _Page()
    parser.feed(page)
    return parser


def test_page_asks_nothing_and_runs_nothing() -> None:
    """No script, no handler, no link except within the page, no style that fetches."""
    page = write_report(report())
    seen = read(page)
    assert not seen.tags & {"script", "link", "iframe", "img", "object", "embed", "form"}
    assert seen.handlers == []
    assert all(link.startswith("#") and link[1:] in seen.ids for link in seen.links)
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_every_text_is_escaped() -> None:
    """Whatever a record holds is text on the page and never markup."""
    page = write_report(report(EVIL))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 20
    assert "script" not in read(page).tags


def test_ids_are_unique_and_headings_in_order() -> None:
    """Links lead to one place each, and no heading level is left out."""
    page = write_report(report())
    ids = read(page).ids
    assert len(ids) == len(set(ids))
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_pictures_are_whole_and_have_words() -> None:
    """Map and charts are well-formed XML with a label for who cannot see them."""
    told = report(EVIL)
    for drawing in (lane_map(told.lanes), site_chart(told.sites[0])):
        root = ET.fromstring(drawing)
        assert root.get("role") == "img"
        assert root.get("aria-label")


def test_nothing_known_is_a_page_too() -> None:
    """A workspace without flags, lanes or labour gives a page that says so."""
    none = replace(
        report(),
        first_day=None,
        cases=(),
        more_cases=(),
        types=(),
        lanes=(),
        sites=(),
        not_judged=(),
        errors=(),
        detectors=(),
    )
    page = write_report(none)
    assert "No flags." in page
    assert "No shipments between sites are on record." in page
    assert "No labour records." in page
    assert lane_map([Lane("A", "B", None, (1.0, 2.0), 1, 0)]) == ""


COORDINATES = st.tuples(st.floats(-85, 85), st.floats(-180, 180))


@given(COORDINATES, COORDINATES)
def test_lanes_follow_the_great_circle(
    start: tuple[float, float], end: tuple[float, float]
) -> None:
    """The pieces of a lane add up to the shortest way, and end where the lane ends."""
    way = list(_circle(start, end))
    assert (way[0], way[-1]) == (start, end)
    whole = float(great_circle(start[0], start[1], end[0], end[1]))  # type: ignore[arg-type]
    pieces = sum(
        float(great_circle(*one, *other))  # type: ignore[arg-type]
        for one, other in itertools.pairwise(way)
    )
    # Opposite ends have no one shortest way; near them rounding chooses.
    opposite = whole > 0.999 * EARTH_RADIUS_KM * 3.14159
    assert opposite or isclose(pieces, whole, rel_tol=1e-6, abs_tol=1e-3)


@given(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=8))
def test_map_shows_every_lane(ends: list[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    """Every point of every lane lies within the picture, and no line crosses the map's edge."""
    lanes = [Lane(f"A{at}", f"B{at}", a, b, at + 1, at % 2) for at, (a, b) in enumerate(ends)]
    root = ET.fromstring(lane_map(lanes))
    left, top, width, height = map(float, (root.get("viewBox") or "").split())
    for path in root.iterfind("./g[@class='lanes']/path"):
        for part in (path.get("d") or "").split("M")[1:]:
            points = [tuple(map(float, point.split())) for point in part.split("L")]
            assert all(left <= x <= left + width for x, _ in points)
            assert all(top <= y <= top + height for _, y in points)
            assert all(abs(a[0] - b[0]) <= 1800 for a, b in itertools.pairwise(points))


def test_months_without_a_figure_leave_a_gap() -> None:
    """A line does not run on over months in which nothing was reported."""
    hours = [50.0, 51.0, None, 49.0, 50.0]
    months = tuple(month(f"2024-{at + 1:02}", hours=value) for at, value in enumerate(hours))
    root = ET.fromstring(site_chart(SiteTold("S", "", months, {})))
    (line, *_others) = root.iterfind(".//path[@class='value']")
    assert (line.get("d") or "").count("M") == 2


def test_flagged_months_are_marked_once() -> None:
    """A flag about a drawn figure is marked on its line, any other on the axis."""
    told = report().sites[0]
    root = ET.fromstring(site_chart(told))
    assert len(root.findall(".//circle[@class='mark']")) == 1
    assert len(root.findall(".//circle[@class='other']")) == 1


def test_a_month_names_each_type_once() -> None:
    """A rule and a statistic that flag one month alike are one line of that month."""
    about = {"subject_kind": "facility_month", "subject_id": "S|2024-01"}
    kinds = ("excess_hours", "coercion_indicators", "excess_hours")
    flags: list[Any] = [SimpleNamespace(attrs=about | {"type": kind}) for kind in kinds]
    (told,), _ = _sites([month("2024-01")], flags, {}, 1)
    assert told.flagged == {"2024-01": ("coercion_indicators", "excess_hours")}


def test_what_is_expected_by_chance_is_said_of_statistics_alone() -> None:
    """A detector's statistical flags times the level; of rules and learned flags nothing."""
    kinds = [("stays", "statistical")] * 3 + [("stays", "learned"), ("custody", "rule")]
    flags: list[Any] = [
        SimpleNamespace(
            index=at, leaf_hash=bytes(32), attrs={"detector": name, "evidence_class": kind}
        )
        for at, (name, kind) in enumerate(kinds)
    ]
    result: Any = SimpleNamespace(judged={"stays": 9, "custody": 9, "travel": 9})
    told = {one.name: (one.flags, one.by_chance) for one in _detectors(flags, {}, result, 0.1)}
    assert told == {"stays": (4, pytest.approx(0.3)), "custody": (1, None), "travel": (0, None)}


def test_command_writes_the_whole_page(provenance: Command, small: Path, tmp_path: Path) -> None:
    """`report` writes a page that names the log, its position and every current flag."""
    page = tmp_path / "report.html"
    code, out, _ = provenance("report", "-o", page, "--data", small)
    assert code == 0
    assert out.startswith(f"Wrote {page}: 1 flags, true for position ")
    text = page.read_text(encoding="utf-8")
    assert "the flag is entry #16" in text
    assert str(small) not in text


@pytest.mark.parametrize("words", [("--cases", "-1"), ("-q", "2")])
def test_wrong_numbers_are_refused(
    words: tuple[str, str], provenance: Command, small: Path, tmp_path: Path
) -> None:
    """Numbers out of range end in exit code 2, and no file."""
    page = tmp_path / "report.html"
    assert provenance("report", "-o", page, *words, "--data", small)[0] == 2
    assert not page.exists()
