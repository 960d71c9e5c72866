"""``backpath show``"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from backpath.cli.terminal import echo

if TYPE_CHECKING:
    from backpath.files.models import Model

APART = (
    "verdict",
    "training",
    "importance",
    "table",
)  # keys of the record that have their own section, or are for programs


@click.command()
@click.argument("model", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON, weights included.")
def command(model: str, as_json: bool) -> None:
    """Show the saved MODEL: its network and weights, how good it is, its inputs, and how it was trained."""
    from backpath.files.models import load_model

    loaded = load_model(model)
    if as_json:
        echo(json.dumps(_as_json(loaded), ensure_ascii=False, allow_nan=False))
    else:
        _show(loaded, model)


def _show(loaded: Model, file: str) -> None:
    from backpath.cli.describe import bold, describe_network, describe_record, describe_weights
    from backpath.cli.terminal import folded
    from backpath.files.wording import plain

    echo(f"{bold(plain(file))}: {describe_network(loaded.network)}, {loaded.network.dtype}")
    for name, lines in _judged(loaded.record):
        echo(f"\n{bold(name)}\n{lines}")
    echo(f"\n{bold('weights')}\n{describe_weights(loaded.network)}")
    if loaded.preparation is not None:
        echo(f"\n{bold('inputs')}")
        echo("\n".join(folded(line, "  ") for line in loaded.preparation.describe()))
    rest = {name: value for name, value in loaded.record.items() if name not in APART}
    if rest:
        echo(f"\n{bold('training')}\n{describe_record(rest)}")


def _judged(record: dict[str, Any]) -> list[tuple[str, str]]:
    """The quality of the model according to its record."""
    if "verdict" not in record:
        return []
    from backpath.cli.train.report import describe_importance, describe_verdict, loss_named
    from backpath.tabular.verdict import Verdict

    verdict = Verdict.from_dict(record["verdict"])
    found = [("how good it is", describe_verdict(verdict))]
    importance = record.get("importance")
    if isinstance(importance, dict) and all(isinstance(value, float) for value in importance.values()):
        found.append(("what matters", describe_importance(importance, loss_named(verdict))))
    return found


def _as_json(loaded: Model) -> dict[str, Any]:
    network = loaded.network
    return {
        "sizes": network.sizes,
        "activations": network.activations,
        "dtype": str(network.dtype),
        "weights": dict(zip(network.weight_names, (float(w) for W in network.weights for w in W.ravel()), strict=True)),
        "preparation": loaded.preparation and loaded.preparation.to_dict(),
        "record": loaded.record,
    }
