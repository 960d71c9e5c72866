"""The solver lbfgs: SciPy's L-BFGS-B on the cost and gradient of all samples, which backpath's engines compute."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from backpath.errors import DivergenceError
from backpath.estimators.fit import Clock, Fitting
from backpath.estimators.fit_state import FitState, HeldOut
from backpath.maths.arrays import Array
from backpath.training.divergence import advice
from backpath.training.engines import start_descent
from backpath.training.engines.numpy import cost_and_gradient
from backpath.training.job import Descent, Job, Solver
from backpath.training.progress import reporter
from backpath.training.quasi_newton import Objective, minimize

if TYPE_CHECKING:
    from backpath.training.checkpoints import RunPart


def _widened(job: Job) -> Job:
    """The job in float64, with a solver that keeps the gradient apart from the weights."""
    network = type(job.network).from_weights(job.network.weights, job.network.activations, dtype="float64")
    weight = None if job.sample_weight is None else job.sample_weight.astype(np.float64)
    X, y = job.X.astype(np.float64), job.y.astype(np.float64)
    return replace(job, network=network, X=X, y=y, sample_weight=weight, solver=Solver("momentum", 1.0))


class Lbfgs(Fitting):
    """One fit by L-BFGS, in float64 for any network."""

    engine: Descent

    def __init__(self, p: Any, job: Job, run: FitState, held_out: HeldOut | None, clock: Clock):
        widened = _widened(job)
        super().__init__(p, widened, run, held_out, clock)
        # the gradient is summed over the outputs, so the cost must be too
        self.engine = start_descent(p.engine, replace(widened, averaged=False))
        self.objective = Objective(widened.network.weights, self.engine.cost_and_gradient)
        self.flat = self.objective.start
        self._iterations = 0  # those of a resumed run are repeated
        run.loss_curve = []

    def is_good(self) -> bool:
        return math.isfinite(self.run.loss)

    def state(self) -> dict[str, Any]:
        return {"run": self.run.state(), "stopped": self.stopped, "objective": self.objective.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self.run.restore(state["run"])
        self.objective.restore(state["objective"])
        self.stopped = state["stopped"]
        self.go_on()

    @property
    def weights_now(self) -> list[Array]:
        return self.objective.layers(self.flat)

    def _loss(self, objective: float, flat: Array) -> float:
        """The objective as in ``loss_``: the cost, but not the penalty, is averaged over the outputs."""
        job = self.job
        samples = len(job.y) if job.sample_weight is None else float(job.sample_weight.sum())
        penalty = job.l2 / samples / 2 * sum(float((W[:, :-1] ** 2).sum()) for W in self.objective.layers(flat))
        return job.cost_share * (objective - penalty) + penalty

    def go(self, part: RunPart | None) -> FitState:
        p, run, self.part = self.p, self.run, part
        self.objective.is_recorded = part is not None
        found: Any = None
        try:
            with reporter(p.progress, p.max_iter) as self.report:
                options = {"maxfun": p.max_fun, "maxiter": p.max_iter, "gtol": p.tol}
                found = minimize(self.objective, self.flat, self._iteration, **options)
                self.flat = found.x
        except KeyboardInterrupt:
            self.interrupted()
        if not p.early_stopping:
            run.weights = self.objective.layers(self.flat)
        self._set_loss()
        run.best_loss = run.loss
        if found is not None:
            run.n_iter, run.converged = min(int(found.nit), p.max_iter), found.status == 0 or self.has_waited
            run.stopped = "converged" if run.converged else run.stopped
            self._warn(found)
        return run

    def _iteration(self, intermediate_result: Any) -> None:
        run, now = self.run, intermediate_result
        self.flat, self._iterations = now.x.copy(), self._iterations + 1
        if self._iterations <= run.n_iter:  # done before the run was resumed
            if self.stopped and self._iterations == run.n_iter:
                raise StopIteration
            return
        run.n_iter, run.loss = run.n_iter + 1, self._loss(float(now.fun), now.x)
        run.loss_curve.append(run.loss)
        if self.p.verbose:
            print(f"Iteration {run.n_iter}, loss = {run.loss:.8f}")
        if self.report:
            self.report(run.n_iter, run.loss)
        weights = self.objective.layers(self.flat)
        self.compare(self.judge(weights), weights)
        self.stopped = self.is_to_stop(weights) or self.has_waited
        if self.part:
            self.part.look(run.n_iter)
        if self.stopped:
            raise StopIteration

    def _set_loss(self) -> None:
        """The reported loss of the final weights; DivergenceError if it or they are not finite."""
        run, job = self.run, self.job
        share = np.ones(len(job.y)) if job.sample_weight is None else job.sample_weight
        with np.errstate(over="ignore", invalid="ignore"):
            run.loss, gradient = cost_and_gradient(job, run.weights, job.X, job.y, share)
        if not (math.isfinite(run.loss) and all(np.isfinite(g).all() for g in gradient)):
            last = run.loss_curve[-1] if run.loss_curve else None
            raise DivergenceError(run.n_iter + 1, None, last, job.network, advice(job, has_rate=False))

    def _warn(self, found: Any) -> None:
        if found.status in (0, 99):  # converged; a callback stopped it
            return
        warnings.warn(
            f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status}):\n{found.message}\n"
            f"Increase the number of iterations (max_iter={self.p.max_iter}) or of evaluations "
            f"(max_fun={self.p.max_fun}), or standardise the data",
            ConvergenceWarning,
            stacklevel=2,
        )
