"""Predictions out: a CSV file, or lines on the screen."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from backpath.files.atomic import write_atomically
from backpath.files.preparation import Predictions


def write_predictions(path: str | os.PathLike[str], predictions: Predictions) -> None:
    """Write ``print_predictions`` to a CSV file in UTF-8, atomically.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """

    def write(file: BinaryIO) -> None:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        print_predictions(text, predictions)
        text.detach()  # flushes, and leaves the file open

    write_atomically(path, write)


def print_predictions(file: TextIO, predictions: Predictions) -> None:
    """A row per prediction, in the order of the rows: the column ``prediction``, and for classes a column
    ``probability of …`` for each. Numbers have all their digits.

    >>> import sys
    >>> import numpy as np
    >>> print_predictions(sys.stdout, Predictions(np.array(["no"]), np.array([[0.9, 0.1]]), ("no", "yes")))
    prediction,probability of no,probability of yes
    no,0.9,0.1
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["prediction", *(f"probability of {name}" for name in predictions.classes)])
    writer.writerows(_rows(predictions))


def _rows(predictions: Predictions, block: int = 10_000) -> Iterator[list[object]]:
    for start in range(0, len(predictions.values), block):
        values = predictions.values[start : start + block].tolist()
        if predictions.probabilities is None:
            yield from ([value] for value in values)
        else:
            shares = predictions.probabilities[start : start + block].tolist()
            yield from ([value, *row] for value, row in zip(values, shares, strict=True))
