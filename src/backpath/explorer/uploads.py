"""Uploaded tables: read by the strict reader of ``files``, in a process of their own whose memory and time are limited.

``python -m backpath.explorer.uploads`` is that process. It gets what to read on standard input, reads the file in its
working folder, and leaves X.npy, y.npy and said.json there; or says what is wrong on standard output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.files.preparation import Preparation
from backpath.files.wording import counted
from backpath.maths.arrays import Floats

if TYPE_CHECKING:  # not in the process of its own
    from backpath.explorer.scene import Scene

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


class TableError(InputError):
    """A table is refused.

    Attributes
    ----------
    columns : list of str
        The columns that it has, where they could be read.
    """

    def __init__(self, message: str, columns: Sequence[str] = (), options: Sequence[str] = ()) -> None:
        super().__init__(message, options=options)
        self.columns = list(columns)


@dataclass(frozen=True)
class UploadedTable:
    """A table that was read.

    Attributes
    ----------
    columns : list of str
        All that are in the file.
    is_models : bool
        It has the columns of the model that was asked about, and is prepared as in its training.
    notes : list of str
        How it was taken.
    """

    X: Floats
    y: Floats
    preparation: Preparation
    columns: list[str]
    is_models: bool
    notes: list[str]

    def scene(self, name: str, before: Scene) -> Scene:
        """The scene with this table: the model's that it is of, or a network of its own."""
        note = " ".join(f"{note[:1].upper()}{note[1:]}." for note in self.notes)
        if self.is_models:
            return before.with_table(name, self.X, self.y, self.preparation, note)
        return type(before).of_table(name, self.X, self.y, self.preparation, note)


def read_table(
    raw: bytes, name: str, target: str | None, model: Preparation | None = None, how: dict[str, Any] | None = None
) -> UploadedTable:
    """The table in a CSV file's bytes; one with the columns of a model is prepared as in the model's training.

    Parameters
    ----------
    how : the choices of ``how_to_read``

    Raises
    ------
    TableError
        What the command line says of the file; or that it takes too much memory or time.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_bytes(raw)
        asked = json.dumps({"name": name, "target": target, "model": model and model.to_dict(), "how": how or {}})
        command = [sys.executable, "-P", "-m", "backpath.explorer.uploads"]
        here = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)  # noqa: PTH100 - text for a variable
        options: dict[str, Any] = {"input": asked, "capture_output": True, "text": True, "cwd": folder}
        try:
            done = subprocess.run(
                command, **options, env=os.environ | {"PYTHONPATH": here}, timeout=limits.TABLE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise TableError(
                f"{name} takes longer than {limits.TABLE_SECONDS} s to read; use a smaller table"
            ) from None
        if done.returncode == REFUSED:
            said = json.loads(done.stdout)
            raise TableError(said["error"], said["columns"], said["options"])
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            raise TableError(f"{name} takes too much memory to read; use a smaller table")
        X, y = (np.load(Path(folder, file), allow_pickle=False) for file in ("X.npy", "y.npy"))
        said = json.loads(Path(folder, "said.json").read_text("utf-8"))
        preparation = Preparation.from_dict(said["preparation"])
        return UploadedTable(X, y, preparation, said["columns"], said["is_models"], said["notes"])


LISTS = ("na", "ignore", "keep", "numeric", "categorical")  # choices that may be given several times
WORDS = ("delimiter", "decimal", "encoding", "header", "missing", "dates", "task")


def how_to_read(given: Mapping[str, Any]) -> dict[str, Any]:
    """The choices of how a table is read, of a query's fields: those of the command line by their names."""
    found: dict[str, Any] = {key: given[key] for key in WORDS if given.get(key)}
    return found | {key: given[key] for key in LISTS if given.get(key)}


def _read_here(asked: dict[str, Any], columns: list[str]) -> None:
    """In the process of its own; ``columns`` is filled once they are known."""
    from backpath.files.choices import Choices
    from backpath.files.dialect import Dialect
    from backpath.files.opening import open_table
    from backpath.files.prepared_table import read_prepared
    from backpath.files.tables import read_training_table

    name, target, how = asked["name"], asked["target"], asked["how"]
    header = {"yes": True, "no": False}.get(how.get("header", ""))
    dialect = Dialect(how.get("delimiter"), how.get("encoding"), how.get("decimal"), header, tuple(how.get("na", ())))
    categorical, numeric, ignore, keep = (
        tuple(how.get(key, ())) for key in ("categorical", "numeric", "ignore", "keep")
    )
    choices = Choices(how.get("task"), categorical, numeric, ignore, keep, how.get("missing", "fill"), how.get("dates"))
    with Path(name).open("rb") as file:
        if file.read(4) == b"PAR1":
            raise InputError(f"{name} is a Parquet file; the explorer takes CSV files only: export it as CSV")
    with open_table(name, dialect) as source:
        columns += source.names
    if len(columns) > limits.COLUMNS:
        raise InputError(f"{name} has {len(columns):,} columns; the explorer takes up to {limits.COLUMNS:,}")
    model = asked["model"] and Preparation.from_dict(asked["model"])
    is_models = model is not None and {column.name for column in model.inputs} | {model.target.name} <= set(columns)
    if is_models:
        X, y, left_out = read_prepared(name, model, dialect)
        preparation, notes = (
            model,
            [f"left out {counted(left_out, 'row')} that the model cannot use"] if left_out else [],
        )
    else:
        table = read_training_table(name, columns[-1] if target is None else target, choices, dialect)
        (X, y, preparation), notes = table.whole(), list(table.notes)
    if X.size + y.size > limits.NUMBERS:
        raise InputError(
            f"{name} makes {X.size + y.size:,} numbers, inputs and targets of all rows; the explorer takes up to "
            f"{limits.NUMBERS:,}: use fewer rows or columns, or backpath train"
        )
    np.save("X.npy", X)
    np.save("y.npy", y)
    said = {"preparation": preparation.to_dict(), "is_models": is_models, "columns": columns, "notes": notes}
    Path("said.json").write_text(json.dumps(said), "utf-8")


def _limit_this_process() -> None:
    try:
        import resource
    except ImportError:  # not a POSIX system; the time is limited from outside
        return
    resource.setrlimit(resource.RLIMIT_AS, (limits.TABLE_BYTES, limits.TABLE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.TABLE_SECONDS, limits.TABLE_SECONDS))


if __name__ == "__main__":
    _limit_this_process()
    found: list[str] = []
    try:
        _read_here(json.load(sys.stdin), found)
    except InputError as error:
        print(json.dumps({"error": " ".join(str(error).split()), "options": error.options, "columns": found}))
        sys.exit(REFUSED)
