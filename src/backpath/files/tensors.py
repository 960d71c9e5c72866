"""The format of backpath's files: a safetensors file with a digest of all its bytes.

    8 bytes   length of the header, little-endian
    header    JSON: the place, shape and type of each tensor, and metadata: format, version, description, sha256
    data      the tensors one after the other, to the file's last byte

``sha256`` is the digest of the whole file with 64 zeros in its own place. A header has only one form (sorted keys, no
spaces except the padding to 8 bytes), so that every changed bit is detected. Nothing in a file is ever imported or run.

Source: the format's description, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import codecs
import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.wording import counted, first_duplicate, plain, quoted

LONGEST_HEADER = 16 << 20  # bytes; reading JSON may take about ten times its length
_UNCHECKED_SIZE = 64 << 20  # smaller files are read quickly, with or without holes
TYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(code)
    for name, code in (("F64", "<f8"), ("F32", "<f4"), ("I64", "<i8"), ("U32", "<u4"), ("BOOL", "?"))
}
_NAMES = {number: name for name, number in TYPES.items()}
_STRINGS = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)
_NOT_TENSORS = {
    b"\x80": "a pickle, which could run anything when loaded and is never opened",
    b"PK": "a zip archive (as NumPy and PyTorch write), which is never opened",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet table",
}

MOST_DIMENSIONS = 8

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    noun : "model", "checkpoint"
    types : the allowed types of tensors
    dimensions : the dimensions of each tensor; None: any
    sparsest : the least number of characters per list or object
    """

    noun: str
    types: tuple[str, ...]
    dimensions: int | None = None
    version: str = "1"
    sparsest: int = 20

    @property
    def name(self) -> str:
        return f"backpath {self.noun}"


@dataclass(frozen=True)
class Place:
    """The shape and type of a tensor, and its beginning and end in the data."""

    shape: tuple[int, ...]
    number: np.dtype[Any]
    begin: int
    stop: int


def encode(kind: Format, tensors: Mapping[str, NDArray[Any]], description: dict[str, Any]) -> list[bytes]:
    """The parts of a file: its header, then each tensor's bytes."""
    metadata = {"format": kind.name, "version": kind.version, "description": _json(description), "sha256": "0" * 64}
    entries: dict[str, Any] = {"__metadata__": metadata}
    data, end = [], 0
    for name, array in tensors.items():
        number = array.dtype.newbyteorder("<")
        raw = np.ascontiguousarray(array, dtype=number).tobytes()
        entries[name] = {"dtype": _NAMES[number], "shape": list(array.shape), "data_offsets": [end, end + len(raw)]}
        data.append(raw)
        end += len(raw)
    digest = hashlib.sha256(_header(entries))
    for raw in data:
        digest.update(raw)
    metadata["sha256"] = digest.hexdigest()
    return [_header(entries), *data]


