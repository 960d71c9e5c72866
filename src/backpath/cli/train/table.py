"""``backpath train`` on a table: chooses and evaluates its network."""

from __future__ import annotations

import shlex
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from backpath.cli.cluster import cluster
from backpath.cli.describe import bold, describe_inputs
from backpath.cli.terminal import again, folded, is_quiet, say
from backpath.cli.train.options import TrainOptions
from backpath.cli.train.report import cost_section, describe_importance, describe_verdict, fit_section, loss_named
from backpath.cli.train.source import Trained, network_options, training_options
from backpath.errors import InputError
from backpath.explain.learning.why import why_poor
from backpath.files.column_values import Categories, Numbers
from backpath.files.memory_budget import budget
from backpath.files.models import Model
from backpath.files.origin import origin_of
from backpath.files.streamed_table import StreamedTable
from backpath.files.tables import read_or_stream
from backpath.files.training_table import TrainingTable
from backpath.files.wording import counted, plain, quoted, shown_path
from backpath.maths.checks import check_count
from backpath.tabular.candidates import NETWORKS
from backpath.tabular.divided_rows import PARTS
from backpath.tabular.judge import FOLDS, SMALL, Judged, Trainer, counts_something
from backpath.tabular.measures import as_dict
from backpath.tabular.verdict import FEW_ROWS
from backpath.training.datasets import DATASETS
from backpath.training.progress import ProgressCallback, progress_bar


def train_table(options: TrainOptions, file: str) -> tuple[Trained, Judged]:
    table = _read(options)
    origin = _origin(options)
    given = options.settings
    counts = options.cost is None and counts_something(table)
    folds = _folds(options, table)
    announced = Announced(_title(options, table, counts), PARTS * len(NETWORKS) * (1 + (folds or 0)))
    trainer = Trainer(
        table,
        given,
        scale_target=given.get("cost") != "poisson",
        seed=options.seed,
        network=network_options(options),
        training={"progress": announced, **training_options(options)},
    )
    try:
        with cluster(options.dask) as spread:
            trainer = replace(trainer, spread=spread)
            found = trainer.cross_validated(folds) if folds else trainer.held_out(options.validation)
    except BaseException:
        announced.close()
        raise
    announced.begin()
    announced.close()
    model = Model(found.fit.network, found.preparation, _record(options, table, found) | origin)
    sections = (
        ("network", fit_section(found.fit)),
        ("cost", cost_section(found.fit.result)),
        ("how good it is", f"{describe_verdict(found.verdict)}{_advice(options, found, counts)}"),
        ("what matters", describe_importance(found.importance, loss_named(found.verdict))),
        ("inputs", describe_inputs(found.preparation.describe())),
    )
    return Trained(model, found.fit.result, sections, _next(options, file)), found


def _title(options: TrainOptions, table: TrainingTable | StreamedTable, counts: bool) -> list[str]:
    columns = counted(len(table.columns), "column")
    kind = f"{len(table.target.categories)} classes" if isinstance(table.target, Categories) else "a number"
    size = f"{Path(options.source).name}: {counted(table.rows, 'row')}, {columns}"
    notes = [f"note: {note}" for note in table.notes]
    if counts:
        notes.append(f"note: the target {options.target!r} looks like counts: try --cost poisson")
    return [bold(plain(f"{size} -> {options.target} ({kind})")), *notes]


def _next(options: TrainOptions, file: str) -> tuple[str, ...]:
    return (
        f"backpath show {file}",
        f"backpath predict {file} new.csv --out predictions.csv",
        f"backpath explain {file} W11_1 --row 1 --data {shlex.quote(options.source)}",
        f"backpath explore {file}",
    )


class Announced(AbstractContextManager[ProgressCallback]):
    """Prints the title when the first network is trained, because the arguments are then known to be valid, and counts
    the networks with a bar."""

    def __init__(self, title: list[str], networks: int):
        self.title, self.networks, self.done, self.cost = title, networks, 0, 0.0
        self._bar = ExitStack()
        self._report: ProgressCallback | None = None

    def __enter__(self) -> ProgressCallback:
        self.begin()
        return self._seen

    def __exit__(self, *_: object) -> None:
        self.done += 1
        if self._report:
            self._report(min(self.done, self.networks), self.cost)

    def _seen(self, _: float, cost: float) -> None:
        self.cost = cost

    def begin(self) -> None:
        if self._report is None:
            say("\n".join(folded(line) for line in self.title))
            self._report = self._bar.enter_context(progress_bar(self.networks, "networks", hidden=is_quiet()))

    def close(self) -> None:
        self._bar.close()


