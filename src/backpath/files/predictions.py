"""Predictions out: rows of text for a CSV file or the screen."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TextIO

import numpy as np
from numpy.typing import NDArray

from backpath.files.atomic import write_atomically
from backpath.files.preparation import Predictions

Row = list[object]
_BLOCK = 10_000  # rows turned into Python objects at a time


def prediction_rows(predictions: Predictions) -> Iterator[Row]:
    """A header, then a row per prediction: the column ``prediction``, and for classes a column ``probability of …``
    for each.

    >>> list(prediction_rows(Predictions(np.array(["no"]), np.array([[0.9, 0.1]]), ("no", "yes"))))
    [['prediction', 'probability of no', 'probability of yes'], ['no', 0.9, 0.1]]
    """
    yield ["prediction", *(f"probability of {name}" for name in predictions.classes)]
    for start in range(0, len(predictions.values), _BLOCK):
        values = predictions.values[start : start + _BLOCK].tolist()
        if predictions.probabilities is None:
            yield from ([value] for value in values)
        else:
            shares = predictions.probabilities[start : start + _BLOCK].tolist()
            yield from ([value, *row] for value, row in zip(values, shares, strict=True))


def output_rows(A: NDArray[np.floating]) -> Iterator[Row]:
    """A header A1, A2 …, then a row per sample, of outputs of shape (N, outputs) as they are.

    >>> list(output_rows(np.array([[0.5, 1.0]])))
    [['A1', 'A2'], [0.5, 1.0]]
    """
    yield [f"A{j}" for j in range(1, A.shape[1] + 1)]
    for start in range(0, len(A), _BLOCK):
        yield from A[start : start + _BLOCK].tolist()


def print_rows(file: TextIO, rows: Iterable[Row]) -> None:
    """Rows as CSV; numbers have all their digits."""
    csv.writer(file, lineterminator="\n").writerows(rows)


def write_rows(path: str | os.PathLike[str], rows: Iterable[Row]) -> None:
    """Rows to a CSV file in UTF-8, atomically.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """

    def write(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        print_rows(text, rows)
        text.detach()  # flushes, and leaves the file open

    write_atomically(path, write)
