"""The notes' batch matrix form written out, with consistent digits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from backpath.explain import symbols as sy
from backpath.explain.batch_matrices import BatchMatrices, gradient_product
from backpath.explain.digits import agree_all
from backpath.explain.document import Block, Formulas, Prose, heading, prose
from backpath.explain.expression import (
    Elementwise,
    Equation,
    Expression,
    Matrix,
    Number,
    Partial,
    Product,
    Quotient,
    Symbol,
    Transposed,
    equation,
    product,
)
from backpath.explain.factors import Chain
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.maths.notation import WeightIndex, layer_weights, weight_name

_D, _W, _S, _X = Symbol("D", "D"), Symbol("W", "W"), Symbol("S", "S"), Symbol("X", "X")


def blocks(net: Network, cost: str, matrices: Sequence[BatchMatrices]) -> list[Block]:
    """The matrices with symbols, numbers and the product, the output layer first."""
    found: list[Block] = [heading("In matrices"), _introduction(len(matrices[0].X), net.biases)]
    for m in reversed(matrices):
        chain = Chain(net, cost, WeightIndex(m.layer, 1, 1), {})
        found += [heading(f"Matrices of layer {m.layer}"), Formulas(tuple(_equations(chain, m)))]
    return found


def _introduction(count: int, biases: bool) -> Prose:
    rows = "one row, the sample" if count == 1 else f"{count} rows, one per sample"
    text = f"D, S and X have {rows}; ∘ is the element-wise product, ᵀ the transpose."
    if not biases:
        return prose(text)
    return prose(f"{text} ", "W has no column for the bias, because no hidden neuron feeds it.")


def _equations(chain: Chain, m: BatchMatrices) -> list[Equation]:
    """Each matrix: its symbols, then its numbers."""
    given = [part for part in (m.D, m.W, m.S, m.X) if part is not None]
    shown = _shown(m, given)
    return [
        equation(letter, *_symbolic(row), numbers)
        for letter, row, numbers in zip(_letters(m), _symbols(chain, m), shown, strict=False)
    ] + [_product_equation(chain, m, shown[-1])]


def _letters(m: BatchMatrices) -> list[Symbol]:
    return [_D, _X] if m.W is None else [_D, _W, _S, _X]


def _symbolic(rows: list[list[Expression]]) -> list[Matrix]:
    return [Matrix(tuple(tuple(row) for row in rows))]


def _symbols(chain: Chain, m: BatchMatrices) -> list[list[list[Expression]]]:
    sizes, layers = chain.net.sizes, chain.layers
    above = layers if m.W is None else m.layer + 1
    neurons = range(1, sizes[m.layer] + 1)
    sources = [*range(1, sizes[m.layer - 1] + 1), *([None] if chain.net.biases else [])]
    inputs = [sy.behind(sizes, m.layer, i) for i in sources]
    D = [_delta(chain, above, k) for k in range(1, sizes[above] + 1)]
    if m.W is None:
        return [[D], [inputs]]
    W = [[sy.weight(weight_name(above, k, j)) for j in neurons] for k in range(1, sizes[above] + 1)]
    S = [sy.slope(sy.net_input(chain.name(m.layer, j))) for j in neurons]
    return [[D], [list(w) for w in W], [list(S)], [inputs]]


def _delta(chain: Chain, layer: int, k: int) -> Expression:
    """2 × u_cost × σ′(u_A1) for an output, δ for a hidden neuron."""
    if layer == chain.layers:
        return product(*(factor.expansion for factor in chain.output(k)))
    return sy.delta(chain.name(layer, k))


def _product_equation(chain: Chain, m: BatchMatrices, result: Matrix) -> Equation:
    weights = list(layer_weights(chain.net.sizes, m.layer, chain.net.biases))
    names = [
        [Partial(sy.C, sy.weight(weight_name(*w))) for w in weights if w.neuron == j]
        for j in range(1, chain.net.sizes[m.layer] + 1)
    ]
    left: Expression = _D if m.W is None else Elementwise(Product((_D, _W), tight=True), _S)
    parts: tuple[Expression, ...] = (Transposed(left), _X)
    if len(m.X) > 1:
        parts = (Quotient(Number("1"), Number(str(len(m.X)))), *parts)
    formula = Product(parts, tight=True)
    return equation(Partial(sy.C, _W), Matrix(tuple(tuple(row) for row in names)), formula, result)


def _shown(m: BatchMatrices, given: list[Array]) -> list[Matrix]:
    """The matrices' numbers, with enough digits that the product of the shown ones is the shown gradient."""
    shapes = [part.shape for part in given]
    values = [float(v) for part in given for v in part.ravel()]
    scales = gradient_product(*(None if part is None else np.abs(part) for part in (m.D, m.W, m.S, m.X)))  # type: ignore[arg-type]  # D and X are never None

    def compute(numbers: Sequence[Decimal]) -> list[Decimal]:
        parts, start = [], 0
        for rows, columns in shapes:
            parts.append(np.array(numbers[start : start + rows * columns], dtype=object).reshape(rows, columns))
            start += rows * columns
        made = (
            gradient_product(parts[0], parts[1], parts[2], parts[3])
            if len(parts) == 4
            else parts[0].T @ parts[1] / len(parts[1])
        )
        return list(made.ravel())

    texts, results = agree_all(values, [float(g) for g in m.gradient.ravel()], compute, list(scales.ravel()))
    found, start = [], 0
    for rows, columns in [*shapes, m.gradient.shape]:
        row_texts = [(texts + results)[start + r * columns : start + (r + 1) * columns] for r in range(rows)]
        found.append(Matrix(tuple(sy.numbers(row) for row in row_texts)))
        start += rows * columns
    return found