def decode(
    path: Path, kind: Format, check: Callable[[dict[str, Place], dict[str, Any]], None]
) -> tuple[Tensors, dict[str, Any]]:
    """The tensors, in the order of the data, and the description in a file of this kind.

    Parameters
    ----------
    check : a function that refuses tensors that do not fit each other, before they are read

    Raises
    ------
    InputError
        If it is not a valid file of this kind; the message says what is wrong. The sizes in the header are compared
        with the file's size before anything is read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        _check_holes(file.fileno(), size)
        entries, header = _read_header(file, size, kind)
        metadata = _metadata(entries, kind)
        description = _parse(metadata["description"], "its description", kind)
        places = _places(entries, kind)
        check(places, description)
        _check_places(places, size - len(header))
        claimed, metadata["sha256"] = metadata["sha256"], "0" * 64
        digest = hashlib.sha256(_header(entries))
        metadata["sha256"] = claimed
        canonical = _header(entries) == header
        tensors: Tensors = {}
        for name, place in places.items():
            array = np.fromfile(file, dtype=place.number, count=math.prod(place.shape))
            if array.size < math.prod(place.shape):
                raise InputError("it was truncated while it was read")
            array = array.reshape(place.shape)
            digest.update(array.data.cast("B") if array.size else b"")
            tensors[name] = array
    if not canonical or digest.hexdigest() != claimed:
        raise InputError("its content does not match its digest: it was changed or damaged after it was saved")
    return tensors, description


def read_description(path: Path, kind: Format) -> dict[str, Any]:
    """The description alone, without checking the digest."""
    with path.open("rb") as file:
        entries, _ = _read_header(file, os.fstat(file.fileno()).st_size, kind)
        return _parse(_metadata(entries, kind)["description"], "its description", kind)


def _check_holes(handle: int, size: int) -> None:
    """Refuse a huge sparse file before anything is read; file systems without holes report everything as data."""
    if size > _UNCHECKED_SIZE and hasattr(os, "SEEK_HOLE"):
        hole = os.lseek(handle, 0, os.SEEK_HOLE)
        os.lseek(handle, 0, os.SEEK_SET)
        if hole < size:
            raise InputError(f"it is a sparse file of {size:,} bytes, with a hole at byte {hole:,}")


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _header(entries: dict[str, Any]) -> bytes:
    """The length and the JSON of a header in its only form."""
    text = _json(entries).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _read_header(file: BinaryIO, size: int, kind: Format) -> tuple[dict[str, Any], bytes]:
    start = file.read(8)
    if not start:
        raise InputError("it is empty")
    for mark, meaning in _NOT_TENSORS.items():
        if start.startswith(mark) and not _plausible(start, size, kind):
            raise InputError(f"it is {meaning}")
    if len(start) < 8:
        raise InputError(
            f"it is {counted(size, 'byte')} long; a {kind.noun} begins with 8 bytes that give its header's length"
        )
    length = int.from_bytes(start, "little")
    if not _plausible(start, size, kind):
        if _is_text(start):
            raise InputError(f"it is text, not a {kind.noun}")
        if length > size - 8:
            raise InputError(
                f"its header should be {length:,} bytes long, but only {size - 8:,} follow: it is truncated"
            )
        raise InputError(f"its header should be {length:,} bytes long; a {kind.noun}'s has 2 to {LONGEST_HEADER:,}")
    raw = file.read(length)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"its header is not UTF-8 (byte {8 + error.start})") from None
    return _parse(text, "its header", kind), start + raw


def _is_text(start: bytes) -> bool:
    """Whether eight bytes look like text: letters, line ends and tabs, possibly after a byte order mark."""
    letters = start.removeprefix(codecs.BOM_UTF8)
    return all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in letters)


def _plausible(start: bytes, size: int, kind: Format) -> bool:
    return len(start) == 8 and 2 <= int.from_bytes(start, "little") <= min(LONGEST_HEADER, size - 8)


def _parse(text: str, what: str, kind: Format) -> dict[str, Any]:
    """A JSON object without repeated keys or non-finite numbers, and not much larger in memory than as text."""
    structure = _STRINGS.sub("", text)
    if structure.count("[") + structure.count("{") > 100 + len(text) // kind.sparsest:
        raise InputError(f"{what} is nested too deeply or holds too many lists to be a {kind.noun}'s")
    try:
        found = json.loads(
            text, object_pairs_hook=_unrepeated, parse_constant=_finite, parse_float=_finite, parse_int=_whole
        )
        _json(found).encode("utf-8")  # an escaped half of a surrogate pair is not text
    except InputError as error:
        raise InputError(f"{what} {error}") from None
    except RecursionError:
        raise InputError(f"{what} is nested too deeply to be a {kind.noun}'s") from None
    except UnicodeEncodeError:
        raise InputError(f"{what} holds half a surrogate pair, which is not text") from None
    except ValueError as error:
        raise InputError(f"{what} is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f"{what} must be a JSON object, but is of type {type(found).__name__}")
    return found


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InputError(f"holds the key {quoted(first_duplicate(name for name, _ in pairs))} twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InputError(f"holds the number {quoted(text)}, which is not finite")
    return number


def _whole(text: str) -> int:
    if len(text) > 20:
        raise InputError(f"holds the number {text[:20]}…, which is too long")
    return int(text)


def _metadata(entries: dict[str, Any], kind: Format) -> dict[str, str]:
    metadata = entries.get("__metadata__")
    if not isinstance(metadata, dict) or metadata.get("format") != kind.name:
        raise InputError(
            f"it is a safetensors file, but not one that backpath wrote (its metadata lacks format = {kind.name})"
        )
    if metadata.get("version") != kind.version:
        raise InputError(
            f"its version is {quoted(metadata.get('version'))}, but this backpath reads version {kind.version!r}; "
            "use the backpath that wrote it"
        )
    if set(metadata) != {"format", "version", "description", "sha256"} or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        raise InputError("its metadata must hold format, version, description and sha256 as text, and nothing else")
    return metadata


def _places(entries: dict[str, Any], kind: Format) -> dict[str, Place]:
    """The places of the tensors, in the order of the data."""
    found = [(name, _tensor(entry, name, kind)) for name, entry in entries.items() if name != "__metadata__"]
    return dict(sorted(found, key=lambda item: (item[1].begin, item[1].stop)))


def _check_places(places: Mapping[str, Place], data: int) -> None:
    """Refuse tensors that do not fill the data without gaps."""
    end = 0
    for name, place in places.items():
        shown = plain(name[:40])
        if place.begin != end:
            raise InputError(
                f"the tensor {shown} begins at byte {place.begin} of the data, but must at {end}: "
                f"tensors {'overlap' if place.begin < end else 'leave a gap'}"
            )
        if place.stop - place.begin != math.prod(place.shape) * place.number.itemsize:
            raise InputError(
                f"the tensor {shown} of shape {place.shape} does not fill its {place.stop - place.begin:,} bytes"
            )
        end = place.stop
    if end > data:
        raise InputError(f"its tensors take {end:,} bytes, but only {data:,} follow the header: it is truncated")
    if end < data:
        raise InputError(f"its last tensor is followed by {counted(data - end, 'byte')}")


def _tensor(entry: object, name: str, kind: Format) -> Place:
    name = plain(name[:40])
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise InputError(f"the tensor {name} must have dtype, shape and data_offsets, and nothing else")
    number, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(number, str) or number not in kind.types:
        raise InputError(f"the tensor {name} must be {' or '.join(kind.types)}, but is {quoted(number)}")
    if not (_whole_numbers(shape, kind.dimensions, kind.dimensions is not None) and _whole_numbers(offsets, 2, False)):
        expected = (
            "two whole numbers each, rows and columns, begin and end" if kind.dimensions == 2 else "whole numbers"
        )
        raise InputError(
            f"the tensor {name} has shape {plain(str(shape)[:40])} and offsets {plain(str(offsets)[:40])}; "
            f"expected {expected}"
        )
    return Place(tuple(shape), TYPES[number], *offsets)


def _whole_numbers(values: object, count: int | None, least: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == (len(values) if count is None else count)
        and len(values) <= MOST_DIMENSIONS
        and all(type(n) is int and least <= n < 2**48 for n in values)
    )
