"""Prints the median times of an explanation and of diagnoses: ``.venv/bin/python bench/diagnosis.py``

They are processor times of one thread, so that other work on the machine has little influence.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import backpath as bp  # noqa: E402 - the path and the threads come first
from explain.planted import CATALOGUE, diagnosed, plant, scene  # noqa: E402


def seconds(call: Callable[[], object], times: int = 5) -> float:
    """The median time of a few calls."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def one_weight() -> float:
    of = scene((2, 2, 1), ("sigmoid", "sigmoid"), "squared_error", 1, 0)
    net, x, y = of.network, of.X[0], of.y[0]
    return seconds(lambda: bp.derive(net, "W11_1").evaluate(x, y), 50)


def planted(sizes: tuple[int, ...], N: int, seeds: int, times: int) -> dict[str, float]:
    """The seconds to name each mistake of the catalogue that applies to the network."""
    found = {}
    for code, variant in CATALOGUE:
        taken = []
        for seed in range(seeds):
            of = scene(sizes, ("sigmoid",) * (len(sizes) - 1), "squared_error", N, seed)
            given, _ = plant(of, [(code, variant)], None)
            if not isinstance(given, str):
                claims = dict(zip(of.network.weight_names, given, strict=True))
                taken.append(seconds(lambda of=of, claims=claims: diagnosed(of, claims), times))
        if taken:
            found[f"{code} {variant}"] = statistics.median(taken)
    return found


def line(what: str, taken: dict[str, float]) -> str:
    slowest = max(taken, key=taken.__getitem__)
    middle = statistics.median(taken.values())
    return f"{what}: median {1000 * middle:.1f} ms, slowest {1000 * taken[slowest]:.1f} ms ({slowest})"


def main() -> None:
    print(f"derive and evaluate one weight of (2, 2, 1): {1000 * one_weight():.2f} ms")
    for N in (1, 5):
        print(line(f"diagnose a single mistake, (2, 2, 1), N = {N}", planted((2, 2, 1), N, 5, 5)))
    for N in (1, 5):
        print(line(f"diagnose a single mistake, (16, 32, 8), N = {N}", planted((16, 32, 8), N, 1, 1)))


if __name__ == "__main__":
    main()
