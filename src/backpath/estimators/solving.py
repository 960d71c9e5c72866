"""From samples to fitted weights: chooses the starts, the job and the solver, and keeps the best run."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from backpath.errors import DivergenceError, InputError
from backpath.estimators.descent import Descending
from backpath.estimators.fit import Clock
from backpath.estimators.fit_state import FitState, HeldOut
from backpath.estimators.parameters import STOCHASTIC, asks, hidden_activations
from backpath.estimators.scaling import Scaling
from backpath.estimators.starts import Shuffled, drawn_weights
from backpath.estimators.training_samples import Samples
from backpath.maths.checks import check_network_memory
from backpath.maths.network import Network
from backpath.training.chunks import opened
from backpath.training.job import Job, Solver
from backpath.training.pool import run_on_threads
from backpath.training.threads import threads_for

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints

# scikit-learn's message for weights that are not finite, because user code may match it
NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)
MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Start:
    """The initial weights of a network, and its random stream."""

    run: FitState
    rng: np.random.RandomState


def first_start(p: Any, sizes: tuple[int, ...], number: np.dtype[Any], rng: np.random.RandomState) -> Start:
    check_network_memory(sizes, number)
    hidden = hidden_activations(p.activation, len(sizes) - 2)
    alone = "sigmoid" if p.activation in ("logistic", "sigmoid") else "identity"
    return Start(FitState(drawn_weights(sizes, hidden or (alone,), number, rng)), rng)


def next_start(
    p: Any, sizes: tuple[int, ...], scaling: Scaling, incremental: bool, rng: np.random.RandomState
) -> Start:
    """The weights of the last fit."""
    weights = scaling.unfold(p._weights())
    now = (weights[0].shape[1] - 1, *map(len, weights))
    if now != sizes:
        raise InputError(f"the fitted network has sizes {now}, but this fit wants {sizes}; use a new estimator")
    scores = getattr(p, "validation_scores_", None)
    run = FitState(
        weights,
        t=p.t_,
        loss_curve=list(getattr(p, "loss_curve_", [])),
        best_loss=getattr(p, "best_loss_", math.inf),
        waited=getattr(p, "_no_improvement_count", 0),
        validation_scores=None if scores is None else list(scores),
        best_validation_score=getattr(p, "best_validation_score_", None),
        validation_loss_curve=list(getattr(p, "validation_loss_curve_", [])),
        optimizer=getattr(p, "_optimizer", None) if incremental else None,
    )
    return Start(run, rng)


def solved(
    p: Any, samples: Samples, held_out: HeldOut | None, starts: Sequence[Start], clock: Clock, incremental: bool
) -> list[FitState]:
    """The runs from these starts, the best first, without diverged ones and those after the time limit; raises the
    error of the first one if all diverged."""
    with opened(p.checkpoint, p.every, "fit") as checkpoints:
        work = [
            partial(_outcome, p, samples, held_out, start, clock, incremental, len(starts) > 1, checkpoints)
            for start in starts
        ]
        outcomes = _side_by_side(work, clock) if _go_side_by_side(p, work) else [each() for each in work]
    done = [outcome for outcome in outcomes if isinstance(outcome, FitState)]
    if not done:
        raise _first_error(outcomes) from None
    return sorted(done, key=lambda run: run.badness)


def _first_error(outcomes: Sequence[object]) -> DivergenceError:
    first = next(outcome for outcome in outcomes if isinstance(outcome, DivergenceError))
    finite = first.layer is None and first.cost is not None
    return first.but(advice=first.advice if finite else f"{NON_FINITE} Or {first.advice}")


def _outcome(
    p: Any,
    samples: Samples,
    held_out: HeldOut | None,
    start: Start,
    clock: Clock,
    incremental: bool,
    one_of_several: bool,
    checkpoints: Checkpoints | None,
) -> FitState | DivergenceError | None:
    if one_of_several and clock.ended_one and clock.is_over:
        return None
    try:
        run = solve(p, samples, held_out, start, clock, incremental, checkpoints)
    except DivergenceError as error:
        return error
    clock.ended_one = True
    return run


def _go_side_by_side(p: Any, work: Sequence[object]) -> bool:
    """Whether to train the networks on all cores at once; callbacks and progress need one network at a time."""
    return len(work) > 1 and p.solver in STOCHASTIC and not (p.callbacks or p.progress or p.verbose or p.checkpoint)


def _side_by_side(work: Sequence[Callable[[], Any]], clock: Clock) -> list[Any]:
    outcomes, interrupted = run_on_threads(work, min(len(work), threads_for(None)), stop=clock.stop)
    if interrupted:
        warnings.warn("Training interrupted by user.", stacklevel=6)
    return outcomes


def solve(
    p: Any,
    samples: Samples,
    held_out: HeldOut | None,
    start: Start,
    clock: Clock,
    incremental: bool,
    checkpoints: Checkpoints | None,
) -> FitState:
    """One network, trained by the estimator's solver."""
    job, run = job_of(p, samples, start), start.run
    if held_out and run.validation_scores is None:
        run.validation_scores = []
    with _one_thread_for_blas() if held_out and held_out.judge else nullcontext():
        if p.solver == "lbfgs":
            from backpath.estimators.lbfgs import Lbfgs

            return Lbfgs(p, job, run, held_out, clock).saved(checkpoints)
        if p.solver == "lm":
            from backpath.estimators.levenberg import Levenberg

            return Levenberg(p, job, run, held_out, clock).saved(checkpoints)
        return Descending(p, job, run, held_out, clock, incremental).saved(checkpoints)


def _one_thread_for_blas() -> Any:
    """Limit BLAS to one thread for a scorer's few samples, because its threads would mostly wait for each other."""
    from backpath.training.engines.normal_equations import single_threaded

    return single_threaded()


def job_of(p: Any, samples: Samples, start: Start) -> Job:
    """The training job, except for what its solver adds."""
    weights, count = start.run.weights, len(samples)
    output, cost = p._trained_as(samples.y.shape[1])
    hidden = hidden_activations(p.activation, len(weights) - 1)
    batch_size = _batch_size(p, count)
    shuffled = p.shuffle and batch_size < count and p.solver in STOCHASTIC
    return Job(
        Network.from_weights(weights, (*hidden, output), dtype=samples.X.dtype),
        samples.X,
        samples.y,
        cost,
        Solver("gd", 1.0),
        batch_size,
        shuffle=shuffled,
        seed=start.rng.randint(MOST_SEED) if asks(p.dropout) else 0,
        l2=0.0 if p.solver == "adamw" else float(p.alpha),
        sample_weight=samples.weight,
        order=Shuffled(count, start.rng) if shuffled else None,
        averaged=p._is_averaged(),
        clip_norm=p.clip_norm,
        dropout=p.dropout if asks(p.dropout) else 0.0,
        threads=1 if p.n_networks > 1 else None,
    )


def _batch_size(p: Any, count: int) -> int:
    if p.solver not in STOCHASTIC:
        return count
    if isinstance(p.batch_size, str):
        return min(200, count)
    if p.batch_size > count:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=6
        )
    return min(int(p.batch_size), count)
