"""Compares the figures of passes that contain mistakes with the claimed ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.claims import Claims
from backpath.explain.diagnosis.passes import Index, PassEdits, Passes
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.procedures import updated
from backpath.maths.arrays import Array

Bools = NDArray[np.bool_]

_AT_ONCE = 2_000_000  # numbers in one round of passes
_IN_CACHE = 50_000  # figures to compare at once
_NOISE = 1e-12  # relative to a layer's largest figure; smaller differences are rounding


@dataclass(frozen=True, eq=False)
class Ratios:
    """The constants with which the figures of passes equal the claims, by group; (passes, groups).

    ``least`` > ``most`` if no constant gives the figures of the group; ``values``: (passes,) whether the claims without
    a constant (values of the forward pass) are met.
    """

    least: Array
    most: Array
    values: Bools

    def __getitem__(self, h: int | np.intp) -> Ratios:
        """The constants of one pass."""
        return Ratios(self.least[h], self.most[h], self.values[h])

    @cached_property
    def fits(self) -> Bools:
        """Whether a constant fits, by pass and group."""
        found: Bools = self.least <= self.most
        return found

    @cached_property
    def all_fit(self) -> Bools:
        found: Bools = self.fits.all(axis=-1) & self.values
        return found

    @cached_property
    def exact(self) -> Bools:
        """Passes that meet all claims without a constant."""
        found: Bools = ((self.least <= 1) & (self.most >= 1)).all(axis=-1) & self.values
        return found


@dataclass(frozen=True, eq=False)
class Comparison:
    """A problem with its claims; it makes passes that contain mistakes, and compares their figures with the claims.

    Claims are in groups that may have a common constant: the weights of a layer, or its biases, with separate groups
    for gradients and updated weights.
    """

    q: Problem
    claims: Claims

    @cached_property
    def right(self) -> Array:
        """All right figures."""
        found: Array = self.figures(1, [])[0]
        return found

    @cached_property
    def is_update(self) -> Bools:
        """Which claims are updated weights."""
        count, positions = self.q.ends[-1], self.claims.positions
        found: Bools = (positions >= count) & (positions < 2 * count) & self.q.updates
        return found

    @cached_property
    def layers(self) -> Index:
        """The layer of each claim, counted from 0; of a value of the forward pass, the number of layers."""
        count, positions = self.q.ends[-1], self.claims.positions
        weight = np.where(self.is_update, positions - count, positions)
        return np.searchsorted(self.q.ends, weight, side="right")

    @cached_property
    def is_bias(self) -> Bools:
        count, positions = self.q.ends[-1], self.claims.positions
        last = np.concatenate(
            [np.tile(np.arange(W.shape[1]) == W.shape[1] - 1, W.shape[0]) for W in self.q.net.weights]
        )
        found: Bools = self.is_weight & last[np.where(self.is_weight, positions % count, 0)]
        return found

    @cached_property
    def is_weight(self) -> Bools:
        """Which claims are gradients or updated weights."""
        found: Bools = self.layers < self.q.layers
        return found

    @cached_property
    def _group_of(self) -> Index:
        return np.where(self.is_weight, 4 * self.layers + 2 * self.is_bias + self.is_update, -1)

    @cached_property
    def groups(self) -> list[tuple[int, bool, bool]]:
        """Layer (from 1), whether biases, and whether updates, for each claimed group."""
        kinds = np.unique(self._group_of[self.is_weight])
        return [(int(g) // 4 + 1, bool(g // 2 % 2), bool(g % 2)) for g in kinds]

    @cached_property
    def members(self) -> list[Index]:
        """The claims of each group."""
        return [np.flatnonzero(self._group_of == g) for g in np.unique(self._group_of[self.is_weight])]

    @cached_property
    def largest(self) -> Array:
        """For each claim the largest claimed change in its layer; for a value of the forward pass 1."""
        changes = np.abs(self.claims.value - self.claims.base)
        found = np.ones(len(changes))
        for layer in range(self.q.layers):
            for update in (False, True):
                of = (self.layers == layer) & (self.is_update == update)
                if of.any():
                    found[of] = changes[of].max()
        return found

    @cached_property
    def size(self) -> Array:
        """For each claim the largest right change in its layer, claimed or not; for a value of the forward pass 1."""
        gradients, starts = np.abs(self.right[: self.q.ends[-1]]), [0, *self.q.ends[:-1]]
        by_layer = [float(gradients[a:b].max()) for a, b in zip(starts, self.q.ends, strict=True)]
        size: Array = np.array([*by_layer, 1.0])[self.layers]
        return size * np.where(self.is_update, self.q.learning_rate or 1.0, 1.0)

    @cached_property
    def _rounding(self) -> Array:
        c = self.claims
        found: Array = c.relative * np.abs(c.value - c.base) + c.of_largest * np.maximum(self.largest, 1e-3 * self.size)
        found += c.epsilon * np.abs(c.base) + c.slack + 1e-300
        return found

    @cached_property
    def low(self) -> Array:
        """The lower bound of each figure; ``high`` is the upper one. Rounding allows half a unit of the last digit, and
        digits that were cut off allow a whole unit above."""
        c = self.claims
        least: Array = c.value - np.where(c.value > 0, 0.5, 1.0) * c.last - self._rounding
        return np.where(c.beyond < 0, -np.inf, least)

    @cached_property
    def high(self) -> Array:
        c = self.claims
        most: Array = c.value + np.where(c.value < 0, 0.5, 1.0) * c.last + self._rounding
        return np.where(c.beyond > 0, np.inf, most)

    @cached_property
    def wrong(self) -> Bools:
        """Which claims are wrong."""
        found: Bools = ~self.met(self.right[None])[0]
        return found

    def figures(self, count: int, runs: Sequence[PassEdits]) -> Array:
        """All figures of passes with these edits; (passes, figures)."""
        if self.q.procedure is not None:
            return updated(self.q, count, runs)
        return Passes(self.q, count, runs).figures()

    def met(self, figures: Array) -> Bools:
        """Which claims the figures of each pass meet, (passes, claims); none if a pass is not finite."""
        with np.errstate(all="ignore"):
            predicted = figures[:, self.claims.positions]
            found: Bools = (self.low <= predicted) & (predicted <= self.high)
        return found

    def still(self, first: Array, second: Array) -> Bools:
        """Which claimed figures are equal in both, except for rounding."""
        positions = self.claims.positions
        scale = self.size + np.abs(self.claims.base)
        with np.errstate(all="ignore"):
            found: Bools = np.abs(first[..., positions] - second[..., positions]) <= _NOISE * scale
        return found

    def changes(self, figures: Array) -> Array:
        """The claimed ones of these figures, minus their base; (passes, claims)."""
        found: Array = figures[:, self.claims.positions] - self.claims.base
        return found

    def ratios(self, figures: Array, added: Array | None = None) -> Ratios:
        """The constants with which the figures of passes equal the claims; ``added``: a term added to each after that,
        (passes, claims)."""
        values = np.asarray(self.met(figures)[:, ~self.is_weight].all(axis=1))
        if not self.members:
            return Ratios(np.ones((len(figures), 0)), np.ones((len(figures), 0)), values)
        step = max(1, _IN_CACHE // len(self.low))
        parts = [slice(k, k + step) for k in range(0, max(1, len(figures)), step)]
        found = [self._bounds(figures[part], 0.0 if added is None else added[part]) for part in parts]
        least, most = (np.concatenate(ends) for ends in zip(*found, strict=True))
        return Ratios(least, most, values)

    def _bounds(self, figures: Array, added: Array | float) -> tuple[Array, Array]:
        """The smallest and the largest constant of each group."""
        order = np.concatenate(self.members)
        starts = np.cumsum([0, *map(len, self.members[:-1])])
        base = self.claims.base[order]
        low, high = (self.low - added)[..., order] - base, (self.high - added)[..., order] - base
        changes = figures[:, self.claims.positions[order]] - base
        nothing = np.abs(changes) <= _NOISE * self.size[order] + 1e-15 * np.abs(base)
        end = np.where((low <= 0) & (high >= 0), np.inf, -np.inf)  # 0 times any constant is 0
        with np.errstate(all="ignore"):
            one, other = low / changes, high / changes
            least, most = np.minimum(one, other), np.maximum(one, other)
            np.copyto(least, -end, where=nothing)
            np.copyto(most, end, where=nothing)
            least, most = np.maximum.reduceat(least, starts, axis=1), np.minimum.reduceat(most, starts, axis=1)
        return np.where(np.isnan(least), np.inf, least), np.where(np.isnan(most), -np.inf, most)

    def blocks(self, count: int) -> Iterator[slice]:
        """The number of passes at a time, which must fit into memory and cache."""
        size = self.q.ends[-1] + self.q.samples * sum(self.q.net.sizes)
        step = max(1, _AT_ONCE // size)
        return (slice(start, min(count, start + step)) for start in range(0, count, step))
