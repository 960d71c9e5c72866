"""The format of a CSV file, and checks of its bytes."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backpath.errors import InputError

_BLOCK = 1 << 20
WHITESPACE = "whitespace"
_WORDS = {"\\t": "\t", "tab": "\t", " ": WHITESPACE}
_MARKS = (  # the longer ones first, because UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Dialect:
    """The format of a CSV file; fields that are None are detected in the file, and reported.

    Attributes
    ----------
    delimiter : str | None
        The character between cells, ``"\\t"`` for a tab, or "whitespace" for runs of blanks.
    encoding : str | None
        Any text encoding of Python's. None: according to the byte order mark, otherwise UTF-8.
    decimal : "." | "," | None
        The decimal mark of numbers. None: each column's cells decide.
    header : bool | None
        Whether the first line contains the columns' names. None: yes, and a line of numbers is refused.
    missing : tuple of str
        Cells that mean "no value", in addition to the usual ones.

    Raises
    ------
    InputError
        If the values are not valid.

    >>> Dialect(delimiter=";", decimal=",").delimiter
    ';'
    """

    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    header: bool | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.delimiter is not None:
            object.__setattr__(self, "delimiter", _delimiter(self.delimiter))
        if self.decimal not in (None, ".", ","):
            raise InputError(f"the decimal mark must be '.' or ',', but is {self.decimal!r}")
        if self.decimal is not None and self.decimal == self.delimiter:
            raise InputError("the delimiter and the decimal mark are both ','; they must differ")
        if self.encoding is not None:
            object.__setattr__(self, "encoding", _encoding(self.encoding))

    @property
    def is_for_text(self) -> bool:
        """Whether any setting applies only to text files."""
        return (self.delimiter, self.encoding, self.header) != (None, None, None)


def _delimiter(given: str) -> str:
    found = _WORDS.get(given, given)
    if found == WHITESPACE:
        return found
    single = isinstance(found, str) and len(found) == 1 and found.isascii()
    if not single or found.isalnum() or found in '"\n\r\0.+-_':
        raise InputError(
            f"the delimiter must be one character such as ',', ';' or a tab, or 'whitespace', but is {given!r}"
        )
    return found


def _encoding(given: str) -> str:
    try:
        known = codecs.lookup(given)
        "".encode(given)  # codecs such as base64 and rot13 are not text encodings
    except (LookupError, TypeError, ValueError):
        raise InputError(
            f"unknown encoding {given!r}; try utf-8, utf-16, latin-1 or another that Python supports"
        ) from None
    return known.name


def encoding_of(path: Path, dialect: Dialect) -> str:
    """The encoding of a file: the dialect's, or according to its byte order mark, or UTF-8. It drops the mark."""
    if dialect.encoding not in (None, "utf-8", "utf-8-sig"):
        return str(dialect.encoding)
    with path.open("rb") as file:
        start = file.read(4)
    marked = [name for mark, name in _MARKS if start.startswith(mark)]
    return marked[0] if marked and dialect.encoding is None else "utf-8-sig"


def check_text(path: Path, shown: str, encoding: str, copy: BinaryIO | None = None) -> None:
    """Refuse a file that is not text in that encoding, with the line; otherwise write it as UTF-8 to ``copy``."""
    line = 1
    for text in _decoded(path, shown, encoding):
        if "\0" in text:
            before, _, _ = text.partition("\0")
            raise _nul_refusal(shown, line + line_ends(before), text)
        line += line_ends(text)
        if copy is not None:
            copy.write(text.encode("utf-8", "surrogatepass"))


def _decoded(path: Path, shown: str, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding, "ignore")
                raise _not_this(
                    path,
                    f"{shown}, line {line + line_ends(good)}: byte 0x{error.object[error.start]:02x} is not "
                    f"{_shown_encoding(encoding)}",
                    encoding,
                ) from None
            except UnicodeError as error:  # such as UTF-16 without its byte order mark
                raise _not_this(path, f"{shown} is not {encoding} ({error})", encoding) from None
            yield text
            line += line_ends(text)
            if not block:
                return


def _shown_encoding(encoding: str) -> str:
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _not_this(path: Path, found: str, encoding: str) -> InputError:
    """The error for a file in another encoding; bytes 0x80 to 0x9f are “, ” and € in cp1252, but unused in latin-1."""
    if encoding != "utf-8-sig":
        return InputError(f"{found}; try another --encoding")
    other = "latin-1"
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if len(block.translate(None, bytes(range(0x80, 0xA0)))) < len(block):
                other = "cp1252"
                break
    return InputError(f"{found}; try --encoding {other}, or save the file as UTF-8", options=("--encoding", other))


def _nul_refusal(shown: str, line: int, text: str) -> InputError:
    start = text[:1000]
    if start.count("\0") * 3 > len(start):
        likely = "utf-16-be" if start[0] == "\0" else "utf-16-le"
        return InputError(
            f"{shown}, line {line}: every other byte is NUL, as in UTF-16; try --encoding utf-16-le or utf-16-be",
            options=("--encoding", likely),
        )
    return InputError(f"{shown}, line {line}: a NUL byte; the file is damaged or not text, export it again")


def line_ends(text: str) -> int:
    return text.count("\n") or text.count("\r")
