"""The values of many rows in a temporary file, in blocks with random access."""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

SpooledColumns = list[NDArray[Any]]


class Spool:
    """Columns of values on disk, block after block, and column after column within a block.

    The file has no name, so that it disappears when the process ends in any way. It is in the system's folder for
    temporary files (``TMPDIR``).

    >>> spool = Spool([np.dtype("float64"), np.dtype("int16")], block_rows=2)
    >>> spool.write([np.array([0.5, 1.5, 2.5]), np.array([1, 2, 3], np.int16)])
    >>> spool.finish()
    >>> spool.rows, spool.blocks, [column.tolist() for column in spool.block(1)]
    (3, 2, [[2.5], [3]])
    """

    def __init__(self, dtypes: Sequence[np.dtype[Any]], block_rows: int):
        self.dtypes, self.block_rows, self.rows = tuple(dtypes), block_rows, 0
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - open while the spool exists
        weakref.finalize(self, self._file.close)
        self._waiting: list[SpooledColumns] = []
        self._lock = threading.Lock()

    @property
    def row_bytes(self) -> int:
        return sum(dtype.itemsize for dtype in self.dtypes)

    @property
    def blocks(self) -> int:
        return -(-self.rows // self.block_rows)

    def write(self, columns: Sequence[NDArray[Any]]) -> None:
        """Append rows, and write whole blocks to the file."""
        self._waiting.append([c.astype(dtype, copy=False) for c, dtype in zip(columns, self.dtypes, strict=True)])
        waiting = sum(len(part[0]) for part in self._waiting)
        if waiting < self.block_rows:
            return
        joined = joined_rows(self._waiting)
        whole = waiting - waiting % self.block_rows
        for start in range(0, whole, self.block_rows):
            self._put([column[start : start + self.block_rows] for column in joined])
        self._waiting = [[column[whole:].copy() for column in joined]]

    def finish(self) -> None:
        """Write the remaining rows as a shorter block."""
        if self._waiting and len(self._waiting[0][0]):
            self._put(joined_rows(self._waiting))
        self._waiting = []
        self._file.flush()

    def _put(self, columns: SpooledColumns) -> None:
        for column in columns:
            self._file.write(np.ascontiguousarray(column).data)
        self.rows += len(columns[0])

    def block(self, number: int) -> SpooledColumns:
        """The columns of a block's rows."""
        start = number * self.block_rows
        rows = min(self.block_rows, self.rows - start)
        raw = np.empty(rows * self.row_bytes, np.uint8)
        with self._lock:
            self._file.seek(start * self.row_bytes)
            if self._file.readinto(raw.data) != len(raw):  # type: ignore[attr-defined]
                raise OSError("the temporary file of the table is cut off")
        columns, place = [], 0
        for dtype in self.dtypes:
            columns.append(raw[place : place + rows * dtype.itemsize].view(dtype))
            place += rows * dtype.itemsize
        return columns


def joined_rows(parts: Sequence[Sequence[NDArray[Any]]]) -> SpooledColumns:
    """The rows of several parts, concatenated."""
    return list(parts[0]) if len(parts) == 1 else [np.concatenate(columns) for columns in zip(*parts, strict=True)]
