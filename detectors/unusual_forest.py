"""A fitted isolation forest as plain numbers: they are kept, and score rows without a library.

Each tree is laid out whole, level by level: below node n are 2n + 1 and 2n + 2. A
leaf above the last level is spelled out to the last level: whatever comes by goes
left. Loading scikit-learn takes longer than scoring what a quarter brings.

Next: detectors/unusual_models.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Forest", "planted", "strangeness"]


class Forest(NamedTuple):
    """A forest.

    Attributes:
        column: Which column decides at each inner node; shape (trees, inner nodes).
        limit: Up to where a row goes left there.
        depth: How deep each leaf lies, what is below it included; shape (trees, leaves).
        usual: What depths of one row sum up to in a forest that knows nothing.
        offset: What the library takes off its scores, and this takes off again: what that rounds
            is rounded here, too.
    """

    column: NDArray[np.int8]
    limit: NDArray[np.float64]
    depth: NDArray[np.float64]
    usual: float
    offset: float


def planted(fitted: Any) -> Forest:
    """Lay out a fitted forest of scikit-learn that splits on all columns.

    Args:
        fitted: An `IsolationForest`.
    """
    trees = [one.tree_ for one in fitted.estimators_]
    levels = max(tree.max_depth for tree in trees)
    laid = [_laid(tree, levels) for tree in trees]
    column, limit, depth = (np.stack(every) for every in zip(*laid, strict=True))
    usual = len(trees) * _usual_depth(np.array([fitted.max_samples_]))[0]
    return Forest(column.astype(np.int8), limit, depth, float(usual), float(fitted.offset_))


def _laid(tree: Any, levels: int) -> Iterable[NDArray[Any]]:
    """Return column, limit and depth of one tree."""
    left, right = tree.children_left, tree.children_right
    nodes, above = np.zeros(1, np.intp), np.ones(1)
    columns, limits = [np.empty(0, np.intp)], [np.empty(0)]
    for _ in range(levels):
        leaf = left[nodes] < 0
        columns.append(np.where(leaf, 0, tree.feature[nodes]))
        limits.append(np.where(leaf, np.inf, tree.threshold[nodes]))
        below = [np.where(leaf, nodes, side[nodes]) for side in (left, right)]
        nodes = np.stack(below, axis=1).ravel()
        above = np.repeat(np.where(leaf, above, above + 1), 2)
    depth = above + _usual_depth(tree.n_node_samples[nodes]) - 1.0
    return np.concatenate(columns), np.concatenate(limits), depth


def _usual_depth(size: NDArray[Any]) -> NDArray[np.float64]:
    """Return how deep a tree of so many rows usually is (Liu, Ting and Zhou, 2008)."""
    below = np.maximum(size, 3) - 1.0
    deep = 2.0 * (np.log(below) + np.euler_gamma) - 2.0 * below / np.maximum(size, 3)
    return np.where(size > _PAIR, deep, np.where(size == _PAIR, 1.0, 0.0))


_PAIR: Final = 2
"""Two rows are told apart at the first step; for one alone there is none."""
_AT_ONCE: Final = 8_192
"""Rows that go down a tree together: what they need fits beside the processor."""


def strangeness(forest: Forest, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how soon rows are alone: 1 at once, 0.5 about as late as usual.

    Each row's figure depends on that row alone, and is that of the library to the digit.
    """
    trees = [
        _Tree(column, limit, depth)
        for column, limit, depth in zip(
            forest.column.astype(np.intp), _single(forest.limit), forest.depth, strict=True
        )
    ]
    depths = np.zeros(len(rows))
    for first in range(0, len(rows), _AT_ONCE):
        _sum_depths(trees, rows[first : first + _AT_ONCE], depths[first : first + _AT_ONCE])
    scores = 2 ** (-(depths / forest.usual))
    return np.asarray(-(-scores - forest.offset) - forest.offset, np.float64)


class _Tree(NamedTuple):
    """One tree of a forest, its columns as positions, its limits in single precision."""

    column: NDArray[np.intp]
    limit: NDArray[np.float32]
    depth: NDArray[np.float64]


def _single(limit: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round down: the same numbers of single precision, by which the library decides, are above."""
    with np.errstate(over="ignore"):
        near = limit.astype(np.float32)
    return np.where(near > limit, np.nextafter(near, np.float32(-np.inf)), near)


def _sum_depths(trees: list[_Tree], rows: NDArray[np.float64], total: NDArray[np.float64]) -> None:
    """Add up how deep each row comes to lie in each tree."""
    flat = np.ascontiguousarray(rows, np.float32).ravel()
    start = np.arange(len(rows)) * rows.shape[1]
    node, at, deep = np.empty_like(start), np.empty_like(start), np.empty(len(rows))
    value, bound = np.empty((2, len(rows)), np.float32)
    right = np.empty(len(rows), bool)
    for tree in trees:
        node[:] = 0
        for _ in range(int(np.log2(len(tree.depth)))):
            # Nothing is ever clipped; asked to raise instead, each step would copy its output.
            tree.column.take(node, out=at, mode="clip")
            at += start
            flat.take(at, out=value, mode="clip")
            tree.limit.take(node, out=bound, mode="clip")
            np.greater(value, bound, out=right)
            node += node
            node += 1
            node += right
        node -= len(tree.limit)
        tree.depth.take(node, out=deep, mode="clip")
        total += deep
