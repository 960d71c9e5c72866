"""Files that are written completely or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from backpath.errors import InputError
from backpath.files.file_paths import PathLike
from backpath.files.wording import shown_path

_UNNAMED = getattr(os, "O_TMPFILE", 0) if Path("/proc/self/fd").is_dir() else 0  # a file without a name (Linux)
_NO_UNNAMED = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}  # from file systems without unnamed files


def write_atomically(path: PathLike, content: bytes | Callable[[BinaryIO], None]) -> None:
    """Write a file so that its old content stays until all of the new content is on the disk.

    The content goes to a temporary file in the same folder, which then takes the file's name. On Linux the temporary
    file has no name until then, so that a killed process leaves nothing behind; elsewhere the next write into the
    folder removes such leftovers. Folders are not created. Before its first byte is written, the new file gets the mode
    and, if the system allows it, the owner of the old one.

    Parameters
    ----------
    path : where to write; an existing file is replaced, a symbolic link is followed
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
    _sweep(target.parent)
    try:
        with _temporary(target, path) as (file, named):
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
            named().replace(target)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from None
    _sync_folder(target.parent)


def check_writable(path: PathLike, inputs: Sequence[PathLike] = ()) -> None:
    """Refuse in advance what ``write_atomically`` would refuse after the work, and also files that the work reads
    (``inputs``); leaves nothing behind."""
    target = _target(path)
    for source in inputs:
        if target.exists() and Path(source).exists() and target.samefile(source):
            raise _refusal(path, "this command reads it; give another path")
    with _temporary(target, path):
        pass


def _target(path: PathLike) -> Path:
    try:
        target = Path(os.path.realpath(path))  # the target of a symbolic link, so that the link stays
    except FileNotFoundError:
        raise _refusal(path, "the working directory no longer exists; change to another one") from None
    except (TypeError, ValueError):
        raise InputError(f"{path!r} cannot be the name of a file; give another path") from None
    try:
        mode = target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not target.parent.is_dir():
            raise _refusal(path, "its folder does not exist; create it first") from None
        return target
    except OSError as error:
        raise _refusal(path, f"{error.strerror}; give another path") from None
    except ValueError:
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


@contextmanager
def _temporary(target: Path, path: PathLike) -> Iterator[tuple[BinaryIO, Callable[[], Path]]]:
    """A new file in the target's folder, and a function that names it when it is complete; otherwise it is removed."""
    old = target.stat() if target.exists() else None
    name = target.with_name(f".backpath-{secrets.token_hex(8)}.tmp")
    try:
        try:
            handle, unnamed = _open(name, 0o666 if old is None else 0o600)
        except OSError as error:
            raise _refusal(path, f"its folder is not writable ({error.strerror}); give another path") from None
        with os.fdopen(handle, "w+b") as file:
            if old is not None:
                _take_over(handle, old)
            _hold(handle)

            def named() -> Path:
                if unnamed:
                    os.link(f"/proc/self/fd/{handle}", name, src_dir_fd=handle)  # given a folder, it follows the link
                if os.name != "posix":  # an open file cannot be renamed there
                    file.close()
                return name

            yield file, named
    finally:
        name.unlink(missing_ok=True)


def _open(name: Path, mode: int) -> tuple[int, bool]:
    """A new file open for writing, and whether it is unnamed."""
    if _UNNAMED:
        try:
            return os.open(name.parent, _UNNAMED | os.O_RDWR, mode), True
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
    flags = getattr(os, "O_BINARY", 0) | getattr(os, "O_EXLOCK", 0)  # Windows; macOS: locked from the start
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, mode), False


def _take_over(handle: int, old: os.stat_result) -> None:
    """Give the new file the owner and mode of the old one."""
    if os.name != "posix":
        return
    with suppress(PermissionError):  # only root can change the owner; otherwise the file belongs to its writer
        os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, stat.S_IMODE(old.st_mode))


def _hold(handle: int) -> None:
    """Lock the file while it is open, which shows that it is not stale."""
    if os.name == "posix":
        import fcntl

        with suppress(OSError):  # a file system without locks: then `_sweep` cannot lock it either
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sweep(folder: Path) -> None:
    """Remove the temporary files of killed processes, which no process has locked."""
    for stale in folder.glob(".backpath-*.tmp"):
        if stale.is_symlink() or not stale.is_file():  # not ours; opening a named pipe would wait forever
            continue
        with suppress(OSError):  # locked, or already removed; on Windows an open file cannot be removed
            if os.name != "posix":
                stale.unlink()
                continue
            import fcntl

            with stale.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stale.unlink()


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that the new name is on disk (POSIX; elsewhere a folder cannot be opened)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
