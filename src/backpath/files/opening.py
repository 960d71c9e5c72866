"""Opens the files of a table: CSV, Parquet, JSON lines, spreadsheets, and compressed files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from backpath.errors import InputError
from backpath.files.csv_source import csv_source
from backpath.files.dialect import Dialect
from backpath.files.file_paths import PathLike
from backpath.files.forms import literal
from backpath.files.memory_budget import Budget, budget
from backpath.files.sources import Source
from backpath.files.typed_source import Files, json_format, json_source, parquet_source
from backpath.files.unpacking import plain_file, table_files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SMALL = 16_000_000  # bytes; smaller files are read once and kept


class _Format(NamedTuple):
    name: str
    source: Callable[[Files, Dialect, DuckDBPyConnection, Path], Source]


_MARKED = {
    b"PAR1": _Format("Parquet", parquet_source),
}  # the first four bytes of such a file -> its format


@contextmanager
def open_table(
    path: PathLike | Sequence[PathLike],
    dialect: Dialect | None = None,
    preferred: Dialect | None = None,
    wanted: Sequence[str] = (),
    memory: Budget | None = None,
) -> Iterator[Source]:
    """The table in one or several files of one kind, which their first bytes determine.

    Parameters
    ----------
    path : a file, several files to concatenate, or a pattern such as ``parts/*.parquet``; "-" is standard input
    dialect : the format of CSV files, if the caller knows it
    preferred : the format to prefer if the file allows several readings
    wanted : columns that the table should have
    memory : the memory for reading
    """
    allowed = memory or budget()
    with (
        tempfile.TemporaryDirectory() as temporary,
        _connection(allowed, Path(temporary)) as connection,
    ):
        folder = Path(temporary)
        files = [plain_file(one, folder, connection) for one in table_files(_paths(path))]
        source = _source(files, dialect or Dialect(), preferred or Dialect(), wanted, connection, folder)
        small = sum(file.stat().st_size for file, _ in files) < min(_SMALL, allowed.database // 4)
        yield source.kept() if small else source


def _paths(path: PathLike | Sequence[PathLike]) -> list[PathLike]:
    if isinstance(path, str | os.PathLike) or not isinstance(path, Sequence):
        return [path]
    return list(path)


def _connection(allowed: Budget, folder: Path) -> DuckDBPyConnection:
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": min(allowed.threads, os.cpu_count() or 1),
        "memory_limit": f"{allowed.database // 10**6}MB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET enable_progress_bar = false")
    # as a join, IN with five words or more gives the rows in another order, which differs from query to query
    connection.execute("SET disabled_optimizers = 'in_clause'")
    connection.execute(f"SET temp_directory = {literal(str(folder / 'spilled'))}")
    return connection


def _source(
    files: Files,
    dialect: Dialect,
    preferred: Dialect,
    wanted: Sequence[str],
    connection: DuckDBPyConnection,
    folder: Path,
) -> Source:
    """The rows of files of the format that their first bytes determine."""
    starts = {_start(file) for file, _ in files}
    marked = [_MARKED[start] for start in starts if start in _MARKED]
    if len(starts) == 1 and marked:
        return marked[0].source(files, dialect, connection, folder)
    kinds = {json_format(file) for file, _ in files}
    if len(kinds) == 1 and "" not in kinds:
        return json_source(files, dialect, connection, folder)
    if marked:
        raise InputError(f"some of the files are {marked[0].name} and some are not; give files of one kind")
    return csv_source(files, dialect, preferred, wanted, connection, folder)


def _start(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(4)
