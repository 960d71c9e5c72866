"""The place of a slip that is not a factor of the chain rule: the right formula of the whole gradient, with the sum,
the index, a part or the update marked."""

from __future__ import annotations

from collections.abc import Sequence

from backpath.explain import symbols as sy
from backpath.explain.expression import (
    ONE,
    Equation,
    Expression,
    Marked,
    Number,
    Partial,
    Product,
    Quotient,
    Total,
    equation,
    minus,
)
from backpath.explain.printers import text
from backpath.maths.network import Network
from backpath.maths.notation import neuron_name, weight_index

_SUMS = {"wrong_reduction", "sample_left_out", "single_sample_only", "missing_batch_average", "all_zero"}
_INDICES = {"neuron_left_out", "gradient_shifted", "weights_swapped", "transposed_weights"}
_DELTAS = {"wrong_delta", "wrong_error", "wrong_bias_gradient", "softmax_diagonal", "missing_path", "wrong_slope"}
_FACTORS = {"wrong_factor", "wrong_input", "bias_sign", "bias_not_updated"}
_UPDATES = {"weight_set", "missing_learning_rate", "several_updates"}


def right_formula(net: Network, samples: int, code: str, weights: Sequence[str]) -> Equation | None:
    """∂C/∂W11_1 = 1/N × Σ δ_H1 × X1 for the first weight, with the place of the mistake marked; None if the mistake has
    no place in it."""
    if not weights or code not in _SUMS | _INDICES | _DELTAS | _FACTORS | _UPDATES:
        return None
    layer, j, i = weight_index(weights[0], net.sizes)
    W = sy.weight(weights[0])
    gradient: Expression = Partial(sy.C, W)
    if code in _UPDATES:
        return equation(W, Marked(minus(W, Product((sy.ETA, gradient)))))
    delta: Expression = sy.delta(neuron_name(layer, j, len(net.sizes) - 1))
    source = sy.behind(net.sizes, layer, i)
    product = Product((_marked(delta, code in _DELTAS), _marked(source, code in _FACTORS)))
    if samples == 1:
        return equation(_marked(gradient, code in _INDICES), _marked(product, code in _SUMS))
    total = _marked(Total("n", samples, product), code in _SUMS)
    mean = Product((Quotient(ONE, Number(str(samples))), total))
    return equation(_marked(gradient, code in _INDICES), mean)


def is_marked(line: Equation) -> bool:
    """Whether it marks a place."""
    return any("«" in text.formula(side) for side in line.sides)


def _marked(part: Expression, is_it: bool) -> Expression:
    return Marked(part) if is_it else part
