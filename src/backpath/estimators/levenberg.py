"""The solver lm: Levenberg-Marquardt, whose epochs are steps that lower the squared error of all samples."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backpath.estimators.fit import ByEpochs, Clock
from backpath.estimators.fit_state import FitState, HeldOut
from backpath.training.divergence import raise_if_diverged
from backpath.training.engines.lm import LMEngine, check_lm
from backpath.training.job import Job, Solver

if TYPE_CHECKING:
    from backpath.training.checkpoints import RunPart


MANY_WEIGHTS = 1000  # weights; with more, another solver is faster


def _warn_of_size(weights: int, residuals: int, held_down: bool) -> None:
    """Warn of networks that lm would overfit, or for which it is slow."""
    if weights > residuals and not held_down:
        warnings.warn(
            f"lm fits {weights:,} weights to {residuals:,} numbers, so it can overfit them: use fewer neurons, "
            "or bayesian=True, early_stopping=True, or solver='adam'",
            UserWarning,
            stacklevel=7,
        )
    elif weights > MANY_WEIGHTS:
        warnings.warn(
            f"each step of lm solves for {weights:,} weights at once: with fewer neurons, or solver='adam', this is "
            "much faster",
            UserWarning,
            stacklevel=7,
        )


class Levenberg(ByEpochs):
    """One fit by Levenberg-Marquardt."""

    engine: LMEngine

    def __init__(self, p: Any, job: Job, run: FitState, held_out: HeldOut | None, clock: Clock):
        super().__init__(p, job, run, held_out, clock)
        self.job = replace(
            job,
            solver=Solver("lm", 0.0),
            l2=0.0 if p.bayesian else job.l2,
            tol=p.tol,
            patience=p.n_iter_no_change + 1,
            bayesian=p.bayesian,
        )
        check_lm(self.job, p.engine)
        _warn_of_size(sum(W.size for W in run.weights), job.y.size, held_down=bool(p.bayesian or p.early_stopping))
        self.engine = LMEngine(self.job)
        run.loss_curve = []

    def go(self, part: RunPart | None) -> FitState:
        p, run, engine = self.p, self.run, self.engine
        self.train(part, p.progress, every_epoch=bool(self.callbacks or self.held_out))
        raise_if_diverged(self.job, engine)
        run.converged, run.bayesian = engine.converged or self.has_waited, engine.bayesian
        run.stopped = "converged" if run.converged else run.stopped
        if not p.early_stopping:
            run.weights = engine.weights
        run.loss = run.best_loss = engine.cost
        return run

    def _is_over(self) -> bool:
        weights = self.engine.weights
        if self.held_out:
            self.compare(self.judge(weights), weights)
        return self.is_to_stop(weights) or self.has_waited

    def _note(self, done: int) -> None:
        """Record the steps since the last call."""
        run = self.run
        for k, loss in enumerate(self.engine.costs[run.n_iter : done], run.n_iter + 1):
            run.loss_curve.append(float(loss))
            if self.p.verbose:
                print(f"Iteration {k}, loss = {loss:.8f}")
        run.n_iter, run.loss = done, run.loss_curve[-1] if run.loss_curve else run.loss
