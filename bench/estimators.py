"""Compares the estimators with scikit-learn's, with equal parameters, in turns: the table in docs/scikit-learn.md."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.neural_network as theirs
from sklearn.datasets import load_digits

import backpath as ours
from bench.machine import machine

PAGE = Path(__file__).parents[1] / "docs" / "scikit-learn.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
TURNS, TURN_SECONDS = 5, 0.5
Timed = tuple[str, float, Callable[[Any], Callable[[], object]]]  # title, divisor of the seconds, the work


def rows() -> Iterator[Timed]:
    X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
    endless = {"tol": 0, "n_iter_no_change": 10**9, "random_state": 0}
    for epochs in (1000, 10_000):
        xor = {"hidden_layer_sizes": 2, "activation": "logistic", "max_iter": epochs, **endless}
        for name in ("MLPClassifier", "MLPRegressor"):
            yield f"XOR 2-2-1, {epochs:,} epochs, `{name}`: an epoch", epochs, fitting(name, xor, X, y)
    digits = load_digits(return_X_y=True)
    settings = {"max_iter": 100, **endless}
    yield "digits 64-100-10, Adam, defaults: an epoch", 100, fitting("MLPClassifier", settings, *digits)
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(100_000, 20))
    target = np.sin(wide[:, 0]) + wide[:, 1] * wide[:, 2]
    settings = {"max_iter": 2, **endless}
    yield (
        "100,000 × 20 regression, (100,), Adam, defaults: an epoch",
        2,
        fitting("MLPRegressor", settings, wide, target),
    )
    yield "`predict` on one row of digits", 300, predicting(*digits)


def fitting(name: str, settings: dict[str, Any], X: Any, y: Any) -> Callable[[Any], Callable[[], object]]:
    return lambda module: lambda: getattr(module, name)(**settings).fit(X, y)


def predicting(X: Any, y: Any) -> Callable[[Any], Callable[[], object]]:
    def prepare(module: Any) -> Callable[[], object]:
        model = module.MLPClassifier(max_iter=5, random_state=0).fit(X, y)
        return lambda: [model.predict(X[:1]) for _ in range(300)]

    return prepare


def seconds(work: Callable[[], object]) -> float:
    """The times of repeated work, because a fit of a millisecond ends before the caches are warm."""
    count, begin = 0, time.perf_counter()
    while (taken := time.perf_counter() - begin) < TURN_SECONDS:
        work()
        count += 1
    return taken / count


def main() -> None:
    warnings.simplefilter("ignore")
    lines = ["| work | scikit-learn | backpath | times as fast |", "|---|---|---|---|"]
    for title, divisor, prepare in rows():
        pair = [prepare(theirs), prepare(ours)]
        for work in pair:  # warm
            work()
        taken = [[seconds(work) / divisor for work in pair] for _ in range(TURNS)]
        one, other = (statistics.median(column) for column in zip(*taken, strict=True))
        ratio = statistics.median(a / b for a, b in taken)
        lines.append(f"| {title} | {one * 1e6:,.1f} µs | {other * 1e6:,.2f} µs | {ratio:,.1f} |")
        print(lines[-1], flush=True)
    text = PAGE.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    table = "\n".join(lines)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n\n{'; '.join(machine())}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
