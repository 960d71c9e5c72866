"""Leaves out what follows the rows of a CSV file: footnotes and a row of totals."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

from backpath.files.csv_layout import CsvLayout
from backpath.files.dialect import WHITESPACE
from backpath.files.wording import named, quoted

_TAIL = 1 << 14  # bytes at the end of a file
_WIDE = ("utf-16", "utf-32")  # encodings whose line ends are not one byte
_MOST_BELOW = 20  # lines of footnotes
_NUMBER = re.compile(r"[-+.]?\d+([.,]\d*)?")
_TOTAL = re.compile(
    r"((grand|sub)?[ -]?total|totals|sums?|summe|gesamt(summe)?|insgesamt|totale|total general|suma|totaal)\s*:?",
    re.IGNORECASE,
)


def without_footer(file: Path, layout: CsvLayout, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """The file, or a copy without its footnotes and totals, and notes on them."""
    if layout.delimiter == WHITESPACE or layout.encoding.startswith(_WIDE) or len(layout.names) < 2:
        return file, ()
    lines = _last_lines(file, layout)
    below = _footnotes(lines, layout)
    said = _footnotes_note(lines[below:], layout)
    rows = lines[:below]
    while rows and not rows[-1].strip():
        rows.pop()
    total = _total(rows, layout)
    if total:
        below = len(rows) - 1
        said.append(f"left out the last row, {quoted(total)}, which looks like the total of the others")
    if not said:
        return file, ()
    copy = folder / f"{len(list(folder.iterdir()))}.csv"
    with file.open("rb") as opened, copy.open("wb") as written:
        shutil.copyfileobj(opened, written)
        written.truncate(file.stat().st_size - sum(map(len, lines[below:])))
    return copy, tuple(said)


def _last_lines(file: Path, layout: CsvLayout) -> list[bytes]:
    """The lines below the header in the last part of the file."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        opened.seek(max(0, size - _TAIL))
        whole = opened.read().splitlines(keepends=True)
    return whole[1:] if size > _TAIL else whole[layout.skip :]


def _footnotes_note(lines: list[bytes], layout: CsvLayout) -> list[str]:
    notes = [text for line in lines if (text := _text(line, layout).strip(f" \t\r\n{layout.delimiter}"))]
    return [f"left out below the rows: {named(notes, 2)}"] if notes else []


def _footnotes(lines: list[bytes], layout: CsvLayout) -> int:
    """The place where footnotes begin: from a blank line or a # on, all lines are narrower than the table or contain
    one cell of text."""
    begin = place = len(lines)
    while place > max(0, len(lines) - _MOST_BELOW) and _is_note(lines[place - 1], layout):
        place -= 1
        if not lines[place].strip() or lines[place].startswith(b"#"):
            begin = place
    quotes = sum(line.count(b'"') for line in lines[begin:])
    return len(lines) if quotes % 2 else begin  # within a cell that holds line ends


def _is_note(line: bytes, layout: CsvLayout) -> bool:
    cells = _cells(line, layout)
    filled = [cell for cell in cells if cell.strip()]
    if not filled:
        return not line.strip() or len(cells) > 1
    first = cells[0].strip()
    if len(filled) == 1:
        return (len(cells) < len(layout.names) or len(cells) > 2) and bool(first) and not _NUMBER.fullmatch(first)
    return len(cells) < len(layout.names) and re.search(r"[\s:*]", first) is not None  # not a row that breaks off


def _total(rows: list[bytes], layout: CsvLayout) -> str:
    """The word for a total at the beginning of the last row, if no row above it has one; otherwise ""."""
    if len(rows) < 3 or sum(row.count(b'"') for row in rows[-1:]) % 2:
        return ""
    words = [next((cell.strip() for cell in _cells(row, layout) if cell.strip()), "") for row in rows]
    again = any(_TOTAL.fullmatch(word) for word in words[:-1])
    return words[-1] if _TOTAL.fullmatch(words[-1]) and not again else ""


def _cells(line: bytes, layout: CsvLayout) -> list[str]:
    return next(csv.reader([_text(line, layout)], delimiter=layout.delimiter), [])


def _text(line: bytes, layout: CsvLayout) -> str:
    return line.decode(layout.encoding, "replace")
