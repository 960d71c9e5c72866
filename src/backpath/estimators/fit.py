"""What all solvers share: evaluating held-out samples and calling callbacks after each epoch."""

from __future__ import annotations

import math
import time
import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from backpath.estimators.fit_state import Epoch, FitState, HeldOut
from backpath.estimators.parameters import callbacks_of
from backpath.maths.arrays import Array
from backpath.training.chunks import in_chunks, saved
from backpath.training.divergence import is_good
from backpath.training.job import Engine, Job
from backpath.training.progress import Progress, reporter
from backpath.training.state import Stateful
from backpath.training.training_run import standing

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints, RunPart


# parameters that may change when a fit resumes: without influence, or checked in the job
FREE = ("checkpoint", "every", "callbacks", "verbose", "progress", "max_iter", "learning_rate_init", "time_limit")


class Clock:
    """The end of a fit: the time limit and requests to stop.

    Attributes
    ----------
    ended_one : bool
        Whether a network has been trained, so that the time limit may end the fit.
    """

    def __init__(self, limit: float | None):
        self._end, self.ended_one = math.inf if limit is None else time.perf_counter() + limit, False

    @property
    def is_over(self) -> bool:
        return self._end < math.inf and time.perf_counter() >= self._end

    def stop(self) -> None:
        """End it now."""
        self._end = -math.inf


class Fitting(Stateful, ABC):
    """One fit.

    Parameters
    ----------
    p : the estimator, for its parameters
    job : Job
        The subclass sets its solver and tolerance.
    run : FitState
        The initial state, which is updated.
    held_out : HeldOut | None
    clock : Clock

    Attributes
    ----------
    stopped : bool
        Whether a callback or the solver's rule has ended the fit.
    """

    engine: Engine  # the subclass chooses it
    _given: ClassVar[tuple[str, ...]] = ("p", "job", "held_out", "callbacks", "epochs", "clock")

    def __init__(self, p: Any, job: Job, run: FitState, held_out: HeldOut | None, clock: Clock):
        self.p, self.job, self.run, self.held_out, self.clock = p, job, run, held_out, clock
        self.callbacks, self.stopped, self.epochs = callbacks_of(p.callbacks), False, int(p.max_iter)
        run.n_iter, run.converged, run.stopped = 0, False, "epochs"

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.go_on()

    def go_on(self) -> None:
        """Reset a stop that only ended the last call."""
        if self.run.stopped in ("time", "interrupted"):
            self.run.stopped, self.stopped = "epochs", False

    @abstractmethod
    def go(self, part: RunPart | None) -> FitState:
        """Train to the end, with checkpoints."""

    def is_good(self) -> bool:
        """Whether the state is worth saving."""
        return is_good(self.job, self.engine)

    def standing(self) -> dict[str, Any]:
        """See ``training.checkpoints.Saved``."""
        run = self.run
        held_out = run.validation_loss_curve[-1] if run.validation_loss_curve else None
        return standing(run.n_iter, self.epochs, run.loss_curve, 0.0, validation_cost=held_out)

    def shown(self) -> dict[str, Any]:
        from backpath.training.run_views import seen

        return seen(self.job, self.weights_now, self.run.loss_curve, self.run.validation_loss_curve)

    @property
    def weights_now(self) -> list[Array]:
        """The current weights, which may differ from those kept at the end."""
        return self.engine.weights

    def saved(self, checkpoints: Checkpoints | None) -> FitState:
        """Train to the end, as the next part of a run."""
        p = self.p

        def settings() -> dict[str, Any]:
            from backpath.training.fingerprints import settings_of

            own = {f"parameter {name}": value for name, value in p.get_params(deep=False).items() if name not in FREE}
            held_out = self.held_out and [self.held_out.samples.X, self.held_out.samples.y]
            return settings_of(self.job, epochs=self.epochs, **own, held_out=held_out)

        with saved(checkpoints, self, settings) as part:
            return self.go(part)

    def judge(self, weights: list[Array]) -> float | None:
        """Evaluate the held-out samples, if there are any; returns the score."""
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
        """Record the best score; with early stopping keep its weights, and count the epochs without a better one."""
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
        """Call the callbacks; returns whether one of them asks to stop."""
        run = self.run
        if not self.callbacks:
            return False
        scores = run.validation_scores
        judged = (run.validation_loss_curve[-1], scores[-1]) if self.held_out and scores else (None, None)
        epoch = Epoch(run.n_iter, run.loss, self.job.network.with_weights(weights), *judged)
        wishes = [callback(epoch) for callback in self.callbacks]  # all of them are called
        return any(wish is True for wish in wishes)

    def is_to_stop(self, weights: list[Array]) -> bool:
        """Call the callbacks and check the clock; returns whether that ends the fit."""
        if self.tell(weights):
            self.run.stopped = "callback"
        elif self.clock.is_over:
            self.run.stopped = "time"
        return self.run.stopped != "epochs"

    def interrupted(self) -> None:
        """Ctrl-C: keep the result so far."""
        warnings.warn("Training interrupted by user.", stacklevel=3)
        self.run.stopped = "interrupted"


class ByEpochs(Fitting):
    """One fit by an engine that trains epoch by epoch."""

    def train(self, part: RunPart | None, progress: Progress, every_epoch: bool) -> None:
        """Train until it is over; after Ctrl-C, keep the result so far."""
        try:
            with reporter(progress, self.epochs) as report:
                for done in in_chunks(self.engine, self.epochs, every_epoch, part, lambda: self.stopped):
                    is_further = done > self.run.n_iter  # otherwise within a long epoch
                    self._note(done)
                    if report and done:
                        report(done, self.run.loss)
                    if self.engine.overflow is None and is_further:
                        self.stopped = self._is_over()
        except KeyboardInterrupt:
            self.interrupted()
            self._note(len(self.engine.costs))

    @abstractmethod
    def _note(self, done: int) -> None:
        """Record the epochs since the last call."""

    @abstractmethod
    def _is_over(self) -> bool:
        """After an epoch or a chunk: evaluate and report; returns whether that ends the fit."""
