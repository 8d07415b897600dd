r"""Any JSON value within the log's canonical domain, and back without a loss. Pure.

The domain knows no fractions and only ASCII names. A number keeps its text, as
`{"_d": "12.50"}` where it is no plain integer. In names, characters outside
ASCII, backslashes and an underscore at the front are written as `\u{f6}`, so no
name of a partner's can be taken for one of the format's own.

Next: provenance/epcis/goods.py
"""

from __future__ import annotations

import re
from typing import Any, Final

from provenance import canonical
from provenance.epcis.jsonpull import Number

__all__ = ["give_back", "keep", "kept_name"]

_PLAIN: Final = re.compile(r"[ -\[\]-~]*\Z")
_STRANGE: Final = re.compile(r"\A_|[^ -\[\]-~]")
_WRITTEN: Final = re.compile(r"\\u\{([0-9a-f]{1,6})\}")


def keep(value: Any) -> Any:
    """Bring a value parsed by `jsonpull` into the canonical domain.

    Raises:
        EncodingError: A number is none that can be kept.
    """
    if type(value) is Number:
        return canonical.number(str(value))
    if isinstance(value, dict):
        return {kept_name(name): keep(part) for name, part in value.items()}
    if isinstance(value, list):
        return [keep(part) for part in value]
    return value


def give_back(kept: Any) -> Any:
    """Undo `keep`."""
    if type(kept) is int:
        return Number(kept)
    if isinstance(kept, dict):
        if len(kept) == 1 and "_d" in kept:
            return Number(kept["_d"])
        return {_given_name(name): give_back(part) for name, part in kept.items()}
    if isinstance(kept, list):
        return [give_back(part) for part in kept]
    return kept


def kept_name(name: str) -> str:
    """Write a member's name in ASCII."""
    if _PLAIN.match(name) and name[:1] != "_":
        return name
    return _STRANGE.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", name)


def _given_name(kept: str) -> str:
    return _WRITTEN.sub(lambda found: chr(int(found[1], 16)), kept) if "\\" in kept else kept
