"""The report that a compliance team forwards: one file with everything in it.

It asks nothing of any network, runs no script, and prints.

Next: api/report/gather.py
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from api.report.charts import site_chart
from api.report.lane_map import lane_map

if TYPE_CHECKING:
    from api.report.gather import Report

__all__ = ["write_report"]


def write_report(report: Report) -> str:
    """Write the report as one HTML document.

    Args:
        report: What it says, as `gather` put it together.
    """
    style = resources.files(__name__).joinpath("report.css").read_text(encoding="utf-8")
    charts = [(site, Markup(site_chart(site))) for site in report.sites]  # noqa: S704 - as below
    return _page().render(
        report=report,
        charts=charts,
        # Drawn here; every text in it is escaped where it is put in.
        map=Markup(lane_map(report.lanes)),  # noqa: S704
        style=Markup(style),  # noqa: S704
    )


@cache
def _page() -> Template:
    templates = Environment(
        loader=PackageLoader(__name__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("report.html")
