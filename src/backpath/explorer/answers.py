"""A weight's chain rule, a neuron's formula and a diagnosis for the page: ``explain``'s formulas and digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.explain.backward import backward
from backpath.explain.derivation import Derivation, Evaluation, derive
from backpath.explain.derivation_data import Sample
from backpath.explain.diagnosis.diagnose import diagnose
from backpath.explain.digits import shown, shown_product
from backpath.explain.document import Block, Formulas, Heading, Part, Prose
from backpath.explain.expression import Equation, Number
from backpath.explain.factors import Factor
from backpath.explain.paths import Path
from backpath.explain.printers import html, mathml
from backpath.explain.step import explain_step
from backpath.explain.written import chain_rule
from backpath.explain.written.numbers import gradient_equation
from backpath.explain.written.whole_step import MOST_SAMPLES
from backpath.explorer import fields, limits, original
from backpath.explorer.even_digits import even, known
from backpath.explorer.read_off import network_as_shown, samples_as_shown, settled
from backpath.explorer.scene import Scene
from backpath.explorer.settings import weight_count
from backpath.explorer.stepping import net_input_text, units
from backpath.explorer.truth_table import SUMMED, shares
from backpath.files.wording import plain, quoted
from backpath.maths.notation import neuron_index, weight_name

Answer = dict[str, Any]
MOST_CLAIMED = 500


def derivation(scene: Scene, weight: str) -> Answer:
    """∂C/∂W of a weight: its formulas, all factors and paths, with the numbers of the selected sample."""
    d = derive(scene.network, weight, scene.settings.cost, scene.input_labels)
    v = d.evaluate(scene.focus.x, scene.focus.y)
    sample = v.samples[0]
    texts, result = shown_product(sample.values, sample.gradient)
    gradient, whole = {"value": sample.gradient, "text": result}, v
    if scene.focus.batch:
        gradient, whole = _of_batch(scene, d, v)
    return {
        "weight": d.weight,
        "gradient": gradient,
        "formulas": formulas(whole.document().blocks, known(scene.network, sample.numbers, *sample.values)),
        "factors": _factors(sample.factors, texts, _sources(scene)),
        "paths": [_path(path, _sources(scene)) for path in sample.paths],
        "path_count": d.path_count,
        "batch": scene.focus.batch,
        "contributions": _contributions(scene, d.weight) if scene.focus.batch else None,
        "updated": scene.stepping.done == len(units(scene.settings.sizes)),
    }


def _contributions(scene: Scene, weight: str) -> Answer | None:
    """∂C/∂W of each sample, and of the batch, which is their mean; None if there are too many to read."""
    if len(scene.data.X) > SUMMED:
        return None
    texts, mean = shares(scene, weight, slice(None))
    return {"texts": texts, "mean": mean}


def _of_batch(scene: Scene, d: Derivation, one: Evaluation) -> tuple[Answer, Evaluation]:
    """The mean gradient of the batch, and the evaluation to write out: the batch's if it is short enough."""
    if len(scene.data.X) > MOST_SAMPLES:
        value = scene.network.gradients(scene.data.X, scene.data.y, scene.settings.cost)[d.weight]
        return {"value": value, "text": shown(value)}, one
    v = d.evaluate(scene.data.X, scene.data.y)
    last = [block for block in v.document().blocks if isinstance(block, Formulas)]
    means = [line for block in last for line in block.equations if line.sides[0] == d.partial]
    text = means[-1].sides[-1] if means else None
    return {"value": v.gradient, "text": text.text if isinstance(text, Number) else shown(v.gradient)}, v


def formulas(blocks: Sequence[Block], exact: frozenset[float] = frozenset()) -> list[Answer]:
    """The formulas of a document, each with its heading and the sentence before it."""
    found, title, said = [], "", ""
    for block in blocks:
        if isinstance(block, Heading):
            title = _words(block.parts)
        elif isinstance(block, Prose):
            said = _words(block.parts)
        elif isinstance(block, Formulas):
            found.append({**_titled(title, *(even(line, exact) for line in block.equations)), "said": said})
            said = ""
    return found


def _words(parts: Sequence[Part]) -> str:
    return "".join(part for part in parts if isinstance(part, str))


def _titled(title: str, *equations: Equation) -> Answer:
    return {"title": title, "mathml": mathml.without_styles(mathml.equations(Formulas(equations)))}


def _sources(scene: Scene) -> dict[str, str]:
    """The cells of the sample's row, by the input that they became."""
    return original.sources(scene.data.units, scene.focus.x) if scene.data.units else {}


def _factors(factors: Sequence[Factor], texts: Sequence[str], sources: Mapping[str, str]) -> list[Answer]:
    return [
        {
            "symbol": mathml.math(factor.partial),
            "expanded": mathml.math(factor.expansion),
            "plain": f"{factor.symbol} = {factor.expanded}",
            "text": text,
            "value": factor.value,
            "meaning": factor.meaning + (f"; in the table {cell}" if (cell := sources.get(factor.expanded)) else ""),
            "places": [*factor.places, *(["C"] if factor.symbol.startswith(("∂C/∂A", "∂C/∂u_A")) else [])],
        }
        for factor, text in zip(factors, texts, strict=True)
    ]


