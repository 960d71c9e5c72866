"""The token that opens the page: stored for its user, so that it survives a restart, and not readable by others."""

from __future__ import annotations

import html
import os
import re
import secrets
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


def user_folder() -> Path:
    """The folder for files that outlast a program, for this user."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "backpath"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "backpath"


def user_token() -> str:
    """This user's token, drawn at the first call; a new one at each call if it cannot be stored."""
    drawn = secrets.token_urlsafe(24)
    try:
        path = user_folder() / "explorer-token"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if os.name == "posix" and (path.stat().st_uid != os.getuid() or path.stat().st_mode & 0o077):
                return drawn  # another user could read it, or wrote it
            found = path.read_text("ascii").strip()
            return found if _TOKEN.fullmatch(found) else drawn
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(drawn + "\n")
    except (OSError, RuntimeError, ValueError):  # no home, a read-only one, or a file that holds no token
        return drawn
    return drawn


@contextmanager
def in_browser(url: str) -> Iterator[None]:
    """Open an address in the user's browser through a file that only the user can read, because any user of the machine
    could read the token on a command line. The file is deleted at the end."""
    handle, name = tempfile.mkstemp(prefix="backpath-", suffix=".html")  # of mode 0600
    path = Path(name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(
            f'<!doctype html><title>backpath</title><meta http-equiv="refresh" content="0; url={html.escape(url)}">'
        )
    try:
        webbrowser.open(path.as_uri())
        yield
    finally:
        path.unlink(missing_ok=True)
