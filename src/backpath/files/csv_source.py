"""CSV files as a source of rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backpath.errors import InputError
from backpath.files.csv_footer import without_footer
from backpath.files.csv_layout import CsvLayout, find_layout, records
from backpath.files.csv_lines import broken_row, line_of_row
from backpath.files.dialect import Dialect, check_text, encoding_of
from backpath.files.single_quotes import requoted
from backpath.files.sources import Column, Source
from backpath.files.wording import named, plain, shown_files

if TYPE_CHECKING:
    import duckdb

_CSV = (
    "read_csv($path, auto_detect=false, header=false, skip={skip}, delim=$delimiter, quote='\"', escape='\"', "
    "compression='none', strict_mode=true, null_padding=false, ignore_errors=false, hive_partitioning=false, "
    "union_by_name=false, max_line_size=2000000, buffer_size=4000000, columns={{{columns}}})"
)


@dataclass(frozen=True)
class _Part:
    """One of the files.

    Attributes
    ----------
    shown : its path for messages
    file : with double quotes and without a footer
    readable : the same rows, as DuckDB can read them
    footer : the notes on lines below the rows
    """

    shown: str
    file: Path
    readable: Path
    layout: CsvLayout
    footer: tuple[str, ...]


def csv_source(
    files: Sequence[tuple[Path, str]],
    dialect: Dialect,
    preferred: Dialect,
    wanted: Sequence[str],
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
) -> Source:
    """The rows of CSV files, concatenated; all must have the same header and format."""
    if dialect.header is None:
        dialect = replace(dialect, header=preferred.header)
    parts: list[_Part] = []
    for file, shown in files:
        parts.append(_part(file, shown, dialect, preferred.delimiter, wanted, folder))
        _check_alike(parts[-1], parts[0])
    layout = parts[0].layout
    skip, delimiter = (0, ",") if layout.converted else (layout.skip, layout.delimiter)
    names = layout.names
    footer = tuple(dict.fromkeys(note for part in parts for note in part.footer))
    return Source(
        path=shown_files([shown for _, shown in files]),
        columns=tuple(Column(name, text=f"c{k}") for k, name in enumerate(names)),
        relation=_CSV.format(
            skip=skip,
            columns=", ".join(f"'c{k}': 'VARCHAR'" for k in range(len(names))),
        ),
        parameters={"path": [literal_path(part.readable) for part in parts], "delimiter": delimiter},
        connection=connection,
        folder=folder,
        row_name=_row_namer(parts),
        explain=_explainer(parts),
        dialect=_completed(dialect, preferred, layout),
        notes=(*layout.notes, *footer),
        footer=footer,
        repeated=layout.repeated,
    )


def _part(
    given: Path, shown: str, dialect: Dialect, preferred: str | None, wanted: Sequence[str], folder: Path
) -> _Part:
    encoding = encoding_of(given, dialect)
    readable = _utf8(given, shown, encoding, folder)
    whole, quotes = requoted(given, shown, encoding, dialect.delimiter, folder)
    layout = find_layout(whole, shown, dialect, preferred, wanted)
    layout = replace(layout, notes=(*layout.notes, *quotes))
    file, footer = without_footer(whole, layout, folder)
    if layout.converted:
        readable = _converted(file, shown, layout, folder)
    elif file != given:
        readable = _utf8(file, shown, layout.encoding, folder)
    return _Part(shown, file, readable, layout, footer)


def _check_alike(part: _Part, first: _Part) -> None:
    if part.layout.names != first.layout.names:
        raise InputError(
            f"{part.shown} has different columns ({named(part.layout.names)}) from {first.shown} "
            f"({named(first.layout.names)})"
        )
    if (part.layout.delimiter, part.layout.skip) != (first.layout.delimiter, first.layout.skip):
        raise InputError(f"{part.shown} is formatted differently from {first.shown}; use the same format for both")


def _completed(dialect: Dialect, preferred: Dialect, layout: CsvLayout) -> Dialect:
    """The dialect with what was detected or is preferred where the caller leaves it open."""
    return replace(
        dialect,
        delimiter=layout.delimiter,
        encoding=dialect.encoding or preferred.encoding,
        decimal=dialect.decimal or preferred.decimal,
        missing=dialect.missing or preferred.missing,
    )


def _row_namer(parts: Sequence[_Part]) -> Callable[[int], str]:
    def name(row: int) -> str:
        left = row
        for part in parts:
            line, found = line_of_row(part.file, part.layout, left)
            if line.startswith("line") or len(parts) == 1:
                return f"{part.shown}, {line}"
            left -= found
        return f"row {row}"

    return name


def _explainer(parts: Sequence[_Part]) -> Callable[[str], str]:
    def explain(_: str) -> str:
        broken = (broken_row(part.file, part.shown, part.layout) for part in parts)
        unknown = f"{parts[0].shown} cannot be read as CSV; save it again with one row to a line, as UTF-8"
        return next(filter(None, broken), unknown)

    return explain


def _utf8(file: Path, shown: str, encoding: str, folder: Path) -> Path:
    """The file, or a copy in UTF-8."""
    if encoding == "utf-8-sig":
        check_text(file, shown, encoding)
        return file
    copy = folder / f"{len(list(folder.iterdir()))}.csv"
    with copy.open("wb") as written:
        check_text(file, shown, encoding, written)
    return copy


def _converted(file: Path, shown: str, layout: CsvLayout, folder: Path) -> Path:
    """Writes the rows after the header, with commas between the cells."""
    copy = folder / f"{len(list(folder.iterdir()))}.csv"
    try:
        with copy.open("w", encoding="utf-8", newline="") as text:
            found = records(file, layout.delimiter, layout.encoding, layout.strip)
            rows = (cells for line, cells in found if line > layout.skip and cells)
            csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    except csv.Error as error:
        raise InputError(f"{shown}, line {error.args[0]}: {error.args[1]}") from None
    return copy


def literal_path(file: Path) -> str:
    """A path that DuckDB takes literally, not as a pattern."""
    text = file.as_posix()
    patterned = any(mark in text for mark in "*?[")
    if patterned and "\\" in text:
        raise InputError(f"{plain(text)} cannot be read: its name contains both a backslash and one of *?[; rename it")
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in text)
