"""A step of gradient descent written out, with consistent digits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np

from backpath.errors import InputError
from backpath.explain import symbols as sy
from backpath.explain.derivation_data import DerivationData, Sample
from backpath.explain.digits import DIGITS, agree, shown, shown_sum
from backpath.explain.document import Block, Document, Formulas, Table, heading, prose
from backpath.explain.expression import (
    Equation,
    Expression,
    Number,
    Partial,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    equation,
    minus,
    total,
)
from backpath.explain.factors import Chain
from backpath.explain.formulas import of_output
from backpath.explain.paths import FEW_PATHS, all_paths
from backpath.explain.step_data import StepData, Update
from backpath.explain.written import matrices, numbers
from backpath.explain.written.chain_rule import cost_equation, where
from backpath.maths.activations import activation
from backpath.maths.notation import WeightIndex

MOST_WEIGHTS, MOST_SAMPLES = 200, 20


def document(step: StepData) -> Document:
    """The whole step; InputError if it would be too long to read."""
    count, samples = len(step.updates), len(step.numbers.x)
    if count > MOST_WEIGHTS or samples > MOST_SAMPLES:
        too_many = f"{count:,} weights" if count > MOST_WEIGHTS else f"{samples:,} samples"
        fewer = "" if count > MOST_WEIGHTS else ", or fewer samples"
        raise InputError(
            f"a step is written out for up to {MOST_WEIGHTS} weights and {MOST_SAMPLES} samples, but there are "
            f"{too_many}; explain one weight{fewer}"
        )
    chain = Chain(step.network, step.cost, WeightIndex(1, 1, 1), step.labels)
    blocks: list[Block] = []
    for place in range(samples):
        blocks += _forward(step, chain, place)
    blocks += _cost(step, chain)
    blocks += _gradients(step)
    blocks += _updates(step)
    blocks += matrices.blocks(step.network, step.cost, step.matrices)
    return Document(("One step of gradient descent",), (*blocks, *where(step.network, step.labels)))


def _forward(step: StepData, chain: Chain, place: int) -> list[Block]:
    """Every neuron's weighted sum, net input and output."""
    n = step.numbers
    many = len(n.x) > 1
    inputs = [f"X{k} = {shown(float(x), 17)}" for k, x in enumerate(n.x[place], 1)]
    lines = []
    for layer, size in enumerate(step.network.sizes[1:], 1):
        found = [neuron_equations(step, chain, place, layer, j) for j in range(1, size + 1)]
        lines += [line for lines_of_all in zip(*found, strict=True) for line in lines_of_all]
    title = f"Forward, sample {place + 1}" if many else "Forward"
    return [heading(title), prose(", ".join(inputs)), Formulas(tuple(lines))]


def neuron_equations(step: StepData, chain: Chain, place: int, layer: int, j: int) -> tuple[Equation, ...]:
    """A neuron with a sample's numbers: H1 = σ(0.35·1 + …) = σ(0.3775) = 0.59327; for softmax u_A1 and A1."""
    if activation(step.network.activations[layer - 1]).jacobian:
        return _net_input(step, chain, place, layer, j), _softmax(step, chain, place)[j - 1]
    return (_neuron(step, chain, place, layer, j),)


def _terms(step: StepData, place: int, layer: int, j: int) -> tuple[list[float], float]:
    """The pairs of a weighted sum (each W with the quantity that it multiplies, the bias first), and the sum."""
    W, a = step.network.weights[layer - 1][j - 1], step.numbers.a[layer - 1][place]
    pairs = [float(W[-1]), 1.0] if step.network.biases else []
    for weight, x in zip(W, a, strict=False):
        pairs += [float(x), float(weight)]
    return pairs, float(step.numbers.u[layer - 1][place, j - 1])


def _paired(pairs: Sequence[Decimal]) -> Decimal:
    return sum((a * b for a, b in zip(pairs[::2], pairs[1::2], strict=True)), start=Decimal(0))


