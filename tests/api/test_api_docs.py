"""The queries of docs/api.md answer as printed there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from api.errors import answer_for
from api.limits import LIMITS, MAX_PAGE
from provenance import errors

if TYPE_CHECKING:
    from api_asker import Asker

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_queries_answer_as_printed(ask: Asker) -> None:
    """Each query, asked as a consumer, gives the JSON below it."""
    printed = re.findall(r"```graphql\n(.*?)```\n+```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(printed) == PAGE.count("```graphql") == PAGE.count("```json") >= 5
    for query, answer in printed:
        assert ask.graphql(query) == json.loads(answer), query


def test_codes_and_limits_are_the_ones_in_force() -> None:
    """Every code that can be answered is listed, and the limits are the code's."""
    codes = {answer_for(getattr(errors, name)("x")).code for name in errors.__all__}
    codes |= {answer_for(KeyError()).code, "BAD_QUERY", "LIMIT_EXCEEDED"}
    assert all(f"`{code}`" in PAGE for code in codes)
    for said in (
        f"{LIMITS.tokens:,} tokens",
        f"{LIMITS.depth} levels",
        f"{LIMITS.fields} fields",
        f"{LIMITS.aliases} aliases",
        f"{LIMITS.fragments} fragments",
        f"{LIMITS.roots} root fields",
        f"{MAX_PAGE} nodes a page",
    ):
        assert said in " ".join(PAGE.split())
