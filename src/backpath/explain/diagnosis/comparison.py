"""Compares the figures of passes with mistakes with the claimed ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.claims import Claims
from backpath.explain.diagnosis.passes import Index, Passes, Run
from backpath.explain.diagnosis.problem import Problem

Array = NDArray[np.floating]
Bools = NDArray[np.bool_]

_AT_ONCE = 2_000_000  # numbers in one round of passes


@dataclass(frozen=True, eq=False)
class Comparison:
    """A problem with its claims: makes passes with mistakes, and compares their figures with the claimed ones."""

    q: Problem
    claims: Claims

    @cached_property
    def right(self) -> Array:
        """The right figures, all of them."""
        found: Array = self.figures(1, [])[0]
        return found

    @cached_property
    def layers(self) -> Index:
        """The layer of each claim, counted from 0; of a value of the forward pass, the number of layers."""
        count, positions = self.q.ends[-1], self.claims.positions
        weight = np.where(self.is_update, positions - count, positions)
        return np.searchsorted(self.q.ends, weight, side="right")

    @cached_property
    def is_update(self) -> Bools:
        """Which claims are updated weights."""
        count, positions = self.q.ends[-1], self.claims.positions
        found: Bools = (positions >= count) & (positions < 2 * count) & self.q.updates
        return found

    @cached_property
    def largest(self) -> Array:
        """For each claim the largest right gradient or change in its layer; of a value of the forward pass 1."""
        gradients, starts = np.abs(self.right[: self.q.ends[-1]]), [0, *self.q.ends[:-1]]
        by_layer = [float(gradients[a:b].max()) for a, b in zip(starts, self.q.ends, strict=True)]
        largest: Array = np.array([*by_layer, 1.0])[self.layers]
        return largest * np.where(self.is_update, self.q.learning_rate or 1.0, 1.0)

    @cached_property
    def wrong(self) -> Bools:
        """Which claims are not right."""
        found: Bools = ~self.met(self.right[None])[0]
        return found

    @cached_property
    def odds(self) -> Array:
        """Of each claim, how likely a figure of the right size meets it by chance; the least likely first."""
        low, high = self.claims.bounds(self.right[None], self.largest)
        size = np.maximum(self.largest, np.abs(self.claims.value - self.claims.base))
        return np.sort(np.minimum(1.0, (high - low)[0] / (2 * size + 1e-300)))

    def figures(self, count: int, runs: Sequence[Run]) -> Array:
        """All figures of so many passes with these edits; (passes, figures)."""
        return Passes(self.q, count, runs).figures()

    def met(self, figures: Array) -> Bools:
        return self.claims.met(figures, self.largest)

    def still(self, first: Array, second: Array) -> Bools:
        """Which claimed figures are the same in both, but for rounding."""
        positions = self.claims.positions
        scale = self.largest + np.abs(self.claims.base)
        with np.errstate(all="ignore"):
            found: Bools = np.abs(first[..., positions] - second[..., positions]) <= 1e-12 * scale
        return found

    def blocks(self, count: int) -> Iterator[slice]:
        """Passes that are made at once, so that they fit into memory and cache."""
        size = self.q.ends[-1] + self.q.samples * sum(self.q.net.sizes)
        step = max(1, _AT_ONCE // size)
        return (slice(start, min(count, start + step)) for start in range(0, count, step))

    def constants(self, figures: Array) -> Array:
        """With which constant on all gradients, and on those of each layer, the passes give every figure: (passes, 1 +
        layers), NaN where none does."""
        low, high = self.claims.bounds(figures, self.largest)
        base, met = self.claims.base, self.met(figures)
        predicted = figures[:, self.claims.positions] - base
        with np.errstate(all="ignore"):
            ends = np.sort(np.stack([(low - base) / predicted, (high - base) / predicted]), axis=0)
        fixed = np.isnan(ends).any(axis=0) | (predicted == 0)
        least = np.where(fixed, np.where(met, -np.inf, np.inf), ends[0])
        most = np.where(fixed, np.inf, ends[1])
        found = np.full((len(figures), 1 + self.q.layers), np.nan)
        for k in range(1 + self.q.layers):
            scaled = self.layers < self.q.layers if k == 0 else self.layers == k - 1
            lower = least[:, scaled].max(axis=1, initial=-np.inf)
            upper = most[:, scaled].min(axis=1, initial=np.inf)
            fits = (lower <= upper) & np.isfinite(lower) & np.isfinite(upper) & met[:, ~scaled].all(axis=1)
            found[fits, k] = (lower[fits] + upper[fits]) / 2
        return found
