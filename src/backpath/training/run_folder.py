"""The files in the folder of a run.

run.json                 the call, and the state of the run
lock                     held by the process that uses the folder
1-12.checkpoint          the twelfth state of part 1 (see ``files.checkpoint_format``)
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from backpath.errors import InputError
from backpath.files.atomic import write_atomically
from backpath.files.file_paths import PathLike
from backpath.files.wording import shown_path

_FILE = re.compile(r"[1-9]\d{0,8}-[1-9]\d{0,8}\.checkpoint")


def write_run(folder: Path, record: dict[str, Any]) -> None:
    """Write the description of a run."""
    record = {"format": "backpath run", "version": 1, **record}
    write_atomically(folder / "run.json", _text(record | {"sha256": hashlib.sha256(_text(record)).hexdigest()}))


def _text(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True).encode()


def states_of(folder: Path, part: int | None = None) -> list[Path]:
    """The checkpoints in a folder, of one part or of all, the newest first."""
    files = [file for file in folder.iterdir() if _FILE.fullmatch(file.name)]
    files.sort(key=numbers_of, reverse=True)
    return [file for file in files if part is None or numbers_of(file)[0] == part]


def numbers_of(file: Path) -> tuple[int, int]:
    """The part and the number of a checkpoint."""
    part, number = file.stem.split("-")
    return int(part), int(number)


def read_run(folder: PathLike) -> dict[str, Any]:
    """The description of a run in its folder."""
    file, shown = Path(folder) / "run.json", shown_path(folder)
    try:
        with file.open("rb") as opened:
            record = json.loads(opened.read(1 << 20))
        claimed = record.pop("sha256")
        if hashlib.sha256(_text(record)).hexdigest() != claimed or record["version"] != 1:
            raise ValueError
    except FileNotFoundError:
        raise InputError(f"{shown} does not contain a run; give the folder of train --checkpoint") from None
    except OSError as error:
        raise InputError(f"{shown_path(file)} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            f"{shown_path(file)} is not what backpath wrote there; start again in another folder"
        ) from None
    found: dict[str, Any] = record
    return found
