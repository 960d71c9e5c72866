"""Converts compressed files, spreadsheets and standard input to plain files."""

from __future__ import annotations

import bz2
import csv
import datetime
import glob
import gzip
import os
import re
import shutil
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from backpath.errors import InputError
from backpath.files.file_paths import PathLike, existing_file
from backpath.files.wording import quoted, shown_path

if TYPE_CHECKING:
    import duckdb

STANDARD_INPUT = "-"
EXPECTED = "a table: CSV, Parquet, JSON lines or .xlsx"
_COMPRESSED = {
    b"\x1f\x8b": gzip,
    b"BZh": bz2,
}  # the first bytes of such a file (up to 4) -> the module that reads it
_ZSTD = b"\x28\xb5\x2f\xfd"
_BOOKS = {
    b"PK\x03\x04": "a zip archive",  # .xlsx, .ods
    b"\xd0\xcf\x11\xe0": "an Office document",  # .xls
}
_DOCUMENT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:(%PDF-)|<(?:!doctype|html|table|\?xml)\b)", re.IGNORECASE)


def table_files(given: PathLike | list[PathLike]) -> list[PathLike]:
    """The files of a table: one, several, or the matches of a pattern such as ``parts/*.csv``, sorted by name."""
    found: list[PathLike] = []
    for path in given if isinstance(given, list) else [given]:
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
        if any(mark in text for mark in "*?[") and not Path(text).exists():
            matching = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
            if not matching:
                raise InputError(f"no file matches {shown_path(text)}; check the path")
            found += matching
        else:
            found.append(path)
    return found


def plain_file(path: PathLike, folder: Path, connection: duckdb.DuckDBPyConnection) -> tuple[Path, str]:
    """A plain file, and its path for messages; compressed files and spreadsheets are converted into ``folder``."""
    file, shown = _given_file(path, folder)
    _refuse_empty(file, shown)
    with file.open("rb") as opened:
        beginning = opened.read(100)
    start = beginning[:4]
    unpacked = folder / f"{len(list(folder.iterdir()))}-{file.stem}"
    if kind := next((kind for mark, kind in _COMPRESSED.items() if start.startswith(mark)), None):
        _decompress(file, shown, unpacked, kind)
    elif start == _ZSTD:
        _decompress_zstd(file, shown, unpacked, connection)
    elif start in _BOOKS:
        unpacked = unpacked.with_suffix(".csv")
        shown = _spreadsheet(file, shown, unpacked, _BOOKS[start])
    elif document := _DOCUMENT.match(beginning):
        what = "a PDF document" if document[1] else "an HTML or XML page"
        raise InputError(f"{shown} is {what}, not {EXPECTED}; export its table as CSV")
    else:
        return file, shown
    _refuse_empty(unpacked, shown)
    return unpacked, shown


def _given_file(path: PathLike, folder: Path) -> tuple[Path, str]:
    if path != STANDARD_INPUT:
        return existing_file(path, EXPECTED), shown_path(path)
    file = folder / f"{len(list(folder.iterdir()))}.stdin"
    with file.open("wb") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
    return file, "standard input"


def _refuse_empty(file: Path, shown: str) -> None:
    if file.stat().st_size == 0:
        raise InputError(f"{shown} is empty; expected a header line and rows")


def _decompress(file: Path, shown: str, unpacked: Path, kind: Any) -> None:
    try:
        with cast(BinaryIO, kind.open(file, "rb")) as source, unpacked.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except (EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"{shown} cannot be unpacked: {error}; the file is damaged or truncated") from None


def _decompress_zstd(file: Path, shown: str, unpacked: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Decompress with DuckDB, which reads each line as one cell."""
    import duckdb

    lines = (
        "read_csv($path, auto_detect=false, header=false, delim='\x01', quote='', escape='', compression='zstd', "
        "max_line_size=2000000, columns={'line': 'VARCHAR'})"
    )
    try:
        connection.execute(
            f"COPY (SELECT line FROM {lines}) TO '{str(unpacked).replace(chr(39), chr(39) * 2)}' "
            "(FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '')",
            {"path": str(file)},
        )
    except duckdb.Error:
        raise InputError(
            f"{shown} cannot be unpacked: the file is damaged or truncated, or has very long lines; unpack it "
            "first (zstd -d)"
        ) from None


def _spreadsheet(file: Path, shown: str, unpacked: Path, otherwise: str) -> str:
    """Write the first nonempty sheet of a spreadsheet as CSV; returns its name for messages.

    Parameters
    ----------
    otherwise : what the file is if it is not a spreadsheet
    """
    try:
        import python_calamine
    except ImportError:
        raise InputError(
            f"{shown} is a spreadsheet or {otherwise}; spreadsheets need the package python-calamine: "
            "pip install 'backpath[excel]', or export it as CSV"
        ) from None
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(file))
        sheets = ((name, book.get_sheet_by_name(name).to_python()) for name in book.sheet_names)
        name, rows = next(((name, rows) for name, rows in sheets if rows), ("", []))
    except Exception as error:  # the library has its own classes
        raise InputError(
            f"{shown} is {otherwise}, but not a spreadsheet that can be read ({error}); export it as CSV"
        ) from None
    with unpacked.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([[_cell(value) for value in row] for row in rows])
    return shown if len(book.sheet_names) == 1 else f"{shown}, sheet {quoted(name)}"


def _cell(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)  # spreadsheets store whole numbers as floats
    if isinstance(value, datetime.datetime):
        return str(value).removesuffix(" 00:00:00")
    return value
