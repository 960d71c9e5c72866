"""What all solvers have in common: held-out samples are judged and callbacks told, epoch by epoch."""

from __future__ import annotations

import math
from typing import Any

from backpath.estimators.fit_state import Epoch, FitState, HeldOut
from backpath.estimators.parameters import callbacks_of
from backpath.maths.arrays import Array
from backpath.training.job import Job

REFITS = 100  # how often an estimator is fitted, in folds, grids and for seeds; what `auto` reckons with


class Fitting:
    """One fit.

    Parameters
    ----------
    p : the estimator, for its parameters
    job : Job
        Its solver and tolerance are the subclass's to set.
    run : FitState
        Where it starts from; written on.
    held_out : HeldOut | None
    """

    def __init__(self, p: Any, job: Job, run: FitState, held_out: HeldOut | None):
        self.p, self.job, self.run, self.held_out = p, job, run, held_out
        self.callbacks = callbacks_of(p.callbacks)

    def judge(self, weights: list[Array]) -> float | None:
        """Look at the held-out samples, if there are any; the score."""
        if self.held_out is None:
            return None
        loss, score = self.held_out.look(self.job, weights)
        self.run.validation_loss_curve.append(loss)
        scores = self.run.validation_scores = self.run.validation_scores or []
        scores.append(score)
        if self.p.verbose:
            print(f"Validation score: {score:f}")
        return score

    def compare(self, score: float | None, weights: list[Array]) -> None:
        """Note the best score; with early stopping keep its weights, and count the epochs without a better one."""
        run = self.run
        if score is None:
            return
        best = -math.inf if run.best_validation_score is None else run.best_validation_score
        if self.p.early_stopping:
            run.waited = run.waited + 1 if score < best + self.p.tol else 0
            run.weights = weights if score > best else run.weights
        run.best_validation_score = max(best, score)

    @property
    def has_waited(self) -> bool:
        """Whether early stopping has waited long enough for a better score."""
        return bool(self.p.early_stopping) and self.run.waited > self.p.n_iter_no_change

    def tell(self, weights: list[Array]) -> bool:
        """Tell the callbacks how things stand; whether one of them wants to stop."""
        run = self.run
        if not self.callbacks:
            return False
        scores = run.validation_scores
        judged = (run.validation_loss_curve[-1], scores[-1]) if self.held_out and scores else (None, None)
        epoch = Epoch(run.n_iter, run.loss, self.job.network.with_weights(weights), *judged)
        wishes = [callback(epoch) for callback in self.callbacks]  # all of them are told
        return any(wish is True for wish in wishes)
