"""Compares backpath's network for a table with scikit-learn's models, on the same splits of public tables.

``scripts/tables measure`` measures what is missing in the file of results; ``scripts/tables report`` writes
``docs/tables-figures.md``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from backpath.files.choices import Choices
from backpath.files.tables import read_training_table
from bench.table_sets import CHECKED_ON, CHOSEN_ON, TableSet

RESULTS, PAGE = Path("tables-results.json"), Path("docs/tables-figures.md")
SPLITS, FEW, SPLITS_OF_FEW = 1, 2_000, 5  # sets with fewer rows are split more often, because one split says little
TOLERANCE = {"regression": 0.02, "binary": 0.01, "multiclass": 0.01}  # R², accuracy
PEERS = ("mlp", "linear", "trees")


def arrays(one: TableSet, seed: int) -> tuple[Any, ...]:
    """X, y, X held out, y held out, task, prepared from the set's CSV file by ``backpath train``."""
    frame = one.frame()
    numeric = frame[one.target].dtype.kind in "if"
    for name in frame.columns:
        if frame[name].dtype.kind not in "if":
            frame[name] = "v " + frame[name].astype(str).str.replace(",", " ")
    frame.columns = [name.replace(",", " ") for name in frame.columns]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        frame.to_csv(path, index=False)
        table = read_training_table(path, one.target, Choices(task="regression" if numeric else None))
    X, y, X_held, y_held, preparation = table.split(0.2, seed)
    return X, y, X_held, y_held, preparation.target.task


def score(A: Any, y: Any, task: str) -> float:
    if task == "regression":
        return float(1 - ((A - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())
    found, wanted = (A[:, 0] >= 0.5, y[:, 0] >= 0.5) if task == "binary" else (A.argmax(axis=1), y.argmax(axis=1))
    return float((found == wanted).mean())


def peer(name: str, task: str) -> Any:
    from sklearn import ensemble, linear_model, neural_network

    if task == "regression":
        return {
            "mlp": neural_network.MLPRegressor(random_state=0),
            "linear": linear_model.RidgeCV(np.logspace(-3, 3, 7)),
            "trees": ensemble.HistGradientBoostingRegressor(random_state=0),
        }[name]
    return {
        "mlp": neural_network.MLPClassifier(random_state=0),
        "linear": linear_model.LogisticRegression(max_iter=500),
        "trees": ensemble.HistGradientBoostingClassifier(random_state=0),
    }[name]


def measure(one: TableSet, seed: int) -> dict[str, Any]:
    from backpath.tabular.fit_table import fit

    X, y, X_held, y_held, task = arrays(one, seed)
    found: dict[str, Any] = {"task": task, "rows": len(X) + len(X_held), "inputs": X.shape[1]}
    began = time.process_time()
    found["backpath"] = score(fit(X, y, task, seed=seed).network.predict(X_held), y_held, task)
    found["seconds"] = time.process_time() - began
    labels, held = (v.argmax(axis=1) if task == "multiclass" else v[:, 0] for v in (y, y_held))
    for name in PEERS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's default of 200 epochs may not be enough
            found[name] = float(peer(name, task).fit(X, labels).score(X_held, held))
    return found


def report(results: dict[str, dict[str, Any]]) -> str:
    parts = [
        "# Accuracy on public tables",
        "Measured by `scripts/tables`. Each set is split once into 80% for training and 20% for testing; sets of fewer "
        "than 2,000 rows are split five times, and their scores averaged. Larger sets are sampled to 6,000 rows. All "
        "models get the same inputs, prepared by `backpath train`. Scores are accuracies, or R² for regression. "
        "scikit-learn's models (`MLPClassifier` or `MLPRegressor`, `LogisticRegression` or `RidgeCV`, "
        "`HistGradientBoosting`) have their default settings. Times are for choosing and training on one core, in the "
        "slowest split.",
    ]
    averages = {one.name: found for one in (*CHECKED_ON, *CHOSEN_ON) if (found := _average(one.name, results))}
    for title, sets in (
        ("Sets that were not used to choose the defaults", CHECKED_ON),
        ("Sets that were used to choose the defaults", CHOSEN_ON),
    ):
        rows = [(one.name, averages[one.name]) for one in sets if one.name in averages]
        parts += [f"## {title}", _summary([found for _, found in rows]), _table(rows)]
    return "\n\n".join(parts) + "\n"


def _average(name: str, results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The results of a set's splits, if all are measured."""
    found = [results[key] for seed in range(SPLITS_OF_FEW) if (key := f"{name} {seed}") in results]
    if not found or len(found) < splits(found[0]["rows"]):
        return {}
    scores = {key: float(np.mean([one[key] for one in found])) for key in ("backpath", *PEERS)}
    return found[0] | scores | {"seconds": max(one["seconds"] for one in found)}


def splits(rows: int) -> int:
    return SPLITS_OF_FEW if rows < FEW else SPLITS


def _summary(found: list[dict[str, Any]]) -> str:
    level = [one["backpath"] >= one["mlp"] - TOLERANCE[one["task"]] for one in found]
    bent = [one["backpath"] > one["linear"] for one in found if one["trees"] > one["linear"] + 0.05]
    difference = np.median([one["backpath"] - one["mlp"] for one in found])
    seconds = sorted(one["seconds"] for one in found)
    return (
        f"Within 0.01 accuracy or 0.02 R² of scikit-learn's MLP, or better, on {sum(level)} of {len(level)} sets; the "
        f"median difference is {difference:+.4f}. Better than the linear model on {sum(bent)} of the {len(bent)} sets "
        f"where gradient boosting beats it by more than 0.05. Median time {seconds[len(seconds) // 2]:.1f} s, "
        f"longest {seconds[-1]:.1f} s."
    )


def _table(rows: list[tuple[str, dict[str, Any]]]) -> str:
    lines = [
        "| set | rows | inputs | backpath | MLP | linear | boosting | seconds |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {name} | {one['rows']:,} | {one['inputs']} | "
        + " | ".join(f"{one[column]:.3f}" for column in ("backpath", *PEERS))
        + f" | {one['seconds']:.1f} |"
        for name, one in rows
    ]
    return "\n".join(lines)


def main() -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if sys.argv[1:] == ["report"]:
        PAGE.write_text(report(results), encoding="utf-8")
        return
    for one in (*CHECKED_ON, *CHOSEN_ON):
        seed = 0
        while seed < splits(results[f"{one.name} 0"]["rows"] if seed else 0):
            key = f"{one.name} {seed}"
            if key not in results:
                results[key] = measure(one, seed)
                RESULTS.write_text(json.dumps(results, indent=1))
                print(key, results[key], flush=True)
            seed += 1


if __name__ == "__main__":
    main()
