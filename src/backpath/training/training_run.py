"""A job in training, in chunks, with reports and checkpoints."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backpath.training.callbacks import Watched
from backpath.training.chunks import in_chunks, opened, saved
from backpath.training.divergence import divergence, is_good
from backpath.training.job import Engine, Job, Spreading
from backpath.training.progress import Progress, reporter
from backpath.training.result import History, TrainingResult
from backpath.training.state import Stateful
from backpath.training.validation import Validation

if TYPE_CHECKING:
    from backpath.files.file_paths import PathLike
    from backpath.training.checkpoints import Checkpoints, RunPart
    from backpath.training.spreading import Spread

Costs = Sequence[float] | NDArray[np.float64]


class TrainingRun(Stateful):
    """A job in training."""

    _given = ("job", "epochs")

    def __init__(self, job: Job, engine: Engine, epochs: int, validation: Validation | None):
        self.job, self.engine, self.epochs, self.validation = job, engine, epochs, validation
        self.seconds = 0.0

    def is_good(self) -> bool:
        return is_good(self.job, self.engine)

    def standing(self) -> dict[str, Any]:
        held_out = self.validation.costs[-1] if self.validation and self.validation.costs else None
        return standing(len(self.engine.costs), self.epochs, self.engine.costs, self.seconds, validation_cost=held_out)

    def shown(self) -> dict[str, Any]:
        from backpath.training.run_views import seen

        return seen(self.job, self.engine.weights, self.engine.costs, self.validation.costs if self.validation else ())

    def saved(
        self,
        checkpoint: PathLike | Checkpoints | None,
        every: int | str | None,
        progress: Progress,
        watched: Watched,
        spread: Spread | None = None,
        **more: Any,
    ) -> TrainingResult:
        """Train, and save the state if requested; with ``spread``, restarts are trained in other processes."""
        engine = self.engine
        if spread is not None and isinstance(engine, Spreading):
            with opened(checkpoint, every, "train") as run:
                engine.spread, engine.kept = spread, (run, self.settings(**more))
                result = self.run(progress, watched, None)
                if run is not None:
                    run.interrupted = result.stopped == "interrupted"
                return result
        with opened(checkpoint, every, "train") as run, saved(run, self, lambda: self.settings(**more)) as part:
            return self.run(progress, watched, part)

    def settings(self, **more: Any) -> dict[str, Any]:
        """The settings that the run depends on."""
        from backpath.training.fingerprints import settings_of

        v = self.validation
        held_out = {} if v is None else {"validation": [v.X, v.y, v.weight], "patience": v.patience}
        return settings_of(self.job, epochs=self.epochs, engine=type(self.engine).__name__, **held_out, **more)

    def run(self, progress: Progress, watched: Watched, part: RunPart | None) -> TrainingResult:
        job, engine, validation = self.job, self.engine, self.validation
        start = time.perf_counter() - self.seconds
        stopped = self._train(progress, watched, part, start)
        error = divergence(job, engine)
        if error is not None:
            watched(self.standing, "diverged")
            raise error
        if engine.converged or self._is_patience_over():
            stopped = "converged"
        history = History(np.asarray(engine.costs, np.float64), np.array(validation.costs) if validation else None)
        weights = validation.best() if validation and validation.costs else engine.weights
        network, self.seconds = job.reached(weights), time.perf_counter() - start
        watched(self.standing, stopped)
        return TrainingResult(network, history, len(engine.costs), stopped, self.seconds, bayesian=engine.bayesian)

    def _train(self, progress: Progress, watched: Watched, part: RunPart | None, start: float) -> str:
        """Train to the end, and return what ended it: "epochs", which includes all but Ctrl-C, or "interrupted"."""
        engine, validation = self.engine, self.validation
        try:
            with reporter(progress, self.epochs) as report:
                for done in in_chunks(engine, self.epochs, validation is not None, part, self._is_patience_over):
                    if validation and engine.overflow is None and len(validation.costs) < done:
                        validation.look(engine.weights)
                    if report and done:
                        report(done, engine.costs[-1])
                    self.seconds = time.perf_counter() - start
                    if not self._is_over(done):
                        watched(self.standing)  # the last moment follows after the end
        except KeyboardInterrupt:
            return "interrupted"
        return "epochs"

    def _is_over(self, done: int) -> bool:
        engine = self.engine
        return done >= self.epochs or engine.overflow is not None or engine.converged or self._is_patience_over()

    def _is_patience_over(self) -> bool:
        return self.validation is not None and self.validation.is_patience_over


def standing(done: int, epochs: int, costs: Costs, seconds: float, **more: float | None) -> dict[str, Any]:
    """The progress of training, for callbacks and lists of runs."""
    cost = float(costs[-1]) if len(costs) else None
    return {"epochs": done, "of": epochs, "cost": cost, "seconds": seconds, **more}
