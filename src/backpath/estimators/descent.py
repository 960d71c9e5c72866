"""The solvers sgd and adam: scikit-learn's stopping rules and learning-rate schedules around backpath's engines."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from backpath.errors import DivergenceError
from backpath.estimators.fit import ByEpochs, Clock
from backpath.estimators.fit_state import FitState, HeldOut, Optimizer
from backpath.maths.arrays import Array
from backpath.training.divergence import advice, raise_if_diverged
from backpath.training.engines import start_descent
from backpath.training.job import Descent, Job, Solver, SolverState
from backpath.training.schedules import SCHEDULES, share_of_rate

if TYPE_CHECKING:
    from backpath.training.checkpoints import RunPart

SMALLEST_RATE = 1e-6  # lower limit of the schedules adaptive and plateau
OF_ALL = ("linear", "cosine", "plateau")  # schedules of all solvers with a learning rate; scikit-learn's are sgd's


def solver_of(p: Any) -> Solver:
    """The solver that an estimator's parameters describe."""
    if p.solver in ("adam", "adamw"):
        decay = float(p.alpha) if p.solver == "adamw" else 0.0
        betas = {"beta_1": p.beta_1, "beta_2": p.beta_2, "epsilon": p.epsilon}
        return Solver("adam", p.learning_rate_init, **betas, decay=decay)
    return Solver("momentum", p.learning_rate_init, momentum=p.momentum, nesterov=p.nesterovs_momentum)


def solver_state_of(run: FitState) -> SolverState | None:
    """The state to continue from: for ``partial_fit`` the last engine's, for a warm start the best loss."""
    if run.optimizer is None and run.best_loss in (None, math.inf):
        return None
    nothing = [np.zeros_like(W) for W in run.weights]
    solver_state = run.optimizer.solver_state if run.optimizer else SolverState(0, nothing, nothing)
    return replace(solver_state, best=math.inf if run.best_loss is None else run.best_loss, waited=run.waited)


class Descending(ByEpochs):
    """One fit by sgd or adam; ``incremental``: one epoch of ``partial_fit``."""

    engine: Descent
    _given = (*ByEpochs._given, "incremental", "schedule", "scheduled")

    def __init__(
        self, p: Any, job: Job, run: FitState, held_out: HeldOut | None, clock: Clock, incremental: bool = False
    ):
        super().__init__(p, job, run, held_out, clock)
        self.incremental, self.epochs = incremental, 1 if incremental else int(p.max_iter)
        self.schedule = p.learning_rate if p.solver == "sgd" or p.learning_rate in OF_ALL else "constant"
        self.scheduled = not incremental and (p.warm_up > 0 or self.schedule in ("invscaling", *OF_ALL))
        self.lowest, self.flat = math.inf, 0  # the criterion of the plateau schedule
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
        if self.scheduled:
            self._set_rate(0)

    def restore(self, state: dict[str, Any]) -> None:
        """If the initial learning rate has changed, change the present rate in proportion."""
        first, before = self.first_rate, state["first_rate"]
        rate = state["rate"] if first == before else state["rate"] / before * first
        self.engine.change_rate(rate)  # which warns that it has not converged
        super().restore(state | {"rate": rate, "first_rate": first})
        if self.scheduled:
            self._set_rate(self.run.n_iter)

    def go(self, part: RunPart | None) -> FitState:
        p, run, engine = self.p, self.run, self.engine
        every_epoch = bool(self.callbacks or self.held_out or self.scheduled)
        self.train(part, False if self.incremental else p.progress, every_epoch)
        self._raise_if_diverged()
        if run.converged:
            run.stopped = "converged"
        run.optimizer = Optimizer(self.rate, engine.solver_state)
        if not p.early_stopping:
            run.weights, run.waited = engine.weights, run.optimizer.solver_state.waited
        return run

    def _note(self, done: int) -> None:
        """Record the epochs since the last call."""
        run, fresh = self.run, np.asarray(self.engine.costs[self.run.n_iter : done], np.float64).tolist()
        if self.p.verbose:
            for k, loss in enumerate(fresh, run.n_iter + 1):
                print(f"Iteration {k}, loss = {loss:.8f}")
        run.loss_curve += fresh
        run.n_iter, run.t = done, run.t + len(fresh) * self.job.X.shape[0]
        run.loss = fresh[-1] if fresh else run.loss
        run.best_loss = (
            None if self.p.early_stopping else min([math.inf if run.best_loss is None else run.best_loss, *fresh])
        )

    def _is_over(self) -> bool:
        """After an epoch or a chunk: evaluate, report, and set the next learning rate."""
        weights: list[Array] = []
        if self.held_out or self.callbacks:
            weights = self.engine.weights
            self.compare(self.judge(weights), weights)
        stop = self.is_to_stop(weights)
        is_waiting_over = self.has_waited if self.p.early_stopping else self.engine.converged
        self._follow_schedule()
        if is_waiting_over:
            return self._triggered() or stop
        if self.scheduled:
            self._set_rate(self.run.n_iter)
        return stop

    def _follow_schedule(self) -> None:
        """Change the rate as the schedule says; ``_set_rate`` passes it to the engine."""
        if self.schedule == "invscaling":
            self.rate = self.p.learning_rate_init / (self.run.t + 1) ** self.p.power_t
            if self.incremental:
                self.engine.change_rate(self.rate)
        elif self.schedule == "plateau":
            self._watch_plateau()

    def _set_rate(self, epoch: int) -> None:
        """The learning rate of the next epoch."""
        schedule = self.schedule if self.schedule in SCHEDULES else "constant"
        self.engine.change_rate(self.rate * share_of_rate(schedule, epoch, self.epochs, self.p.warm_up))

    def _watch_plateau(self) -> None:
        """A fifth of the learning rate after every half of ``n_iter_no_change`` epochs without a better loss (or, with
        early stopping, score)."""
        p, scores = self.p, self.run.validation_scores
        now = -scores[-1] if p.early_stopping and scores else self.run.loss
        self.flat = 0 if now < self.lowest - p.tol else self.flat + 1
        self.lowest = min(self.lowest, now)
        if self.flat >= max(1, min(p.n_iter_no_change, 20) // 2) and self.rate > SMALLEST_RATE:
            self.rate, self.flat = self.rate / 5, 0
            if p.verbose:
                print(f"Setting learning rate to {self.rate:f}")

    def _triggered(self) -> bool:
        """No improvement for too long: stop or, with the adaptive schedule, lower the rate."""
        p, what = self.p, "Validation score" if self.p.early_stopping else "Training loss"
        message = f"{what} did not improve more than tol={p.tol:f} for {p.n_iter_no_change} consecutive epochs."
        adaptive = self.schedule == "adaptive"
        self.run.converged = not adaptive or self.rate <= SMALLEST_RATE
        if self.run.converged:
            action = "Learning rate too small. Stopping." if adaptive else "Stopping."
        else:
            self.rate /= 5
            self.engine.change_rate(self.rate)
            self.run.waited = 0
            action = f"Setting learning rate to {self.rate:f}"
        if p.verbose:
            print(message, action)
        return self.run.converged

    def _raise_if_diverged(self) -> None:
        if not self.incremental:
            raise_if_diverged(self.job, self.engine)
        elif self.engine.overflow is not None:
            network = self.job.network.with_weights(self.engine.weights)
            raise DivergenceError(1, self.engine.overflow or None, None, network, advice(self.job))
