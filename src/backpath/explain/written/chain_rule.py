"""A derivation written out step by step, in the order and notation of the notes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from backpath.errors import InputError
from backpath.explain import symbols as sy
from backpath.explain.derivation_data import DerivationData
from backpath.explain.document import Block, Formulas, Part, Table, heading, prose
from backpath.explain.expression import (
    ONE,
    Equation,
    Expression,
    Negative,
    Partial,
    Power,
    Product,
    Quotient,
    Symbol,
    Total,
    Truth,
    equation,
    minus,
    product,
    total,
)
from backpath.explain.factors import Chain, Factor
from backpath.explain.formulas import ACTIVATION_FORMULAS, of_output
from backpath.explain.paths import FEW_PATHS, all_paths
from backpath.maths.activations import activation
from backpath.maths.costs import cost_function
from backpath.maths.network import Network


def blocks(d: DerivationData) -> list[Block]:
    """The derivation up to the product of its factors."""
    chain = d.chain
    if chain.index.layer == chain.layers:
        return _of_output_weight(d)
    return _of_hidden_weight(d) if d.path_count <= FEW_PATHS else _by_recursion(d)


def _of_output_weight(d: DerivationData) -> list[Block]:
    """∂C/∂W = ∂C/∂A1 × ∂A1/∂W, each expanded."""
    chain, (_, j, _) = d.chain, d.chain.index
    *first, last = d.factors
    by = last.partial.by
    A = sy.neuron(chain.name(chain.layers, j))
    if chain.joined:
        start = equation(d.partial, product(first[0].partial, last.partial))
        second = [equation(last.partial, last.expansion)]
    else:
        start = equation(d.partial, product(Partial(sy.C, A), Partial(A, by)))
        chained = product(first[1].partial, last.partial)
        second = [
            equation(Partial(A, by), chained),
            slope_equation(chain, chain.layers, j),
            equation(last.partial, last.expansion),
            equation(Partial(A, by), chained, product(first[1].expansion, last.expansion)),
        ]
    return [
        Formulas((start,)),
        heading("1st operand"),
        Formulas(tuple(cost_equations(chain, j))),
        heading("2nd operand"),
        Formulas((*forward_equations(chain, chain.layers, j), *second)),
        heading("Together"),
        Formulas((_result(d),)),
    ]


def _of_hidden_weight(d: DerivationData) -> list[Block]:
    """∂C/∂W = ∂C/∂H1 × ∂H1/∂W, with the first operand expanded along every path."""
    chain, (layer, j, _) = d.chain, d.chain.index
    H, by = sy.neuron(chain.name(layer, j)), sy.weight(d.weight)
    ways = list(all_paths(chain))
    start = equation(d.partial, product(Partial(sy.C, H), Partial(H, by)))
    above = total(*(product(*(f.partial for f in chain.above(way))) for way in ways))
    blocks: list[Block] = [Formulas((start,)), prose("Expand each operand with the chain rule.")]
    blocks += [heading("1st operand"), Formulas((equation(Partial(sy.C, H), above),))]
    written: set[Equation] = set()
    for step in range(len(ways[0]) - 1):
        for neuron in dict.fromkeys(way[step] for way in ways):
            edges = dict.fromkeys((way[step], way[step + 1]) for way in ways if way[step] == neuron)
            new = dict.fromkeys(_of_neuron(chain, chain.layers - step, list(edges)))
            blocks.append(Formulas(tuple(line for line in new if line not in written)))
            written |= new.keys()
    return [
        *blocks,
        heading("2nd operand"),
        Formulas(tuple(_of_weight(d))),
        heading("Together"),
        Formulas((_result(d),)),
    ]


def _of_neuron(chain: Chain, layer: int, edges: list[tuple[int, int]]) -> list[Equation]:
    """The partial derivatives at a neuron: of the cost for an output, its slope, and its incoming weights."""
    j = edges[0][0]
    lines = cost_equations(chain, j) if layer == chain.layers else []
    if not (layer == chain.layers and chain.joined):
        lines.append(slope_equation(chain, layer, j))
    weights = [chain.weight(layer, *edge) for edge in edges]
    lines += [equation(factor.partial, factor.expansion) for factor in weights]
    return [*lines, *forward_equations(chain, layer, j)]


def _of_weight(d: DerivationData) -> list[Equation]:
    """∂H1/∂W = ∂H1/∂u_H1 × ∂u_H1/∂W = σ′(u_H1) × X1."""
    chain, (layer, j, _) = d.chain, d.chain.index
    slope, last = d.factors[-2:]
    return [
        equation(Partial(slope.partial.of, sy.weight(d.weight)), product(slope.partial, last.partial)),
        slope_equation(chain, layer, j),
        equation(last.partial, last.expansion),
        *forward_equations(chain, layer, j),
    ]


def _by_recursion(d: DerivationData) -> list[Block]:
    """For very many paths: δ = ∂C/∂u from layer to layer."""
    chain, (layer, j, _) = d.chain, d.chain.index
    name, slope, last = chain.name(layer, j), *d.factors[-2:]
    own = sy.delta(name)
    steps = [_output_delta(chain)]
    for above in range(chain.layers - 1, layer, -1):
        to = chain.name(above, "j")
        carried = Total("k", chain.net.sizes[above + 1], _carried(chain, above, "j"))
        steps.append(equation(sy.delta(to), product(carried, sy.slope(sy.net_input(to)))))
    steps.append(equation(own, product(d.factors[0].expansion, slope.expansion)))
    partial = equation(d.partial, product(Partial(sy.C, sy.net_input(name)), last.partial))
    return [
        Formulas((partial, equation(Partial(sy.C, sy.net_input(name)), own))),
        prose(
            f"{d.path_count:,} paths lead from the cost to ",
            sy.weight(d.weight),
            f". Their sum is found layer by layer: δ of a neuron is ∂C/∂u, from the outputs down to {name}, for every "
            "neuron j of a layer.",
        ),
        heading("1st operand"),
        Formulas(tuple(steps)),
        heading("2nd operand"),
        Formulas((equation(last.partial, last.expansion), *forward_equations(chain, layer, j))),
        heading("Together"),
        Formulas((equation(d.partial, product(own, last.expansion)),)),
    ]


def _carried(chain: Chain, layer: int, j: str) -> Expression:
    return Product((sy.delta(chain.name(layer + 1, "k")), chain.letter_weight(layer + 1, "k", j)))


def _output_delta(chain: Chain) -> Equation:
    A, y = chain.A_and_y("j")
    outputs = chain.net.sizes[-1]
    first = Partial(sy.C, sy.net_input(A.name))
    if chain.joined:
        return equation(sy.delta(A.name), first, *_joined_sides(chain, "j"))
    slope = of_output(chain.cost, "j").slope(A, y, sy.u_cost("j", outputs))
    return equation(sy.delta(A.name), first, product(slope, sy.slope(sy.net_input(A.name))))


def _result(d: DerivationData) -> Equation:
    """∂C/∂W = the two operands = all partials = all factors."""
    chain = d.chain
    paths = [chain.path(way) for way in all_paths(chain)]
    partials = total(*(product(*(f.partial for f in path)) for path in paths))
    factors = total(*(product(*(f.expansion for f in path)) for path in paths))
    return equation(d.partial, *_two_operands(d), partials, factors)


def _two_operands(d: DerivationData) -> list[Expression]:
    if d.chain.joined and d.chain.index.layer == d.chain.layers:
        return []  # there are no other partials than the two operands
    neuron = sy.neuron(d.chain.name(d.chain.index.layer, d.chain.index.neuron))
    return [product(Partial(sy.C, neuron), Partial(neuron, sy.weight(d.weight)))]


def slope_equation(chain: Chain, layer: int, j: int) -> Equation:
    """∂A1/∂u_A1 = ∂σ(u_A1)/∂u_A1 = σ′(u_A1)"""
    factor = chain.slope(layer, j)
    u = sy.net_input(chain.name(layer, j))
    return equation(factor.partial, Partial(sy.sigma(u), u), factor.expansion)


def forward_equations(chain: Chain, layer: int, j: int) -> list[Equation]:
    """A1 = σ(W1~_2 × 1 + …), A1 = σ(u_A1), u_A1 = W1~_2 × 1 + …"""
    name, total_input = chain.name(layer, j), sy.weighted_sum(chain.net.sizes, layer, j, chain.net.biases)
    a, u = sy.neuron(name), sy.net_input(name)
    if layer == chain.layers and chain.net.activations[-1] == "softmax":
        return [softmax_equation(j, chain.net.sizes[-1]), equation(u, total_input)]
    return [equation(a, sy.sigma(total_input)), equation(a, sy.sigma(u)), equation(u, total_input)]


def softmax_equation(j: int | str, outputs: int) -> Equation:
    """A1 = e^u_A1 / Σ e^u_Ak"""
    e, every = Symbol("e", "e"), "i" if j == "k" else "k"
    below = Total(every, outputs, Power(e, sy.net_input(f"A{every}")))
    return equation(sy.neuron(f"A{j}"), Quotient(Power(e, sy.net_input(f"A{j}")), below))


def cost_equations(chain: Chain, j: int) -> list[Equation]:
    """From the cost to ∂C/∂A1, or to ∂C/∂u_A1 if both derivatives are combined."""
    A, y = chain.A_and_y(j)
    formula, outputs = of_output(chain.cost, j), chain.net.sizes[-1]
    u_cost = sy.u_cost(j, outputs)
    lines = [cost_equation(chain)]
    if not (formula.substituted or chain.joined):
        return [*lines, equation(Partial(sy.C, A), formula.slope(A, y, u_cost))]
    if formula.substituted and not chain.joined:
        inner = Partial(sy.C, u_cost)
        slope = formula.slope(A, y, u_cost)
        every = sy.u_cost("k", outputs)
        lines += [
            equation(u_cost, minus(A, y)),
            equation(sy.C, _over_outputs(outputs, formula.substituted(every))),
            equation(inner, slope),
            equation(Partial(u_cost, A), ONE),
            equation(Partial(sy.C, A), product(inner, Partial(u_cost, A)), slope),
        ]
        return lines
    partial = Partial(sy.C, sy.net_input(A.name))
    if chain.net.activations[-1] != "softmax":
        slope = formula.slope(A, y, u_cost)
        chained = product(Partial(sy.C, A), Partial(A, sy.net_input(A.name)))
        u = sy.net_input(A.name)
        return [
            *lines,
            equation(Partial(sy.C, A), slope),
            equation(Partial(A, u), sy.slope(u), A if chain.cost == "poisson" else Product((A, minus(ONE, A)))),
            equation(partial, chained, minus(A, y)),
        ]
    if formula.substituted:
        lines.append(equation(u_cost, minus(A, y)))
        return [*lines, equation(sy.delta(A.name), partial, *_joined_sides(chain, j))]
    return [*lines, equation(partial, *_joined_sides(chain, j))]


def cost_equation(chain: Chain) -> Equation:
    """C = (A1 - y)², or the sum over several outputs."""
    outputs = chain.net.sizes[-1]
    k: int | str = 1 if outputs == 1 else "k"
    return equation(sy.C, _over_outputs(outputs, of_output(chain.cost, k).of(*chain.A_and_y(k))))


def _over_outputs(outputs: int, of_one: Expression) -> Expression:
    if outputs == 1:
        return of_one
    if isinstance(of_one, Negative):
        return Negative(Total("k", outputs, of_one.of))
    return Total("k", outputs, of_one)


def _joined_sides(chain: Chain, j: int | str) -> list[Expression]:
    """∂C/∂u of an output, if softmax or a cross-entropy combines two factors into one."""
    A, y = chain.A_and_y(j)
    if chain.net.activations[-1] != "softmax":
        return [minus(A, y)]
    outputs = chain.net.sizes[-1]
    every, target = chain.A_and_y("k")
    slope = of_output(chain.cost, "k").slope(every, target, sy.u_cost("k", outputs))
    u = sy.net_input(A.name)
    jacobian = Product((every, minus(Truth(Symbol("k", "k"), "=", Symbol(str(j), str(j))), A)))
    sides: list[Expression] = [
        Total("k", outputs, product(Partial(sy.C, every), Partial(every, u))),
        Total("k", outputs, product(slope, jacobian)),
    ]
    if cost_function(chain.cost).delta is not None:
        return [*sides, minus(A, y)]
    own = of_output(chain.cost, j).slope(A, y, sy.u_cost(j, outputs))
    return [*sides, Product((A, minus(own, Total("k", outputs, product(slope, every)))))]


def meanings(factors: tuple[Factor, ...]) -> list[Block]:
    rows = tuple((factor.partial, in_a_cell(factor), factor.meaning) for factor in factors)
    return [heading("The factors"), Table(("factor", "is", "meaning"), rows)]


def in_a_cell(factor: Factor) -> Part:
    """The expansion of a factor; a sum that is too long for a table's cell is written above the table."""
    return factor.expansion if len(factor.expanded) < 24 else "above"


