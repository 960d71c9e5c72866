"""Paths of files; a file to read: is it there, and is it a file?"""

from __future__ import annotations

import os
from pathlib import Path

from backpath.errors import InputError
from backpath.files.wording import shown_path

PathLike = str | os.PathLike[str]


def existing_file(path: PathLike, expected: str) -> Path:
    """The path of a regular file that can be opened; InputError if it is anything else than ``expected``."""
    try:
        file, shown = Path(path), shown_path(path)
        if file.is_dir():
            raise InputError(f"{shown} is a folder; give {expected} in it")
        if not file.exists():
            raise InputError(f"there is no file {shown}; check the path")
        if not file.is_file():
            raise InputError(f"{shown} is not a regular file; give {expected}")
        with file.open("rb"):
            return Path(os.path.realpath(file))
    except InputError:
        raise
    except (TypeError, ValueError):
        raise InputError(f"{path!r} cannot be the path of a file; give {expected}") from None
    except OSError as error:
        raise InputError(f"{shown_path(path)} cannot be read: {error.strerror}") from None
