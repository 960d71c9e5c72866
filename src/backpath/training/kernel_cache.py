"""Compiles the kernels once per machine: Numba's cache on disk, made so that it never stands in the way.

A kernel is kept in ``NUMBA_CACHE_DIR`` if that is set, else beside its source (in ``__pycache__``), else in the user's
cache folder, else only in memory. It is found again by a digest of the whole source file, so that a changed formula
never runs an old kernel. A cache that cannot be read or written counts as empty.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import caching, event
from numba.core.runtime.nrt import rtsys

from backpath.training.cache_folders import cache_folders, digest_of


class _Folder(caching._CacheLocator):
    """Where a kernel is kept, and by what its source is known."""

    def __init__(self, folder: Path, digest: str):
        self.folder, self.digest = folder, digest

    @classmethod
    def from_function(cls, function: Any, file: str) -> _Folder | None:
        digest = digest_of(Path(file))
        for folder in cache_folders(Path(file), digest[:16]):
            locator = cls(folder, digest)
            with suppress(OSError):
                locator.ensure_cache_path()  # fails unless it can be written
                return locator
        return None

    def get_cache_path(self) -> str:
        return str(self.folder)

    def get_source_stamp(self) -> str:
        return self.digest

    def get_disambiguator(self) -> str:
        return ""


class _Files(caching.CompileResultCacheImpl):
    _locator_classes = [_Folder]  # noqa: RUF012 - Numba's name and kind


class _KernelCache(caching.FunctionCache):
    """Numba's cache of one kernel; whatever goes wrong with its files, the kernel is compiled and runs."""

    _impl_class = _Files

    def load_overload(self, signature: Any, context: Any) -> Any:
        try:
            rtsys.initialize(context)  # Numba's own way also loads all that it could compile with: 0.2 s more
            return self._load_overload(signature, context)
        except Exception:  # damaged files raise what they like
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        try:
            super().save_overload(signature, result)
        except Exception:  # begin with an empty index, if the folder lets us
            with suppress(OSError):
                self.flush()
                super().save_overload(signature, result)


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """The function, compiled at its first call for each kind of arguments, or found in the cache."""
    kernel = njit(**options)(function)
    with suppress(RuntimeError, OSError):  # nowhere to keep it, or no source file to go by
        kernel._cache = _KernelCache(function)
    return kernel


class _Teller(event.Listener):
    """Says on standard error that kernels are being compiled, and, when told to end, how long it took."""

    def __init__(self) -> None:
        self.started: float | None = None

    def on_start(self, event: Any) -> None:
        if self.started is None:
            self.started = time.perf_counter()
            print("compiling the kernels, once on this machine …", end="", file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        """One of them; there may be more."""

    def end(self) -> None:
        if self.started is not None:
            print(f" {time.perf_counter() - self.started:.1f} s", file=sys.stderr, flush=True)


@contextmanager
def told(wanted: bool) -> Iterator[None]:
    """Tell of what is compiled within, if it is wanted or standard error is a terminal."""
    if not (wanted or sys.stderr.isatty()):
        yield
        return
    teller = _Teller()
    with event.install_listener("numba:compile", teller):
        try:
            yield
        finally:
            teller.end()
