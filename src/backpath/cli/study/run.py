"""The work of ``backpath study``: the population from the options, the training, the report, the files."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from backpath.cli.cluster import cluster
from backpath.cli.describe import bold, describe_training
from backpath.cli.lasting import log_to
from backpath.cli.options import whole_numbers
from backpath.cli.study.options import StudyOptions
from backpath.cli.study.picture import check_picture, draw_curve, draw_study
from backpath.cli.study.report import (
    bytes_shown,
    describe_curve,
    describe_plateaus,
    describe_speed,
    describe_success,
    histogram,
)
from backpath.cli.study.sweep import Sweep, parse_sweep
from backpath.cli.terminal import folded, is_quiet, say
from backpath.errors import DivergenceError, InputError
from backpath.files.atomic import check_writable
from backpath.files.parquet import write_parquet
from backpath.files.wording import plain, quoted
from backpath.maths.checks import check_count, check_number, check_sizes, machine_memory
from backpath.population.memory import check_population_memory, memory_needed
from backpath.population.networks import Population
from backpath.population.population_outcome import PopulationOutcome
from backpath.population.rows import MISSING_VALUES, check_rows, network_rows
from backpath.population.statistics import Success, plateaus
from backpath.population.study import train_population
from backpath.training.datasets import DATASETS, Dataset, dataset
from backpath.training.job import Solver, check_side_by_side
from backpath.training.progress import progress_bar

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints
    from backpath.training.spreading import Spread

FROM_RECIPE = ("activation", "cost", "solver", "learning_rate", "batch_size", "epochs")


@dataclass(frozen=True)
class Study:
    """A study.

    Attributes
    ----------
    data : Dataset
    sizes, activations : of every network
    population : the other settings of ``Population``
    training : the settings of ``train_population``; settings that the call does not give are the data set's
    """

    data: Dataset
    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    population: dict[str, Any] = field(repr=False)
    training: dict[str, Any] = field(repr=False)
    sweep: Sweep | None
    run: Checkpoints | None
    out: str | None
    picture: str | None
    spread: Spread | None = None

    @property
    def networks(self) -> int:
        return int(self.population["size"])

    @property
    def epochs(self) -> int:
        return int(self.training["epochs"])

    @property
    def title(self) -> str:
        return f"{self.data.name}: {self.networks:,} networks {'-'.join(map(str, self.sizes))}"

    def draw(self, networks: int) -> Population:
        return Population(self.sizes, activations=self.activations, **self.population | {"size": networks})

    def train(
        self, population: Population, checkpoint: Checkpoints | None = None, **settings: Any
    ) -> PopulationOutcome:
        return train_population(
            population, self.data.X, self.data.y, **self.training | settings, checkpoint=checkpoint, spread=self.spread
        )


def study_and_report(options: StudyOptions) -> None:
    study = _study(options)
    _check_files(study)
    needed = _memory(study)
    study.train(study.draw(networks=1), epochs=0, progress=True, callbacks=None)  # checks the arguments
    say(bold(f"{study.data.name}: {study.data.title}"))
    say(_described(study))
    say(f"memory {bytes_shown(needed)}, of this machine's {bytes_shown(machine_memory())}")
    start = study.draw(study.networks)
    with cluster(options.dask) as spread:
        study = replace(study, spread=spread)
        if study.sweep is None:
            _report_population(study, start)
        else:
            _report_sweep(study, study.sweep, start)


def _study(options: StudyOptions) -> Study:
    if options.source not in DATASETS:
        raise InputError(
            f"study takes a built-in data set ({', '.join(DATASETS)}), but got {quoted(options.source)}; "
            "for a table use train_population in Python"
        )
    check_number(options.solved, "solved", above=0)
    data = dataset(options.source)
    settings = _settings(options, data)
    check_side_by_side(settings["solver"])
    checked = Solver.checked(settings["solver"], settings["learning_rate"])
    sweep = None if options.sweep is None else parse_sweep(options.sweep)
    _check_solver(options, settings["solver"], sweep)
    hidden = data.recipe.hidden if options.hidden is None else whole_numbers(options.hidden, "--hidden")
    output = options.output_activation or data.recipe.output
    batch_size = settings["batch_size"] or None
    return Study(
        data=data,
        sizes=check_sizes((data.X.shape[1], *hidden, data.y.shape[1])),
        activations=(*[settings["activation"]] * len(hidden), output),
        population={"size": options.networks, **{k: getattr(options, k) for k in ("init", "seed", "dtype")}},
        training={
            **{k: settings[k] for k in ("cost", "solver", "epochs")},
            "learning_rate": checked.learning_rate,
            "momentum": 0.9 if options.momentum is None else options.momentum,
            "batch_size": batch_size,
            "shuffle": batch_size is not None,
            "seed": options.seed,
            "solved_error": options.solved,
            "threads": options.threads,
            "callbacks": log_to(options.log),
        },
        sweep=sweep,
        run=options.run,
        out=options.out,
        picture=options.picture,
    )


def _settings(options: StudyOptions, data: Dataset) -> dict[str, Any]:
    """The training settings of the call, and those of the data set's recipe that it does not give."""
    given = {name: getattr(options, name) for name in FROM_RECIPE}
    settings = {name: getattr(data.recipe, name) if value is None else value for name, value in given.items()}
    if settings["solver"] != data.recipe.solver:
        settings["learning_rate"] = options.learning_rate  # the recipe's learning rate is for its own solver
    return settings


