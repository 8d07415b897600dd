"""Converted rows to drafts for the log: events, master and reference data, labour months.

Next: provenance/ingest/scratch.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from provenance import canonical
from provenance.disclosure.privacy import b64
from provenance.entries import Draft, EntryType, Identity
from provenance.ingest.columns import EVENTS, LABOUR
from provenance.ingest.events import compared, event_content, resolve, warnings_of
from provenance.ingest.quality.checks import EventChecks
from provenance.ingest.quality.notes import FIELD, private
from provenance.ingest.quality.rules import labour_notes, price_note
from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from provenance.entries import Content, Entry, Tier
    from provenance.ingest.columns import Kind
    from provenance.ingest.decisions import Moment
    from provenance.ingest.events import Makers
    from provenance.ingest.layout import Recipe
    from provenance.ingest.quality.master import MasterData
    from provenance.ingest.rows import RowReader

__all__ = ["DraftBuilder", "Made", "correction", "gtin_name", "reference", "row_key"]

# Where a native event field lies in the body, when not at its own name.
_EVENT_PATHS: Final = {
    "event_time": ("/event_time", "/time_text"),
    "gtin": ("/gtin",),
    "input_quantities": ("/inputs/*/quantity",),
    "quantity": ("/items/*/quantity",),
    "quantity_unit": ("/items/*/quantity_unit",),
    "serial_ids": ("/items/*/serial_ids/*",),
}


class Made(NamedTuple):
    """What a row became.

    Attributes:
        draft: For the log.
        warnings: What is odd about it, for the receipt.
    """

    draft: Draft
    warnings: list[str]


class DraftBuilder:
    """Makes drafts of the rows of one file, for one recipe."""

    def __init__(
        self, reader: RowReader, party: str, makers: Makers, master: MasterData | None = None
    ) -> None:
        """Build for a capturing party.

        Args:
            reader: Converts the rows.
            party: Whose they are.
            makers: What is known of the makers of lots.
            master: What rows are compared with, to note what may be a slip.
        """
        self.reader = reader
        self._party = party
        self._makers = makers
        self._checks = EventChecks(master, reader.label)
        self._tiers = _field_tiers(reader.recipe)
        self._extra_tiers = dict(reader.recipe.extra_tiers)

    def build(self, cells: list[str]) -> Made:
        """Make the draft of one row.

        Raises:
            Unacceptable: The row cannot be taken; `column` is the header of the culprit.
        """
        found, extra = self.reader.read(cells)
        kind = self.reader.recipe.kind
        if kind is not EVENTS:
            return Made(self._record(kind, found, extra), self.reader.notes)
        try:
            return self._event(found, extra, cells)
        except Unacceptable as error:
            error.column = self.reader.label.get(error.column, error.column)
            raise

    def _record(self, kind: Kind, found: Content, extra: list[list[str]]) -> Draft:
        content: Content = {"party": self._party, **found}
        if extra:
            content["ext"] = extra
        same = {**content, "ext": sorted(extra)} if extra else content
        tiers = self._tiers_of(extra)
        if kind is LABOUR and (notes := labour_notes(found)):
            content, tiers = {**content, FIELD: notes}, private(tiers)
        return Draft(
            type=kind.type,
            version=kind.version,
            content=content,
            identities=(Identity(row_key(kind, found), same),),
            on_change=kind.on_change,
            tiers=tiers,
            subjects=self._subjects_of(found, extra),
            lots=self._named(found),
        )

    def _named(self, found: Content) -> tuple[tuple[str, str, str], ...]:
        """A product is found by its GTIN in the way in which lots are found."""
        if "gtin" not in found or "product_id" not in found:
            return ()
        return ((gtin_name(found["gtin"]), self._party, found["product_id"]),)

    def _event(self, found: Content, extra: list[list[str]], cells: list[str]) -> Made:
        moment = self._moment(found)
        content = event_content(found, moment, self._party, extra)
        identity = Identity(("event", self._party, content["event_id"]), compared(content))
        lots = resolve(content, self._makers)
        tiers = self._tiers_of(extra)
        notes = self._checks.notes(found, moment.offset, decided=moment.decided)
        notes += self.reader.codes
        price = self.reader.recipe.price
        if price is not None and (note := price_note(found, cells[price].strip())):
            notes.append(note)
        if notes:  # after what is compared was taken: a note makes no other event of a row
            content[FIELD], tiers = notes, private(tiers)
        draft = Draft(
            type=EntryType.EVENT,
            version=EVENTS.version,
            content=content,
            identities=(identity,),
            tiers=tiers,
            lots=lots,
            subjects=self._subjects_of(found, extra),
        )
        warnings = [*warnings_of(content), *self.reader.notes]
        return Made(draft, [*warnings, moment.note] if moment.note else warnings)

    def _moment(self, found: Content) -> Moment:
        try:
            return self.reader.times.moment(found["event_time"], found.get("source_system", ""))
        except Unacceptable as error:
            error.column = "event_time"
            raise

    def _tiers_of(self, extra: list[list[str]]) -> dict[str, Tier]:
        if not self._extra_tiers or not extra:
            return self._tiers
        own = {
            f"/ext/{place}": self._extra_tiers[name]
            for place, (name, _text) in enumerate(extra)
            if name in self._extra_tiers
        }
        return {**self._tiers, **own}

    def _subjects_of(self, found: Content, extra: list[list[str]]) -> dict[str, str] | None:
        """Say which paths are about a person, where the mapping names columns that name one."""
        if not self.reader.recipe.subjects:
            return None
        paths = {name: f"/{name}" for name in found}
        paths |= {name: f"/ext/{place}" for place, (name, _text) in enumerate(extra)}
        texts = {**found, **dict(extra)}
        return {
            paths[each]: person(name, self._party, str(texts[name]))
            for name, others in self.reader.recipe.subjects
            if name in texts
            for each in (name, *others)
            if each in paths
        }


def person(kind: str, *names: str) -> str:
    """The text that stands for one data subject: what it is, and what tells it from others."""
    return canonical.dump([kind, *names]).decode()


def _field_tiers(recipe: Recipe) -> dict[str, Tier]:
    paths = _EVENT_PATHS if recipe.kind is EVENTS else {}
    return {
        path: tier for name, tier in recipe.field_tiers for path in paths.get(name, (f"/{name}",))
    }


def gtin_name(gtin: str) -> str:
    """The name under which `Log.makers` finds the product of a GTIN of 14 digits."""
    return f"(01){gtin}"


def row_key(kind: Kind, found: Content) -> tuple[str, ...]:
    """The row key of anything but an event, its entity first."""
    key = (kind.entity, *(str(found[name]) for name in kind.key))
    return (*key, *(found.get(name, "") for name in kind.optional_key))


def reference(origin: str, entry: Entry) -> Content:
    """Name an entry from another: log, index and leaf hash."""
    return {"origin": origin, "index": entry.index, "leaf_hash": b64(entry.leaf_hash)}


def correction(draft: Draft, corrected: Content) -> Draft:
    """Turn a labour draft into a correction of the entry that `corrected` names."""
    return Draft(
        type=EntryType.CORRECTION,
        version=draft.version,
        content={**draft.content, "corrects": corrected},
        identities=draft.identities,
        on_change="version",
        tiers=draft.tiers,
        subjects=draft.subjects,
    )
