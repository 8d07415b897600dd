"""Values of JSON written again, numbers as they were. Pure.

Next: provenance/ingest/values.py
"""

from __future__ import annotations

import json
from typing import Any

from provenance.epcis.jsonpull import Number

__all__ = ["json_text"]


def json_text(value: Any) -> str:
    """Write a value as `jsonpull` parses them; texts that are no `Number` are quoted."""
    if type(value) is Number:
        return str(value)
    if isinstance(value, dict):
        members = (f"{json_text(str(name))}:{json_text(part)}" for name, part in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(json_text, value))}]"
    return json.dumps(value, ensure_ascii=False)
