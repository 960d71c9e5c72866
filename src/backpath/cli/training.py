"""What ``backpath train`` does: the samples and settings of its source, the training, the report, the saved model."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from backpath.cli import COMMANDS
from backpath.cli.options import dialect, whole_numbers
from backpath.cli.report import (
    cost_curve,
    describe_bayesian,
    describe_inputs,
    describe_network,
    describe_restarts,
    describe_training,
    describe_weights,
    heading,
    stopped_early,
    truth_table,
)
from backpath.errors import InputError
from backpath.files.atomic import check_writable
from backpath.files.models import Model, save
from backpath.files.preparation import Preparation
from backpath.files.tables import read_training_table
from backpath.files.wording import counted, plain
from backpath.maths.network import Network
from backpath.training import TrainingResult, train
from backpath.training.datasets import DATASETS, OUTPUTS, Dataset, dataset
from backpath.training.loop import Progress, Shown
from backpath.training.progress import progress_bar
from backpath.training.quality import Quality, quality

Array = NDArray[np.float64]

FOR_LM = {"cost": "squared_error", "batch_size": None, "epochs": 200}
DIALECT = ("delimiter", "encoding", "decimal")
SAMPLES_SEEN = 20_000_000  # of a large table, over all epochs, unless --epochs says otherwise


@dataclass(frozen=True)
class Source:
    """What is to be trained on, from a built-in data set or a table.

    Attributes
    ----------
    title, facts : what it is, for the screen and for the model's record
    X, y : arrays (N, inputs), (N, outputs)
    task : "regression" | "binary" | "multiclass"
    held_out : (X, y) or None
    settings : those of ``train`` and ``Network`` that suit it, where the call gives none
    """

    title: str
    facts: dict[str, Any]
    X: Array = field(repr=False)
    y: Array = field(repr=False)
    task: str
    preparation: Preparation
    settings: dict[str, Any]
    held_out: tuple[Array, Array] | None = None
    notes: tuple[str, ...] = ()
    dataset: Dataset | None = None


def train_and_report(options: dict[str, Any]) -> None:
    out = options["out"] or f"{Path(options['source']).stem}.safetensors"
    check_writable(out, inputs=[options["source"]])  # before the work, not after
    source = _builtin(options) if options["source"] in DATASETS else _table(options)
    settings = {k: v if options.get(k) is None else options[k] for k, v in source.settings.items()}
    if settings["solver"] != source.settings["solver"]:
        settings["learning_rate"] = options["learning_rate"]  # the source's was for its own solver
        if settings["solver"] == "lm":
            settings |= {k: v if options[k] is None else options[k] for k, v in FOR_LM.items()}
    settings["batch_size"] = settings["batch_size"] or None
    restarts = options["restarts"]
    if restarts > 1 and source.held_out is not None:
        raise InputError("--restarts compares starts by their training cost; add --validation 0, or leave it out")
    network = _network(source, settings, options)
    title = [
        heading(source.title),
        f"network {describe_network(network)}, seed {options['seed']}",
        describe_training(settings),
        *(f"note: {note}" for note in source.notes),
    ]
    result = _trained(network, source, settings, options, _progress(title, settings["epochs"]))
    if result.epochs == 0:
        raise KeyboardInterrupt  # nothing was reached that is worth a file
    qualities = _qualities(result.network, source)
    record = {
        **source.facts,
        **{k: settings[k] for k in ("cost", "solver", "learning_rate", "batch_size")},
        "epochs": result.epochs,
        "stopped": result.stopped,
        "seed": options["seed"],
        **({"restarts": restarts} if restarts > 1 else {}),
        **({"effective parameters": f"{result.bayesian.gamma:.1f}"} if result.bayesian else {}),
        "quality": {name: str(q) for name, q in qualities},
    }
    save(Model(result.network, source.preparation, record), out)
    _report(result, source, qualities, out)


@contextmanager
def _progress(title: Sequence[str], epochs: int) -> Iterator[Progress]:
    """Prints the title when training begins, for then the call is known to make sense; then draws a bar."""
    click.echo("\n".join(title))
    with progress_bar(epochs) as report:
        yield report


def _trained(
    network: Network, source: Source, settings: dict[str, Any], options: dict[str, Any], progress: Shown
) -> TrainingResult:
    return train(
        network,
        source.X,
        source.y,
        **{k: settings[k] for k in ("epochs", "learning_rate", "batch_size", "solver", "cost")},
        shuffle=settings["batch_size"] is not None,
        tol=options["tol"],
        frozen=options["frozen"],
        seed=options["seed"],
        engine=options["engine"],
        validation=source.held_out,
        progress=progress,
        restarts=options["restarts"],
        init=options["init"],
        bayesian=options["bayesian"],
    )


def _builtin(options: dict[str, Any]) -> Source:
    for option in ("target", "task", "categorical", "ignore", "standardize", "validation", *DIALECT):
        if option in options["given"]:
            raise InputError(f"--{option} is for tables, but {options['source']} is a built-in data set")
    data = dataset(options["source"])
    recipe = data.recipe
    return Source(
        title=f"{data.name}: {data.title}",
        facts={"source": data.name},
        X=data.X,
        y=data.y,
        task=data.task,
        preparation=Preparation.of_arrays(data.X.shape[1], data.task),
        settings={
            "hidden": recipe.hidden,
            "activation": recipe.activation,
            "output_activation": recipe.output,
            "cost": recipe.cost,
            "solver": recipe.solver,
            "learning_rate": recipe.learning_rate,
            "batch_size": recipe.batch_size,
            "epochs": recipe.epochs,
        },
        dataset=data,
    )


def _table(options: dict[str, Any]) -> Source:
    path, target = options["source"], options["target"]
    if not target:
        known = f"{path!r} is no built-in data set ({', '.join(DATASETS)})"
        if not Path(path).exists():
            raise InputError(f"{known} and no file")
        raise InputError(f"{known}, but a table: say which column to predict with --target COLUMN")
    table = read_training_table(
        path,
        target,
        task=options["task"],
        categorical=options["categorical"],
        ignore=options["ignore"],
        standardize=options["standardize"],
        dialect=dialect(options["delimiter"], options["encoding"], options["decimal"]),
    )
    rows, notes = table.rows, table.notes
    X, y, X_held, y_held, preparation = table.split(options["validation"], options["seed"])
    task = preparation.target.task
    output_activation, cost = OUTPUTS[task]
    columns = counted(len(preparation.inputs), "column")
    kind = f"{len(preparation.target.classes)} classes" if preparation.target.classes else "a number"
    return Source(
        title=plain(f"{Path(path).name}: {counted(rows, 'row')}, {columns} -> {target} ({kind})"),
        facts={"source": Path(path).name, "rows": rows},
        X=X,
        y=y,
        task=task,
        preparation=preparation,
        settings={
            "hidden": (16,),
            "activation": "tanh",
            "output_activation": output_activation,
            "cost": cost,
            "solver": "gd",
            "learning_rate": 0.05,
            "batch_size": 32,
            "epochs": max(1, min(200, SAMPLES_SEEN // rows)),
        },
        held_out=(X_held, y_held) if len(X_held) else None,
        notes=notes,
    )


def _network(source: Source, settings: dict[str, Any], options: dict[str, Any]) -> Network:
    hidden = settings["hidden"]
    if isinstance(hidden, str):
        hidden = whole_numbers(hidden, "--hidden")
    activations = [settings["activation"]] * len(hidden) + [settings["output_activation"]]
    return Network(
        (source.X.shape[1], *hidden, source.y.shape[1]),
        activations=activations,
        init=options["init"],
        seed=options["seed"],
        dtype=options["dtype"],
    )


def _qualities(network: Network, source: Source) -> list[tuple[str, Quality]]:
    samples = [("training", (source.X, source.y))]
    if source.held_out:
        samples.insert(0, ("held-out", source.held_out))
    return [(name, quality(network.predict(X), y, source.task)) for name, (X, y) in samples]


def _report(result: TrainingResult, source: Source, qualities: list[tuple[str, Quality]], out: str) -> None:
    network = result.network
    click.echo(f"\n{heading('cost')}  {cost_curve(result.history.cost, result.seconds)}")
    early = stopped_early(result)
    if early:
        click.echo(early)
    if result.restart_costs is not None:
        click.echo(describe_restarts(result.restart_costs))
    if result.bayesian is not None:
        click.echo(describe_bayesian(result.bayesian))
    click.echo(f"\n{heading('weights')}\n{describe_weights(network)}")
    if source.dataset is None:
        click.echo(f"\n{heading('inputs')}\n{describe_inputs(source.preparation.describe())}")
    elif source.dataset.is_truth_table and set(network.activations) <= {"sigmoid", "step"}:
        click.echo(f"\n{heading('truth table')}\n{truth_table(network, source.X, source.y)}")
    click.echo(f"\n{heading('quality')}")
    for name, q in qualities:
        always = f"  (its most frequent class: {q.baseline:.1%})" if q.measure == "accuracy" else ""
        click.echo(f"  {name:8}  {q}{always}")
    if source.dataset is not None and source.task == "binary" and qualities[0][1].score < 1:
        several = result.restart_costs is not None
        click.echo(
            "  Not learned from any of these starts; try more, or another --hidden"
            if several
            else "  Not learned from this start; try another: --seed 1, or the best of several: --restarts 16"
        )
    click.echo(f"\nsaved {click.style(plain(out), bold=True)}")
    click.echo("try next")
    for line in _suggestions(source, out):
        click.echo(f"  {line}")


def _suggestions(source: Source, out: str) -> list[str]:
    file = shlex.quote(f"./{out}" if out.startswith("-") else out)
    x = ",".join(f"{value:g}" for value in source.X[min(1, len(source.X) - 1)])
    y = ",".join(f"{value:g}" for value in source.y[min(1, len(source.y) - 1)])
    lines = {"show": f"backpath show {file}"}
    if source.dataset is None:
        lines["predict"] = f"backpath predict {file} new.csv --out predictions.csv"
    else:
        lines["explain"] = f"backpath explain {file} W11_1 --x {x} --y {y}"
    lines["explore"] = f"backpath explore {file}"
    return [line for name, line in lines.items() if name in COMMANDS]
