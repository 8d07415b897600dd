"""The products of the two chains and the GS1 numbers of the finished ones.

Quantities are integers, in tenths of the product's unit, everywhere in this
package: sums are exact, and the files show one decimal as scales do.

Next: samples/world.py
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "COLDEST",
    "PRODUCTS",
    "UNIT",
    "WARMEST",
    "Product",
    "feasible_output",
    "gs1_check_digit",
    "implied_input",
]

UNIT = 10  # one unit, in tenths
PPM = 1_000_000
COLDEST, WARMEST = 10, 20  # degrees Celsius that chocolate must stay within, doors open or not
_GS1_PREFIX = "952"  # GS1's range for demonstrations; never sold

# id | name | hs | unit | grams per unit | reference US cents per unit | chain | stage |
# input | input per output in millionths | serialised | cold | origin of output is the maker's
_TABLE = """
COT-SEED|seed cotton|520100|kg|1000|72|apparel|0||0|||
COT-LINT|cotton lint, baled|520100|kg|1000|205|apparel|1|COT-SEED|2700000|||
YARN-30|carded cotton yarn Ne 30|520512|kg|1000|360|apparel|2|COT-LINT|1180000||| made
FAB-SHRT|shirting, greige|520812|m|165|118|apparel|3|YARN-30|176000||| made
FAB-JRSY|single jersey, greige|600621|kg|1000|505|apparel|3|YARN-30|1060000||| made
FAB-DENM|denim, loomstate|520942|m|430|290|apparel|3|YARN-30|462000||| made
DYE-SHRT|shirting, dyed|520832|m|168|186|apparel|4|FAB-SHRT|1040000|||
DYE-JRSY|single jersey, dyed|600622|kg|1000|690|apparel|4|FAB-JRSY|1070000|||
DYE-DENM|denim, finished|520942|m|440|365|apparel|4|FAB-DENM|1050000|||
GAR-SHIRT|oxford shirt|620520|unit|255|840|apparel|5|DYE-SHRT|1620000||| made
GAR-TEE|t-shirt|610910|unit|165|345|apparel|5|DYE-JRSY|198000||| made
GAR-JEAN|jeans, five pocket|620342|unit|640|1290|apparel|5|DYE-DENM|1460000|yes|| made
COC-WET|cocoa beans, wet|180100|kg|1000|95|chocolate|0||0|||
COC-DRY|cocoa beans, fermented and dried|180100|kg|1000|262|chocolate|1|COC-WET|2600000|||
COC-LIQ|cocoa liquor|180310|kg|1000|455|chocolate|2|COC-DRY|1250000||| made
CHO-DARK|dark chocolate 70 %, 100 g|180632|unit|100|118|chocolate|3|COC-LIQ|72000||yes| made
CHO-MILK|milk chocolate 38 %, 100 g|180632|unit|100|92|chocolate|3|COC-LIQ|41000||yes| made
CHO-BOX|pralines, 250 g box|180690|unit|250|620|chocolate|3|COC-LIQ|118000|yes|yes| made
"""
_GTIN14 = {"CHO-DARK", "CHO-MILK"}  # traded by the case: indicator digit 1
_BRANDS = {"GAR": "Nordlicht", "CHO": "Süßwasser"}


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of goods."""

    id: str
    name: str
    hs: str
    unit: str
    grams: int
    cents: int
    chain: str
    stage: int
    input: str
    input_ppm: int
    serialised: bool
    cold: bool
    confers_origin: bool
    gtin: str
    brand: str


def gs1_check_digit(digits: str) -> str:
    """Return the GS1 check digit for a number without one (modulo 10, weights 3 and 1)."""
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _gtin(product: str, number: int) -> str:
    """Give a finished product its number; GTIN-13, or GTIN-14 when traded by the case."""
    if product[:3] not in _BRANDS:
        return ""
    body = f"{_GS1_PREFIX}1234{number:05d}"
    body = f"1{body}" if product in _GTIN14 else body
    return body + gs1_check_digit(body)


def _read(line: str, number: int) -> Product:
    """Read one row of the table."""
    ident, name, hs, unit, grams, cents, chain, stage, source, ppm, serial, cold, made = (
        cell.strip() for cell in line.split("|")
    )
    return Product(
        id=ident,
        name=name,
        hs=hs,
        unit=unit,
        grams=int(grams),
        cents=int(cents),
        chain=chain,
        stage=int(stage),
        input=source,
        input_ppm=int(ppm),
        serialised=bool(serial),
        cold=bool(cold),
        confers_origin=bool(made),
        gtin=_gtin(ident, number),
        brand=_BRANDS.get(ident[:3], ""),
    )


PRODUCTS: dict[str, Product] = {
    product.id: product
    for product in (
        _read(line, 100 + 37 * place) for place, line in enumerate(_TABLE.strip().splitlines())
    )
}


def feasible_output(product: Product, consumed: int, per_mille: int) -> int:
    """Return what comes out when `consumed` tenths go in, at a yield in thousandths.

    A yield of 1000 is the best the process can do; the result is rounded down,
    for counted goods to whole pieces.
    """
    made = consumed * PPM * per_mille // (product.input_ppm * 1000)
    return made - made % UNIT if product.unit == "unit" else made


def implied_input(product: Product, made: int) -> int:
    """Return the tenths of input that `made` tenths of output need at least, rounded up."""
    return -(-made * product.input_ppm // PPM)
