"""Cells that a spreadsheet would run as a formula: an apostrophe in front, and off again.

Every CSV that leaves the program goes through here. What a supplier has typed
into a name must not be run on the machine of who opens the export. A text that
has apostrophes before such a start gets one more, so that taking one off again
gives back exactly what was there.

Next: provenance/ingest/quarantine.py
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["guarded", "unguarded"]

# Also the wide forms, which some versions read as the narrow ones.
_START: Final = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA: Final = re.compile(rf"'*{_START}")
_GUARDED: Final = re.compile(rf"'+{_START}")


def guarded(text: str) -> str:
    """Return a text as it may stand in a cell."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text