def where(net: Network, labels: Mapping[str, str]) -> list[Block]:
    """The definition of σ in each layer, and the names of the inputs; InputError for a softmax over groups."""
    found: list[Block] = [heading("Where")]
    first = 1
    kinds = [(name, len(list(group))) for name, group in groupby(net.activations)]
    for name, count in kinds:
        last = first + count - 1
        place = "" if len(kinds) == 1 else f" in layer {first}" if count == 1 else f" in the layers {first} to {last}"
        first = last + 1
        if name == "softmax":
            found += [prose("The outputs are a softmax:"), Formulas((softmax_equation("k", net.sizes[-1]),))]
        else:
            if activation(name).jacobian is not None:
                raise InputError(
                    f"formulas are written for one softmax over all outputs, but the activation is {name}; its numbers "
                    f"are in as_dict()",
                    "activations",
                )
            found.append(prose(f"σ{place} is {name.replace('_', ' ')}:"))
            of, slope = ACTIVATION_FORMULAS[name]
            found.append(Formulas((equation(sy.sigma(sy.U), of), equation(sy.slope(sy.U), slope))))
    if labels:
        rows = tuple((sy.neuron(name), label) for name, label in labels.items())
        found.append(Table(("input", "is"), rows))
    return found if len(found) > 1 else []
