"""The result of training a population."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backpath.errors import DivergenceError
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.maths.values import Value
from backpath.population.networks import Population
from backpath.training.divergence import advice
from backpath.training.job import Job

if TYPE_CHECKING:
    from backpath.training.engines.many import ManyNetworks


@dataclass(frozen=True, eq=False)
class PopulationOutcome(Value):
    """The result of training a population. All arrays are by network.

    Attributes
    ----------
    population : Population
        The networks after training; one that diverged has its last saved finite weights.
    cost : array (size,)
        The cost of each network; infinite if it diverged.
    epochs : int64 array (size,)
        The number of epochs of each network.
    solved : bool array (size,)
        Whether all errors |A - y| are below the threshold at the end.
    solved_after : int64 array (size,)
        The epoch when they first were; -1 if they never were.
    converged : bool array (size,)
        Whether ``tol`` stopped the network.
    diverged : bool array (size,)
        Whether the network stopped being finite.
    history : array (records, size) or None
        The costs of the epochs ``history_epochs``; NaN where a network had stopped.
    history_epochs : int64 array (records,) or None
        The epochs of the rows of ``history``.
    best_index : int
        The network with the lowest cost.
    stopped : "epochs" | "converged" | "interrupted"
        "converged" if every network stopped before the last epoch.
    seconds : float
        The duration in seconds.
    """

    population: Population
    cost: Array = field(repr=False)
    epochs: NDArray[np.int64] = field(repr=False)
    solved: NDArray[np.bool_] = field(repr=False)
    solved_after: NDArray[np.int64] = field(repr=False)
    converged: NDArray[np.bool_] = field(repr=False)
    diverged: NDArray[np.bool_] = field(repr=False)
    history: Array | None = field(repr=False)
    history_epochs: NDArray[np.int64] | None = field(repr=False)
    best_index: int
    stopped: str
    seconds: float

    @property
    def best(self) -> Network:
        """The network with the lowest cost."""
        return self.population[self.best_index]

    @property
    def solved_share(self) -> float:
        """The share of the networks that solve the task."""
        return float(self.solved.mean())


def outcome_of(
    population: Population, job: Job, many: ManyNetworks, interrupted: bool, seconds: float
) -> PopulationOutcome:
    """The outcome of a population in training; DivergenceError if all its networks diverged."""
    if many.diverged.all():
        raise DivergenceError(int(many.epochs_done.max()) + 1, None, None, population[0], advice(job))
    stopped = "epochs"
    if interrupted:
        stopped = "interrupted"
    elif many.epochs_done.max() < many.epochs:
        stopped = "converged"
    return PopulationOutcome(
        population=Population.from_lanes(population.sizes, population.activations, many.weights),
        cost=many.cost.copy(),
        epochs=many.epochs_done.copy(),
        solved=many.worst < many.solved_error,
        solved_after=many.solved_after.copy(),
        converged=many.converged,
        diverged=many.diverged,
        history=many.history if len(many.history) else None,
        history_epochs=many.history_epochs if len(many.history) else None,
        best_index=int(np.argmin(many.cost)),
        stopped=stopped,
        seconds=seconds,
    )
