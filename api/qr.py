"""QR codes of Digital Links: SVG, PNG and for the terminal.

Error level M and the quiet zone of four modules that ISO/IEC 18004 asks for.

Next: api/pages/__init__.py
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from provenance.errors import InputError

if TYPE_CHECKING:
    from segno import QRCode

__all__ = ["MAX_SCALE", "png", "svg", "terminal"]

_QUIET_ZONE = 4
_DEFAULT_SCALE = 8
_WHITE_ON_BLACK, _RESET = "\x1b[38;5;231;48;5;16m", "\x1b[0m"
MAX_SCALE = 40
"""The largest picture: pixels (PNG) or user units (SVG) per module."""


def _code(text: str) -> QRCode:
    import segno  # noqa: PLC0415 - only those who draw a code pay for it

    if not text or not (text.isascii() and text.isprintable()):
        # Beyond ASCII a reader has to guess the character set, and readers guess differently.
        raise InputError("a QR code holds a URI: printable ASCII, the rest percent-encoded")
    try:
        return segno.make_qr(text, error="m", boost_error=False)
    except segno.DataOverflowError as error:
        raise InputError(f"{len(text)} characters do not fit into a QR code") from error


def svg(text: str, *, scale: int = _DEFAULT_SCALE, inline: bool = False) -> str:
    """Draw the code as SVG.

    Args:
        text: What the code says, usually the item's URL.
        scale: User units per module, 1 to MAX_SCALE.
        inline: For placing into HTML: no XML declaration, no namespace, scaled by its viewBox.

    Returns:
        The SVG document, or the `svg` element.

    Raises:
        InputError: The text is empty, not ASCII or too long, or the scale out of range.
    """
    _check(scale)
    out = io.BytesIO()
    _code(text).save(
        out,
        kind="svg",
        scale=scale,
        border=_QUIET_ZONE,
        dark="#000",
        light="#fff",
        xmldecl=not inline,
        svgns=not inline,
        omitsize=inline,
        nl=False,
    )
    return out.getvalue().decode("utf-8")


def png(text: str, *, scale: int = _DEFAULT_SCALE) -> bytes:
    """Draw the code as a black and white PNG; arguments and errors as for `svg`."""
    _check(scale)
    out = io.BytesIO()
    _code(text).save(out, kind="png", scale=scale, border=_QUIET_ZONE, dark="#000", light="#fff")
    return out.getvalue()


def terminal(text: str) -> str:
    """Draw the code with half-block characters, white on black; errors as for `svg`.

    The colours are set explicitly: in the terminal's own colours the code would
    be inverted on a dark background, and many readers refuse that.
    """
    out = io.StringIO()
    _code(text).terminal(out, border=_QUIET_ZONE, compact=True)
    return "".join(f"{_WHITE_ON_BLACK}{line}{_RESET}\n" for line in out.getvalue().splitlines())


def _check(scale: int) -> None:
    if not 1 <= scale <= MAX_SCALE:
        raise InputError(f"the scale of a QR code is 1 to {MAX_SCALE}, not {scale}")
