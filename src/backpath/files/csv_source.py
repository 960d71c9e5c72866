"""CSV files as a source of rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backpath.errors import InputError
from backpath.files.csv_footer import without_footer
from backpath.files.csv_layout import CsvLayout, find_layout, records
from backpath.files.csv_lines import broken_row, line_of_row
from backpath.files.dialect import Dialect, check_text, encoding_of
from backpath.files.single_quotes import requoted
from backpath.files.sources import Column, Source
from backpath.files.wording import counted, named, plain

if TYPE_CHECKING:
    import duckdb

_CSV = (
    "read_csv($path, auto_detect=false, header=false, skip={skip}, delim=$delimiter, quote='\"', escape='\"', "
    "compression='none', strict_mode=true, null_padding=false, ignore_errors=false, hive_partitioning=false, "
    "union_by_name=false, max_line_size=2000000, buffer_size=4000000, columns={{{columns}}})"
)


def csv_source(
    files: Sequence[tuple[Path, str]],
    dialect: Dialect,
    preferred: Dialect,
    wanted: Sequence[str],
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
) -> Source:
    """The rows of CSV files, concatenated; all must have the same header and format."""
    with_header = dialect
    if dialect.header is None:
        with_header = replace(dialect, header=preferred.header)
    layouts: list[CsvLayout] = []
    readable: list[Path] = []
    footer: list[str] = []
    tables: list[tuple[Path, str]] = []
    for given, shown in files:
        encoding = encoding_of(given, with_header)
        text = _utf8(given, shown, encoding, folder)
        whole, quotes = requoted(given, shown, encoding, dialect.delimiter, folder)
        layout = find_layout(whole, shown, with_header, preferred.delimiter, wanted)
        layout = replace(layout, notes=(*layout.notes, *quotes))
        file, below = without_footer(whole, layout, folder)
        footer += below
        if file != given:
            text = _utf8(file, shown, layout.encoding, folder)
        tables.append((file, shown))
        layouts.append(layout)
        readable.append(_converted(file, shown, layout, folder) if layout.converted else text)
        if layout.names != layouts[0].names:
            raise InputError(
                f"{shown} has different columns ({named(layout.names)}) from {files[0][1]} ({named(layouts[0].names)})"
            )
        if (layout.delimiter, layout.skip) != (layouts[0].delimiter, layouts[0].skip):
            raise InputError(f"{shown} is formatted differently from {files[0][1]}; use the same format for both")
    layout = layouts[0]
    names = layout.names
    return Source(
        path=files[0][1] if len(files) == 1 else f"{counted(len(files), 'file')} from {files[0][1]}",
        columns=tuple(Column(name, text=f"c{k}") for k, name in enumerate(names)),
        relation=_CSV.format(
            skip=0 if layout.converted else layout.skip,
            columns=", ".join(f"'c{k}': 'VARCHAR'" for k in range(len(names))),
        ),
        parameters={
            "path": [literal_path(file) for file in readable],
            "delimiter": "," if layout.converted else layout.delimiter,
        },
        connection=connection,
        folder=folder,
        row_name=_row_namer(tables, layouts),
        explain=_explainer(tables, layouts),
        dialect=replace(
            dialect,
            delimiter=layout.delimiter,
            encoding=dialect.encoding or preferred.encoding,
            decimal=dialect.decimal or preferred.decimal,
            header=with_header.header,
            missing=dialect.missing or preferred.missing,
        ),
        notes=(*layout.notes, *dict.fromkeys(footer)),
        footer=tuple(dict.fromkeys(footer)),
        repeated=layout.repeated,
    )


def _row_namer(files: Sequence[tuple[Path, str]], layouts: Sequence[CsvLayout]) -> Callable[[int], str]:
    def name(row: int) -> str:
        left = row
        for (file, shown), layout in zip(files, layouts, strict=True):
            line, found = line_of_row(file, layout, left)
            if line.startswith("line") or len(files) == 1:
                return f"{shown}, {line}"
            left -= found
        return f"row {row}"

    return name


def _explainer(files: Sequence[tuple[Path, str]], layouts: Sequence[CsvLayout]) -> Callable[[str], str]:
    def explain(_: str) -> str:
        for (file, shown), layout in zip(files, layouts, strict=True):
            broken = broken_row(file, shown, layout)
            if broken:
                return broken
        return f"{files[0][1]} cannot be read as CSV; save it again with one row to a line, as UTF-8"

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
    text = str(file)
    patterned = any(mark in text for mark in "*?[")
    if patterned and "\\" in text:
        raise InputError(f"{plain(text)} cannot be read: its name contains both a backslash and one of *?[; rename it")
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in text)
