"""``backpath train`` on a built-in data set, with suitable settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from backpath.cli.cluster import cluster
from backpath.cli.describe import bold, describe_network, describe_training, describe_weights, truth_table_text
from backpath.cli.terminal import again, folded, is_quiet, say
from backpath.cli.train.options import TrainOptions
from backpath.cli.train.report import cost_section
from backpath.cli.train.source import Trained, network_options, training_options
from backpath.errors import InputError
from backpath.explain.learning.why import why_poor
from backpath.files.models import Model
from backpath.files.preparation import Preparation
from backpath.maths.network import Network
from backpath.maths.notation import weight_name
from backpath.tabular.candidates import BY_SOLVER
from backpath.tabular.plan import Plan
from backpath.training.datasets import Dataset, dataset
from backpath.training.progress import ProgressCallback, progress_bar
from backpath.training.quality import Quality, quality
from backpath.training.result import TrainingResult

FOR_TABLES = (
    "target", "task", "categorical", "numeric", "ignore", "keep_column", "missing", "dates", "standardize",
    "validation", "cv", "balanced", "weights", "delimiter", "encoding", "decimal", "na", "header", "more_files", "plot",
    "memory",
)  # fmt: skip
SAMPLES_TRIED = 200  # for a network that is small enough to explain


def train_data_set(options: TrainOptions, file: str) -> Trained:
    _check(options)
    data = dataset(options.source)
    settings = _settings(data, options)
    network = settings.network(data.X.shape[1], data.y.shape[1], seed=options.seed, **network_options(options))
    result = _trained(options, data, settings, network)
    found = quality(result.network.predict(data.X), data.y, data.task)
    record = {
        "source": data.name,
        **{name: getattr(settings, name) for name in ("cost", "solver", "learning_rate", "batch_size")},
        "epochs": result.epochs,
        "stopped": result.stopped,
        "seed": options.seed,
        **({"restarts": options.restarts} if options.restarts > 1 else {}),
        **({"effective parameters": f"{result.bayesian.gamma:.1f}"} if result.bayesian else {}),
        "quality": {"training": str(found)},
    }
    sections = [("cost", cost_section(result)), ("weights", describe_weights(result.network))]
    if data.is_truth_table and set(network.activations) <= {"sigmoid", "step"}:
        sections.append(("truth table", truth_table_text(result.network, data.X, data.y)))
    sections.append(("quality", _quality_section(result, data, settings, found)))
    model = Model(result.network, Preparation.of_arrays(data.X.shape[1], data.task), record)
    return Trained(model, result, tuple(sections), _next(result.network, data, settings.cost, file))


def _check(options: TrainOptions) -> None:
    """Refuse options that have no effect on a built-in data set."""
    for option in FOR_TABLES:
        if option in options.given:
            named = "a second file" if option == "more_files" else f"--{option.replace('_', '-')}"
            raise InputError(f"{named} is for tables, but {options.source} is a built-in data set")
    if options.dask is not None and options.restarts == 1:
        raise InputError(f"--dask distributes training runs, but {options.source} has only one; give --restarts too")


def _trained(options: TrainOptions, data: Dataset, settings: Plan, network: Network) -> TrainingResult:
    title = [
        bold(f"{data.name}: {data.title}"),
        f"network {describe_network(network)}, seed {options.seed}",
        describe_training(settings.cost, settings.solver, settings.learning_rate, settings.batch_size),
    ]
    with cluster(options.dask) as spread:
        return settings.train(
            network,
            data.X,
            data.y,
            progress=_progress(title, settings.epochs),
            restarts=options.restarts,
            init=options.init,
            seed=options.seed,
            spread=spread,
            **training_options(options),
        )


def _quality_section(result: TrainingResult, data: Dataset, settings: Plan, found: Quality) -> str:
    """The quality, and if it is poor, why and what may help."""
    always = f"  (its most frequent class: {found.baseline:.1%})" if found.measure == "accuracy" else ""
    lines = f"  training  {found}{always}"
    if data.task == "binary" and found.score < 1:
        lines += f"\n{_not_learned(result.restart_costs is not None)}"
    rate = settings.learning_rate if settings.solver == "gd" else None
    reason = why_poor(result.network, data.X, data.y, settings.cost, rate)
    if reason:
        lines += f"\n{folded(f'Why: {reason}', '  ')}"
    return lines


def _settings(data: Dataset, options: TrainOptions) -> Plan:
    recipe = data.recipe
    usual = Plan(
        hidden=recipe.hidden,
        activation=recipe.activation,
        output_activation=recipe.output,
        cost=recipe.cost,
        solver=recipe.solver,
        learning_rate=recipe.learning_rate,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
    )
    given = options.settings
    if given.get("solver", recipe.solver) != recipe.solver:  # the recipe's learning rate is for its own solver
        changes: dict[str, Any] = BY_SOLVER["lm"] if given["solver"] == "lm" else {"learning_rate": None}
        usual = replace(usual, **changes)
    return replace(usual, **given)


@contextmanager
def _progress(title: Sequence[str], epochs: int) -> Iterator[ProgressCallback]:
    """Prints the title when training begins, because the arguments are then known to be valid, and draws a bar."""
    say("\n".join(folded(line) for line in title))
    with progress_bar(epochs, hidden=is_quiet()) as bar:
        yield bar


def _not_learned(several: bool) -> str:
    if several:
        return "  Not learned from any of these starts; try more, or another --hidden"
    return folded(
        f"Not learned from this start; the best of several starts may succeed:\n{again('--restarts', '16')}", "  "
    )


def _next(network: Network, data: Dataset, cost: str, file: str) -> tuple[str, ...]:
    weight, x, y = _worth_explaining(network, data, cost)
    return (
        f"backpath show {file}",
        f"backpath explain {file} {shlex.quote(weight)} --x {x} --y {y}",
        f"backpath explore {file}",
    )


def _worth_explaining(network: Network, data: Dataset, cost: str) -> tuple[str, str, str]:
    """The weight of the first layer and the sample, among the first few, with the largest gradient."""
    samples = range(min(len(data.X), SAMPLES_TRIED))
    found = [network.gradients(data.X[k], data.y[k], cost=cost).layers[0] for k in samples]
    steep = np.abs(np.stack(found)[:, :, : network.sizes[0]])
    sample, j, i = np.unravel_index(steep.argmax(), steep.shape)
    x, y = (",".join(f"{value:g}" for value in values[sample]) for values in (data.X, data.y))
    return weight_name(1, int(j) + 1, int(i) + 1), x, y
