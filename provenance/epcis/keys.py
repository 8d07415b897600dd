"""GS1 keys in their two spellings: EPC URIs and GS1 Digital Link URIs. Pure.

Both spellings of one thing give one `Gs1Key`, so that a serial is the same
serial whoever wrote its name. EPC URIs hide the check digit (GS1 TDS 2.0,
chapters 6 to 8), Digital Links show it, and a wrong one is refused. A URI that
is neither is not a GS1 key; that is no error.

Next: provenance/epcis/vocabulary.py
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from biip.checksums import gs1_standard_check_digit

from provenance.errors import InputError

__all__ = ["Gs1Key", "canonical_uri", "parse_key"]


class Gs1Key(NamedTuple):
    """What a URI names.

    Attributes:
        ai: GS1 application identifier of the primary key: "01" GTIN, "00" SSCC, "414" GLN of a
            place, "417" GLN of a party, "8003" GRAI, "8004" GIAI, and so on.
        value: The key, with check digit; for 253, 255 and 8003 the serial follows it.
        lot: AI 10.
        serial: What names one instance, by the AI in `serial_ai`.
        extension: AI 254, a place within a GLN.
        serial_ai: "21"; "235" in a UPUI, "8011" in a CPI.
    """

    ai: str
    value: str
    lot: str | None = None
    serial: str | None = None
    extension: str | None = None
    serial_ai: str = "21"


class _Scheme(NamedTuple):
    """How the dotted parts of an EPC URI make a key.

    Attributes:
        ai: Of the primary key.
        parts: How many dotted parts there are, the company prefix first.
        digits: How many digits the first two parts have together; 0 leaves them open.
        last: Field that the last part fills, or "value" when it is appended to the key.
        leading: The first digit of the second part goes in front (indicator, extension digit).
        before: Digits put in front of the key.
        serial_ai: Application identifier of a serial.
    """

    ai: str
    parts: int
    digits: int
    last: str = ""
    leading: bool = False
    before: str = ""
    serial_ai: str = "21"


_URN: Final = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):(.+)\Z", re.ASCII)
_SCHEMES: Final = {
    "sgtin": _Scheme("01", 3, 13, "serial", leading=True),
    "lgtin": _Scheme("01", 3, 13, "lot", leading=True),
    "upui": _Scheme("01", 3, 13, "serial", leading=True, serial_ai="235"),
    "itip": _Scheme("8006", 5, 13, "serial", leading=True),
    "sscc": _Scheme("00", 2, 17, leading=True),
    "sgln": _Scheme("414", 3, 12, "extension"),
    "pgln": _Scheme("417", 2, 12),
    "grai": _Scheme("8003", 3, 12, "value", before="0"),
    "gdti": _Scheme("253", 3, 12, "value"),
    "sgcn": _Scheme("255", 3, 12, "value"),
    "gsrn": _Scheme("8018", 2, 17),
    "gsrnp": _Scheme("8017", 2, 17),
    "gsin": _Scheme("402", 2, 16),
    "giai": _Scheme("8004", 2, 0),
    "ginc": _Scheme("401", 2, 0),
    "cpi": _Scheme("8010", 3, 0, "serial", serial_ai="8011"),
}
_PREFIX_DIGITS: Final = range(6, 13)
_ITIP_PARTS: Final = 5

# Digital Link URI Syntax 1.3, section 5: the shape of each primary key, and how many of its
# digits are followed by a check digit.
_PRIMARY: Final = {
    "01": (re.compile(r"\d{14}\Z", re.ASCII), 14),
    "00": (re.compile(r"\d{18}\Z", re.ASCII), 18),
    "414": (re.compile(r"\d{13}\Z", re.ASCII), 13),
    "417": (re.compile(r"\d{13}\Z", re.ASCII), 13),
    "253": (re.compile(r"\d{13}.{0,17}\Z", re.ASCII), 13),
    "255": (re.compile(r"\d{13,25}\Z", re.ASCII), 13),
    "401": (re.compile(r"\d{4}.{0,26}\Z", re.ASCII), 0),
    "402": (re.compile(r"\d{17}\Z", re.ASCII), 17),
    "8003": (re.compile(r"0\d{13}.{0,16}\Z", re.ASCII), 14),
    "8004": (re.compile(r"\d{4}.{0,26}\Z", re.ASCII), 0),
    "8006": (re.compile(r"\d{18}\Z", re.ASCII), 14),
    "8010": (re.compile(r"\d{4}.{0,26}\Z", re.ASCII), 0),
    "8017": (re.compile(r"\d{18}\Z", re.ASCII), 18),
    "8018": (re.compile(r"\d{18}\Z", re.ASCII), 18),
}
_WORDS: Final = {"gtin": "01", "sscc": "00", "gln": "414", "grai": "8003", "giai": "8004"}
_QUALIFIERS: Final = {
    "10": "lot",
    "21": "serial",
    "22": "",
    "235": "serial",
    "254": "extension",
    "8011": "serial",
}
_SERIAL_AIS: Final = frozenset({"235", "8011"})
_SAFE: Final = "'-._~;="
_MAX_URI: Final = 2048


@lru_cache(maxsize=16_384)  # an event is checked, kept and hashed, and its places come again
def parse_key(uri: str) -> Gs1Key | None:
    """Read an EPC URI, EPC class or pattern URI, or a GS1 Digital Link URI.

    Returns:
        None for any other text.

    Raises:
        InputError: It claims to name a GS1 key and does not: digits are missing or too many, or
            a check digit is wrong. The message does not quote the URI.
    """
    if len(uri) > _MAX_URI:
        return None
    if uri.startswith("urn:epc:"):
        return _of_urn(uri)
    if uri.startswith(("https://", "http://")):
        return _of_link(uri)
    return None


def canonical_uri(key: Gs1Key) -> str:
    """Write the canonical Digital Link of a key, finest level only, as CBV 2.0 section 8.9 asks.

    With a serial the lot is left out, because GTIN and serial name the instance.
    """
    tail = ""
    if key.serial is not None:
        tail = f"/{key.serial_ai}/{_encoded(key.serial)}"
    elif key.lot is not None:
        tail = f"/10/{_encoded(key.lot)}"
    elif key.extension is not None:
        tail = f"/254/{_encoded(key.extension)}"
    return f"https://id.gs1.org/{key.ai}/{_encoded(key.value)}{tail}"


def _encoded(part: str) -> str:
    return quote(part, safe=_SAFE)


def _of_urn(uri: str) -> Gs1Key | None:
    match = _URN.match(uri)
    scheme = _SCHEMES.get(match[2]) if match else None
    if match is None or scheme is None:
        return None
    kind, name, body = match.groups()
    if (kind == "class") is not (name == "lgtin"):
        raise InputError("is no EPC URI of a kind that there is")
    parts = body.split(".", scheme.parts - 1)
    if len(parts) != scheme.parts:
        raise InputError(f"is no EPC URI: {name} has {scheme.parts} parts")
    pattern = kind == "idpat"
    if pattern is not (parts[-1] == "*"):
        raise InputError("is no EPC URI: a pattern ends in .* and nothing else does")
    return _assembled(scheme, parts, pattern=pattern)


def _assembled(scheme: _Scheme, parts: list[str], *, pattern: bool) -> Gs1Key:
    prefix, reference = parts[0], parts[1]
    if not (_digits(prefix) and len(prefix) in _PREFIX_DIGITS):
        raise InputError("is no EPC URI: the company prefix has 6 to 12 digits")
    if not scheme.digits:
        value = prefix + _decoded(reference)
    elif len(prefix + reference) != scheme.digits or not _digits(prefix + reference):
        raise InputError(f"is no EPC URI: the first two parts have {scheme.digits} digits")
    elif scheme.leading:
        value = _with_check(reference[0] + prefix + reference[1:])
    else:
        value = scheme.before + _with_check(prefix + reference)
    if scheme.parts == _ITIP_PARTS:
        value += parts[2] + parts[3]
    if not scheme.last or pattern:
        return Gs1Key(scheme.ai, value)
    last = _decoded(parts[-1])
    if scheme.last == "value":
        return Gs1Key(scheme.ai, value + last)
    if scheme.last == "extension" and last == "0":
        return Gs1Key(scheme.ai, value)
    return Gs1Key(scheme.ai, value, serial_ai=scheme.serial_ai)._replace(**{scheme.last: last})


def _with_check(digits: str) -> str:
    return f"{digits}{gs1_standard_check_digit(digits)}"


def _digits(text: str) -> bool:
    return text.isascii() and (text.isdigit() or not text)


def _decoded(part: str) -> str:
    try:
        found = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise InputError("is not percent-encoded UTF-8") from None
    if not found:
        raise InputError("has an empty part")
    return found


def _of_link(uri: str) -> Gs1Key | None:
    try:
        path = urlsplit(uri).path
    except ValueError:
        return None
    parts = path.rstrip("/").split("/")
    for start in range(len(parts) - 2, 0, -2):
        ai = _WORDS.get(parts[start], parts[start])
        if ai in _PRIMARY:
            return _linked(ai, _decoded(parts[start + 1]), parts[start + 2 :])
        if parts[start] not in _QUALIFIERS:
            return None
    return None


def _linked(ai: str, value: str, rest: list[str]) -> Gs1Key | None:
    shape, checked = _PRIMARY[ai]
    if not shape.match(value):
        return None
    if checked and int(value[checked - 1]) != gs1_standard_check_digit(value[: checked - 1]):
        raise InputError("has a wrong check digit")
    fields = {
        field: _decoded(text)
        for name, text in zip(rest[::2], rest[1::2], strict=True)
        if (field := _QUALIFIERS[name])
    }
    serial_ai = next((name for name in rest[::2] if name in _SERIAL_AIS), "21")
    return Gs1Key(ai, value, serial_ai=serial_ai)._replace(**fields)
