"""EPCIS documents among the files of an ingest: recognised, and read twice like tables.

Next: provenance/ingest/files.py
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from provenance.epcis.document import Header, read_events
from provenance.epcis.jsonpull import JsonText
from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.epcis.document import FoundEvent
    from provenance.ingest.reading import Position
    from provenance.ingest.receipt import Part
    from provenance.ingest.sources import Source

__all__ = ["KIND", "Document", "is_json", "names_epcis"]

KIND: Final = "epcis"
"""What receipts call such a file."""
_JSON: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*["}]|\[\s*[{\]])')
_ENDING: Final = re.compile(r"\.json(?:ld)?(?:\.gz|\.zst)?\Z", re.IGNORECASE)
_EPCIS: Final = re.compile(rb'"(?:epcisBody|EPCIS(?:Query)?Document|eventTimeZoneOffset)"')
_PROBE: Final = 1 << 16
_PROGRESS: Final = 1000


@dataclass
class Document:
    """One EPCIS document to ingest.

    Attributes:
        source: The bytes.
        part: Its place in the receipt.
        named: The user named it, rather than its directory.
        header: What stands around its events, complete after the first pass.
    """

    source: Source
    part: Part
    named: bool
    header: Header = field(default_factory=Header)

    def events(
        self, header: Header, report: Callable[[Position], None] | None = None
    ) -> Iterator[FoundEvent]:
        """Yield the events in order.

        Args:
            header: Is filled in on the way.
            report: Called now and then with the position in the file.

        Raises:
            InputError: It is no UTF-8, no JSON or no EPCIS 2.0; the message names the line.
        """
        with self.source.open() as (plain, file):
            text = io.TextIOWrapper(plain, encoding="utf-8-sig", newline="")
            try:
                for count, event in enumerate(
                    read_events(JsonText(text.read, self.source.name), header)
                ):
                    yield event
                    if report is not None and count % _PROGRESS == 0:
                        report((file.tell(), self.source.size))
            except UnicodeDecodeError:
                raise InputError(
                    f"{self.source.name}: is not UTF-8, which JSON has to be; convert the file"
                ) from None
            finally:
                text.detach()


def is_json(source: Source) -> bool:
    """Say whether a file begins like a JSON object, or a list of them, or is called JSON."""
    if _ENDING.search(source.name):
        return True
    return _JSON.match(_beginning(source)) is not None


def names_epcis(source: Source) -> bool:
    """Say whether the beginning of a JSON file has the words that EPCIS documents have."""
    return _EPCIS.search(_beginning(source)) is not None


def _beginning(source: Source) -> bytes:
    with source.open() as (plain, _):
        return plain.read(_PROBE)
