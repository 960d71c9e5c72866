"""Writes columns of numbers to a Parquet file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from backpath.files.atomic import write_atomically
from backpath.files.forms import literal

GROUP_VALUES = 1_000_000  # in a group of rows, roughly
_OPEN_FILES = Path("/proc/self/fd")
_LEAST_ROWS, _MOST_ROWS = 2048, 122_880  # in a group, for DuckDB


def write_parquet(
    path: str | os.PathLike[str], columns: Mapping[str, NDArray[Any]], missing: Mapping[str, float] | None = None
) -> None:
    """Write arrays of one length as the columns of a Parquet file, atomically.

    The arrays are read in place and written one group of rows at a time, which takes little memory.

    Parameters
    ----------
    path : where to write
    columns : name -> array (rows,)
    missing : name -> the number that means "none" in that column and is written as NULL

    Raises
    ------
    InputError
        If the file cannot be written there.
    OSError
        If the disk fails or is full.

    >>> import duckdb, numpy as np, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_parquet(f"{folder}/a.parquet", {"W11_1": np.array([0.5, 1]), "n": np.array([-1, 3])}, {"n": -1})
    ...     duckdb.sql(f"SELECT * FROM '{folder}/a.parquet'").fetchall()
    [(0.5, None), (1.0, 3)]
    """
    none = missing or {}
    wanted = ", ".join(
        f"nullif(c{k}, {none[name]!r}) AS {_quoted(name)}" if name in none else f"c{k} AS {_quoted(name)}"
        for k, name in enumerate(columns)
    )
    arrays = {f"c{k}": column for k, column in enumerate(columns.values())}
    write_atomically(path, lambda file: _copy(arrays, wanted, file))


def _copy(arrays: dict[str, NDArray[Any]], wanted: str, file: BinaryIO) -> None:
    import duckdb

    with duckdb.connect(":memory:", config={"threads": 1}) as connection:  # one thread keeps the rows' order
        connection.execute("SET enable_progress_bar = false")
        connection.register("arrays", arrays)
        try:
            rows = min(_MOST_ROWS, max(_LEAST_ROWS, GROUP_VALUES // len(arrays)))
            options = f"FORMAT parquet, USE_TMP_FILE false, ROW_GROUP_SIZE {rows}"
            with path_of(file) as path:
                connection.execute(f"COPY (SELECT {wanted} FROM arrays) TO {literal(path)} ({options})")
        except duckdb.IOException as error:
            raise OSError(str(error).splitlines()[0]) from None
        except RuntimeError as error:  # DuckDB's error after Ctrl-C
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            raise


@contextmanager
def path_of(file: BinaryIO) -> Iterator[str]:
    """A path under which DuckDB can write the content of an open file: on Linux, where it may have no name, the file
    itself; elsewhere another file, which is copied."""
    path = _OPEN_FILES / str(file.fileno())
    if path.exists():
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder, "columns.parquet")
        yield str(other)
        with other.open("rb") as written:
            shutil.copyfileobj(written, file)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
