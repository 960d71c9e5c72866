"""The bytes of a model file: a safetensors file with a digest over all of it.

    8 bytes   length of the header, little-endian
    header    JSON: the place, shape and type of each tensor, and metadata: format, version, description, sha256
    data      the tensors W1, W2, … one after the other, to the file's last byte

``sha256`` is the digest of the whole file with 64 zeros in its own place. A header has one form only (keys sorted, no
spaces but the padding to 8 bytes), so that no bit of the file can differ unnoticed. What a file says is only ever
compared and counted; nothing of it names anything to import or to run.

Source: the format's description, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import codecs
import hashlib
import json
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.wording import counted, first_duplicate, quoted

FORMAT, VERSION = "backpath model", "1"
LONGEST_HEADER = 1 << 20  # of a table of 10,000 columns; JSON may take some ten times its length to read
_UNCHECKED_SIZE = 64 << 20  # a smaller file is read in a moment, with holes or without
_TYPES: dict[str, np.dtype[Any]] = {"F64": np.dtype("<f8"), "F32": np.dtype("<f4")}
_STRINGS = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)', re.DOTALL)
_NOT_MODELS = {
    b"\x80": "a pickle, which could run anything when loaded and is never opened",
    b"PK": "a zip archive (as of NumPy or PyTorch), which is never opened",
    b"\x93NUMPY": "a NumPy array",
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet table",
}

Arrays = list[NDArray[np.floating]]


def encode(weights: Sequence[NDArray[np.floating]], description: dict[str, Any]) -> list[bytes]:
    """The parts of a model file: its header, then each tensor's bytes."""
    kind = "F32" if weights[0].dtype == np.float32 else "F64"
    data = [np.ascontiguousarray(W, dtype=_TYPES[kind]).tobytes() for W in weights]
    metadata = {"format": FORMAT, "version": VERSION, "description": _json(description), "sha256": "0" * 64}
    entries: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for layer, (W, raw) in enumerate(zip(weights, data, strict=True), 1):
        entries[f"W{layer}"] = {"dtype": kind, "shape": list(W.shape), "data_offsets": [end, end + len(raw)]}
        end += len(raw)
    digest = hashlib.sha256(_header(entries))
    for raw in data:
        digest.update(raw)
    metadata["sha256"] = digest.hexdigest()
    return [_header(entries), *data]


def decode(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The weights and the description in a model file.

    Raises
    ------
    InputError
        If it is anything else, says what it is or where it is broken. What a file promises is compared with its size
        before it is read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        _check_holes(file.fileno(), size)
        entries, header = _read_header(file, size)
        metadata = _metadata(entries)
        description = _parse(metadata["description"], "its description")
        shapes = _layout(entries, size - len(header), biases=description.get("biases") is not False)
        claimed, metadata["sha256"] = metadata["sha256"], "0" * 64
        digest = hashlib.sha256(_header(entries))
        metadata["sha256"] = claimed
        canonical = _header(entries) == header
        weights = []
        for layer, (shape, number) in enumerate(shapes, 1):
            W = np.fromfile(file, dtype=number, count=math.prod(shape)).reshape(shape)
            digest.update(W.data)
            if not np.isfinite(W).all():
                raise InputError(f"its layer {layer} holds a weight that is not finite ({W[~np.isfinite(W)][0]})")
            weights.append(W)
    if not canonical or digest.hexdigest() != claimed:
        raise InputError("its content does not match its digest: it was changed or damaged after it was saved")
    return weights, description


def _check_holes(handle: int, size: int) -> None:
    """Refuse a huge file that is mostly promised, before anything is read; where no holes are known, all is data."""
    if size > _UNCHECKED_SIZE and hasattr(os, "SEEK_HOLE"):
        hole = os.lseek(handle, 0, os.SEEK_HOLE)
        os.lseek(handle, 0, os.SEEK_SET)
        if hole < size:
            raise InputError(f"it is a sparse file of {size:,} bytes, with a hole at byte {hole:,}")


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _header(entries: dict[str, Any]) -> bytes:
    """The length and the JSON of a header, in its one form."""
    text = _json(entries).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _read_header(file: BinaryIO, size: int) -> tuple[dict[str, Any], bytes]:
    start = file.read(8)
    if not start:
        raise InputError("it is empty")
    for mark, meaning in _NOT_MODELS.items():
        if start.startswith(mark) and not _plausible(start, size):
            raise InputError(f"it is {meaning}")
    if len(start) < 8:
        raise InputError(
            f"it is {counted(size, 'byte')} long; a model begins with 8 bytes that give its header's length"
        )
    length = int.from_bytes(start, "little")
    if not _plausible(start, size):
        if _is_text(start):
            raise InputError("it is text, not a model")
        if length > size - 8:
            raise InputError(f"its header should be {length:,} bytes long, but only {size - 8:,} follow: it is cut off")
        raise InputError(f"its header should be {length:,} bytes long; a model's has 2 to {LONGEST_HEADER:,}")
    raw = file.read(length)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"its header is not UTF-8 (byte {8 + error.start})") from None
    return _parse(text, "its header"), start + raw


