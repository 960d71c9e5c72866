"""Reads tables to train on."""

from __future__ import annotations

from collections.abc import Sequence

from backpath.files.assembling import assembled
from backpath.files.choices import Choices
from backpath.files.decision import Decision
from backpath.files.dialect import Dialect
from backpath.files.file_paths import PathLike
from backpath.files.memory_budget import Budget, budget
from backpath.files.opening import open_table
from backpath.files.sources import Source
from backpath.files.streamed_table import StreamedTable
from backpath.files.streaming import streamed, table_memory
from backpath.files.training_table import TrainingTable
from backpath.files.usable import check_usable, choose, decide_all


def read_training_table(
    path: PathLike | Sequence[PathLike],
    target: str,
    choices: Choices | None = None,
    dialect: Dialect | None = None,
) -> TrainingTable:
    """A training table in memory. All columns except the target are inputs, unless they say nothing about other rows.

    Numbers (also with a currency, a unit or a decimal comma), categories and dates are recognised from all cells of a
    column. A target of text or of few whole numbers is treated as classes, other numbers as regression. The notes
    report the decisions.

    Parameters
    ----------
    path : str, path, or a sequence of them
        A file, several files to concatenate, or a pattern; see ``open_table``.
    target : str
        The column to predict.
    choices : Choices, optional
        How to read columns if their cells do not decide.
    dialect : Dialect, optional
        The format of a CSV file.

    Raises
    ------
    InputError
        If the table cannot be used; the message gives every reason with file, line, column, value and a remedy.
    """
    wanted = choices or Choices()
    with open_table(path, dialect, wanted=(target,)) as source:
        return assembled(source, _decided(source, target, wanted), wanted)


def read_or_stream(
    path: PathLike | Sequence[PathLike], target: str, choices: Choices, dialect: Dialect, memory: Budget
) -> TrainingTable | StreamedTable:
    """The same, but streamed if it takes more memory than this."""
    with open_table(path, dialect, wanted=(target,), memory=memory) as source:
        decisions = _decided(source, target, choices)
        if table_memory(decisions) > memory.table:
            return streamed(source, decisions, choices, memory)
        return assembled(source, decisions, choices)


def _decided(source: Source, target: str, choices: Choices) -> list[Decision]:
    goal, inputs = choose(source, target, choices)
    decisions = decide_all(source, [*inputs, goal], choices, goal)
    check_usable(source, decisions, choices)
    return decisions


def read_table(
    path: PathLike | Sequence[PathLike],
    target: str,
    *,
    task: str | None = None,
    categorical: Sequence[str] = (),
    numeric: Sequence[str] = (),
    ignore: Sequence[str] = (),
    keep: Sequence[str] = (),
    missing: str = "fill",
    dates: str | None = None,
    standardize: bool = True,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
    na: Sequence[str] = (),
    memory: str | int | None = None,
) -> TrainingTable | StreamedTable:
    """A table, prepared for ``train`` and the estimators as on the command line.

    Parameters
    ----------
    path : str, path, or a sequence of them
        A file, several files to concatenate, or a pattern: CSV, Parquet, JSON lines, .xlsx, also compressed.
    target : str
        The column to predict.
    task : "regression" | "classification", optional
        By default, the task that the target's cells suggest.
    categorical : sequence of str
        Columns to treat as categories.
    numeric : sequence of str
        Columns to treat as numbers; other cells count as missing.
    ignore : sequence of str
        Columns to leave out.
    keep : sequence of str
        Columns to use that would otherwise be left out.
    missing : "fill" | "drop" | "refuse"
        Fill missing inputs, leave such rows out, or refuse the table.
    dates : "day-first" | "month-first" | "year-first", optional
        How to read dates such as 3/4/2020; by default, the column's other dates decide.
    standardize : bool
        Whether to scale numeric columns to mean 0 and standard deviation 1.
    delimiter : str, optional
        What separates the cells of a CSV file; by default, it is detected.
    encoding : str, optional
        The encoding of a CSV file, such as "cp1252"; by default, it is detected.
    decimal : str, optional
        The decimal mark of a CSV file; by default, it is detected.
    header : bool, optional
        Whether the first line contains the column names; by default it does, and a first line of numbers is refused.
    na : sequence of str
        Texts that mean "missing", in addition to the usual ones.
    memory : str or int, optional
        The maximum memory for the table and training, such as "2GB"; by default, half of the free memory.

    Returns
    -------
    TrainingTable
        With ``X`` (N, inputs) and ``y`` (N, outputs) of all rows, ``preparation`` (how columns become inputs, for new
        rows and for a ``Model``), ``labels`` (N,) for estimators, ``notes``, and ``split()`` for training and held-out
        rows.
    StreamedTable
        If the table needs more memory; it has no ``X`` and ``y``. ``train(net, table, batch_size=256, shuffle=True)``
        accepts both kinds. ``table.blocks(seed, epoch)`` of both yields all rows once, in random order, as blocks X, y
        for an estimator's ``partial_fit``; ``table.preparation.labels(y)`` gives the names of their classes.

    Raises
    ------
    InputError
        If the table cannot be used; the message lists every reason.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "heating.csv")
    ...     _ = path.write_text("size,fuel,price\\n50,gas,200\\n,gas,230\\n70,oil,260\\n")
    ...     table = read_table(path, target="price")
    >>> table.X.shape, table.y.shape, table.preparation.input_labels
    ((3, 4), (3, 1), ('size', 'size: missing', 'fuel = gas', 'fuel = oil'))
    """
    choices = Choices(task, tuple(categorical), tuple(numeric), tuple(ignore), tuple(keep), missing, dates, standardize)
    dialect = Dialect(delimiter, encoding, decimal, header, tuple(na))
    return read_or_stream(path, target, choices, dialect, budget(memory))