def _check_solver(options: StudyOptions, solver: str, sweep: Sweep | None) -> None:
    """Refuse settings that would have no effect."""
    varies_momentum = sweep is not None and sweep.name == "momentum"
    if solver != "momentum" and (options.momentum is not None or varies_momentum):
        raise InputError(f"momentum is for --solver momentum, but the solver is {solver}")
    if sweep is None:
        return
    if getattr(options, sweep.setting) is not None:
        raise InputError(f"--sweep sets {sweep.name}; leave --{sweep.name} out")
    if options.epochs == 0:
        raise InputError("--sweep varies a training setting, but --epochs is 0; set it to at least 1")
    if sweep.name == "learning-rate":
        Solver.checked(solver, float(sweep.values[0]))
    else:
        for mu in sweep.values[[0, -1]]:
            Solver.checked(solver, None, float(mu))


def _check_files(study: Study) -> None:
    if study.out is not None:
        if Path(study.out).suffix.lower() != ".parquet":
            raise InputError(f"--out takes a file that ends in .parquet, but got {quoted(study.out)}")
        check_writable(study.out)
        if study.sweep is None:
            check_rows(sum(n_out * (n_in + 1) for n_in, n_out in zip(study.sizes, study.sizes[1:], strict=False)))
    if study.picture is not None:
        check_picture(study.picture)
        check_writable(study.picture)


def _memory(study: Study) -> int:
    """The memory that the study needs; refused if the machine has less."""
    check_count(study.networks, "networks")
    check_count(study.epochs, "epochs", least=0)
    dtype, solver = study.population["dtype"], study.training["solver"]
    needed = memory_needed(study.sizes, study.networks, dtype=dtype, solver=solver, epochs=study.epochs)
    check_population_memory(needed, study.networks, study.sizes)
    return needed


def _described(study: Study) -> str:
    kinds = " then ".join(dict.fromkeys(study.activations))
    start = f"weights from {study.population['init']}, seed {study.population['seed']}"
    first = f"{study.networks:,} networks {'-'.join(map(str, study.sizes))}, {kinds}; {start}"
    training = describe_training(**{k: study.training[k] for k in ("cost", "solver", "learning_rate", "batch_size")})
    if study.sweep:
        values = study.sweep.values
        shown = f"{study.sweep.shown} {values[0]:g} to {values[-1]:g} in {len(values)} values"
        rate = f"learning rate {study.training['learning_rate']:g}"
        training = training.replace(rate, shown) if study.sweep.name == "learning-rate" else f"{training}, {shown}"
    return f"{folded(first)}\n{folded(f'{training}, {study.epochs:,} epochs')}"


