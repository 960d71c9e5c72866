"""The candidate networks for a table, by its size and task; the caller's settings never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backpath.maths.unknown import unknown
from backpath.tabular.plan import Plan
from backpath.training.datasets import OUTPUTS

LINEAR = "linear"  # instead of a solver: solved by `linear`
_EPOCHS, SAMPLES_SEEN = 400, 20_000_000
# settings for a solver that is given without others
BY_SOLVER: dict[str, dict[str, Any]] = {
    "gd": {"learning_rate": 0.05, "batch_size": 32, "epochs": 200},
    "momentum": {"learning_rate": 0.01, "batch_size": 32, "epochs": 200},
    "adam": {"learning_rate": 0.005, "batch_size": 32, "epochs": _EPOCHS},
    "lm": {"learning_rate": None, "batch_size": None, "epochs": 200, "cost": "squared_error"},
}
# neurons, activation, decay: compared if the call does not give them
NETWORKS = (((32,), "relu", 1.0), ((32,), "relu", 0.1), ((32,), "relu", 10.0), ((16,), "tanh", 1.0))


MOST_LM = 2e5  # the most rows × inputs² for which Levenberg-Marquardt is fast


def most_epochs(solver: str, rows: int) -> int:
    """The default maximum number of epochs for this many rows."""
    return max(1, min(BY_SOLVER[solver]["epochs"], SAMPLES_SEEN // rows))


def candidates(task: str, rows: int, inputs: int, given: Mapping[str, Any]) -> list[Plan]:
    """The candidates, simplest first.

    Parameters
    ----------
    given : settings by name that the call fixes; with a solver, everything is fixed
    """
    output, cost = OUTPUTS[task]
    if given.get("cost") == "poisson":
        output = "exp"
    solver = given.get("solver", "adam")
    if solver not in BY_SOLVER:
        raise unknown("solver", solver, BY_SOLVER)
    usual: dict[str, Any] = {"cost": cost, "decay": 0.0} | BY_SOLVER[solver]
    usual["epochs"] = most_epochs(solver, rows)
    base = Plan(hidden=(16,), activation="tanh", output_activation=output, solver=solver, **usual)
    if "solver" in given or given.get("hidden") == ():
        plain = replace(base, **given)
        alone = set(given) <= {"hidden", "decay"}
        return [replace(plain, solver=LINEAR)] if alone else [plain]
    found = [replace(base, **{"hidden": h, "activation": a, "decay": d, **given}) for h, a, d in NETWORKS]
    if not set(given) - {"decay"}:
        found.insert(0, replace(base, hidden=(), solver=LINEAR))
        if task == "regression" and rows * inputs**2 <= MOST_LM:
            found.append(replace(base, solver="lm", hidden=(4,), bayesian=True, **BY_SOLVER["lm"]))
    return list(dict.fromkeys(found))
