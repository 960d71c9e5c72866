"""A lock on a file, held by one process; the system releases it when the process ends."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from backpath.errors import InputError
from backpath.files.wording import shown_path


class Lock:
    """Held until `release`; InputError if another process holds it.

    Parameters
    ----------
    path : the lock file, which is created
    what : what is locked, for the message
    """

    def __init__(self, path: Path, what: str):
        self._path = path
        try:
            self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise InputError(f"cannot write {shown_path(path)}: {error.strerror}; give another folder") from None
        try:
            _lock(self._handle)
        except OSError:
            holder = os.pread(self._handle, 20, 1).decode("ascii", "replace").strip() if hasattr(os, "pread") else ""
            os.close(self._handle)
            by = f"process {holder}" if holder.isdecimal() else "another process"
            raise InputError(f"{by} is using {what}; wait for it, or give another folder") from None
        with suppress(OSError):  # a full disk: the holder stays unknown
            os.ftruncate(self._handle, 0)
            os.lseek(self._handle, 1, os.SEEK_SET)  # the first byte is locked
            os.write(self._handle, str(os.getpid()).encode())

    def release(self) -> None:
        if self._handle is not None:
            with suppress(OSError):
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None

    def remove(self) -> None:
        """Release it, and remove its file."""
        if os.name != "posix":  # an open file cannot be removed there
            self.release()
        with suppress(OSError):
            self._path.unlink()
        self.release()


def is_locked(path: Path) -> bool:
    """Whether a process holds that lock."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        _lock(handle)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _lock(handle: int) -> None:
    """OSError if another process holds it."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined] # not on this system