def _is_text(start: bytes) -> bool:
    """Whether eight bytes are of a text file: letters, line ends, tabs, or a byte order mark and then such."""
    letters = start.removeprefix(codecs.BOM_UTF8)
    return all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in letters)


def _plausible(start: bytes, size: int) -> bool:
    return len(start) == 8 and 2 <= int.from_bytes(start, "little") <= min(LONGEST_HEADER, size - 8)


def _parse(text: str, what: str) -> dict[str, Any]:
    """A JSON object without repeated keys or non-finite numbers, and not far larger in memory than as text."""
    structure = _STRINGS.sub("", text)
    if structure.count("[") + structure.count("{") > 100 + len(text) // 20:
        raise InputError(f"{what} is nested too deeply or holds too many lists to be a model's")
    try:
        found = json.loads(
            text, object_pairs_hook=_unrepeated, parse_constant=_finite, parse_float=_finite, parse_int=_whole
        )
        _json(found).encode("utf-8")  # an escaped half of a surrogate pair is no text
    except InputError as error:
        raise InputError(f"{what} {error}") from None
    except RecursionError:
        raise InputError(f"{what} is nested too deeply to be a model's") from None
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


def _metadata(entries: dict[str, Any]) -> dict[str, str]:
    metadata = entries.get("__metadata__")
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise InputError("it is a safetensors file, but not of backpath (its metadata lacks format = backpath model)")
    if metadata.get("version") != VERSION:
        raise InputError(
            f"its version is {quoted(metadata.get('version'))}, but this backpath reads version {VERSION!r}; "
            "use the backpath that wrote it"
        )
    if set(metadata) != {"format", "version", "description", "sha256"} or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        raise InputError("its metadata must hold format, version, description and sha256 as text, and nothing else")
    return metadata


def _layout(entries: dict[str, Any], data: int, biases: bool) -> list[tuple[tuple[int, int], np.dtype[Any]]]:
    """The shape and type of each layer's tensor, one after the other with nothing before, between or behind."""
    count = len(entries) - 1
    if count == 0:
        raise InputError("it holds no tensor")
    found: list[tuple[tuple[int, int], np.dtype[Any]]] = []
    end = 0
    for layer in range(1, count + 1):
        entry = entries.get(f"W{layer}")
        if entry is None:
            raise InputError(f"the tensor W{layer} is missing among its {count} tensors")
        shape, number, begin, stop = _tensor(entry, f"W{layer}")
        if begin != end:
            raise InputError(
                f"the tensor W{layer} begins at byte {begin} of the data, but must at {end}: "
                f"tensors {'overlap' if begin < end else 'leave a gap'}"
            )
        if stop - begin != math.prod(shape) * number.itemsize:
            raise InputError(f"the tensor W{layer} of shape {shape} does not fill its {stop - begin:,} bytes")
        if found and (found[-1][0][0] + biases != shape[1] or found[-1][1] != number):
            raise InputError(
                f"the shapes do not chain: W{layer - 1} has shape {found[-1][0]}, so W{layer} must have "
                f"{found[-1][0][0] + biases} columns of the same type, but has shape {shape}"
            )
        found.append((shape, number))
        end = stop
    if end > data:
        raise InputError(f"its tensors take {end:,} bytes, but only {data:,} follow the header: it is cut off")
    if end < data:
        raise InputError(f"its last tensor is followed by {counted(data - end, 'byte')}")
    return found


def _tensor(entry: object, name: str) -> tuple[tuple[int, int], np.dtype[Any], int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise InputError(f"the tensor {name} must have dtype, shape and data_offsets, and nothing else")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _TYPES:
        raise InputError(f"the tensor {name} must be F32 or F64, but is {quoted(kind)}")
    for pair, least in ((shape, 1), (offsets, 0)):
        whole = isinstance(pair, list) and len(pair) == 2 and all(type(n) is int and n >= least for n in pair)
        if not whole:
            raise InputError(
                f"the tensor {name} has shape {str(shape)[:40]} and offsets {str(offsets)[:40]}; "
                "expected two whole numbers each, rows and columns, begin and end"
            )
    return (shape[0], shape[1]), _TYPES[kind], offsets[0], offsets[1]
