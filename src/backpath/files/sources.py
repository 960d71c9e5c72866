"""A table's file as rows that DuckDB reads: CSV with an explicit dialect, or Parquet.

DuckDB sees a column by its place only (``c0``, ``c1``, …), so that no name in a file can reach its SQL, and no path is
taken for a pattern.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.csv_lines import broken_row, header, line_of_row
from backpath.files.dialect import Dialect, check_text
from backpath.files.paths import existing_file
from backpath.files.wording import first_duplicate, plain, quoted, shown_path

if TYPE_CHECKING:
    import duckdb

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBER_TYPES = {*_INTEGERS, *(f"U{name}" for name in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL"}
_TEXT_TYPES = {"VARCHAR", "ENUM", "BOOLEAN", "UUID"}
_THREADS = 4  # more only take memory: each holds buffers of its own
_CSV = (
    "read_csv($path, auto_detect=false, header=true, delim=$delimiter, quote='\"', escape='\"', compression='none', "
    "strict_mode=true, null_padding=false, ignore_errors=false, hive_partitioning=false, union_by_name=false, "
    "max_line_size=2000000, buffer_size=4000000, columns={{{columns}}})"
)
_PARQUET = "read_parquet($path, hive_partitioning=false, union_by_name=false)"


@dataclass(frozen=True)
class Column:
    """One column of a source: its name, and SQL for its cells as text and as a number (NULL where a cell is none)."""

    name: str
    text: str
    number: str
    is_text: bool = True
    problem: str = ""


@dataclass(frozen=True)
class Source:
    """A table that can be queried; ``relation`` stands after FROM, its parameters are given with each query."""

    path: str
    columns: tuple[Column, ...]
    relation: str
    parameters: dict[str, Any]
    connection: duckdb.DuckDBPyConnection
    row_name: Callable[[int], str]  # what a user calls the row of that number (from 1): "line 3"
    explain: Callable[[str], str]  # what is wrong with the file, given DuckDB's words

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query; ``{table}`` in it stands for this table."""
        return self._run(sql, parameters, lambda result: result.fetchall())

    def arrays(self, sql: str, **parameters: object) -> list[NDArray[Any]]:
        """The columns of a query, without ever holding the result twice."""
        return self._run(sql, parameters, lambda result: list(result.fetchnumpy().values()))

    def _run(self, sql: str, parameters: dict[str, object], fetch: Callable[[Any], list[Any]]) -> list[Any]:
        import duckdb

        try:
            return fetch(self.connection.execute(sql.format(table=self.relation), self.parameters | parameters))
        except duckdb.Error as error:
            raise InputError(self.explain(str(error).splitlines()[0])) from None
        except RuntimeError as error:  # how DuckDB passes Ctrl-C on
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from None
            raise

    def first(self, condition: str, column: Column, **parameters: object) -> tuple[str, str | None]:
        """The first cell of a column where a condition holds: where it is, and what it holds (None: nothing)."""
        found = self.rows(
            f"SELECT row, value FROM (SELECT row_number() OVER () AS row, {column.text} AS value, "
            f"coalesce({condition}, false) AS found FROM {{table}}) WHERE found ORDER BY row LIMIT 1",
            **parameters,
        )
        if not found:
            raise InputError(f"{self.path} changed while it was read; read it again")
        row, value = found[0]
        return f"{self.path}, {self.row_name(row)}, column {quoted(column.name)}", value


@contextmanager
def open_table(path: str | os.PathLike[str], dialect: Dialect) -> Iterator[Source]:
    """The table in a CSV or Parquet file (Parquet is known by its first four bytes)."""
    import duckdb

    file, shown = existing_file(path, "a CSV or Parquet file"), shown_path(path)
    if file.stat().st_size == 0:
        raise InputError(f"{shown} is empty; expected a header line and rows")
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": min(_THREADS, os.cpu_count() or 1),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET enable_progress_bar = false")
        with file.open("rb") as opened:
            is_parquet = opened.read(4) == b"PAR1"
        if is_parquet and dialect != Dialect():
            raise InputError(f"{shown} is a Parquet file; delimiter, encoding and decimal are for CSV files: drop them")
        if is_parquet:
            yield _parquet(file, shown, connection)
        else:
            yield _csv(file, shown, dialect, connection, Path(folder))


