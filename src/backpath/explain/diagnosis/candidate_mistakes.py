"""Tries mistakes on one comparison: the figures with each mistake, and pairs that may explain them together."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.bits import OF_RANK
from backpath.explain.diagnosis.catalogue import every_mistake
from backpath.explain.diagnosis.comparison import Bools, Comparison, Ratios
from backpath.explain.diagnosis.mistakes import RARE, Mistake
from backpath.explain.diagnosis.passes import Index, Stage
from backpath.maths.arrays import Array

_LEAST_PAIRS, _PAIRS_A_FIGURE, _MOST_PAIRS, _MOST_FIGURES = 60_000, 6_000, 200_000, 5_000_000  # to try
_MANY = 2_500  # mistakes; with more, rare ones that explain no group alone are left out of pairs
_SAME = 1e-9  # constants that differ by at most this are equal


@dataclass(frozen=True, eq=False)
class Candidates:
    """Single mistakes, each of which changes a claimed figure.

    Attributes
    ----------
    bits : the description length of each mistake
    changes : (mistakes, claims), the claimed quantities with each mistake
    ratios : the constants with which they equal the claims
    """

    c: Comparison
    mistakes: list[Mistake]
    bits: Array
    figures: Array
    ratios: Ratios

    @classmethod
    def of_all(cls, c: Comparison) -> Candidates:
        """The mistakes of the whole catalogue; their figures are the same for all claims about a problem."""

        def catalogue() -> tuple[list[Mistake], Array]:
            mistakes = every_mistake(c.q)
            if c.q.procedure is not None:
                mistakes = [m for m in mistakes if in_each_step(m)]
            return mistakes, figures_of(c, [(m,) for m in mistakes])

        return cls._of(c, *c.q.once("catalogue", catalogue))

    @classmethod
    def of(cls, c: Comparison, mistakes: list[Mistake]) -> Candidates:
        return cls._of(c, mistakes, figures_of(c, [(m,) for m in mistakes]))

    @classmethod
    def _of(cls, c: Comparison, mistakes: list[Mistake], figures: Array) -> Candidates:
        bits = lengths(mistakes)
        with np.errstate(all="ignore"):
            changed = ~c.still(figures, c.right) | (c.size == 0)  # 0 hides a change
        kept = np.flatnonzero(changed.any(axis=1) & np.isfinite(figures[:, c.claims.positions]).all(axis=1))
        return cls(c, [mistakes[h] for h in kept], bits[kept], figures[kept], c.ratios(figures[kept]))

    @cached_property
    def bends(self) -> Bools:
        """(mistakes, groups): whether a mistake changes a group by more than a constant."""
        right = self.c.changes(self.c.right[None])[0]
        with np.errstate(all="ignore"):
            factor = self.c.changes(self.figures) / right
        moved = ~self.c.still(self.figures, self.c.right)
        found = np.zeros((len(self.mistakes), len(self.c.members)), dtype=bool)
        for k, of in enumerate(self.c.members):
            usual = np.abs(right[of]) > 1e-12 * self.c.size[of]
            found[:, k] = moved[:, of[~usual]].any(axis=1)  # no constant turns 0 into another number
            of = of[usual]
            if len(of):
                spread = factor[:, of].max(axis=1) - factor[:, of].min(axis=1)
                if len(of) == 1:  # any change of a single figure is a constant
                    spread = factor[:, of[0]] - 1
                found[:, k] |= ~(np.abs(spread) <= _SAME * np.abs(factor[:, of]).max(axis=1))
        return found

    def pairs(self, right: Ratios) -> Index:
        """Pairs that may fit together, (pairs, 2), the clearest and shortest first.

        A group that only one of the two bends must fit with that one alone, and a group that neither bends must fit the
        right figures. A rare mistake counts only if there is such a group.
        """
        rare = np.array([m.rank == RARE for m in self.mistakes])
        large = np.array([len(members) > 1 for members in self.c.members], dtype=bool)
        speaking = (self.ratios.fits & self.bends & large).any(axis=1)
        able = np.flatnonzero(~rare | speaking | (len(self.mistakes) <= _MANY))
        return able[self._pairs_of(able, rare[able], right)]

    def _pairs_of(self, able: Index, rare: Bools, right: Ratios) -> Index:
        coupled = np.array([self.mistakes[h].coupled for h in able], dtype=bool)
        loose = coupled[:, None] | coupled[None, :]
        size = len(able)
        possible = np.triu(np.ones((size, size), dtype=bool), 1)
        alone, clear = np.zeros_like(possible), np.zeros_like(possible)
        for k in range(self.bends.shape[1]):
            bends, fits = self.bends[able, k], self.ratios.fits[able, k]
            one = bends[:, None] & ~bends[None, :]
            other = ~bends[:, None] & bends[None, :]
            speaks = (one & fits[:, None]) | (other & fits[None, :])
            both = bends[:, None] & bends[None, :]
            neither = ~bends[:, None] & ~bends[None, :]
            quiet = neither & bool(right.fits[0, k])
            possible &= speaks | both | loose | quiet
            alone |= speaks | quiet
            clear |= speaks & (len(self.c.members[k]) > 1)
        possible &= ~(rare[:, None] | rare[None, :]) | alone
        found = np.argwhere(possible)
        length = self.bits[able[found]].sum(axis=1) + np.where(clear[tuple(found.T)], 0.0, 1e3)
        figures = len(self.c.right)
        most = min(max(_LEAST_PAIRS, _PAIRS_A_FIGURE * figures), _MOST_PAIRS, _MOST_FIGURES // figures)
        if len(found) > most:
            shortest = np.argpartition(length, most)[:most]
            found, length = found[shortest], length[shortest]
        kept: Index = found[np.argsort(length, kind="stable")]
        return kept


def in_each_step(mistake: Mistake) -> bool:
    """Whether the mistake has the same meaning for each sample, and can be repeated."""
    if mistake.code == "updated_weights_used":  # it starts over with each step
        return not mistake.by_sample
    return not mistake.by_sample and all(stage is not Stage.START for stage, _ in mistake.edits)


def lengths(mistakes: Sequence[Mistake]) -> Array:
    """Bits for the kind, and for the choice among all mistakes of the same code and rank."""
    counts = Counter((m.code, m.rank) for m in mistakes)
    return np.array([OF_RANK[m.rank] + math.log2(counts[m.code, m.rank]) for m in mistakes])


def figures_of(c: Comparison, chosen: Sequence[tuple[Mistake, ...]]) -> Array:
    """The figures with each of these combinations of mistakes."""
    every = list({id(m): m for mistakes in chosen for m in mistakes}.values())
    place = {id(m): k for k, m in enumerate(every)}
    which = np.array([place[id(m)] for mistakes in chosen for m in mistakes], dtype=np.intp)
    owners = np.repeat(np.arange(len(chosen)), [len(mistakes) for mistakes in chosen])
    return _figures(c, every, which, owners, len(chosen))


def figures_of_pairs(c: Comparison, mistakes: Sequence[Mistake], pairs: Index) -> Array:
    """The figures with pairs of these mistakes, given by their places."""
    return _figures(c, mistakes, pairs.ravel(), np.repeat(np.arange(len(pairs)), 2), len(pairs))


def _figures(c: Comparison, mistakes: Sequence[Mistake], which: Index, owners: Index, count: int) -> Array:
    """Edits for this many passes; each of ``owners`` has the mistake at its place in ``which``."""
    found: list[NDArray[np.floating]] = [np.empty((0, len(c.right)))]
    for block in c.blocks(count):
        first, last = np.searchsorted(owners, [block.start, block.stop])
        order = np.argsort(which[first:last], kind="stable")
        part, passes = which[first:last][order], owners[first:last][order] - block.start
        starts = np.flatnonzero(np.diff(part, prepend=-1))
        ends = [*starts, len(part)]
        runs = [(mistakes[part[a]].edits, passes[a:b]) for a, b in itertools.pairwise(ends) if a < b]
        found.append(c.figures(block.stop - block.start, runs))
    return np.concatenate(found)
