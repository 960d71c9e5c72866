"""The table of a model: its file stores a path and a digest, but no rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backpath.errors import InputError
from backpath.files.file_paths import PathLike
from backpath.files.unpacking import STANDARD_INPUT, table_files
from backpath.files.wording import shown_path


def origin_of(given: Sequence[PathLike]) -> dict[str, Any] | None:
    """The files of a table and the digest of their bytes; None for standard input, which cannot be read again."""
    if STANDARD_INPUT in given:
        return None
    paths = [Path(path).resolve() for path in table_files(list(given))]
    return {"files": [str(path) for path in paths], "sha256": _digest(paths)}


def beside(origin: Mapping[str, Any], model: PathLike) -> dict[str, Any]:
    """The origin with paths relative to the model's folder, so that both can be moved together."""
    folder = Path(model).resolve().parent
    return {**origin, "files": [_relative(path, folder) for path in origin["files"]]}


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path


def found_table(record: Mapping[str, Any], model: PathLike) -> list[Path]:
    """The files of the table that a model was trained on.

    Raises
    ------
    InputError
        If the model's record names none, or they no longer exist, or they have changed.
    """
    origin: Any = record.get("table")
    names = origin.get("files") if isinstance(origin, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError("its file does not say which table it was trained on")
    paths = [Path(model).resolve().parent / name for name in names]
    for name, path in zip(names, paths, strict=True):
        if not path.is_file():
            raise InputError(f"the table that it was trained on, {shown_path(name)}, does not exist")
    if not paths or _digest(paths) != origin.get("sha256"):
        raise InputError(f"the table that it was trained on, {', '.join(map(shown_path, names))}, has changed since")
    return paths


def _digest(paths: Sequence[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()
