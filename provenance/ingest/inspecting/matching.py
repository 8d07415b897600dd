"""Which column has which role: the best assignment as a whole, each role at most once.

Greedy choices go wrong where two columns want one role and only one of them
could have another. So the sum of all confidences is made as large as it can
be (Kuhn 1955, in the shortest-path form of Jonker and Volgenant 1987).

Next: provenance/ingest/inspecting/recognising.py
"""

from __future__ import annotations

__all__ = ["assign"]


def assign(gains: list[list[float]]) -> list[int | None]:
    """Give each row at most one column, each column to at most one row.

    Args:
        gains: What a row's having a column is worth; 0 is as good as none.

    Returns:
        Per row its column, or None.
    """
    if not gains or not gains[0]:
        return [None] * len(gains)
    rows, columns = len(gains), len(gains[0])
    # Every row can also stay without: a column of its own that is worth nothing.
    width = columns + rows
    owner = [-1] * (width + 1)
    row_price = [0.0] * rows
    column_price = [0.0] * (width + 1)
    for row in range(rows):
        _augment(row, gains, owner, row_price, column_price)
    found: list[int | None] = [None] * rows
    for column in range(columns):
        if owner[column] >= 0 and gains[owner[column]][column] > 0:
            found[owner[column]] = column
    return found


def _augment(
    row: int,
    gains: list[list[float]],
    owner: list[int],
    row_price: list[float],
    column_price: list[float],
) -> None:
    """Find the cheapest chain of exchanges that gives `row` a column, and make them."""
    width = len(owner) - 1
    columns = len(gains[0])
    owner[width] = row
    least = [float("inf")] * (width + 1)
    before = [width] * (width + 1)
    done = [False] * (width + 1)
    at = width
    while True:
        done[at] = True
        here, best, following = owner[at], float("inf"), width
        for column in range(width):
            if done[column]:
                continue
            cost = -gains[here][column] if column < columns else 0.0
            slack = cost - row_price[here] - column_price[column]
            if slack < least[column]:
                least[column], before[column] = slack, at
            if least[column] < best:
                best, following = least[column], column
        for column in range(width + 1):
            if done[column]:
                row_price[owner[column]] += best
                column_price[column] -= best
            else:
                least[column] -= best
        at = following
        if owner[at] < 0:
            break
    while at != width:
        owner[at] = owner[before[at]]
        at = before[at]
