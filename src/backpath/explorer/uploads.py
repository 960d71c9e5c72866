"""Uploaded tables: read by the strict reader of ``files``, in a process of their own whose memory and time are limited.

``python -m backpath.explorer.uploads`` is that process. It gets what to read on standard input, reads the file in its
working folder, and leaves X.npy, y.npy and preparation.json there; or says what is wrong on standard output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.files.preparation import Preparation
from backpath.maths.arrays import Floats

LONGEST_NAME = 80
REFUSED = 3  # the exit status of a table that is refused


def safe_name(given: str, otherwise: str) -> str:
    """A file's name from outside as the name of a file in a folder of our own.

    >>> safe_name("..%2f..%2fetc%2fpasswd", "table.csv"), safe_name("..", "table.csv"), safe_name("a%20b.csv", "")
    ('passwd', 'table.csv', 'a b.csv')
    """
    name = unquote(given).replace("\\", "/").rpartition("/")[2]
    name = "".join(c if c.isprintable() else "_" for c in name)[-LONGEST_NAME:].strip()
    return otherwise if not name or name.startswith(".") else name


def read_table(raw: bytes, name: str, target: str | None) -> tuple[Floats, Floats, Preparation]:
    """X, y and the preparation of a CSV file's bytes.

    Raises
    ------
    InputError
        What the command line says of the file; or that it takes too much memory or time.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_bytes(raw)
        asked = json.dumps({"name": name, "target": target})
        command = [sys.executable, "-P", "-m", "backpath.explorer.uploads"]
        here = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)  # noqa: PTH100 - text for a variable
        options: dict[str, Any] = {"input": asked, "capture_output": True, "text": True, "cwd": folder}
        try:
            done = subprocess.run(
                command, **options, env=os.environ | {"PYTHONPATH": here}, timeout=limits.TABLE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise InputError(
                f"{name} takes longer than {limits.TABLE_SECONDS} s to read; use a smaller table"
            ) from None
        if done.returncode == REFUSED:
            raise InputError(done.stdout.strip())
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            raise InputError(f"{name} takes too much memory to read; use a smaller table")
        X, y = (np.load(Path(folder, file), allow_pickle=False) for file in ("X.npy", "y.npy"))
        return X, y, Preparation.from_dict(json.loads(Path(folder, "preparation.json").read_text("utf-8")))


def _read_here(asked: dict[str, Any]) -> None:
    """In the process of its own."""
    from backpath.files.opening import open_table
    from backpath.files.tables import read_training_table

    name, target = asked["name"], asked["target"]
    with Path(name).open("rb") as file:
        if file.read(4) == b"PAR1":
            raise InputError(f"{name} is a Parquet file; the explorer takes CSV files only: export it as CSV")
    with open_table(name) as source:
        columns = source.names
    if len(columns) > limits.COLUMNS:
        raise InputError(f"{name} has {len(columns):,} columns; the explorer takes up to {limits.COLUMNS:,}")
    table = read_training_table(name, columns[-1] if target is None else target)
    X, y, preparation = table.whole()
    if X.size + y.size > limits.NUMBERS:
        raise InputError(
            f"{name} makes {X.size + y.size:,} numbers, inputs and targets of all rows; the explorer takes up to "
            f"{limits.NUMBERS:,}: use fewer rows or columns, or backpath train"
        )
    np.save("X.npy", X)
    np.save("y.npy", y)
    Path("preparation.json").write_text(json.dumps(preparation.to_dict()), "utf-8")


def _limit_this_process() -> None:
    try:
        import resource
    except ImportError:  # not a POSIX system; the time is limited from outside
        return
    resource.setrlimit(resource.RLIMIT_AS, (limits.TABLE_BYTES, limits.TABLE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.TABLE_SECONDS, limits.TABLE_SECONDS))


if __name__ == "__main__":
    _limit_this_process()
    try:
        _read_here(json.load(sys.stdin))
    except InputError as error:
        print(" ".join(str(error).split()))
        sys.exit(REFUSED)
