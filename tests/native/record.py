"""Records calls of the native kernels: what was in memory before and after each, in a file that any platform replays.

Words of 8 bytes, the lowest byte first; a text is its length and its bytes, filled up to whole words.

    file     = how many, call …
    call     = name, function (texts), how many, block …, how many, argument …, whether it has a result, result
    block    = 0, before, whether to compare, after (texts)  |  1, how many, block pointed to (-1: null) …
    argument = 0, number                                     |  1, block pointed to
"""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path

import numpy as np

from backpath.training import prediction
from backpath.training.engines import compiled, each, groups
from backpath.training.native import calls, library

WORKING_MEMORY = "memory"  # the field of a structure that points to bytes which mean nothing after the call

Structures = ctypes.Structure | ctypes.Array


def word(number: int) -> bytes:
    return struct.pack("<q", number)


def text(data: bytes) -> bytes:
    return word(len(data)) + data + bytes(-len(data) % 8)


class Blocks:
    """All memory that the arguments of a call lead to."""

    def __init__(self, known: dict[int, Structures | int]):
        self._known, self._numbers, self._working_memory = known, {}, set()
        self._blocks: list[tuple[int, bytes | list[int]]] = []

    def at(self, place: int | None) -> int:
        """The number of the block there, with the blocks that it points to; -1 for null."""
        if not place:
            return -1
        if place not in self._numbers:
            self._numbers[place] = number = len(self._blocks)
            self._blocks.append((place, b""))
            self._blocks[number] = (place, self._read(place))
        return self._numbers[place]

    def _read(self, place: int) -> bytes | list[int]:
        known = self._known[place]
        if isinstance(known, int):
            return ctypes.string_at(place, known)
        if ctypes.c_void_p not in {kind for _, kind in getattr(known, "_fields_", ())}:  # one, or an array of them
            return ctypes.string_at(place, ctypes.sizeof(known))
        pointers = {field: self.at(getattr(known, field)) for field, _ in known._fields_}
        self._working_memory.add(pointers.get(WORKING_MEMORY))
        return list(pointers.values())

    def written(self) -> bytes:
        """The blocks as they were when first seen, and as they are now."""
        return word(len(self._blocks)) + b"".join(
            word(1) + word(len(before)) + b"".join(map(word, before))
            if isinstance(before, list)
            else word(0)
            + text(before)
            + word(number not in self._working_memory)
            + text(ctypes.string_at(place, len(before)))
            for number, (place, before) in enumerate(self._blocks)
        )


class Recorder:
    """The kernels of one library, which write down every call: the engines' own while the monkeypatch lasts."""

    def __init__(self, path: Path, monkeypatch):
        self._library, self.name, self.calls = ctypes.CDLL(str(path)), "", []
        self._known: dict[int, Structures | int] = {}
        self._addressof = ctypes.addressof
        for module in (compiled, each, groups, prediction):
            monkeypatch.setattr(module, "address", self.address)
            monkeypatch.setattr(module, "kernels", self.kernels)
        monkeypatch.setattr(compiled, "part", self.part)
        monkeypatch.setattr(ctypes, "addressof", self.address_of_structure)

    def address(self, array, dtype, least):
        place = library.address(array, dtype, least)
        self._known[place] = least * array.itemsize
        return place

    def part(self, start, first, count, dtype):
        place = library.part(start, first, count, dtype)
        self._known[place] = count * dtype.itemsize
        return place

    def address_of_structure(self, structure):
        place = self._addressof(structure)
        self._known[place] = structure
        return place

    def kernels(self, dtype):
        number = library.NUMBER_TYPES[np.dtype(dtype).name]
        kernels = library.Kernels(self._library, number)
        for name in calls.SIGNATURES:
            setattr(kernels, name, self._recorded(f"{name}_{number}", getattr(kernels, name)))
        return kernels

    def _recorded(self, function, kernel):
        def call(*arguments):
            blocks = Blocks(self._known)
            given = [
                word(1) + word(blocks.at(value)) if kind is ctypes.c_void_p else word(0) + word(value)
                for kind, value in zip(kernel.argtypes, arguments, strict=True)
            ]
            result = kernel(*arguments)
            parts = [text(self.name.encode()), text(function.encode()), blocks.written(), word(len(given)), *given]
            self.calls.append(b"".join([*parts, word(result is not None), word(result or 0)]))
            return result

        return call

    def write(self, path: Path) -> Path:
        path.write_bytes(word(len(self.calls)) + b"".join(self.calls))
        return path
