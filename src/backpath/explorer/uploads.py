"""Uploaded tables: read by ``files`` in a separate process with limited memory and time.

``python -m backpath.explorer.uploads`` is that process. It gets the request on standard input, reads the file in its
working folder, and writes arrays and said.json there, or an error message on standard output.
"""

from __future__ import annotations

import errno
import json
import os
import signal
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
from backpath.files.sources import MORE_MEMORY
from backpath.files.wording import plain

if TYPE_CHECKING:  # not in the separate process
    from backpath.explorer.data import Data
    from backpath.explorer.scene import Scene
    from backpath.files.choices import Choices
    from backpath.files.dialect import Dialect

LONGEST_NAME = 80
_RESERVED = "" if os.name == "posix" else '<>:"|?*'  # not in the names of files on Windows
REFUSED = 3  # the exit status of a table that is refused


def safe_name(given: str, otherwise: str) -> str:
    """A safe name for a file in our folder, from a name that came from outside.

    >>> safe_name("..%2f..%2fetc%2fpasswd", "table.csv"), safe_name("..", "table.csv"), safe_name("a%20b.csv", "")
    ('passwd', 'table.csv', 'a b.csv')
    """
    name = unquote(given).replace("\\", "/").rpartition("/")[2]
    name = "".join(c if c.isprintable() and c not in _RESERVED else "_" for c in name)[-LONGEST_NAME:].strip()
    return otherwise if not name or name.startswith(".") else name


class TableError(InputError):
    """The table is refused.

    Attributes
    ----------
    columns : list of str
        The table's columns, if they could be read.
    """

    def __init__(self, message: str, columns: Sequence[str] = (), options: Sequence[str] = ()) -> None:
        super().__init__(message, options=options)
        self.columns = list(columns)


@dataclass(frozen=True)
class UploadedTable:
    """An uploaded table.

    Attributes
    ----------
    columns : list of str
        All columns in the file.
    is_models : bool
        It has the columns of the given model, and is prepared as in its training.
    """

    data: Data
    columns: list[str]
    is_models: bool

    def lacking(self, model: Preparation) -> list[str]:
        """Columns of the model that the table lacks."""
        wanted = [column.name for column in model.inputs] + [model.target.name]
        return [plain(name) for name in wanted if name not in self.columns]

    def scene(self, before: Scene) -> Scene:
        """The scene with this table: with the model that it belongs to, or with a new network."""
        return before.with_table(self.data) if self.is_models else type(before).of_table(self.data)


def read_table(
    raw: bytes, name: str, target: str | None, model: Preparation | None = None, how: dict[str, Any] | None = None
) -> UploadedTable:
    """The table in a file's bytes; a table with the columns of a model is prepared as in the model's training.

    Parameters
    ----------
    how : the choices of ``how_to_read``

    Raises
    ------
    TableError
        With the message of the command line, or if it takes too much memory or time.
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
            raise TableError(f"{name} takes too much {_lacking(done.returncode)} to read; use a smaller table")
        said = json.loads(Path(folder, "said.json").read_text("utf-8"))
        return UploadedTable(_data(Path(folder), name, said), said["columns"], said["is_models"])


def _lacking(status: int) -> str:
    return "time" if os.name == "posix" and status == -signal.SIGXCPU else "memory"


def _data(folder: Path, name: str, said: dict[str, Any]) -> Data:
    """The table that the process wrote."""
    from backpath.explorer.data import Data

    X, y, numbers = (np.load(folder / f"{part}.npy", allow_pickle=False) for part in ("X", "y", "numbers"))
    preparation = Preparation.from_dict(said["preparation"])
    task, note = preparation.target.task, said["note"][: limits.NOTE]
    return Data(name, task, X, y, preparation, note=note, numbers=numbers if len(numbers) else None)


LISTS = ("na", "ignore", "keep", "numeric", "categorical")  # choices that may be given several times
WORDS = ("delimiter", "decimal", "encoding", "header", "missing", "dates", "task")


def how_to_read(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options for reading a table from a query's fields, with the names of the command line's options."""
    found: dict[str, Any] = {key: given[key] for key in WORDS if given.get(key)}
    return found | {key: given[key] for key in LISTS if given.get(key)}