def _report_population(study: Study, start: Population) -> None:
    outcome = study.train(start, study.run, progress=not is_quiet())
    numbers, start, outcome = _finished(study, start, outcome)
    success = Success.of(outcome.solved, outcome.solved_after, outcome.diverged)
    unsolved = outcome.cost[~outcome.solved & ~outcome.diverged]
    found = plateaus(unsolved) if study.epochs else []
    if outcome.stopped == "interrupted":
        say(f"interrupted: {len(numbers):,} of {study.networks:,} networks finished; the others are left out")
    say(f"\n{bold('solved')}\n{describe_success(success, study.training['solved_error'], study.epochs)}")
    say(f"\n{bold('final costs')}\n{histogram(outcome.cost, found)}")
    if found:
        say(f"\n{bold('plateaus')}, and their share of the networks that are not solved")
        say(describe_plateaus(found, len(unsolved)))
    say(f"\n{bold('speed')}\n{describe_speed(len(numbers), study.epochs, outcome.seconds)}")
    if study.out is not None:
        rate = study.training["learning_rate"]
        _write(study.out, lambda out: write_parquet(out, network_rows(start, outcome, rate, numbers), MISSING_VALUES))
    if study.picture is not None:
        shown = (study.title, outcome.cost, found, outcome.solved_after, study.epochs)
        _write(study.picture, lambda picture: draw_study(picture, *shown))


def _finished(
    study: Study, start: Population, outcome: PopulationOutcome
) -> tuple[NDArray[np.intp], Population, PopulationOutcome]:
    """The networks that have done all their epochs, with their numbers: all networks, unless Ctrl-C ended the study."""
    if outcome.stopped != "interrupted":
        return np.arange(len(start)), start, outcome
    done = (outcome.epochs == study.epochs) | outcome.diverged
    if outcome.diverged[done].all():
        raise KeyboardInterrupt  # there is no result to report
    names = ("population", "cost", "epochs", "solved", "solved_after", "converged", "diverged")
    kept = replace(outcome, **{name: getattr(outcome, name)[done] for name in names})
    return np.flatnonzero(done), start[done], kept


def _report_sweep(study: Study, sweep: Sweep, start: Population) -> None:
    points, seconds = _swept(study, sweep, start)
    if not points:
        raise KeyboardInterrupt
    if len(points) < len(sweep.values):
        say(f"interrupted: {len(points)} of {len(sweep.values)} values finished; the others are left out")
    error = study.training["solved_error"]
    say(f"\n{bold('solved')}: all errors under {error:g} after {study.epochs:,} epochs")
    say(describe_curve(sweep, points))
    total = study.networks * len(points)
    diverged = sum(success.diverged for _, success in points)
    if diverged:
        say(f"  diverged: {diverged:,} of {total:,} networks, counted as not solved")
    say(f"\n{bold('speed')}\n{describe_speed(total, study.epochs, seconds)}")
    if study.out is not None:
        columns = _curve_columns(sweep, points)
        _write(study.out, lambda out: write_parquet(out, columns, {"median_epochs": -1}))
    if study.picture is not None:
        _write(study.picture, lambda picture: draw_curve(picture, study.title, sweep, points))


def _swept(study: Study, sweep: Sweep, start: Population) -> tuple[list[tuple[float, Success]], float]:
    """The same starts trained with each value, and the duration in seconds; the results so far after Ctrl-C."""
    points: list[tuple[float, Success]] = []
    seconds, began = 0.0, time.perf_counter()
    with progress_bar(study.networks * len(sweep.values), "networks", "solved {:.1%}", is_quiet()) as report:
        for k, value in enumerate(sweep.values.tolist()):

            def share_of_all(epoch: float, share: float, before: int = k) -> None:
                report(study.networks * (before + epoch / study.epochs), share)

            try:
                outcome = study.train(start, study.run, progress=share_of_all, **{sweep.setting: value})
            except DivergenceError:
                everyone = np.ones(study.networks, bool)
                success = Success.of(~everyone, -1 * everyone, everyone)
            except KeyboardInterrupt:
                break
            else:
                if outcome.stopped == "interrupted":
                    break
                success = Success.of(outcome.solved, outcome.solved_after, outcome.diverged)
            points.append((value, success))
            seconds = time.perf_counter() - began
    return points, seconds


def _curve_columns(sweep: Sweep, points: list[tuple[float, Success]]) -> dict[str, NDArray[Any]]:
    found = [success for _, success in points]
    medians = np.array([success.median_epochs for success in found])
    return {
        sweep.setting: np.array([value for value, _ in points]),
        **{name: np.array([getattr(success, name) for success in found]) for name in ("networks", "solved")},
        "share": np.array([success.share for success in found]),
        **{name: np.array([getattr(success, name) for success in found]) for name in ("low", "high")},
        "median_epochs": np.where(np.isnan(medians), -1.0, medians),
        "diverged": np.array([success.diverged for success in found]),
    }


def _write(path: str, write: Callable[[str], None]) -> None:
    write(path)
    say(f"saved {click.style(plain(path), bold=True)}")
