"""Files that are either wholly written or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from backpath.errors import InputError
from backpath.files.wording import shown_path

PathLike = str | os.PathLike[str]


def write_atomically(path: PathLike, content: bytes | Callable[[BinaryIO], None]) -> None:
    """Write a file so that its old content stays until all of the new content is on the disk.

    The content goes to a temporary file in the same folder, which then takes the file's name. Folders are not created.

    Parameters
    ----------
    path : where to write; a file that is there is replaced, a symbolic link is followed
    content : the bytes, or a function that writes them to the file that it is given

    Raises
    ------
    InputError
        If the path is a folder, or its folder is missing or not writable.
    OSError
        If the disk fails or is full; the old file is still there, and nothing else.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder, "a.txt"), b"one")
    ...     Path(folder, "a.txt").read_text()
    'one'
    """
    target = _target(path)
    temporary, file = _create_beside(target, path)
    try:
        with file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(target)) from None
        raise
    _sync_folder(target.parent)


def check_writable(path: PathLike, inputs: Sequence[PathLike] = ()) -> None:
    """Refuse now what ``write_atomically`` would refuse later, after the work is done, and to write over a file that
    the work reads (``inputs``); nothing is left behind."""
    target = _target(path)
    for source in inputs:
        if target.exists() and Path(source).exists() and target.samefile(source):
            raise _refusal(path, "it is read from; give another path")
    temporary, file = _create_beside(target, path)
    file.close()
    temporary.unlink()


def _target(path: PathLike) -> Path:
    try:
        target = Path(os.path.realpath(path))  # the file that a symbolic link names, so that the link stays
        mode = target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not target.parent.is_dir():
            raise _refusal(path, "its folder does not exist; create it first") from None
        return target
    except OSError as error:
        raise _refusal(path, f"{error.strerror}; give another path") from None
    except (TypeError, ValueError):
        raise InputError(f"{path!r} cannot be the name of a file; give another path") from None
    if stat.S_ISDIR(mode):
        raise _refusal(path, "it is a folder; give a file name in it")
    if not stat.S_ISREG(mode):
        raise _refusal(path, "it is not a regular file; give another path")
    if not os.access(target, os.W_OK):
        raise _refusal(path, "it is write-protected; give another path")
    return target


def _refusal(path: PathLike, reason: str) -> InputError:
    return InputError(f"cannot write {shown_path(path)}: {reason}")


def _create_beside(target: Path, path: PathLike) -> tuple[Path, BinaryIO]:
    """A new file in the target's folder, with the permissions that the user's umask gives."""
    temporary = target.with_name(f".backpath-{secrets.token_hex(8)}.tmp")
    try:
        return temporary, temporary.open("xb")
    except OSError as error:
        raise _refusal(path, f"its folder does not take files ({error.strerror}); give another path") from None


def _sync_folder(folder: Path) -> None:
    """Put the new name itself on the disk (POSIX; elsewhere a folder cannot be opened)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