def _path(path: Path, sources: Mapping[str, str]) -> Answer:
    texts, value = shown_product(path.values, path.value)
    factors = _factors(path.factors, texts, sources)
    return {"neurons": list(path.neurons), "factors": factors, "value": path.value, "text": value, "share": path.share}


def neuron(scene: Scene, name: str) -> Answer:
    """A neuron's net input, output and δ, in symbols and with the numbers of the selected sample."""
    layer, j = neuron_index(name, scene.settings.sizes)
    if layer == 0:
        value = float(scene.focus.x[j - 1])
        values = {name: {"value": value, "text": shown(value, 17)}}
        return {"name": name, "formulas": [], "values": values, "units": _sources(scene).get(name)}
    run = scene.network.forward(scene.focus.x)
    values = {key: {"value": run[key], "text": shown(float(run[key]))} for key in (f"u_{name}", name)}
    with_biases = scene.network.with_zero_biases()  # ∂C/∂u is the gradient of its bias, or would be
    bias = derive(with_biases, weight_name(layer, j, None), scene.settings.cost, scene.input_labels)
    drawn = bias if scene.network.biases else derive(scene.network, weight_name(layer, j, 1), scene.settings.cost)
    found = [_titled("Forward", *chain_rule.forward_equations(drawn.chain, layer, j))]
    rate, cost = scene.settings.learning_rate, scene.settings.cost
    lines = explain_step(scene.network, scene.focus.x, scene.focus.y, cost, rate, labels=scene.input_labels).neuron(
        name
    )
    values[f"u_{name}"]["text"] = net_input_text(lines) or values[f"u_{name}"]["text"]
    numbers = backward(bias.network, scene.focus.x, scene.focus.y, cost)
    back = gradient_equation(Sample(bias, numbers, 0))
    exact = known(scene.network, numbers)
    found.append(_titled("With numbers", *(even(line, exact) for line in lines)))
    found.append(_titled("Backward, for a bias: ∂u/∂W is 1, so this is δ", even(back, exact)))
    delta = float(numbers.delta[layer - 1][0, j - 1])
    values[f"delta_{name}"] = {"value": delta, "text": _last(back) or shown(delta)}
    return {"name": name, "formulas": found, "values": values, "units": _in_units(scene, layer, float(run[name]))}


def _in_units(scene: Scene, layer: int, answer: float) -> str | None:
    """The answer of a single output in the table's units."""
    units = scene.data.units
    last = layer == len(scene.settings.sizes) - 1 and scene.settings.sizes[-1] == 1
    if units is None or not last:
        return None
    said = original.targets(units, np.array([[answer]]))[0]
    return f"{plain(units.target.name)} = {said}"


def _last(line: Equation) -> str | None:
    side = line.sides[-1]
    return side.text if isinstance(side, Number) else None


def _figure(name: str, value: object) -> object:
    """A figure with the digits as typed."""
    if not isinstance(value, str):
        return value
    try:
        return fields.plain_number(value)
    except (ValueError, ZeroDivisionError):
        raise InputError(
            f"the figure for {plain(name[:40])} must be a number, as in 0.0123, but is {quoted(value)}"
        ) from None


def check(scene: Scene, claimed: Mapping[str, Any], kind: str) -> Answer:
    """The diagnosis of a user's own gradients or updated weights."""
    if kind not in ("gradients", "weights"):
        raise InputError(f"kind must be gradients or weights, but is {quoted(kind)}")
    if len(claimed) > MOST_CLAIMED:
        raise InputError(f"up to {MOST_CLAIMED} figures can be checked at once, but there are {len(claimed):,}")
    figures = {name: _figure(name, value) for name, value in claimed.items()}
    X, y = scene.samples
    count = weight_count(scene.settings.sizes)
    if count > limits.CHECKED_WEIGHTS or count * len(np.atleast_2d(X)) > limits.CHECKED:
        raise InputError(
            f"the page checks up to {limits.CHECKED_WEIGHTS} weights, and {limits.CHECKED:,} weights times samples, "
            "because it tries every mistake; use a smaller network, one sample, or backpath check"
        )
    figures, is_settled = settled(scene, figures, kind)
    report = diagnose(
        network_as_shown(scene.network),
        samples_as_shown(X),
        samples_as_shown(y),
        figures if kind == "gradients" else None,
        claimed_weights=figures if kind == "weights" else None,
        cost=scene.settings.cost,
        learning_rate=scene.settings.learning_rate,
    )
    findings = [
        {"mistake": f.mistake, "where": list(f.where), "message": f.message, "explains": list(f.explains)}
        for f in report.findings
    ]
    content = mathml.without_styles(html.content(report.document()))
    note = "Some are rounded; they are correct to the digits on the page." if is_settled else ""
    return {"correct": report.correct, "html": content, "findings": findings, "note": note}
