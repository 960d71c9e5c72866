"""``backpath predict``"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from backpath.cli.options import ColumnName, FileName
from backpath.cli.table_options import DialectOptions, dialect_options, memory_option
from backpath.cli.terminal import PrintedRows, echo, folded
from backpath.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backpath.files.models import Model
    from backpath.files.predicting import Findings, PredictionTable, RowBlock

SURELY_FINITE = {"float64": 1e300, "float32": 1e37}
NOT_FINITE = "the prediction is not a finite number"


@dataclass(frozen=True)
class PredictOptions(DialectOptions):
    """The options of ``backpath predict`` by name."""

    model: str
    tables: tuple[str, ...]
    out: str | None
    keep: tuple[str, ...]
    unknown: str
    strict: bool
    memory: str | None

    @property
    def file(self) -> str | None:
        """The file to write; None: the predictions are printed."""
        return self.out if self.out != "-" else None


@click.command()
@click.argument("model", type=FileName())
@click.argument("tables", nargs=-1, required=True, type=FileName())
@click.option(
    "--out", type=FileName(), help="The file to write: .csv, .parquet or .jsonl; without it, or -, CSV is printed."
)
@click.option(
    "--keep",
    multiple=True,
    type=ColumnName(),
    metavar="COLUMN",
    help="Write this column of the table beside the predictions.",
)
@click.option(
    "--unknown",
    type=click.Choice(["other", "refuse"]),
    default="other",
    show_default=True,
    help="What to do with a category that did not occur in training.",
)
@click.option("--strict", is_flag=True, help="Refuse the table if any row cannot be predicted.")
@memory_option
@dialect_options
def command(**options: Any) -> None:
    """Predict each row of TABLES with the saved MODEL.

    TABLES are CSV, Parquet, JSON lines or .xlsx files, which may be compressed, a pattern such as 'parts/*.csv', or -
    for standard input. They need the columns that the model was trained on, in any order; other columns are ignored.
    Numbers are predicted in the target's units, and classes with the probability of each. Missing cells are filled in
    as in training. A row that cannot be predicted gets an empty prediction, and the reason in the column "problem". A
    network that was trained on arrays reads the columns X1, X2 … and writes its outputs A1, A2 …

    \b
    backpath predict model.safetensors new.csv --keep id --out predictions.csv
    """
    from backpath.files.atomic import check_writable
    from backpath.files.memory_budget import budget
    from backpath.files.models import load_model
    from backpath.files.opening import open_table
    from backpath.files.predicting import PredictionTable
    from backpath.files.predictions import check_ending

    given = PredictOptions(**options)
    if given.file is not None:
        check_ending(given.file)
        check_writable(given.file, inputs=[given.model, *(table for table in given.tables if table != "-")])
    loaded = load_model(given.model)
    prepared = loaded.table_inputs
    wanted = [kind.name for kind in prepared.inputs]
    with open_table(given.tables, given.dialect, prepared.dialect, wanted, budget(given.memory)) as source:
        table = PredictionTable(source, prepared, given.keep)
        found = table.check(refuse_unknown=given.unknown == "refuse", strict=given.strict)
        _check_sizes(loaded, table, found, given.strict)
        _write(given, loaded, table, found)
        footer = source.footer
    for note in footer:
        _note(note)
    _tell(found)


def _write(given: PredictOptions, loaded: Model, table: PredictionTable, found: Findings) -> None:
    """Write the predictions to the file, or print them."""
    from backpath.files.predictions import prediction_names, print_columns, write_predictions
    from backpath.files.wording import counted, plain

    names = [*given.keep, *prediction_names(loaded.preparation, loaded.network.sizes[-1], given.keep)]
    names += ["problem"] if found.unusable else []
    blocks = _predicted(loaded, table, with_problems=found.unusable > 0)
    if given.file is None:
        print_columns(PrintedRows(), names, blocks)
        return
    write_predictions(given.file, names, blocks)
    usable = counted(found.rows - found.unusable, "prediction")
    of = f" of {counted(found.rows, 'row')}" if found.unusable else ""
    echo(f"saved {plain(given.file)}: {usable}{of}")


def _check_sizes(loaded: Model, table: PredictionTable, found: Findings, strict: bool) -> None:
    """Count the rows whose prediction overflows as unusable, if there may be any."""
    from backpath.files.wording import counted
    from backpath.training.prediction import largest_output

    if largest_output(loaded.network, found.largest) < SURELY_FINITE[loaded.network.dtype.name]:
        return
    overflowed = sum(int((~finite).sum()) for _, _, finite in _answers(loaded, table))
    if overflowed and strict:
        raise InputError(f"{NOT_FINITE} in {counted(overflowed, 'row')}; correct the cells, or leave --strict out")
    found.unusable += overflowed


def _answers(loaded: Model, table: PredictionTable) -> Iterator[tuple[RowBlock, list[Any], NDArray[Any]]]:
    """For each block of rows, the columns of their predictions, and the rows with finite ones."""
    import numpy as np

    from backpath.files.predictions import prediction_columns
    from backpath.training.prediction import predict

    for block in table.blocks():
        block.X[block.problems != ""] = 0.0  # they are not written
        with np.errstate(over="ignore", invalid="ignore"):
            A = predict(loaded.network, block.X)
            finite = np.asarray(np.isfinite(A).all(axis=1))
            A[~finite] = 0.0
            columns = list(A.T)
            if loaded.preparation is not None:
                columns = prediction_columns(loaded.preparation.inverse_target(A))
        for column in columns:
            if column.dtype.kind == "f":
                finite &= np.isfinite(column)
        yield block, columns, finite


def _predicted(loaded: Model, table: PredictionTable, with_problems: bool) -> Iterator[list[Any]]:
    """The columns to write, for each block of rows."""
    from backpath.files.predictions import with_gaps

    for block, columns, finite in _answers(loaded, table):
        block.problems[(block.problems == "") & ~finite] = NOT_FINITE
        usable = block.problems == ""
        kept = [with_gaps(column, usable) for column in columns]
        yield [*block.kept, *kept, *([block.problems] if with_problems else [])]


def _note(text: str) -> None:
    echo(folded(f"note: {text}"), err=True)


def _tell(found: Findings) -> None:
    """Report on standard error how rows that differ from training were treated."""
    from backpath.files.wording import counted

    for name, count in found.unknown.items():
        if count:
            cells = f"{counted(count, 'cell')} of {name!r} {'is' if count == 1 else 'are'}"
            said = "not among the categories in training; treated as other (--unknown refuse)"
            _note(f"{cells} {said}")
    filled = {name: count for name, count in found.filled.items() if count}
    if filled:
        cells = ", ".join(f"{count:,} of {name!r}" for name, count in list(filled.items())[:8])
        _note(f"filled {counted(sum(filled.values()), 'missing cell')} as in training: {cells}")
    if found.unusable:
        rows = f"{counted(found.unusable, 'row')} of {found.rows:,}"
        _note(f"{rows} could not be predicted; the column 'problem' says why (--strict refuses)")