def _literal(file: Path) -> str:
    """A path that DuckDB takes as it stands, not as a pattern."""
    text = str(file)
    patterned = any(mark in text for mark in "*?[")
    if patterned and "\\" in text:
        raise InputError(f"{plain(text)} cannot be read: its name holds both a backslash and one of *?[; rename it")
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in text)


def _csv(file: Path, shown: str, dialect: Dialect, connection: duckdb.DuckDBPyConnection, folder: Path) -> Source:
    readable = file
    if dialect.is_utf8:
        check_text(file, shown, dialect)
    else:
        readable = folder / "table.csv"
        with readable.open("wb") as copy:
            check_text(file, shown, dialect, copy)
    names = header(file, shown, dialect)
    columns = tuple(
        Column(name, text=f"c{k}", number=_number_in_text(f"c{k}", dialect.decimal)) for k, name in enumerate(names)
    )
    return Source(
        path=shown,
        columns=columns,
        relation=_CSV.format(columns=", ".join(f"'c{k}': 'VARCHAR'" for k in range(len(names)))),
        parameters={"path": _literal(readable), "delimiter": dialect.delimiter},
        connection=connection,
        row_name=lambda row: line_of_row(file, dialect, row, len(names)),
        explain=lambda words: broken_row(file, shown, dialect, len(names)) or f"{shown} cannot be read as CSV: {words}",
    )


def _number_in_text(cell: str, decimal: str) -> str:
    """A text cell as a number: DuckDB would also take 1_000, and it cannot be told of a decimal comma in a cast."""
    refused = "_" if decimal == "." else "_."
    digits = cell if decimal == "." else f"replace({cell}, ',', '.')"
    strange = " OR ".join(f"contains({cell}, '{mark}')" for mark in refused)
    return f"CASE WHEN {strange} THEN NULL ELSE TRY_CAST({digits} AS DOUBLE) END"


def _parquet(file: Path, shown: str, connection: duckdb.DuckDBPyConnection) -> Source:
    import duckdb

    parameters = {"path": _literal(file)}
    try:
        types = [row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {_PARQUET}", parameters).fetchall()]
        schema = connection.execute("SELECT name, num_children FROM parquet_schema($path)", parameters).fetchall()
    except duckdb.Error as error:
        raise InputError(_no_parquet(file, shown, str(error).splitlines()[0])) from None
    names = _top_level(schema)
    if not all(name.strip() for name in names):
        raise InputError(f"{shown}: a column has no name; name it")
    repeated = first_duplicate(names)
    if repeated is not None:
        raise InputError(f"{shown}: two columns are named {quoted(repeated)}; rename one of them")
    columns = tuple(_parquet_column(k, *pair) for k, pair in enumerate(zip(names, types, strict=True)))
    return Source(
        path=shown,
        columns=columns,
        relation=f"{_PARQUET} AS t({', '.join(f'c{k}' for k in range(len(names)))})",
        parameters=parameters,
        connection=connection,
        row_name=lambda row: f"row {row}",
        explain=lambda words: _no_parquet(file, shown, words),
    )


def _no_parquet(file: Path, shown: str, words: str) -> str:
    """What DuckDB says, with the path as it was given, and what would do."""
    said = plain(words.replace(str(file), shown))
    return f"{shown} cannot be read as Parquet: {said}; the file is damaged or cut off: write it again, or as CSV"


def _top_level(schema: list[tuple[str, int | None]]) -> list[str]:
    """The names of the columns in a Parquet schema, a tree written depth first from its root."""
    names, skip = [], 0
    for name, children in schema[1:]:
        if skip == 0:
            names.append(name)
        skip = max(skip - 1, 0) + (children or 0)
    return names


def _parquet_column(place: int, name: str, kind: str) -> Column:
    cell, text = f"c{place}", f"CAST(c{place} AS VARCHAR)"
    bare = re.sub(r"\(.*\)$", "", kind)  # DECIMAL(9,2) -> DECIMAL; INTEGER[] stays what it is
    if bare in _NUMBER_TYPES:
        return Column(name, text, f"CAST({cell} AS DOUBLE)", is_text=False)
    problem = "" if bare in _TEXT_TYPES else f"is of type {plain(kind)}"
    return Column(name, text, _number_in_text(text, "."), problem=problem)
