"""The solvers sgd and adam: scikit-learn's stopping rules and learning-rate schedules around backpath's engines."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backpath.errors import DivergenceError
from backpath.estimators.fit import Fitting
from backpath.estimators.fit_state import FitState, HeldOut, Optimizer
from backpath.training.chunks import in_chunks
from backpath.training.divergence import raise_if_diverged
from backpath.training.engines import start_descent
from backpath.training.job import Job, Solver, SolverState
from backpath.training.progress import reporter

if TYPE_CHECKING:
    from backpath.training.checkpoints import RunPart


SMALLEST_RATE = 1e-6  # that the adaptive schedule goes down to


def solver_of(p: Any) -> Solver:
    """The solver that an estimator's parameters describe."""
    if p.solver == "adam":
        return Solver("adam", p.learning_rate_init, beta_1=p.beta_1, beta_2=p.beta_2, epsilon=p.epsilon)
    return Solver("momentum", p.learning_rate_init, momentum=p.momentum, nesterov=p.nesterovs_momentum)


def solver_state_of(run: FitState) -> SolverState | None:
    """What an engine is to go on from: of ``partial_fit`` all that the last one knew, of a warm start the best loss."""
    if run.optimizer is None and run.best_loss in (None, math.inf):
        return None
    nothing = [np.zeros_like(W) for W in run.weights]
    solver_state = run.optimizer.solver_state if run.optimizer else SolverState(0, nothing, nothing)
    return replace(solver_state, best=math.inf if run.best_loss is None else run.best_loss, waited=run.waited)


class Descending(Fitting):
    """One fit by sgd or adam; ``incremental``: one epoch of ``partial_fit``."""

    _given = (*Fitting._given, "incremental", "schedule")

    def __init__(self, p: Any, job: Job, run: FitState, held_out: HeldOut | None, incremental: bool):
        super().__init__(p, job, run, held_out)
        self.incremental, self.epochs = incremental, 1 if incremental else int(p.max_iter)
        self.schedule = p.learning_rate if p.solver == "sgd" else "constant"
        solver = solver_of(p)
        self.rate = self.first_rate = run.optimizer.learning_rate if run.optimizer else solver.learning_rate
        self.job = replace(
            job,
            solver=replace(solver, learning_rate=self.rate),
            tol=None if p.early_stopping else p.tol,
            patience=p.n_iter_no_change + 1,
            solver_state=solver_state_of(run),
        )
        self.engine = start_descent(p.engine, self.job)

    def restore(self, state: dict[str, Any]) -> None:
        """With another first learning rate, the rate reached is another in proportion."""
        first, before = self.first_rate, state["first_rate"]
        rate = state["rate"] if first == before else state["rate"] / before * first
        self.engine.change_rate(rate)  # which says that it has not converged
        super().restore(state | {"rate": rate, "first_rate": first})

    def go(self, part: RunPart | None) -> FitState:
        p, run, engine = self.p, self.run, self.engine
        by_epoch = bool(self.callbacks or self.held_out or self.schedule == "invscaling")
        try:
            with reporter(False if self.incremental else p.progress, self.epochs) as report:
                for done in in_chunks(engine, self.epochs, by_epoch, part, lambda: self.stopped):
                    self._note(done)
                    if report and done:
                        report(done, run.loss)
                    if engine.overflow is None:
                        self.stopped = self._is_over()
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=2)
            self._note(len(engine.costs))
        self._raise_if_diverged()
        run.optimizer = Optimizer(self.rate, engine.solver_state)
        if not p.early_stopping:
            run.weights, run.waited = engine.weights, run.optimizer.solver_state.waited
        return run

    def _note(self, done: int) -> None:
        """Write down the epochs since the last look."""
        run, fresh = self.run, np.asarray(self.engine.costs[self.run.n_iter : done], np.float64).tolist()
        if self.p.verbose:
            for k, loss in enumerate(fresh, run.n_iter + 1):
                print(f"Iteration {k}, loss = {loss:.8f}")
        run.loss_curve += fresh
        run.n_iter, run.t = done, run.t + len(fresh) * len(self.job.X)
        run.loss = fresh[-1] if fresh else run.loss
        run.best_loss = (
            None if self.p.early_stopping else min([math.inf if run.best_loss is None else run.best_loss, *fresh])
        )

    def _is_over(self) -> bool:
        """After an epoch or a chunk: judge, tell, and set the next learning rate."""
        p, run, stop = self.p, self.run, False
        if self.held_out or self.callbacks:
            weights = self.engine.weights
            self.compare(self.judge(weights), weights)
            stop = self.tell(weights)
        if self.schedule == "invscaling":
            self.rate = p.learning_rate_init / (run.t + 1) ** p.power_t
            self.engine.change_rate(self.rate)
        if self.has_waited if p.early_stopping else self.engine.converged:
            stop = self._triggered() or stop
        return stop

    def _triggered(self) -> bool:
        """No improvement for too long: stop, or with the adaptive schedule go on more slowly."""
        p, what = self.p, "Validation score" if self.p.early_stopping else "Training loss"
        message = f"{what} did not improve more than tol={p.tol:f} for {p.n_iter_no_change} consecutive epochs."
        adaptive = self.schedule == "adaptive"
        self.run.converged = not adaptive or self.rate <= SMALLEST_RATE
        if self.run.converged:
            told = "Learning rate too small. Stopping." if adaptive else "Stopping."
        else:
            self.rate /= 5
            self.engine.change_rate(self.rate)
            self.run.waited = 0
            told = f"Setting learning rate to {self.rate:f}"
        if p.verbose:
            print(message, told)
        return self.run.converged

    def _raise_if_diverged(self) -> None:
        if not self.incremental:
            raise_if_diverged(self.job, self.engine)
        elif self.engine.overflow is not None:
            network = self.job.network.with_weights(self.engine.weights)
            raise DivergenceError(1, self.engine.overflow or None, None, network)
