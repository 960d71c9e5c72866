"""Levenberg-Marquardt: the solver for small networks and squared errors.

Near any weights w the residuals are about e + J h, so ½ Σ e² is approximately a parabola in the step h. Its minimum
within some distance is the h of

    (Jᵀ J + R + μ I) h = -(Jᵀ e + R w)

with R = 0 except with weight decay (`l2`, Bayesian regularisation), and the damping μ: a large μ gives a short step
down the gradient, a small μ the Gauss-Newton step to the parabola's minimum. μ follows Nielsen's rule with the gain
ratio ρ, the decrease of the cost divided by the predicted decrease: after a step that lowers the cost,
μ = μ max(⅓, 1 - (2ρ - 1)³); otherwise the step is dropped and μ is multiplied by 2, 4, 8, …

Sources: Marquardt, SIAM J. Appl. Math. 11 (1963); Hagan and Menhaj, Training feedforward networks with the Marquardt
algorithm, IEEE Trans. Neural Networks 5 (1994); Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Array, Floats
from backpath.training.bayesian import Bayesian
from backpath.training.engines.normal_equations import NormalEquations, single_threaded
from backpath.training.job import Convergence, Job
from backpath.training.state import Stateful

# cost -> its multiple of Σ e²
SQUARED_COSTS = {"squared_error": 1.0, "half_squared_error": 0.5}
FIRST_DAMPING = 0.1  # relative to the largest diagonal element of Jᵀ J
LEAST_DAMPING = 1e-16  # the same unit: with less, rounding makes Jᵀ J singular again
STATIONARY = 1e-8  # converged if no column of J has a larger cosine with e


def check_lm(job: Job, engine: str) -> None:
    """Refuse settings that Levenberg-Marquardt does not support."""
    if job.cost not in SQUARED_COSTS:
        raise InputError(
            f"lm minimises squared errors, for classes against one-hot targets: cost must be "
            f"{' or '.join(SQUARED_COSTS)}, but is {job.cost}",
            "cost",
        )
    if job.shuffle or job.batch_size < len(job.X):
        raise InputError("lm uses all samples in every step; leave batch_size and shuffle out", "batch_size")
    if job.bayesian and job.l2:
        raise InputError("bayesian regularisation chooses the weight decay; leave l2 out", "l2")
    if engine == "compiled":
        raise InputError(
            "lm has no compiled kernels, because it uses NumPy's linear algebra; leave engine='compiled' out", "engine"
        )


class LMEngine(Stateful):
    """Trains with Levenberg-Marquardt; an epoch is one step that lowers the cost, after any number of attempts.

    It has converged when the gradient is 0 except for rounding, when no step that changes a weight lowers the cost, or
    by the job's ``tol``.

    Parameters
    ----------
    job : Job
        With a squared error and full batches.
    equations : NormalEquations | None
        The equations of this job, if several engines share them.

    Attributes
    ----------
    costs : list of float
        The cost of each epoch before its step; it includes the penalty of ``l2``, but not of Bayesian regularisation.
    bayesian : Bayesian | None
        The present α, β and γ.
    """

    _given = ("job", "_equations", "_dtype", "_samples", "_l2")

    def __init__(self, job: Job, equations: NormalEquations | None = None):
        self.job, self._equations = job, equations or NormalEquations(job)
        self.costs: list[float] = []
        self.converged = False
        self.overflow: int | None = None
        self.bayesian: Bayesian | None = None
        self._dtype = job.network.dtype
        self._flat = np.concatenate([W.ravel() for W in job.network.weights]).astype(np.float64)
        self._E, self._damping, self._growth = math.inf, math.nan, 2.0
        self._convergence = Convergence(job.tol, job.patience)
        self._samples = float(len(job.X) if job.sample_weight is None else job.sample_weight.sum(dtype=np.float64))
        biases = [np.arange(W.size).reshape(W.shape) % W.shape[1] == W.shape[1] - 1 for W in job.network.weights]
        weighs = np.concatenate([~b.ravel() for b in biases])
        self._l2 = job.l2 / (2 * SQUARED_COSTS[job.cost]) * weighs

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.bayesian = Bayesian(**state["bayesian"]) if state["bayesian"] else None

    @property
    def weights(self) -> list[Array]:
        return [W.astype(self._dtype) for W in self._equations.layers(self._flat)]

    @property
    def cost(self) -> float:
        """The cost of the current weights; infinite before the first epoch and after an overflow."""
        return math.inf if self.overflow is not None else self._cost(self._E)

    def run(self, epochs: int) -> None:
        with np.errstate(over="ignore", invalid="ignore"), single_threaded():
            for _ in range(epochs):
                if self.converged or self.overflow is not None:
                    return
                self._epoch()

    def _cost(self, E: float) -> float:
        penalised = E * self.job.cost_share + float(self._l2 @ self._flat**2)
        return SQUARED_COSTS[self.job.cost] * penalised / self._samples

    def _epoch(self) -> None:
        JJ, Je, E = self._equations.at(self._flat)
        if not (math.isfinite(self._cost(E)) and np.isfinite(JJ).all() and np.isfinite(Je).all()):
            self.overflow = 0
            return
        self._E = E
        self.costs.append(self._cost(E))
        if len(self.costs) == 1 and E > 0 and self._is_saturated(JJ):
            self.overflow = 0
            return
        decay = self._decay(JJ, E)
        gradient = Je + (decay * self._flat)[self._equations.free]
        JJ[np.diag_indices_from(JJ)] += decay[self._equations.free]
        lowered = self._objective(self._flat, decay, E)
        self.converged = (
            _is_stationary(JJ, gradient, lowered)
            or not self._step(JJ, gradient, decay, lowered)
            or self._convergence.reached(self.costs[-1])
        )

    def _is_saturated(self, JJ: Floats) -> bool:
        """Whether a layer's weights do not affect the outputs, although later layers could pass the effect on."""
        moves = np.zeros(len(self._flat))
        moves[self._equations.free] = JJ.diagonal()
        free = np.zeros(len(self._flat))
        free[self._equations.free] = 1
        layers = list(zip(*map(self._equations.layers, (self._flat, moves, free)), strict=True))
        for layer, (_, moved, movable) in enumerate(layers):
            passed_on = all(W[:, :-1].any() for W, _, _ in layers[layer + 1 :])
            if passed_on and movable.any() and not moved.any():
                return True
        return False

    def _decay(self, JJ: Floats, E: float) -> Floats:
        """The diagonal of R, for all weights."""
        if not self.job.bayesian:
            return self._l2
        w, parameters = self._flat[self._equations.free], self._equations.count
        residuals = self._samples * self.job.y.shape[1]
        if self.bayesian is None:
            self.bayesian = Bayesian.estimated(parameters, parameters, residuals, E, w)
        else:
            self.bayesian = self.bayesian.again(JJ, residuals, E, w)
        decay = np.zeros_like(self._flat)
        decay[self._equations.free] = self.bayesian.decay
        return decay

    def _objective(self, flat: Floats, decay: Floats, E: float) -> float:
        """Σ e² + Σ R w², twice the function that the parabola approximates."""
        return E + float(decay @ flat**2)

    def _step(self, JJ: Floats, gradient: Floats, decay: Floats, before: float) -> bool:
        """Take the first step that lowers the cost; False if there is none."""
        largest = float(JJ.diagonal().max())
        if math.isnan(self._damping):
            self._damping = FIRST_DAMPING * largest
        while math.isfinite(self._damping):
            h = _solved(JJ, self._damping, gradient)
            trial = self._flat.copy()
            trial[self._equations.free] += h
            if np.array_equal(trial, self._flat):
                return False
            promised = float(h @ (self._damping * h - gradient))
            if np.isfinite(trial.astype(self._dtype)).all():
                E = self._equations.squared_error(trial)
                lowered = before - self._objective(trial, decay, E)
                if lowered > 0 and promised > 0:
                    gain = lowered / promised
                    factor = max(1 / 3, 1 - (2 * gain - 1) ** 3)
                    self._damping, self._growth = max(self._damping * factor, LEAST_DAMPING * largest), 2.0
                    self._flat, self._E = trial, E
                    return True
            self._damping *= self._growth
            self._growth *= 2
        return False


def _solved(JJ: Floats, damping: float, gradient: Floats) -> Array:
    """h of (JJ + μ I) h = -gradient; NaN if rounding makes that singular."""
    damped = JJ.copy()
    damped[np.diag_indices_from(damped)] += damping
    try:
        return np.linalg.solve(damped, -gradient)
    except np.linalg.LinAlgError:
        return np.full_like(gradient, np.nan)


def _is_stationary(JJ: Floats, gradient: Floats, objective: float) -> bool:
    """|g_i| ≤ 1e-8 |J_i| |e| for every weight, which does not depend on the scales of inputs and targets."""
    return bool((np.abs(gradient) <= STATIONARY * np.sqrt(JJ.diagonal()) * math.sqrt(objective)).all())
