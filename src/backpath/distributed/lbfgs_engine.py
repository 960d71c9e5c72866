"""L-BFGS on samples that many workers hold: SciPy takes the steps, the workers add up the gradient."""

from __future__ import annotations

import math
import weakref
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, ClassVar

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Array, Floats
from backpath.training.job import Convergence, Job
from backpath.training.quasi_newton import Evaluate, Objective, minimize
from backpath.training.state import Stateful

_MOST = 10**9  # iterations and evaluations, which `TrainingRun` limits


def check_lbfgs(job: Job) -> None:
    """Refuse settings that L-BFGS does not support."""
    if job.shuffle or job.batch_size < len(job.X):
        raise InputError("lbfgs uses all samples in every step; leave batch_size and shuffle out", "batch_size")
    if job.network.dtype != np.float64:
        raise InputError(f"lbfgs computes in float64, but the network has {job.network.dtype}; convert it", "dtype")
    try:
        import scipy.optimize  # noqa: F401 - whether it is here
    except ImportError:
        raise InputError("lbfgs needs SciPy: pip install 'backpath[sklearn]'") from None


class LbfgsEngine(Stateful):
    """Trains with SciPy's L-BFGS-B; an epoch is an iteration, including all evaluations of its line search.

    SciPy runs in a separate thread, which waits between two epochs.

    Parameters
    ----------
    job : Job
    evaluate : callable
        Computes the cost of all samples for given weights, and its gradient.
    """

    bayesian = None
    _given: ClassVar[tuple[str, ...]] = ("job", "_scipy", "_cost")

    def __init__(self, job: Job, evaluate: Evaluate):
        def free_only(weights: list[Array]) -> tuple[float, list[Array]]:
            cost, gradient = evaluate(weights)
            if job.free is not None:
                gradient = [g * mask for g, mask in zip(gradient, job.free, strict=True)]
            return cost, gradient

        self.job, self._objective = job, Objective(job.network.weights, free_only)
        self._flat = self._objective.start.copy()
        self._scipy: Scipy | None = None
        self._cost = math.nan  # at SciPy's present weights
        self._convergence = Convergence(job.tol, job.patience)
        self.costs: list[float] = []
        self.converged = False
        self.overflow: int | None = None

    @property
    def weights(self) -> list[Array]:
        return self._objective.layers(self._flat)

    def run(self, epochs: int) -> None:
        """Run this many more iterations, or to the end if that comes first."""
        wanted = len(self.costs) + epochs
        if self._scipy is None:
            self._scipy = Scipy(self._objective.start)
            weakref.finalize(self, self._scipy.answer, None)  # its thread ends with this engine
            self._go(len(self.costs), are_known=True)
        self._go(wanted - len(self.costs), are_known=False)

    def _go(self, iterations: int, are_known: bool) -> None:
        assert self._scipy is not None
        while iterations > 0 and not self.converged and self.overflow is None:
            kind, value = self._scipy.asked()
            if kind == "evaluate":
                cost, gradient = self._objective(value)
                self._cost = cost if math.isnan(self._cost) else self._cost
                self._scipy.answer((cost, gradient))
                continue
            if not are_known:
                self.costs.append(self._cost)
                self._flat = value.x.copy()
                self.converged = kind == "end" or self._convergence.reached(self._cost)
            self._cost, iterations = float(value.fun), iterations - 1
            if not math.isfinite(self._cost):
                self.overflow = 0


class Abandoned(Exception):
    """No further iteration is wanted."""


class Scipy:
    """SciPy's L-BFGS-B in a thread that asks for evaluations and waits for the answers."""

    def __init__(self, start: Floats):
        self._asks: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self._waits = False  # after an iteration
        Thread(target=self._run, args=(start,), name="L-BFGS", daemon=True).start()

    def asked(self) -> tuple[str, Any]:
        """("evaluate", weights), ("iteration", SciPy's result so far) or ("end", the final result)."""
        if self._waits:
            self._answers.put("go on")
        kind, value = self._asks.get()
        self._waits = kind == "iteration"
        return kind, value

    def answer(self, value: tuple[float, Floats] | None) -> None:
        """Answer an evaluation; None ends the thread."""
        self._answers.put(value)

    def _ask(self, kind: str, value: Any) -> Any:
        self._asks.put((kind, value))
        answer = self._answers.get()
        if answer is None:
            raise Abandoned
        return answer

    def _run(self, start: Floats) -> None:
        def evaluated(flat: Floats) -> Any:
            return self._ask("evaluate", flat.copy())

        def iteration(intermediate_result: Any) -> None:
            self._ask("iteration", intermediate_result)

        with suppress(Abandoned):
            self._asks.put(("end", minimize(evaluated, start, iteration, maxiter=_MOST, maxfun=_MOST)))
