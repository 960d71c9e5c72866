"""Sums over blocks of samples, added along one tree.

The tree is binary and over the places of the blocks, so a sum has the same bits for any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Terms = list[Any]  # numbers and arrays that are added each with its like
Nodes = dict[tuple[int, int], Terms]  # by (level, place); a block is at level 0


def merged(nodes: Mapping[tuple[int, int], Terms], count: int) -> Nodes:
    """The nodes with both children of a node replaced by it, up to the root, which is the only one if none is missing.

    Parameters
    ----------
    count : the number of blocks
    """
    nodes, level = dict(nodes), 0
    while count > 1:
        for place in sorted(place for at, place in nodes if at == level):
            is_last = place == count - 1 and place % 2 == 0
            if is_last:  # has no sibling
                nodes[level + 1, place // 2] = nodes.pop((level, place))
            elif place % 2 and (level, place - 1) in nodes:
                left, right = nodes.pop((level, place - 1)), nodes.pop((level, place))
                nodes[level + 1, place // 2] = [a + b for a, b in zip(left, right, strict=True)]
        level, count = level + 1, (count + 1) // 2
    return nodes


def missing_blocks(nodes: Iterable[tuple[int, int]], count: int) -> list[int]:
    """The places of the blocks that are in none of the nodes."""
    found: set[int] = set()
    for level, place in nodes:
        found.update(range(place << level, (place + 1) << level))
    return [place for place in range(count) if place not in found]
