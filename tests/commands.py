"""Runs the real command line in a real process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signal to a single process")
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other names and rights of files")


@contextmanager
def started(command: list[str], **settings: Any) -> Iterator[subprocess.Popen]:
    """``subprocess.Popen`` that is killed when the test ends, also when it fails."""
    with subprocess.Popen(command, **settings) as process:
        try:
            yield process
        finally:
            process.kill()


def backpath(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``backpath ARGUMENTS`` in that folder."""
    command = [sys.executable, "-m", "backpath", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def done(*arguments: object, cwd: Path) -> str:
    """What a command prints that must succeed."""
    process = backpath(*arguments, cwd=cwd)
    assert process.returncode == 0, process.stderr
    return process.stdout


def refused(*arguments: object, cwd: Path) -> str:
    """The one line of a command that must be refused before anything is done, leaving the folder as it was."""
    before = {path: path.read_bytes() for path in cwd.rglob("*") if path.is_file()}
    process = backpath(*arguments, cwd=cwd)
    assert process.returncode == 2, process.stdout + process.stderr
    assert process.stdout == "" or "backpath: training " in process.stderr  # known only once it has begun
    assert process.stderr.startswith("backpath: ")
    message, *command = process.stderr.splitlines()
    assert all(line.startswith("backpath ") for line in command) and len(command) <= 1, process.stderr
    assert {path: path.read_bytes() for path in cwd.rglob("*") if path.is_file()} == before
    return message.removeprefix("backpath: ").strip()
