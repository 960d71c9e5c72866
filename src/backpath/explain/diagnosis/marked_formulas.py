"""The right formula and the formula with a mistake, with the wrong or missing part marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.mistakes import Change
from backpath.explain.expression import Ellipsis, Equation, Expression, Marked, Partial, Product, Sum, equation, product
from backpath.explain.factors import Chain, Factor
from backpath.explain.formulas import of_output
from backpath.explain.paths import all_paths, path_count
from backpath.maths.activations import activation
from backpath.maths.network import Network
from backpath.maths.notation import WeightIndex, weight_index, weight_name


@dataclass(frozen=True)
class Piece:
    """A factor on the path to a weight: its kind, its layer, and the argument of ``Change.claimed``."""

    of: str
    layer: int
    about: tuple[object, ...]
    factor: Factor


def formulas(
    net: Network, cost: str, change: Change | None, weights: Sequence[str]
) -> tuple[Equation, Equation] | None:
    """The right formula and the claimed one, for the first of these weights that the mistake affects; None if there is
    none."""
    if change is None:
        return None
    if change.of in ("sum", "activation"):
        return _forward(net, change)
    for name in weights:
        index = weight_index(name, net.sizes)
        found = _of_weight(Chain(net, cost, index, {}), change)
        if found:
            return found
    return None


def _of_weight(chain: Chain, change: Change) -> tuple[Equation, Equation] | None:
    parts = _parts(chain)
    dC_dW = Partial(sy.C, sy.weight(weight_name(*chain.index)))
    if change.of == "whole":
        whole = product(*(part.factor.expansion for part in parts))
        claimed_whole = change.claimed(whole) if change.claimed else whole
        return equation(dC_dW, _along(chain, whole)), equation(dC_dW, _along(chain, claimed_whole))
    right_sides: list[Expression] = []
    claimed_sides: list[Expression] = []
    for part in parts:
        right: Expression = part.factor.expansion
        claimed: list[Expression] = [right]
        if _is_changed(chain, part, change):
            if _is_coupled(chain, part, change):
                return None
            claimed = _claimed(chain, part, change)
            right = Marked(right)
        right_sides.append(right)
        claimed_sides += claimed
    if not any(isinstance(side, Marked) for side in right_sides):
        return None
    right_side, claimed_side = _along(chain, product(*right_sides)), _along(chain, product(*claimed_sides))
    return equation(dC_dW, right_side), equation(dC_dW, claimed_side)


def _along(chain: Chain, path: Expression) -> Expression:
    """The first path of a weight, and … for the others."""
    return path if path_count(chain) == 1 else Sum((path, Ellipsis()))


def _parts(chain: Chain) -> list[Piece]:
    """The factors along the first path to the weight, with their kinds."""
    layers, (layer, _, i) = chain.layers, chain.index
    neurons = next(iter(all_paths(chain)))
    factors = chain.path(neurons)
    output = chain.name(layers, neurons[0])
    parts = []
    if chain.joined:
        parts.append(Piece("delta", layers, (output, factors[0].expansion), factors[0]))
    else:
        parts += [
            Piece("cost", layers, (output,), factors[0]),
            Piece("slope", layers, (output,), factors[1]),
        ]
    rest = factors[len(parts) : -1]
    for step, factor in enumerate(rest):
        above = layers - step // 2
        if step % 2 == 0:
            parts.append(Piece("weight", above, (above, neurons[step // 2], neurons[step // 2 + 1]), factor))
        else:
            parts.append(Piece("slope", above - 1, (chain.name(above - 1, neurons[step // 2 + 1]),), factor))
    source = "1" if i is None else chain.name(layer - 1, i)
    return [*parts, Piece("input", layer, (source,), factors[-1])]


def _is_changed(chain: Chain, part: Piece, change: Change) -> bool:
    if change.layer not in (None, part.layer):
        return False
    if change.among != "all" and (part.layer > chain.index.layer) != (change.among == "above"):
        return False
    return part.of == change.of or (part.of == "delta" and change.of in ("cost", "slope"))


def _is_coupled(chain: Chain, part: Piece, change: Change) -> bool:
    """Whether the change is of ∂C/∂A where softmax makes ∂C/∂u of all outputs' ∂C/∂A: that is no product."""
    return part.of == "delta" and change.of == "cost" and activation(chain.net.activations[-1]).jacobian is not None


def _claimed(chain: Chain, part: Piece, change: Change) -> list[Expression]:
    """The expressions used instead of a part."""
    about = part.about[:1] if change.of != part.of else part.about
    claimed: list[Expression] = [] if change.claimed is None else [Marked(change.claimed(*about))]
    if part.of != "delta" or change.of == "delta":
        return claimed
    if change.of == "cost":
        return [*claimed, sy.slope(sy.net_input(str(part.about[0])))]
    j = next(iter(all_paths(chain)))[0]
    A, y = chain.A_and_y(j)
    return [of_output(chain.cost, j).slope(A, y, sy.u_cost(j, chain.net.sizes[-1])), *claimed]


def _forward(net: Network, change: Change) -> tuple[Equation, Equation]:
    """A neuron's weighted sum, or its activation."""
    layer = change.layer or 1
    chain = Chain(net, "squared_error", WeightIndex(layer, change.neuron, None), {})
    name = chain.name(layer, change.neuron)
    a, u = sy.neuron(name), sy.net_input(name)
    if change.of == "activation":
        claimed = change.claimed(u) if change.claimed else u
        return equation(a, Marked(sy.sigma(u))), equation(a, Marked(claimed))
    right: list[Expression] = []
    claimed_terms: list[Expression] = []
    shown = _inputs_to_show(net.sizes[layer - 1], change)
    for i in shown:
        W, source = sy.weight(weight_name(layer, change.neuron, i)), sy.behind(net.sizes, layer, i)
        term = Product((W, source) if i is None else (source, W))
        is_changed = i in change.terms
        right.append(Marked(term) if is_changed else term)
        other = change.terms.get(i)
        if not is_changed:
            claimed_terms.append(term)
        elif other is not None:
            claimed_terms.append(Marked(Product((other, W))))
    others = [] if len(shown) > net.sizes[layer - 1] else [Ellipsis()]
    return equation(u, Sum((*right, *others))), equation(u, Sum((*claimed_terms, *others)))


def _inputs_to_show(count: int, change: Change) -> list[int | None]:
    """The bias and all inputs; if there are many, only the first two and those that the mistake affects."""
    inputs = [None, *range(1, count + 1)]
    return inputs if len(inputs) <= 7 else [i for i in inputs if i in change.terms or i in (None, 1, 2)]
