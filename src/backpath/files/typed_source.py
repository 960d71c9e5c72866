"""Parquet and JSON as sources of rows, with typed columns."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backpath.errors import InputError
from backpath.files.csv_source import literal_path
from backpath.files.dialect import Dialect
from backpath.files.sources import Column, Source
from backpath.files.wording import distinguished, plain, quoted, shown_files

if TYPE_CHECKING:
    import duckdb

Files = Sequence[tuple[Path, str]]
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBER_TYPES = {*_INTEGERS, *(f"U{name}" for name in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL"}
_TEXT_TYPES = {"VARCHAR", "ENUM", "BOOLEAN", "UUID", "DATE", "TIME", "JSON"}
_PARQUET = "read_parquet($path, hive_partitioning=false, union_by_name=false)"
_NUMBERED = "read_parquet($path, hive_partitioning=false, union_by_name=false, file_row_number=true)"


def parquet_source(files: Files, dialect: Dialect, connection: duckdb.DuckDBPyConnection, folder: Path) -> Source:
    """The rows of Parquet files, which must have the same columns."""
    import duckdb

    shown = files[0][1]
    _check_dialect(dialect, f"{shown} is a Parquet file")
    parameters: dict[str, object] = {"path": [literal_path(file) for file, _ in files]}
    try:
        types = [row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {_PARQUET}", parameters).fetchall()]
        schema = "SELECT name, num_children FROM parquet_schema($path)"
        columns_of = [
            _top_level(connection.execute(schema, {"path": literal_path(file)}).fetchall()) for file, _ in files
        ]
    except duckdb.Error:
        raise InputError(_no_parquet(shown)) from None
    names = columns_of[0]
    for (_, other), found in zip(files, columns_of, strict=True):
        if found != names:
            raise InputError(f"{other} has different columns from {shown}; give files of one table")
    source = _typed(files, names, types, f"{_PARQUET} AS t", parameters, dialect, connection, folder)
    cells = ", ".join(f"c{k}" for k in range(len(names)))
    return replace(source, numbered=f"{_NUMBERED} AS t({cells}, file_row_number)")


def _check_dialect(dialect: Dialect, what: str) -> None:
    if dialect.is_for_text:
        raise InputError(f"{what}; delimiter, encoding and header are for CSV files; leave them out")


def _typed(
    files: Files,
    names: list[str],
    types: list[str],
    relation: str,
    parameters: dict[str, object],
    dialect: Dialect,
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
) -> Source:
    shown = files[0][1]
    called = [name if name.strip() else f"column {place}" for place, name in enumerate(names, 1)]
    called, repeated = distinguished(called, shown)
    columns = tuple(_column(k, *pair) for k, pair in enumerate(zip(called, types, strict=True)))
    return Source(
        path=shown_files([path for _, path in files]),
        columns=columns,
        relation=f"{relation}({', '.join(f'c{k}' for k in range(len(names)))})",
        parameters=parameters,
        connection=connection,
        folder=folder,
        row_name=lambda row: f"{shown}, row {row}",
        explain=lambda _: _no_parquet(shown),
        dialect=dialect,
        repeated=repeated,
    )


def _no_parquet(shown: str) -> str:
    return f"{shown} cannot be read as Parquet: the file is damaged or truncated; write it again, or as CSV"


def _top_level(schema: list[tuple[str, int | None]]) -> list[str]:
    """The names of the columns in a Parquet schema, which is a tree in depth-first order."""
    names, skip = [], 0
    for name, children in schema[1:]:
        if skip == 0:
            names.append(name)
        skip = max(skip - 1, 0) + (children or 0)
    return names


def _column(place: int, name: str, kind: str) -> Column:
    cell = f"c{place}"
    text = f"CAST({cell} AS VARCHAR)"
    bare = re.sub(r"\(.*\)$", "", kind)  # DECIMAL(9,2) -> DECIMAL; INTEGER[] is unchanged
    if bare in _NUMBER_TYPES:
        return Column(name, text, f"CAST({cell} AS DOUBLE)")
    if bare == "TIMESTAMP WITH TIME ZONE":
        return Column(name, f"CAST(make_timestamp(epoch_us({cell})) AS VARCHAR)")
    known = bare in _TEXT_TYPES or bare.startswith("TIMESTAMP")
    return Column(name, text, problem="" if known else f"is of type {plain(kind)}")


def json_format(file: Path) -> str:
    """The form of JSON objects in a file: one per line ("newline_delimited"), or in one "array"; "" if neither."""
    with file.open("rb") as opened:
        start = opened.read(1 << 16).lstrip()
    if re.match(rb"\[\s*\{", start):
        return "array"
    if not start.startswith(b"{"):
        return ""
    try:
        is_object = isinstance(json.loads(start.split(b"\n")[0]), dict)
    except ValueError:
        is_object = file.suffix.lower() in (".jsonl", ".ndjson")
    return "newline_delimited" if is_object else ""


def json_source(files: Files, dialect: Dialect, connection: duckdb.DuckDBPyConnection, folder: Path) -> Source:
    """The rows of files of JSON objects; DuckDB infers the columns' types from all values."""
    import duckdb

    shown = files[0][1]
    form = json_format(files[0][0])
    what, row = ("JSON lines", "line") if form == "newline_delimited" else ("JSON", "object")
    _check_dialect(dialect, f"{shown} holds {what}")
    relation = f"read_json($path, format='{form}', sample_size=-1, maximum_depth=2, hive_partitioning=false)"
    parameters: dict[str, object] = {"path": [literal_path(file) for file, _ in files]}
    try:
        found = connection.execute(f"DESCRIBE SELECT * FROM {relation}", parameters).fetchall()
    except duckdb.Error:
        raise InputError(_no_json(files, form)) from None
    names, types = [row[0] for row in found], [row[1] for row in found]
    if (names, types) == (["json"], ["JSON"]):  # DuckDB's result for lines that are not objects
        raise InputError(_no_json(files, form))
    source = _typed(files, names, types, f"{relation} AS t", parameters, dialect, connection, folder)
    return replace(
        source,
        row_name=lambda number: f"{shown}, {row} {number}",
        explain=lambda _: _no_json(files, form),
    )


def _no_json(files: Files, form: str) -> str:
    """The first line that is not JSON, or not an object."""
    for file, shown in files:
        text = file.read_bytes().decode("utf-8", "replace")
        lines = text.splitlines()
        for number, part in enumerate([text] if form == "array" else lines, 1):
            wrong = _wrong_line(part, list if form == "array" else dict)
            if part.strip() and wrong:
                line = number + wrong - 1
                found = quoted(lines[min(line, len(lines)) - 1].strip())
                return f"{shown}, line {line}: expected a JSON object for each row, but found {found}; correct it"
    return f"{files[0][1]} cannot be read as JSON; write objects with the same names, or CSV"


def _wrong_line(text: str, kind: type) -> int:
    """The first line (from 1) of a text that is not JSON of this kind, or 0."""
    try:
        return 0 if isinstance(json.loads(text), kind) else 1
    except json.JSONDecodeError as error:
        return error.lineno
    except RecursionError:
        return 1
