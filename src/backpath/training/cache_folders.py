"""Where compiled kernels are kept. Needs no Numba, so that one can look before loading it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def digest_of(source: Path) -> str:
    """What a kernel's source is known by."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def cache_folders(source: Path, name: str) -> Iterator[Path]:
    """The folders that may be tried for a source file's kernels, the first choice first.

    Outside the package they are named after the source's digest, ``name``, for other versions may be installed.
    """
    given, cache = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    if given:
        yield Path(given) / f"backpath-{name}"
    yield source.parent / "__pycache__"
    with suppress(RuntimeError):  # a user without a home
        yield (Path(cache) if cache else Path.home() / ".cache") / "backpath" / name


def are_kept(source: Path) -> bool:
    """Whether kernels of this source file seem to be there already."""
    with suppress(OSError):
        folders = cache_folders(source, digest_of(source)[:16])
        return any(next(folder.glob(f"{source.stem}.*.nbc"), None) for folder in folders)
    return False