def _read(options: TrainOptions) -> TrainingTable | StreamedTable:
    """The table with the weights of its rows."""
    path, target = options.source, options.target
    if not target:
        names = ", ".join(DATASETS)
        if not Path(path).exists():
            raise InputError(
                f"there is no file {shown_path(path)} and no built-in data set of that name ({names}); check the path"
            )
        raise InputError(
            f"{shown_path(path)} is a table, not a built-in data set ({names}): "
            "give the column to predict with --target COLUMN"
        )
    files = [path, *options.more_files]
    choices = options.choices(options.standardize)
    if options.cost == "poisson" and options.task is None:
        choices = replace(choices, task="regression", task_option="--cost poisson")  # counts, even if few
    table = read_or_stream(files, target, choices, options.dialect, budget(options.memory))
    if options.cost == "poisson":
        _check_counts(table)
    if options.weights is not None:
        table = table.weighed(options.weights, path)
    if options.balanced:
        by_class = table.balanced()
        if by_class is None:
            raise InputError(f"--balanced is for classes, but the target {quoted(target)} is a number; leave it out")
        table = by_class
    return table


def _check_counts(table: TrainingTable | StreamedTable) -> None:
    """Refuse a target with numbers below 0; a streamed one is looked at as it is trained on."""
    if isinstance(table.target, Numbers) and (low := float(table.target.values.min(initial=0.0))) < 0:
        name = quoted(table.target.name)
        raise InputError(f"--cost poisson needs a target of at least 0, but {name} goes down to {low:g}; leave it out")


def _origin(options: TrainOptions) -> dict[str, Any]:
    """The record of the table, to find it again; it is read now because the file may change during training."""
    origin = origin_of([options.source, *options.more_files])
    return {} if origin is None else {"table": origin}


def _folds(options: TrainOptions, table: TrainingTable | StreamedTable) -> int | None:
    """The number of parts for a cross-validation; None if a share is held out once."""
    rows = table.rows
    if options.cv is None and isinstance(table, StreamedTable):
        return None
    if options.cv is None:
        return min(FOLDS, rows) if rows < SMALL and "validation" not in options.given else None
    if "validation" in options.given:
        raise InputError("--cv holds out every row once, --validation a share of them; give only one of the two")
    if check_count(options.cv, "cv", least=2) > rows:
        raise InputError(f"--cv divides the rows into {options.cv} parts, but there are only {rows}")
    return options.cv


def _record(options: TrainOptions, table: TrainingTable | StreamedTable, found: Judged) -> dict[str, Any]:
    result, settings = found.fit.result, found.fit.settings
    return {
        "source": Path(options.source).name,
        "rows": table.rows,
        **{name: getattr(settings, name) for name in ("cost", "solver", "learning_rate", "batch_size", "decay")},
        "networks side by side": found.fit.members,
        "epochs": result.epochs,
        "stopped": result.stopped,
        "seed": options.seed,
        **({"weights": options.weights} if options.weights else {}),
        **({"balanced": True} if options.balanced else {}),
        **({"effective parameters": f"{result.bayesian.gamma:.1f}"} if result.bayesian else {}),
        "verdict": found.verdict.to_dict(),
        "training": as_dict(found.training),
        "importance": found.importance,
    }


def _advice(options: TrainOptions, found: Judged, counts: bool) -> str:
    """Suggested commands with reasons, each command on a separate line."""
    lines = []
    if counts:
        as_counts = again("--cost", "poisson")
        lines.append(f"The target looks like counts, which have a special cost:\n{as_counts}")
    if found.fit.improving:
        most = found.fit.settings.epochs
        more = str(2 * most)
        lines.append(
            f"Still improving at epoch {most}, the last one; to train for up to {more}:\n{again('--epochs', more)}"
        )
    if found.verdict.on == "held-out" and found.verdict.rows < FEW_ROWS:
        lines.append(f"To evaluate on all rows:\n{again('--cv', '5')}")
    if (found.verdict.rare or found.verdict.seldom) and not options.balanced:
        lines.append(f"To weight all classes equally:\n{again('--balanced')}")
    return "".join("\n" + folded(line, "  ") for line in [*_why_poor(found), *lines])


def _why_poor(found: Judged) -> list[str]:
    """The obstacles in the network and the data, if the model is poor."""
    settings = found.fit.settings
    rate = settings.learning_rate if settings.solver == "gd" else None
    poor = found.verdict.is_poor
    reason = why_poor(found.fit.network, found.X, found.y, settings.cost, rate) if poor else ""
    return [f"Why: {reason}"] if reason else []