def _weighted_sum(step: StepData, place: int, layer: int, j: int, digits: int) -> tuple[Expression, str]:
    """0.35·1 + 0.05·0.15 + 0.1·0.2 and 0.3775"""
    pairs, u = _terms(step, place, layer, j)
    scale = max(abs(a * b) for a, b in zip(pairs[::2], pairs[1::2], strict=True))
    texts, result = agree(pairs, u, _paired, digits, scale)
    products = [Product(sy.numbers(pair), tight=True) for pair in zip(texts[::2], texts[1::2], strict=True)]
    return total(*products), result


def _neuron(step: StepData, chain: Chain, place: int, layer: int, j: int) -> Equation:
    """H1 = σ(0.35·1 + …) = σ(0.3775) = 0.59327"""
    name = step.network.activations[layer - 1]
    output = shown(float(step.numbers.a[layer][place, j - 1]))
    for digits in range(DIGITS, 17):
        terms, u = _weighted_sum(step, place, layer, j, digits)
        if shown(float(activation(name).value(np.array(float(u))))) == output:
            break
    symbol = sy.neuron(chain.name(layer, j))
    return equation(symbol, sy.sigma(terms), sy.sigma(Number(u)), Number(output))


def _net_input(step: StepData, chain: Chain, place: int, layer: int, j: int) -> Equation:
    terms, u = _weighted_sum(step, place, layer, j, DIGITS)
    return equation(sy.net_input(chain.name(layer, j)), terms, Number(u))


def _softmax(step: StepData, chain: Chain, place: int) -> list[Equation]:
    """A1 = e^u_A1 / (e^u_A1 + e^u_A2 + …), with numbers."""
    u, A = step.numbers.u[-1][place], step.numbers.a[-1][place]
    outputs = [shown(float(a)) for a in A]
    texts = [shown(float(v)) for v in u]
    for digits in range(DIGITS, 17):
        texts = [shown(float(v), digits) for v in u]
        made = activation("softmax").value(np.array([float(text) for text in texts]))
        if [shown(float(a)) for a in made] == outputs:
            break
    e = Symbol("e", "e")
    powers = [Power(e, Number(text)) for text in texts]
    return [
        equation(
            sy.neuron(chain.name(chain.layers, j)), Quotient(powers[j - 1], Sum(tuple(powers))), Number(outputs[j - 1])
        )
        for j in range(1, len(outputs) + 1)
    ]


def _cost(step: StepData, chain: Chain) -> list[Block]:
    """The cost of every output and sample, and the mean."""
    n = step.numbers
    rows = []
    for place, costs in enumerate(n.costs):
        for j, cost in enumerate(costs, 1):
            A, y, with_numbers = _cost_numbers(step, place, j, float(cost))
            sample = (str(place + 1),) if len(n.x) > 1 else ()
            rows.append((*sample, sy.neuron(chain.name(chain.layers, j)), A, y, with_numbers, shown(float(cost))))
    header = ("output", "A", "y", "with numbers", "C")
    first = 1 if len(n.x) > 1 else 0
    table = Table(("sample", *header) if first else header, tuple(rows), frozenset({first + 1, first + 2, first + 4}))
    found: list[Block] = [heading("Cost"), Formulas((cost_equation(chain),)), table]
    return found if n.costs.size == 1 else [*found, Formulas((cost_with_numbers(step),))]


def cost_with_numbers(step: StepData) -> Equation:
    """C of a single output, the sum over several, or the mean over the samples."""
    n = step.numbers
    every = [float(c) for c in n.costs.ravel()]
    if len(n.x) > 1:
        return numbers.mean_equation(sy.C, every, step.cost_value, len(n.x))
    if len(every) > 1:
        texts, result = shown_sum(every, step.cost_value)
        return equation(sy.C, sy.sum_of(texts), Number(result))
    _, _, with_numbers = _cost_numbers(step, 0, 1, every[0])
    sides = (with_numbers,) if isinstance(with_numbers, Expression) else ()
    return equation(sy.C, *sides, Number(shown(every[0])))


