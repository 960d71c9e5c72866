"""Paths of files, and checks of files to read."""

from __future__ import annotations

import os
from pathlib import Path

from backpath.errors import InputError
from backpath.files.wording import shown_path

PathLike = str | os.PathLike[str]


def existing_file(path: PathLike, expected: str) -> Path:
    """The path of a regular file that can be opened; otherwise an InputError that asks for ``expected``."""
    try:
        file = Path(path)
        if file.exists() and not file.is_dir() and not file.is_file():
            raise InputError(f"{shown_path(path)} is not a regular file; give {expected}")
        with file.open("rb"):
            return Path(os.path.realpath(file))
    except InputError:
        raise
    except (TypeError, ValueError):
        raise InputError(f"{path!r} cannot be the path of a file; give {expected}") from None
    except OSError as error:
        raise unreadable(path, expected, error) from None


def unreadable(path: PathLike, expected: str, error: OSError) -> InputError:
    """The error for a file that cannot be opened, with the same words in all commands."""
    shown = shown_path(path)
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no file {shown}; check the path")
    if Path(path).is_dir():
        return InputError(f"{shown} is a folder; give {expected} in it")
    return InputError(f"{shown} cannot be read: {error.strerror or error}")
