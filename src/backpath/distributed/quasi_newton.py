"""L-BFGS on samples that many workers hold: SciPy takes the steps, the workers add up the gradient."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, ClassVar

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Array, Floats
from backpath.training.job import Convergence, Job
from backpath.training.state import Stateful

Evaluate = Callable[[list[Array]], tuple[float, list[Array]]]
MOST = 10**9  # iterations and evaluations: how many, others say


def check_lbfgs(job: Job) -> None:
    """Refuse what L-BFGS does not go with."""
    if job.shuffle or job.batch_size < len(job.X):
        raise InputError("lbfgs takes all samples for every step; leave batch_size and shuffle out", "batch_size")
    if job.network.dtype != np.float64:
        raise InputError(f"lbfgs computes in float64, but the network is of {job.network.dtype}; convert it", "dtype")
    try:
        import scipy.optimize  # noqa: F401 - whether it is here
    except ImportError:
        raise InputError("lbfgs needs SciPy: pip install 'backpath[sklearn]'") from None


class LbfgsEngine(Stateful):
    """Trains with SciPy's L-BFGS-B; an epoch is an iteration, with all evaluations of its line search.

    SciPy is in a thread of its own, which waits between two epochs. It does not tell its state: what it asked for is
    kept, and leads it to the same state again in a run that goes on.

    Parameters
    ----------
    job : Job
    evaluate : callable
        The cost of all samples with some weights, and its gradient.
    """

    bayesian = None
    _given: ClassVar[tuple[str, ...]] = ("job", "_evaluate", "_free", "_ends", "_start", "_scipy", "_again", "_cost")

    def __init__(self, job: Job, evaluate: Evaluate):
        self.job, self._evaluate = job, evaluate
        self._ends = np.cumsum([W.size for W in job.network.weights])[:-1]
        self._free = None if job.free is None else np.concatenate([mask.ravel() for mask in job.free])
        self._flat: Floats = np.concatenate([W.ravel() for W in job.network.weights])
        self._start = self._flat.copy()
        self._scipy: Scipy | None = None
        self._again, self._cost = 0, math.nan  # asked for again; the cost of the weights that SciPy stands at
        self._asked: list[list[Any]] = []  # gradient and cost, one after the other
        self._convergence = Convergence(job.tol, job.patience)
        self.costs: list[float] = []
        self.converged = False
        self.overflow: int | None = None

    @property
    def weights(self) -> list[Array]:
        return self._layers(self._flat)

    def run(self, epochs: int) -> None:
        """So many iterations more, or to the end."""
        wanted = len(self.costs) + epochs
        if self._scipy is None:
            self._scipy = Scipy(self._start)
            weakref.finalize(self, self._scipy.answer, None)  # its thread ends with this engine
            self._go(len(self.costs), are_known=True)
        self._go(wanted - len(self.costs), are_known=False)

    def _go(self, iterations: int, are_known: bool) -> None:
        assert self._scipy is not None
        while iterations > 0 and not self.converged and self.overflow is None:
            kind, value = self._scipy.asked()
            if kind == "evaluate":
                gradient, cost = self._answer(value)
                self._cost = cost if math.isnan(self._cost) else self._cost
                self._scipy.answer((cost, gradient.copy()))
                continue
            if not are_known:
                self.costs.append(self._cost)
                self._flat = value.x.copy()
                self.converged = kind == "end" or self._convergence.reached(self._cost)
            self._cost, iterations = float(value.fun), iterations - 1
            if not math.isfinite(self._cost):
                self.overflow = 0

    def _answer(self, flat: Floats) -> list[Any]:
        if self._again == len(self._asked):
            cost, gradients = self._evaluate(self._layers(flat))
            gradient = np.concatenate([g.ravel() for g in gradients])
            self._asked.append([gradient if self._free is None else gradient * self._free, cost])
        self._again += 1
        return self._asked[self._again - 1]

    def _layers(self, flat: Floats) -> list[Array]:
        parts = np.split(flat, self._ends)
        return [part.reshape(W.shape) for part, W in zip(parts, self.job.network.weights, strict=True)]


class Abandoned(Exception):
    """No further iteration is wanted."""


class Scipy:
    """SciPy's L-BFGS-B in a thread that asks and waits for the answer."""

    def __init__(self, start: Floats):
        self._asks: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self._waits = False  # after an iteration, to be let go on
        Thread(target=self._run, args=(start,), name="L-BFGS", daemon=True).start()

    def asked(self) -> tuple[str, Any]:
        """("evaluate", weights), ("iteration", where it is) or ("end", where that is)."""
        if self._waits:
            self._answers.put("go on")
        kind, value = self._asks.get()
        self._waits = kind == "iteration"
        return kind, value

    def answer(self, value: tuple[float, Floats] | None) -> None:
        """None: that is all."""
        self._answers.put(value)

    def _ask(self, kind: str, value: Any) -> Any:
        self._asks.put((kind, value))
        answer = self._answers.get()
        if answer is None:
            raise Abandoned
        return answer

    def _run(self, start: Floats) -> None:
        from scipy.optimize import minimize

        def evaluated(flat: Floats) -> Any:
            return self._ask("evaluate", flat.copy())

        def iteration(intermediate_result: Any) -> None:
            self._ask("iteration", intermediate_result)

        options = {"maxiter": MOST, "maxfun": MOST}
        with suppress(Abandoned), np.errstate(over="ignore", invalid="ignore"):
            found = minimize(evaluated, start, method="L-BFGS-B", jac=True, options=options, callback=iteration)
            self._asks.put(("end", found))
