"""What ``backpath train`` does: the training, the saved model, the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backpath.cli.describe import describe_network, describe_training, heading
from backpath.cli.terminal import folded, is_quiet, say
from backpath.cli.train.options import TrainOptions
from backpath.cli.train.report import report
from backpath.cli.train.source import Settings, Source, find_source
from backpath.errors import InputError
from backpath.files.atomic import check_writable
from backpath.files.models import Model, save
from backpath.maths.network import Network
from backpath.training import TrainingResult, train
from backpath.training.loop import Progress, Shown
from backpath.training.progress import progress_bar
from backpath.training.quality import Quality, quality


def train_and_report(options: TrainOptions) -> None:
    out = options.out or f"{Path(options.source).stem}.safetensors"
    check_writable(out, inputs=[options.source])  # before the work, not after
    source = find_source(options)
    settings = source.settings.with_options(options)
    if options.restarts > 1 and source.held_out is not None:
        raise InputError("--restarts compares starts by their training cost; add --validation 0, or leave it out")
    network = _network(source, settings, options)
    title = [
        heading(source.title),
        f"network {describe_network(network)}, seed {options.seed}",
        describe_training(settings.cost, settings.solver, settings.learning_rate, settings.batch_size),
        *(f"note: {note}" for note in source.notes),
    ]
    result = _trained(network, source, settings, options, _progress(title, settings.epochs))
    if result.epochs == 0:
        raise KeyboardInterrupt  # nothing was reached that is worth a file
    qualities = _qualities(result.network, source)
    save(Model(result.network, source.preparation, _record(result, source, settings, options, qualities)), out)
    report(result, source, settings, qualities, out)


@contextmanager
def _progress(title: Sequence[str], epochs: int) -> Iterator[Progress]:
    """Prints the title when training begins, for then the call is known to make sense; then draws a bar."""
    say("\n".join(folded(line) for line in title))
    with progress_bar(epochs, hidden=is_quiet()) as bar:
        yield bar


def _trained(
    network: Network, source: Source, settings: Settings, options: TrainOptions, progress: Shown
) -> TrainingResult:
    return train(
        network,
        source.X,
        source.y,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        solver=settings.solver,
        cost=settings.cost,
        shuffle=settings.batch_size is not None,
        tol=options.tol,
        frozen=options.frozen,
        seed=options.seed,
        engine=options.engine,
        validation=source.held_out,
        progress=progress,
        restarts=options.restarts,
        init=options.init,
        bayesian=options.bayesian,
    )


def _network(source: Source, settings: Settings, options: TrainOptions) -> Network:
    return Network(
        (source.X.shape[1], *settings.hidden, source.y.shape[1]),
        activations=[settings.activation] * len(settings.hidden) + [settings.output_activation],
        init=options.init,
        seed=options.seed,
        dtype=options.dtype,
    )


def _qualities(network: Network, source: Source) -> list[tuple[str, Quality]]:
    samples = [("training", (source.X, source.y))]
    if source.held_out:
        samples.insert(0, ("held-out", source.held_out))
    return [(name, quality(network.predict(X), y, source.task)) for name, (X, y) in samples]


def _record(
    result: TrainingResult,
    source: Source,
    settings: Settings,
    options: TrainOptions,
    qualities: list[tuple[str, Quality]],
) -> dict[str, Any]:
    return {
        **source.facts,
        "cost": settings.cost,
        "solver": settings.solver,
        "learning_rate": settings.learning_rate,
        "batch_size": settings.batch_size,
        "epochs": result.epochs,
        "stopped": result.stopped,
        "seed": options.seed,
        **({"restarts": options.restarts} if options.restarts > 1 else {}),
        **({"effective parameters": f"{result.bayesian.gamma:.1f}"} if result.bayesian else {}),
        "quality": {name: str(q) for name, q in qualities},
    }