def _read_here(asked: dict[str, Any], columns: list[str]) -> None:
    """The work of the separate process; ``columns`` is filled when they are known."""
    from backpath.explorer.data import of_prepared, of_training_table
    from backpath.files.opening import open_table
    from backpath.files.prepared_table import read_prepared
    from backpath.files.tables import read_training_table

    name, target = asked["name"], asked["target"]
    dialect, choices = _reading(asked["how"])
    file = Path(name)  # the text "-" would mean standard input
    with open_table(file, dialect) as source:
        columns += source.names
    if len(columns) > limits.COLUMNS:
        raise InputError(f"{name} has {len(columns):,} columns; the explorer takes up to {limits.COLUMNS:,}")
    model = asked["model"] and Preparation.from_dict(asked["model"])
    is_models = model is not None and {column.name for column in model.inputs} | {model.target.name} <= set(columns)
    if is_models:
        found = of_prepared(name, read_prepared(file, model, dialect), model)
    else:
        goal = columns[-1] if target is None else target
        found = of_training_table(name, read_training_table(file, goal, choices, dialect))
    _write(found, columns, is_models)


def _reading(how: Mapping[str, Any]) -> tuple[Dialect, Choices]:
    """The dialect and the choices that ``how_to_read`` collected."""
    from backpath.files.choices import Choices
    from backpath.files.dialect import Dialect

    header = {"yes": True, "no": False}.get(how.get("header", ""))
    dialect = Dialect(how.get("delimiter"), how.get("encoding"), how.get("decimal"), header, tuple(how.get("na", ())))
    categorical, numeric, ignore, keep = (
        tuple(how.get(key, ())) for key in ("categorical", "numeric", "ignore", "keep")
    )
    missing, dates = how.get("missing", "fill"), how.get("dates")
    return dialect, Choices(how.get("task"), categorical, numeric, ignore, keep, missing, dates)


def _write(found: Data, columns: Sequence[str], is_models: bool) -> None:
    """What ``read_table`` reads, in the working folder."""
    count = found.X.size + found.y.size
    if count > limits.NUMBERS:
        raise InputError(
            f"{found.name} has {count:,} numbers, inputs and targets of all rows; the explorer takes "
            f"up to {limits.NUMBERS:,}: use fewer rows or columns, or backpath train"
        )
    np.save("X.npy", found.X)
    np.save("y.npy", found.y)
    np.save("numbers.npy", [] if found.numbers is None else found.numbers)
    preparation = found.preparation.to_dict() if found.preparation else {}
    said = {"preparation": preparation, "is_models": is_models, "columns": columns, "note": found.note}
    Path("said.json").write_text(json.dumps(said), "utf-8")


def _limit_this_process() -> None:
    try:
        import resource
    except ImportError:  # not a POSIX system; the time is limited from outside
        return
    resource.setrlimit(resource.RLIMIT_AS, (limits.TABLE_BYTES, limits.TABLE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.TABLE_SECONDS, limits.TABLE_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.UNPACKED_BYTES, limits.UNPACKED_BYTES))


def _refuse(message: str, options: Sequence[str], columns: Sequence[str]) -> None:
    words = " ".join(message.split()).replace(MORE_MEMORY, "use a smaller table")
    print(json.dumps({"error": words, "options": options, "columns": columns}))
    sys.exit(REFUSED)


if __name__ == "__main__":
    _limit_this_process()
    found: list[str] = []
    request = json.load(sys.stdin)
    try:
        _read_here(request, found)
    except InputError as error:
        _refuse(str(error), error.options, found)
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        most = f"{limits.UNPACKED_BYTES >> 20} MiB"
        _refuse(f"{request['name']} is larger than {most} unpacked, the maximum", (), found)
