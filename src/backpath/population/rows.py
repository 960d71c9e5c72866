"""A population's outcome as rows, one per network, for a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.population.networks import Population
from backpath.population.population_outcome import PopulationOutcome

_MOST_WEIGHTS = 2000  # each has two columns
MISSING_VALUES = {"solved_after": -1}


def check_rows(weights: int) -> None:
    """Refuse rows too wide for a file."""
    if weights > _MOST_WEIGHTS:
        raise InputError(
            f"a row holds every weight of its network, at most {_MOST_WEIGHTS:,}, but these networks have {weights:,}; "
            "leave the file out, or use fewer neurons"
        )


def network_rows(
    start: Population, outcome: PopulationOutcome, learning_rate: float, numbers: NDArray[np.intp]
) -> dict[str, NDArray[Any]]:
    """The columns of a file with a row per network.

    | column                        |                                                                        |
    |-------------------------------|------------------------------------------------------------------------|
    | ``network``                   | its number in the population                                           |
    | ``cost``, ``epochs``          | at the end (infinite if it diverged); epochs done                      |
    | ``solved``, ``solved_after``  | whether it is solved now; after how many epochs it first was (-1 never)|
    | ``diverged``                  | whether it stopped being finite                                        |
    | ``learning_rate``             | η                                                                      |
    | ``start_W11_1``, ``W11_1`` …  | every weight before and after training                                 |
    """
    names = start.weight_names
    check_rows(len(names))
    return {
        "network": numbers,
        "cost": outcome.cost,
        "epochs": outcome.epochs,
        "solved": outcome.solved,
        "solved_after": outcome.solved_after,
        "diverged": outcome.diverged,
        "learning_rate": np.full(len(start), learning_rate),
        **{f"start_{name}": row for name, row in zip(names, start.lanes, strict=True)},
        **dict(zip(names, outcome.population.lanes, strict=True)),
    }
