"""The GraphQL schema: its root fields.

Every root field can be null, so that one that fails does not take the others
with it; how failures look is decided in `api.execute`.

Next: api/execute.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import strawberry
from strawberry.extensions import DisableIntrospection, SchemaExtension, ValidationCache
from strawberry.schema.config import StrawberryConfig

from api.flag_type import Flag
from api.limits import parsed
from api.log_type import Log
from api.paging import Connection, check_first, connection, position
from api.product import MAX_DEPTH, MAX_EVENTS, MAX_ITEMS, find
from api.product_type import Product, Trace
from api.question_types import Custody, Exposure, Recall
from api.reading import FlagFilter
from api.vocabulary import (
    JSON,
    SCALARS,
    Direction,
    EvidenceClass,
    FlagState,
    Severity,
    SubjectKind,
)
from provenance.errors import AccessDenied, InputError
from provenance.identifiers import ItemReference, check_gtin, parse_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import GraphQLError

    from api.reading import Reading
    from api.viewer import Viewer

__all__ = ["Context", "make_schema"]


@dataclass(frozen=True, slots=True)
class Context:
    """What resolvers are given.

    Attributes:
        reading: The view that this request has borrowed.
        viewer: Who asks.
        base: The address that printed codes begin with, without a slash at its end.
    """

    reading: Reading
    viewer: Viewer
    base: str


_LONGEST_TEXT = 7089
"""What a QR code can hold at most, in characters (ISO/IEC 18004, numeric mode)."""

Info = strawberry.Info[Context, None]


@strawberry.input(description="An item: by GTIN, or by its maker's party and product id.")
class ItemInput:
    """How a caller names an item."""

    gtin: str | None = None
    party: str | None = None
    product_id: str | None = None
    lot: str | None = None
    serial: str | None = None


@strawberry.input(description="Which flags to list; what is left out does not restrict.")
class FlagsFilter:
    """Restrictions of a list of flags."""

    type: str | None = None
    severity: Severity | None = None
    evidence_class: EvidenceClass | None = None
    subject_kind: SubjectKind | None = None
    subject_id: str | None = None
    state: FlagState | None = None


@strawberry.type(description="A proof that an event is in the log.")
class Proof:
    """A proof bundle; `provenance verify --bundle FILE` checks it offline."""

    index: int
    bundle: JSON

    @strawberry.field
    def erased(self) -> bool:
        """Say whether the event was erased: that it was there is all that is left to prove."""
        return self.bundle["body"] is None  # type: ignore[index]

    @strawberry.field
    def signed_by(self, info: Info) -> str | None:
        """Return the vkey, or None for a batch that nobody signed."""
        return info.context.reading.signer_of(self.index)


def _reference(item: ItemInput) -> ItemReference:
    return ItemReference(
        gtin=None if item.gtin is None else check_gtin(item.gtin),
        party=item.party,
        product_id=item.product_id,
        lot_id=item.lot,
        serial_id=item.serial,
    )


def _wanted(asked: FlagsFilter) -> FlagFilter:
    words = (asked.severity, asked.evidence_class, asked.subject_kind)
    severity, evidence_class, subject_kind = (word and word.value for word in words)
    state = asked.state and asked.state.value
    return FlagFilter(asked.type, severity, evidence_class, subject_kind, asked.subject_id, state)


def _checked(depth: int) -> int:
    if not 1 <= depth <= MAX_DEPTH:
        raise InputError(f"depth: 1 to {MAX_DEPTH}, not {depth}")
    return depth


def _product(reference: ItemReference, info: Info) -> Product:
    context = info.context
    return Product(found=find(reference, context.reading, context.viewer), base=context.base)


@strawberry.type
class Query:
    """The root fields."""

    @strawberry.field
    def product(  # noqa: PLR0917 - GraphQL passes arguments by name
        self,
        info: Info,
        gtin: str | None = None,
        lot: str | None = None,
        serial: str | None = None,
        party: str | None = None,
        product_id: str | None = None,
    ) -> Product | None:
        """Find a product by GTIN, or by party and product id; lot and serial narrow it."""
        item = ItemInput(gtin=gtin, lot=lot, serial=serial, party=party, product_id=product_id)
        return _product(_reference(item), info)

    @strawberry.field
    def product_by_qr(self, info: Info, text: str) -> Product | None:
        """Find a product by the text of a code: a Digital Link, our own URI, a GS1 string."""
        if len(text) > _LONGEST_TEXT:
            raise InputError(f"text: {len(text)} characters; a code holds {_LONGEST_TEXT} at most")
        return _product(parse_item(text), info)

    @strawberry.field
    def trace(
        self,
        info: Info,
        item: ItemInput,
        direction: Direction = Direction.UPSTREAM,
        depth: int = 5,
    ) -> Trace | None:
        """Trace an item towards its origin, or track where it went."""
        found = find(_reference(item), info.context.reading, info.context.viewer)
        way: Literal["upstream", "downstream"] = direction.value
        return Trace(found=found, lineage=found.lineage(way, _checked(depth)), direction=direction)

    @strawberry.field
    def custody(self, info: Info, item: ItemInput) -> Custody | None:
        """Say who held an item, where and when."""
        reading, viewer = info.context.reading, info.context.viewer
        found = find(_reference(item), reading, viewer)
        return Custody.of(reading.custody(found.key, viewer.tier, MAX_EVENTS), reading)

    @strawberry.field
    def recall(self, info: Info, item: ItemInput, depth: int = MAX_DEPTH) -> Recall | None:
        """Say what a recall of an item affects, who holds it and who was sent it."""
        reading, viewer = info.context.reading, info.context.viewer
        found = find(_reference(item), reading, viewer)
        told = reading.recall(found.key, viewer.tier, _checked(depth), MAX_ITEMS)
        return Recall.of(told, reading)

    @strawberry.field
    def exposure(
        self, info: Info, item: ItemInput, watchlist: str | None = None, depth: int = MAX_DEPTH
    ) -> Exposure | None:
        """Say whether an item comes from what a watch list in the log names; without one, any."""
        reading, viewer = info.context.reading, info.context.viewer
        found = find(_reference(item), reading, viewer)
        asked = (watchlist or "", _checked(depth), MAX_ITEMS)
        return Exposure.of(reading.exposure(found.key, viewer.tier, *asked), reading)

    @strawberry.field
    def flags(
        self,
        info: Info,
        filter: FlagsFilter | None = None,  # noqa: A002 - the word of the schema
        first: int = 50,
        after: str | None = None,
    ) -> Connection[Flag] | None:
        """List flags that are not dismissed, or those in a state, newest first. For operators."""
        viewer = info.context.viewer
        if not viewer.may_list:
            raise AccessDenied("flags: lists are for operators; ask for a product by id")
        size, below = check_first(first), position(after)
        wanted = _wanted(filter or FlagsFilter())
        found = info.context.reading.flags(wanted, below, size + 1, viewer.tier)
        pairs = [(each.index or 0, Flag(record=each)) for each in found]
        return connection(pairs, size, later=below is not None)

    @strawberry.field
    def log(self, info: Info) -> Log | None:
        """Return the log's state."""
        reading = info.context.reading
        return Log.of(reading.head(), reading.position())

    @strawberry.field
    def proof(self, info: Info, event_id: str, party: str) -> Proof | None:
        """Prove that an event is in the log; discloses the fields of your tier."""
        bundle = info.context.reading.prove(party, event_id, info.context.viewer.tier)
        return Proof(index=bundle["index"], bundle=JSON(bundle))


class _Parsed(SchemaExtension):
    """Takes the document that `api.execute` has parsed and counted already."""

    def on_parse(self) -> Iterator[None]:
        """Put the document in place."""
        self.execution_context.graphql_document = parsed(self.execution_context.query or "")
        yield


class _Schema(strawberry.Schema):
    """A schema whose errors are logged where it is decided what they are: in `api.errors`."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Log nothing here."""


def make_schema(*, introspection: bool = False) -> strawberry.Schema:
    """Build the schema.

    Args:
        introspection: Whether callers may ask for the schema itself; without it, messages
            do not suggest field names either.
    """
    extensions: list[Any] = [_Parsed, ValidationCache]
    if not introspection:
        extensions.append(DisableIntrospection)
    config = StrawberryConfig(
        scalar_map=SCALARS, disable_field_suggestions=not introspection, relay_max_results=250
    )
    return _Schema(query=Query, extensions=extensions, config=config)
