"""Every mistake of the catalogue by itself, and which two may explain the figures together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.exchanges import exchanges
from backpath.explain.diagnosis.mistakes import RARE, Mistake
from backpath.explain.diagnosis.passes import Index
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.scales import learning_rates, scales, single_samples, targets
from backpath.explain.diagnosis.slopes import slopes
from backpath.explain.diagnosis.way_back import ways_back
from backpath.explain.diagnosis.way_forward import forward_mistakes

Array = NDArray[np.floating]
Bools = NDArray[np.bool_]

CATALOGUE: tuple[Callable[[Problem], Iterator[Mistake]], ...] = (
    scales,
    learning_rates,
    single_samples,
    targets,
    slopes,
    ways_back,
    forward_mistakes,
    exchanges,
)
_MOST_PAIRS = 100_000
_MANY = 4_000  # mistakes; of fewer, the rare ones are tried with a constant too


@dataclass(frozen=True, eq=False)
class Singles:
    """Every mistake of the catalogue by itself that changes a claimed figure, and what it makes of them.

    Attributes
    ----------
    met, changed : (mistakes, claims), whether the claim is met, and whether the figure is another than the right one
    constants : see ``Comparison.constants``
    layers : of each claim
    """

    mistakes: list[Mistake]
    met: Bools
    changed: Bools
    constants: Array
    layers: Index

    @classmethod
    def of(cls, comparison: Comparison, mistakes: list[Mistake]) -> Singles:
        met, changed, constants = [], [], []
        for block in comparison.blocks(len(mistakes)):
            part = mistakes[block]
            figures = comparison.figures(len(part), [(m.edits, np.array([h])) for h, m in enumerate(part)])
            met.append(comparison.met(figures))
            constants.append(comparison.constants(figures))
            changed.append(
                ~comparison.still(figures, comparison.right) | (comparison.largest == 0)
            )  # 0 hides what is done to it
        every_met, every_changed = np.concatenate(met), np.concatenate(changed)
        kept = np.flatnonzero(every_changed.any(axis=1))
        every = np.concatenate(constants)
        chosen = [mistakes[h] for h in kept]
        return cls(chosen, every_met[kept], every_changed[kept], every[kept], comparison.layers)

    def pairs(self, wrong: Bools) -> Index:
        """Pairs that may fit, (pairs, 2): what only one of them changes in a layer must already fit with that one. A
        rare mistake is tried with a constant, or if it explains a layer by itself."""
        many = len(self.mistakes) > _MANY
        groups = [np.flatnonzero(self.layers == layer) for layer in np.unique(self.layers)]
        explains = np.zeros(len(self.mistakes), dtype=bool)
        for group in groups:
            if wrong[group].any():
                explains |= self.met[:, group].all(axis=1)
        rank = np.array([m.rank for m in self.mistakes])
        places = np.flatnonzero((rank < RARE) | explains | (not many))
        common: Bools = rank[places] < RARE
        clear: Bools = common | explains[places]
        constant: Bools = np.array([self.mistakes[h].constant for h in places])
        coupled: Bools = np.array([self.mistakes[h].coupled for h in places])
        possible = (common[:, None] & clear) | (clear[:, None] & common) | (constant[:, None] ^ constant)
        possible = np.triu(possible, 1)
        for group in groups:
            changes = np.asarray(self.changed[np.ix_(places, group)].any(axis=1))
            meets = np.asarray(self.met[np.ix_(places, group)].all(axis=1))
            one, other = changes[:, None], changes[None, :]
            both = (one & other) | (one & coupled[:, None]) | (other & coupled[None, :])
            alone = (one & ~other & meets[:, None]) | (~one & other & meets[None, :])
            possible &= both | alone | (~one & ~other & ~wrong[group].any())
        found: Index = places[np.argwhere(possible)[:_MOST_PAIRS]]
        return found
