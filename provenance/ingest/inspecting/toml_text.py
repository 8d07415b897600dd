"""A plan as a mapping file that a person only has to correct.

Each line says how sure it is and why; columns that fill nothing are listed
with what they hold, so that nothing has to be looked up in the file.

Next: provenance/ingest/inspecting/trial.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provenance.ingest.inspecting.plan import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.ingest.inspecting.plan import Line, Plan
    from provenance.ingest.table import TableSettings

__all__ = ["mapping_text"]

_WIDE: Final = 78
_COMMENT: Final = 150


def mapping_text(
    plan: Plan, name: str, form: TableSettings, *, date_order: str = "", about: Sequence[str] = ()
) -> str:
    """Write the mapping.

    Args:
        plan: What was worked out.
        name: The mapping's.
        form: Sheet, encoding and so on, where the file needs them said.
        date_order: "day-first" or "month-first" where the file leaves it open.
        about: What was found about the file, for the first comment.
    """
    return "\n".join(_lines(plan, name, form, date_order, about)) + "\n"


def _lines(
    plan: Plan, name: str, form: TableSettings, date_order: str, about: Sequence[str]
) -> Iterator[str]:
    yield "# A suggestion: look at each line, correct it, and try it with"
    yield "#   provenance inspect --mapping THIS_FILE FILE"
    yield "# The number is how sure the line is, from 0 to 1."
    for text in about:
        yield from _wrapped(text, "# ", "# ")
    for text in plan.notes:
        yield from _wrapped(text, "# LOOK: ", "#       ")
    yield f"name = {quoted(name)}"
    yield from _form(plan, form)
    if plan.price:
        yield f"price = {quoted(plan.price)}  # times quantity it is the value, else a note"
    if plan.missing:
        yield f"missing = {_list(plan.missing)}  # in number columns"
    if plan.undated:
        yield f"undated = {_list(plan.undated)}  # in time columns: no event"
    yield ""
    yield "[fields]"
    for line in plan.common:
        yield from _field(line)
    for title, lines in plan.events:
        yield from ("", "[[event]]", f"name = {quoted(title)}", "[event.fields]")
        for line in lines:
            yield from _field(line)
    yield from _values(plan)
    yield from _times(plan, date_order)
    yield from _unused(plan)


def _form(plan: Plan, form: TableSettings) -> Iterator[str]:
    for setting in ("encoding", "sheet", "rows", "merged"):
        text = getattr(form, setting)
        if text:
            yield f"{setting} = {quoted(text)}"
    if form.header is not None:
        yield f"header = {form.header}"
    if plan.decimal:
        yield f"decimal = {quoted(plan.decimal)}"


def _list(texts: list[str]) -> str:
    return f"[{', '.join(map(quoted, texts))}]"


def _field(line: Line) -> Iterator[str]:
    said = line.comment if len(line.comment) <= _COMMENT else line.comment[: _COMMENT - 1] + "…"
    if said:
        yield from _wrapped(said, "# ", "#   ")
    yield f"{line.field} = {line.text}"


def _values(plan: Plan) -> Iterator[str]:
    for name, words in plan.values.items():
        if not words:
            continue
        yield from ("", f"[values.{name}]")
        for text, word in words.items():
            said = "" if word else "  # what is it? as long as nothing stands here, it is missing"
            yield f"{quoted(text)} = {quoted(word)}{said}"


def _times(plan: Plan, date_order: str) -> Iterator[str]:
    yield from ("", "[times]")
    yield '# zone = "Europe/Berlin"  # of times without an offset; they are UTC if none is named'
    if date_order:
        yield f'date_order = "{date_order}"  # a guess: nothing in the file proves it'
    if plan.serial:
        yield 'serial = "1900"  # day numbers of a spreadsheet'


def _unused(plan: Plan) -> Iterator[str]:
    unused = [guess for guess in plan.guesses if guess.header not in plan.used]
    if not unused:
        return
    yield from ("", "# Columns that fill no field are kept with each event, in the private tier.")
    yield '# Drop them with extra = false, or name those to keep: extra = ["..."]'
    for guess in unused:
        role = f" - {guess.best.role}?" if guess.best else ""
        samples = ", ".join(guess.profile.samples[:3]) or "empty"
        yield from _wrapped(f"{quoted(guess.header)}{role}: {samples}", "#   ", "#     ")


def _wrapped(text: str, first: str, later: str) -> Iterator[str]:
    """Comment lines; what cannot be printed does not end one early."""
    line = first
    for word in "".join(c if c.isprintable() else "?" for c in text).split(" "):
        if len(line) + len(word) > _WIDE and line not in (first, later):
            yield line.rstrip()
            line = later
        line += f"{word} "
    yield line.rstrip()
