"""A mapping that is being worked out: its lines, its words, and what stays open.

Next: provenance/ingest/inspecting/events_planned.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from provenance.ingest.inspecting.recognising import Guess

__all__ = ["Line", "Plan", "quoted"]


@dataclass
class Line:
    """One line of a mapping.

    Attributes:
        field: A native field.
        column: The column that it is read from, "" for none.
        text: The right side, as TOML.
        comment: Confidence, reasons, other columns.
    """

    field: str
    column: str
    text: str
    comment: str = ""


@dataclass
class Plan:
    """A mapping that was worked out.

    Attributes:
        guesses: What the columns are.
        common: Fields of every event.
        events: (name, fields) of each event.
        values: Field -> words of the file and native words; "" where nobody knows.
        missing: Texts in number columns that mean nothing is known.
        undated: Texts in time columns that mean that there is no date.
        decimal: The decimal sign, where the file needs one to be said.
        price: The column whose product with the quantity is the value.
        serial: The times are day numbers.
        notes: What a person should look at first.
        used: Columns that fill something.
    """

    guesses: list[Guess]
    common: list[Line] = field(default_factory=list)
    events: list[tuple[str, list[Line]]] = field(default_factory=list)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    undated: list[str] = field(default_factory=list)
    decimal: str = ""
    price: str = ""
    serial: bool = False
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def role(self, name: str) -> Guess | None:
        """The column that has a role."""
        found = (guess for guess in self.guesses if guess.best and guess.best.role == name)
        return next(found, None)

    def line(self, field_name: str, guess: Guess, text: str = "") -> Line:
        """A field that is read from a column, with why."""
        self.used.add(guess.header)
        return Line(field_name, guess.header, text or quoted(guess.header), self.why(guess))

    def why(self, guess: Guess) -> str:
        """Confidence, evidence, samples, and which other columns could have the role."""
        if guess.best is None:
            return ""
        role = guess.best.role
        rivals = [
            f"{quoted(other.header)} ({score.confidence:.2f})"
            for other in self.guesses
            for score in other.others
            if score.role == role and other is not guess
        ]
        samples = ", ".join(guess.profile.samples[:3])
        parts = [f"{guess.best.confidence:.2f}", guess.best.why, f"such as {samples}"]
        if rivals:
            parts.append(f"or {', '.join(rivals[:3])}")
        return "; ".join(part for part in parts if part)


def quoted(text: str) -> str:
    """A TOML string."""
    escaped = "".join(_ESCAPES.get(c, c if c.isprintable() else f"\\U{ord(c):08X}") for c in text)
    return f'"{escaped}"'


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
