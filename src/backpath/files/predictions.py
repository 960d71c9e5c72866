"""Writes predictions in blocks of rows to a CSV, JSON lines or Parquet file, or to the screen."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TextIO

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.atomic import write_atomically
from backpath.files.forms import literal
from backpath.files.parquet import path_of
from backpath.files.preparation import Predictions, Preparation
from backpath.files.wording import quoted, shown_path

Columns = Sequence[NDArray[Any]]
_CSV, _PARQUET, _JSON_LINES = (".csv", ".txt"), (".parquet", ".pq"), (".jsonl", ".ndjson")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def prediction_names(preparation: Preparation | None, outputs: int, taken: Sequence[str] = ()) -> list[str]:
    """The header: the target's name, and ``probability of …`` for each class; without a table, A1, A2 ….

    >>> prediction_names(None, 2)
    ['A1', 'A2']
    """
    if preparation is None:
        return [f"A{j}" for j in range(1, outputs + 1)]
    name = preparation.target.name
    name = f"predicted {name}" if name in taken else name
    return [name, *(f"probability of {label}" for label in preparation.target.classes)]


def prediction_columns(predictions: Predictions, usable: NDArray[np.bool_] | None = None) -> list[NDArray[Any]]:
    """The columns of predictions; None in unusable rows.

    >>> [c.tolist() for c in prediction_columns(Predictions(np.array(["no"]), np.array([[0.9, 0.1]]), ("no", "yes")))]
    [['no'], [0.9], [0.1]]
    """
    shares = predictions.probabilities
    columns = [predictions.values, *([] if shares is None else shares.T)]
    return columns if usable is None else [with_gaps(column, usable) for column in columns]


def with_gaps(column: NDArray[Any], usable: NDArray[np.bool_]) -> NDArray[Any]:
    """The values with None in unusable rows."""
    if usable.all():
        return column
    found = np.array(column.tolist(), dtype=object)
    found[~usable] = None
    return found


class Writer(Protocol):
    """The file that `csv` writes to."""

    def write(self, text: str, /) -> object: ...


class _LineFeeds:
    """Ends each row with a line feed instead of `csv`'s own line end, for which it also quotes carriage returns."""

    def __init__(self, file: Writer):
        self._file = file

    def write(self, row: str) -> object:
        return self._file.write(row.removesuffix("\r\n") + "\n")


def print_columns(file: Writer, names: Sequence[str], blocks: Iterable[Columns]) -> None:
    """Columns as CSV; numbers have all digits, and text that a spreadsheet would execute gets a leading '."""
    writer = csv.writer(_LineFeeds(file))
    writer.writerow([_harmless(name) for name in names])
    for columns in blocks:
        writer.writerows(zip(*[_cells(column) for column in columns], strict=True))


def _cells(column: NDArray[Any]) -> list[Any]:
    if column.dtype.kind in "OU":
        return [_harmless(value) if isinstance(value, str) else value for value in column.tolist()]
    return column.tolist()


def _harmless(text: str) -> str:
    """A text that a spreadsheet does not interpret as a formula.

    >>> _harmless("=1+1"), _harmless("-5"), _harmless("a=b")
    ("'=1+1", '-5', 'a=b')
    """
    if not text.startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def check_ending(path: str | os.PathLike[str]) -> None:
    """InputError unless the path's extension is a kind of file for predictions."""
    ending = Path(path).suffix.lower()
    if ending not in (*_CSV, *_PARQUET, *_JSON_LINES):
        known = ", ".join((*_CSV, *_PARQUET, *_JSON_LINES))
        is_called = f"ends in {quoted(ending)}" if ending else "has no ending"
        raise InputError(f"{shown_path(path)} {is_called}; predictions are written to files that end in {known}")


def write_predictions(path: str | os.PathLike[str], names: Sequence[str], blocks: Iterator[Columns]) -> None:
    """Write columns to a file, atomically: Parquet or JSON lines by the path's extension, or CSV in UTF-8.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """
    check_ending(path)
    ending = Path(path).suffix.lower()
    if ending in _PARQUET:
        write_atomically(path, lambda file: _parquet(file, names, blocks))
        return

    def write(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        (_json_lines if ending in _JSON_LINES else print_columns)(text, names, blocks)
        text.detach()  # flushes, and leaves the file open

    write_atomically(path, write)


def _json_lines(file: TextIO, names: Sequence[str], blocks: Iterable[Columns]) -> None:
    for columns in blocks:
        for row in zip(*[column.tolist() for column in columns], strict=True):
            file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")


def _parquet(file: BinaryIO, names: Sequence[str], blocks: Iterable[Columns]) -> None:
    import duckdb

    called = ", ".join(f'c{k} AS "{name.replace(chr(34), chr(34) * 2)}"' for k, name in enumerate(names))
    with (
        tempfile.TemporaryDirectory() as folder,
        duckdb.connect(str(Path(folder, "rows.db")), config={"threads": 1}) as connection,
    ):
        connection.execute("SET enable_progress_bar = false")
        for number, columns in enumerate(blocks):
            connection.register("block", {f"c{k}": _plain(column) for k, column in enumerate(columns)})
            casts = ", ".join(f"c{k}::{'VARCHAR' if _is_text(c) else 'DOUBLE'} AS c{k}" for k, c in enumerate(columns))
            into = "INSERT INTO found" if number else "CREATE TABLE found AS"
            connection.execute(f"{into} SELECT {casts} FROM block")
        with path_of(file) as path:
            connection.execute(
                f"COPY (SELECT {called} FROM found) TO {literal(path)} (FORMAT parquet, USE_TMP_FILE false)"
            )


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    return column.astype(object) if column.dtype.kind == "U" else column


def _is_text(column: NDArray[Any]) -> bool:
    return column.dtype.kind == "U" or any(isinstance(value, str) for value in column[:1000].tolist())
