"""What ``backpath train`` prints when it has trained."""

from __future__ import annotations

import shlex

import click
import numpy as np

from backpath.cli import COMMANDS
from backpath.cli.describe import (
    cost_curve,
    describe_bayesian,
    describe_inputs,
    describe_restarts,
    describe_weights,
    heading,
    stopped_early,
    truth_table,
)
from backpath.cli.terminal import say
from backpath.cli.train.source import Settings, Source
from backpath.explain.learning.why import why_poor
from backpath.files.wording import plain
from backpath.maths.network import Network
from backpath.maths.notation import weight_name
from backpath.training import TrainingResult
from backpath.training.quality import Quality

SAMPLES_TRIED = 200  # for the one that is worth explaining


def report(
    result: TrainingResult, source: Source, settings: Settings, qualities: list[tuple[str, Quality]], out: str
) -> None:
    network, cost = result.network, settings.cost
    say(f"\n{heading('cost')}  {cost_curve(result.history.cost, result.seconds)}")
    early = stopped_early(result)
    if early:
        say(early)
    if result.restart_costs is not None:
        say(describe_restarts(result.restart_costs))
    if result.bayesian is not None:
        say(describe_bayesian(result.bayesian))
    if source.dataset is None:
        say(f"\n{heading('inputs')}\n{describe_inputs(source.preparation.describe())}")
    else:
        say(f"\n{heading('weights')}\n{describe_weights(network)}")
    if source.dataset is not None and source.dataset.is_truth_table and set(network.activations) <= {"sigmoid", "step"}:
        say(f"\n{heading('truth table')}\n{truth_table(network, source.X, source.y)}")
    say(f"\n{heading('quality')}")
    for name, q in qualities:
        always = f"  (its most frequent class: {q.baseline:.1%})" if q.measure == "accuracy" else ""
        say(f"  {name:8}  {q}{always}")
    if source.dataset is not None and source.task == "binary" and qualities[0][1].score < 1:
        several = result.restart_costs is not None
        say(
            "  Not learned from any of these starts; try more, or another --hidden"
            if several
            else "  Not learned from this start; try another: --seed 1, or the best of several: --restarts 16"
        )
    reason = why_poor(network, source.X, source.y, cost, settings.learning_rate if settings.solver == "gd" else None)
    if reason:
        say(f"  Why: {reason}")
    say(f"\nsaved {click.style(plain(out), bold=True)}")
    say("try next")
    for line in _suggestions(network, source, cost, out):
        say(f"  {line}")


def _suggestions(network: Network, source: Source, cost: str, out: str) -> list[str]:
    file = shlex.quote(f"./{out}" if out.startswith("-") else out)
    lines = {"show": f"backpath show {file}"}
    if source.dataset is None:
        lines["predict"] = f"backpath predict {file} new.csv --out predictions.csv"
    else:
        weight, x, y = _worth_explaining(network, source, cost)
        lines["explain"] = f"backpath explain {file} {shlex.quote(weight)} --x {x} --y {y}"
    lines["explore"] = f"backpath explore {file}"
    return [line for name, line in lines.items() if name in COMMANDS]


def _worth_explaining(network: Network, source: Source, cost: str) -> tuple[str, str, str]:
    """The weight of the first layer and the sample, among the first few, where the gradient is steepest."""
    samples = range(min(len(source.X), SAMPLES_TRIED))
    found = [network.gradients(source.X[k], source.y[k], cost=cost).layers[0] for k in samples]
    steep = np.abs(np.stack(found)[:, :, : network.sizes[0]])
    sample, j, i = np.unravel_index(steep.argmax(), steep.shape)
    x, y = (",".join(f"{value:g}" for value in values[sample]) for values in (source.X, source.y))
    return weight_name(1, int(j) + 1, int(i) + 1), x, y
