"""What ``backpath train`` trains on: a built-in data set, or a table."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.cli.options import whole_numbers
from backpath.cli.train.options import TrainOptions
from backpath.errors import InputError
from backpath.files.preparation import Preparation
from backpath.files.tables import read_training_table
from backpath.files.wording import counted, plain
from backpath.maths.activations import activation
from backpath.maths.checks import check_seed
from backpath.training.datasets import DATASETS, OUTPUTS, Dataset, dataset

Array = NDArray[np.float64]

FOR_TABLES = (
    "target",
    "task",
    "categorical",
    "numeric",
    "ignore",
    "keep_column",
    "missing",
    "dates",
    "standardize",
    "validation",
    "delimiter",
    "encoding",
    "decimal",
    "na",
    "header",
    "more_files",
)
SAMPLES_SEEN = 20_000_000  # of a large table, over all epochs, unless --epochs says otherwise


@dataclass(frozen=True)
class Settings:
    """A network's layers and how it is trained."""

    hidden: tuple[int, ...]
    activation: str
    output_activation: str
    cost: str
    solver: str
    learning_rate: float | None
    batch_size: int | None
    epochs: int

    def with_options(self, options: TrainOptions) -> Settings:
        """The same but for what the call gives."""
        given: dict[str, Any] = {f.name: getattr(options, f.name) for f in fields(self)}
        changes = {name: value for name, value in given.items() if value is not None}
        if options.hidden is not None:
            changes["hidden"] = whole_numbers(options.hidden, "--hidden")
        if options.solver not in (None, self.solver):
            changes["learning_rate"] = options.learning_rate  # ours was for our own solver
            if options.solver == "lm":
                changes = {"cost": "squared_error", "batch_size": None, "epochs": 200} | changes
        _check_given(options)
        settings = replace(self, **changes)
        return replace(settings, batch_size=settings.batch_size or None)


def _check_given(options: TrainOptions) -> None:
    """Refuse here what would be refused later under another name."""
    if options.output_activation is not None:
        try:
            activation(options.output_activation)
        except InputError as error:
            raise InputError(error.naming(lambda _: "output_activation"), "output_activation") from None
    if options.batch_size is not None and options.batch_size < 0:
        raise InputError(
            f"--batch-size must be a whole number of at least 1, or 0 for all, but is {options.batch_size}"
        )


@dataclass(frozen=True)
class Source:
    """What is to be trained on, from a built-in data set or a table.

    Attributes
    ----------
    title, facts : what it is, for the screen and for the model's record
    X, y : arrays (N, inputs), (N, outputs)
    task : "regression" | "binary" | "multiclass"
    held_out : (X, y) or None
    settings : those that suit it
    """

    title: str
    facts: dict[str, Any]
    X: Array = field(repr=False)
    y: Array = field(repr=False)
    task: str
    preparation: Preparation
    settings: Settings
    held_out: tuple[Array, Array] | None = None
    notes: tuple[str, ...] = ()
    dataset: Dataset | None = None


def find_source(options: TrainOptions) -> Source:
    check_seed(options.seed)
    return _builtin(options) if options.source in DATASETS else _table(options)


def _builtin(options: TrainOptions) -> Source:
    for option in FOR_TABLES:
        if option in options.given:
            named = "a second file" if option == "more_files" else f"--{option.replace('_', '-')}"
            raise InputError(f"{named} is for tables, but {options.source} is a built-in data set")
    data = dataset(options.source)
    recipe = data.recipe
    return Source(
        title=f"{data.name}: {data.title}",
        facts={"source": data.name},
        X=data.X,
        y=data.y,
        task=data.task,
        preparation=Preparation.of_arrays(data.X.shape[1], data.task),
        settings=Settings(
            hidden=recipe.hidden,
            activation=recipe.activation,
            output_activation=recipe.output,
            cost=recipe.cost,
            solver=recipe.solver,
            learning_rate=recipe.learning_rate,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
        ),
        dataset=data,
    )


def _table(options: TrainOptions) -> Source:
    path, target = options.source, options.target
    if not target:
        known = f"{path!r} is no built-in data set ({', '.join(DATASETS)})"
        if not Path(path).exists():
            raise InputError(f"{known} and no file")
        raise InputError(f"{known}, but a table: say which column to predict with --target COLUMN")
    files = [path, *options.more_files]
    table = read_training_table(files, target, options.choices(options.standardize), options.dialect)
    rows, notes = table.rows, table.notes
    X, y, X_held, y_held, preparation = table.split(options.validation, options.seed)
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
        settings=Settings(
            hidden=(16,),
            activation="tanh",
            output_activation=output_activation,
            cost=cost,
            solver="gd",
            learning_rate=0.05,
            batch_size=32,
            epochs=max(1, min(200, SAMPLES_SEEN // rows)),
        ),
        held_out=(X_held, y_held) if len(X_held) else None,
        notes=notes,
    )
