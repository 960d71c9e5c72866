"""What ``backpath train`` prints when it has trained."""

from __future__ import annotations

import shlex

import click

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
from backpath.cli.train.source import Source
from backpath.files.wording import plain
from backpath.training import TrainingResult
from backpath.training.quality import Quality


def report(result: TrainingResult, source: Source, qualities: list[tuple[str, Quality]], out: str) -> None:
    network = result.network
    click.echo(f"\n{heading('cost')}  {cost_curve(result.history.cost, result.seconds)}")
    early = stopped_early(result)
    if early:
        click.echo(early)
    if result.restart_costs is not None:
        click.echo(describe_restarts(result.restart_costs))
    if result.bayesian is not None:
        click.echo(describe_bayesian(result.bayesian))
    click.echo(f"\n{heading('weights')}\n{describe_weights(network)}")
    if source.dataset is None:
        click.echo(f"\n{heading('inputs')}\n{describe_inputs(source.preparation.describe())}")
    elif source.dataset.is_truth_table and set(network.activations) <= {"sigmoid", "step"}:
        click.echo(f"\n{heading('truth table')}\n{truth_table(network, source.X, source.y)}")
    click.echo(f"\n{heading('quality')}")
    for name, q in qualities:
        always = f"  (its most frequent class: {q.baseline:.1%})" if q.measure == "accuracy" else ""
        click.echo(f"  {name:8}  {q}{always}")
    if source.dataset is not None and source.task == "binary" and qualities[0][1].score < 1:
        several = result.restart_costs is not None
        click.echo(
            "  Not learned from any of these starts; try more, or another --hidden"
            if several
            else "  Not learned from this start; try another: --seed 1, or the best of several: --restarts 16"
        )
    click.echo(f"\nsaved {click.style(plain(out), bold=True)}")
    click.echo("try next")
    for line in _suggestions(source, out):
        click.echo(f"  {line}")


def _suggestions(source: Source, out: str) -> list[str]:
    file = shlex.quote(f"./{out}" if out.startswith("-") else out)
    x = ",".join(f"{value:g}" for value in source.X[min(1, len(source.X) - 1)])
    y = ",".join(f"{value:g}" for value in source.y[min(1, len(source.y) - 1)])
    lines = {"show": f"backpath show {file}"}
    if source.dataset is None:
        lines["predict"] = f"backpath predict {file} new.csv --out predictions.csv"
    else:
        lines["explain"] = f"backpath explain {file} W11_1 --x {x} --y {y}"
    lines["explore"] = f"backpath explore {file}"
    return [line for name, line in lines.items() if name in COMMANDS]