def _cost_numbers(step: StepData, place: int, j: int, cost: float) -> tuple[str, str, str | Expression]:
    """A and y as shown, and the cost's formula with them; without numbers if A rounds to 0 or 1, where ln A fails."""
    A, y = float(step.numbers.a[-1][place, j - 1]), float(step.numbers.y[place, j - 1])
    row = of_output(step.cost, j)
    for digits in range(DIGITS, 18):
        texts = [shown(A, digits), shown(y, digits)]
        numbers = [float(text) for text in texts]
        try:
            made = shown(row.number(*numbers))
        except ValueError:  # ln 0
            continue
        if made == shown(cost):
            return texts[0], texts[1], row.of(*sy.numbers(texts))
    return shown(A), shown(y), ""


def _gradients(step: StepData) -> list[Block]:
    """∂C/∂W for every weight, the output layer first, as in the notes."""
    found: list[Block] = [heading("Gradients")]
    n = step.numbers
    derivations = [DerivationData(step.network, name, step.cost, step.labels) for name in step.network.weight_names]
    if len(n.x) > 1:
        found.append(prose("Averaged over the samples; the matrices below show each sample's factors."))
    elif differences := numbers.u_cost_equations(Sample(derivations[0], n, 0), of_all=True):
        found.append(Formulas(tuple(differences)))
    for layer in range(len(step.network.sizes) - 1, 0, -1):
        lines = [line for d in derivations if d.chain.index.layer == layer for line in _of_weight(step, d)]
        found += [heading(f"Gradients of layer {layer}"), Formulas(tuple(lines))]
    return found


def _of_weight(step: StepData, d: DerivationData) -> Iterator[Equation]:
    """The gradient of a weight; before a neuron's first one, the sum over the neuron's paths."""
    if len(step.numbers.x) == 1 and d.path_count > 1 and d.chain.index.input == 1:
        yield _of_neuron(Sample(d, step.numbers, 0))
    yield gradient_with_numbers(step, d)


def gradient_with_numbers(step: StepData, d: DerivationData) -> Equation:
    """∂C/∂W from its factors' numbers, or as the mean over the samples."""
    samples = [Sample(d, step.numbers, place) for place in range(len(step.numbers.x))]
    if len(samples) == 1:
        return numbers.gradient_equation(samples[0])
    values = [sample.gradient for sample in samples]
    return numbers.mean_equation(d.partial, values, step.gradients[d.weight], len(values))


def _of_neuron(sample: Sample) -> Equation:
    """∂C/∂H1 as the sum over the paths, with numbers if there are few paths."""
    d, factor = sample.derivation, sample.factors[0]
    value = sample.values[0]
    if d.path_count > FEW_PATHS:
        return equation(factor.partial, factor.expansion, Number(shown(value)))
    parts = [
        math.prod(f.number(sample.numbers, sample.place) for f in d.chain.above(way)) for way in all_paths(d.chain)
    ]
    texts, result = shown_sum(parts, value)
    return equation(factor.partial, factor.expansion, sy.sum_of(texts), Number(result))


def _updates(step: StepData) -> list[Block]:
    """W = W - η × ∂C/∂W with numbers."""
    lines = [update_with_numbers(step, update) for update in step.updates if not update.frozen]
    W = Symbol("W", "W")
    rule = equation(W, minus(W, Product((sy.ETA, Partial(sy.C, W)))))
    found: list[Block] = [heading("Updates"), Formulas((rule, equation(sy.ETA, Number(shown(step.learning_rate, 17)))))]
    found += [Formulas(tuple(lines))] if lines else []
    frozen = [update.weight for update in step.updates if update.frozen]
    return [*found, prose(f"Not updated: {', '.join(frozen)}.")] if frozen else found


def update_with_numbers(step: StepData, update: Update) -> Equation:
    """W11_1 = 0.15 − 0.5 × 0.00044 = 0.14978"""
    values = [update.before, step.learning_rate, update.gradient]
    scale = max(abs(update.before), abs(step.learning_rate * update.gradient))
    texts, result = agree(values, update.after, lambda v: v[0] - v[1] * v[2], scale=scale)
    before, rate, gradient = sy.numbers(texts)
    return equation(sy.weight(update.weight), minus(before, Product((rate, gradient))), Number(result))
