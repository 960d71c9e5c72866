"""The time and memory to read and train on large tables, in memory and streamed.

    python -m bench.large_tables FOLDER [--rows 10000000]

creates missing files in FOLDER, and prints a table for docs/tables.md. Each line is measured in a separate process;
seconds are wall-clock seconds, and in brackets those of all cores together.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

INPUTS, PIXELS, DIGITS = 19, 784, 70_000
MEASURED = """
import json, sys, time
import numpy, duckdb, backpath as bp
from backpath.files.tables import read_table
from backpath.training import train
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
path, target, memory, epochs = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
net = bp.Network((2, 2, 1)); train(net, [[0, 1]] * 4, [0] * 4, epochs=1)
before = peak()
def timed(what):
    clock, cores = time.perf_counter(), time.process_time()
    result = what()
    return result, time.perf_counter() - clock, time.process_time() - cores
table, *reading = timed(lambda: read_table(path, target=target, memory=memory))
kind = type(table).__name__
if epochs:
    net = bp.Network((len(table.preparation.input_labels), 32, 1), ["relu", "identity"], seed=0)
    settings = dict(epochs=epochs, batch_size=256, solver="adam", learning_rate=0.001, shuffle=True, seed=0)
    if kind == "TrainingTable":
        X, y, preparation = table.whole(); del table
        result, *training = timed(lambda: train(net, X, y, **settings))
    else:
        result, *training = timed(lambda: train(net, table, **settings))
    cost = float(result.history.cost[-1])
else:
    X, *training = timed(lambda: table.X)
    cost = None
print(json.dumps([kind, reading, training, peak() - before, cost]))
"""


def measured(path: Path, target: str, memory: str, epochs: int) -> list[object]:
    call = [sys.executable, "-c", MEASURED, str(path), target, memory, str(epochs)]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def digits(path: Path) -> None:
    """70,000 rows of 784 pixels from 0 to 255, most of them 0, and a label."""
    rng = np.random.default_rng(0)
    shapes = rng.integers(0, 256, (10, PIXELS)) * (rng.random((10, PIXELS)) < 0.25)
    with path.open("w") as file:
        file.write(",".join([*(f"p{k}" for k in range(PIXELS)), "label"]) + "\n")
        for _ in range(DIGITS // 1000):
            labels = rng.integers(0, 10, 1000)
            noise = rng.integers(0, 256, (1000, PIXELS)) * (rng.random((1000, PIXELS)) < 0.2)
            pixels = np.where(rng.random((1000, PIXELS)) < 0.9, shapes[labels], noise)
            rows = np.column_stack([pixels, labels]).tolist()
            file.writelines(",".join(map(str, row)) + "\n" for row in rows)


def numbers(path: Path, rows: int) -> None:
    import duckdb

    cells = ", ".join(f"random() * 2 - 1 AS x{k}" for k in range(INPUTS))
    query = f"SELECT *, x0 * x1 + sin(3 * x2) + x3 AS y FROM (SELECT {cells} FROM range({rows}))"
    duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    given = parser.parse_args()
    images, long = given.folder / "digits.csv", given.folder / f"numbers-{given.rows}.parquet"
    if not images.exists():
        digits(images)
    if not long.exists():
        numbers(long, given.rows)
    print("| table | | reading, s (all cores) | an epoch, s (all cores) | memory |\n|---|---|--:|--:|--:|", flush=True)
    sizes = {images: DIGITS * (PIXELS + 1) * 8, long: given.rows * (INPUTS + 1) * 8}
    for path, target, memory, epochs in (
        (images, "label", "16GB", 0),
        (long, "y", "16GB", 2),
        (long, "y", "2GB", 2),
        (long, "y", "500MB", 2),
    ):
        began = time.perf_counter()
        kind, reading, training, taken, cost = measured(path, target, memory, epochs)
        how = "in memory" if kind == "TrainingTable" else f"streamed, --memory {memory}"
        each = [part / max(epochs, 1) for part in training]  # type: ignore[attr-defined]
        epoch = f"{each[0]:.1f} ({each[1]:.1f})" if epochs else "–"
        print(
            f"| {path.stem} | {how} | {reading[0]:.1f} ({reading[1]:.1f}) | {epoch} | "  # type: ignore[index]
            f"{taken / 1e6:,.0f} MB, {taken / sizes[path]:.2f} × |",  # type: ignore[operator]
            flush=True,
        )
        print(f"  cost {cost}, {time.perf_counter() - began:.0f} s in all", file=sys.stderr)


if __name__ == "__main__":
    main()
