"""How a CSV file is written, and whether its bytes are what that says."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backpath.errors import InputError
from backpath.files.wording import quoted

_BLOCK = 1 << 20
_NOT_TEXT = {
    b"\x1f\x8b": "compressed with gzip; unpack it first",
    b"PK\x03\x04": "a zip archive or a spreadsheet; export it as CSV",
}
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written. Nothing of it is guessed: what differs from the default must be said.

    Attributes
    ----------
    delimiter : str
        The character between two cells; ``"\\t"`` for a tab.
    encoding : str
        Any text encoding that Python knows: utf-8 (with or without a byte order mark), utf-16, latin-1, cp1252 …
    decimal : "." or ","
        The decimal mark of numbers.

    Raises
    ------
    InputError
        If these make no dialect.

    >>> Dialect(delimiter=";", decimal=",")
    Dialect(delimiter=';', encoding='utf-8', decimal=',')
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."

    def __post_init__(self) -> None:
        if self.delimiter in ("\\t", "tab"):  # what reaches us when a shell passes \t on
            object.__setattr__(self, "delimiter", "\t")
        single = isinstance(self.delimiter, str) and len(self.delimiter) == 1 and self.delimiter.isascii()
        if not single or self.delimiter.isalnum() or self.delimiter in '"\n\r\0 .+-_':
            raise InputError(
                f"the delimiter must be one character such as ',', ';' or a tab, but is {self.delimiter!r}"
            )
        if self.decimal not in (".", ","):
            raise InputError(f"the decimal mark must be '.' or ',', but is {self.decimal!r}")
        if self.decimal == self.delimiter:
            raise InputError("the delimiter and the decimal mark are both ','; one of them must be another")
        try:
            known = codecs.lookup(self.encoding)
            "".encode(self.encoding)  # base64, rot13 and the like are codecs, but not of text
        except (LookupError, TypeError, ValueError):
            raise InputError(
                f"unknown encoding {self.encoding!r}; try utf-8, utf-16, latin-1 or another that Python knows"
            ) from None
        object.__setattr__(self, "encoding", known.name)

    @property
    def is_utf8(self) -> bool:
        return self.encoding in ("utf-8", "utf-8-sig")

    @property
    def reading(self) -> str:
        """The encoding to read with: a byte order mark is taken off."""
        return "utf-8-sig" if self.is_utf8 else self.encoding


def check_text(path: Path, shown: str, dialect: Dialect, copy: BinaryIO | None = None) -> None:
    """Refuse a file that is not text in the dialect's encoding, with the line; write the text as UTF-8 to ``copy``."""
    line = 1
    for text in _decoded(path, shown, dialect):
        if "\0" in text:
            before, _, _ = text.partition("\0")
            raise InputError(_nul_message(shown, line + line_ends(before), text))
        line += line_ends(text)
        if copy is not None:
            copy.write(text.encode("utf-8", "surrogatepass"))


def _decoded(path: Path, shown: str, dialect: Dialect) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(dialect.reading)("strict")
    line = 1
    with path.open("rb") as file:
        _check_start(file.read(4), shown, dialect)
        file.seek(0)
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(dialect.reading, "ignore")
                raise InputError(
                    f"{shown}, line {line + line_ends(good)}: byte 0x{error.object[error.start]:02x} is not "
                    f"{dialect.encoding}; {_other_encoding(dialect)}"
                ) from None
            except UnicodeError as error:  # such as UTF-16 without its byte order mark
                raise InputError(f"{shown} is not {dialect.encoding} ({error}); {_other_encoding(dialect)}") from None
            yield text
            line += line_ends(text)
            if not block:
                return


def _check_start(start: bytes, shown: str, dialect: Dialect) -> None:
    for mark, meaning in _NOT_TEXT.items():
        if start.startswith(mark):
            raise InputError(f"{shown} is not a CSV file but {meaning}")
    if start.startswith(_UTF_16_MARKS) and dialect.is_utf8:
        raise InputError(f"{shown}, line 1: the file is UTF-16, not UTF-8; try --encoding utf-16")


def _other_encoding(dialect: Dialect) -> str:
    return "try --encoding latin-1, or save the file as UTF-8" if dialect.is_utf8 else "try another --encoding"


def _nul_message(shown: str, line: int, text: str) -> str:
    if text[:1000].count("\0") * 3 > len(text[:1000]):
        return f"{shown}, line {line}: every other byte is NUL, as in UTF-16; try --encoding utf-16-le or utf-16-be"
    return f"{shown}, line {line}: a NUL byte; the file is damaged or not text, export it again"


def line_ends(text: str) -> int:
    return text.count("\n") or text.count("\r")


def suggested_delimiter(header: str, dialect: Dialect) -> str:
    """What to try when a header holds a single column.

    >>> suggested_delimiter("a;b", Dialect())
    "if ';' separates its columns, try --delimiter ';'"
    """
    for other in ";\t|,":
        if other != dialect.delimiter and other in header:
            name = "'\\t'" if other == "\t" else quoted(other)
            return f"if {'a tab' if other == chr(9) else name} separates its columns, try --delimiter {name}"
    return ""
