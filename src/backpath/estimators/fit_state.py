"""The state of a solver: the fitted attributes before they are set on the estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from backpath.estimators.training_samples import Samples
from backpath.maths import backprop
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.training.bayesian import Bayesian
from backpath.training.job import Job, SolverState
from backpath.training.prediction import outputs
from backpath.training.state import Stateful

Score = Callable[[Array, Samples], float]  # (outputs, samples) -> accuracy or R²


@dataclass(frozen=True)
class Epoch:
    """The argument of an estimator's callback, after an epoch.

    Attributes
    ----------
    number : int
        The number of the epoch, from 1.
    loss : float
        The loss of this epoch.
    network : Network
        The current network.
    validation_loss : float | None
        The loss on the held-out samples, if there are any.
    validation_score : float | None
        The score on the held-out samples, if there are any.
    """

    number: int
    loss: float
    network: Network
    validation_loss: float | None = None
    validation_score: float | None = None


@dataclass(frozen=True)
class Optimizer:
    """The state of a descent between two calls of ``partial_fit``."""

    learning_rate: float
    solver_state: SolverState


@dataclass(frozen=True)
class HeldOut:
    """Held-out samples and their criterion: accuracy or R², a scorer (``judge``) of the weights, or the loss."""

    samples: Samples
    score: Score
    judge: Callable[[list[Array]], float] | None = None
    by_loss: bool = False

    def look(self, job: Job, weights: list[Array]) -> tuple[float, float]:
        """The loss on the samples, without the penalty, and the score."""
        s = self.samples
        with np.errstate(over="ignore", invalid="ignore"):
            u, A = outputs(weights, job.network.activations, s.X)
            loss = job.cost_share * backprop.batch_cost(job.cost, u, A, s.y, s.weight)
        if self.by_loss:
            return loss, -loss
        return loss, self.judge(weights) if self.judge else self.score(A, s)


@dataclass
class FitState(Stateful):
    """The state of a fit; the names are those of the fitted attributes.

    Attributes
    ----------
    weights : list of arrays, backpath's
    n_iter, t : epochs of this fit; samples seen in all fits
    loss : of the last epoch
    converged : whether the solver's rule ended the fit
    stopped : "epochs", "converged", "time", "callback" or "interrupted"
    best_loss, waited : the lowest loss, and epochs without a better one (or score)
    optimizer, bayesian : None if the solver has none
    """

    _given = ("optimizer", "bayesian")  # set at the end

    weights: list[Array]
    n_iter: int = 0
    t: int = 0
    loss: float = np.inf
    converged: bool = False
    stopped: str = "epochs"
    loss_curve: list[float] = field(default_factory=list)
    best_loss: float | None = np.inf
    waited: int = 0
    validation_scores: list[float] | None = None
    best_validation_score: float | None = None
    validation_loss_curve: list[float] = field(default_factory=list)
    optimizer: Optimizer | None = None
    bayesian: Bayesian | None = None

    @property
    def badness(self) -> float:
        """The criterion of restarts: the validation score, or the evidence, or the loss."""
        if self.bayesian is not None and self.best_validation_score is None:
            return -self.bayesian.evidence
        return self.loss if self.best_validation_score is None else -self.best_validation_score
