"""The numbers of an evaluated derivation, with consistent digits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from backpath.explain import symbols as sy
from backpath.explain.derivation_data import EvaluationData, Sample
from backpath.explain.digits import DIGITS, added, agree, rounds_to, shown, shown_product, shown_sum, subtracted
from backpath.explain.document import Block, Formulas, Part, Table, heading, prose
from backpath.explain.expression import (
    Ellipsis,
    Equation,
    Expression,
    Number,
    Product,
    Quotient,
    Sum,
    equation,
    minus,
    product,
)
from backpath.explain.paths import FEW_PATHS, Path, Paths
from backpath.explain.written.chain_rule import in_a_cell

_MOST_ROWS = 20
MOST_OUTPUTS = 6


def blocks(v: EvaluationData) -> list[Block]:
    """The factors' numbers and their product; for a batch, a row per sample, and the mean."""
    found = _one_sample(v.samples[0]) if len(v.samples) == 1 else _batch(v)
    return [heading("With numbers"), *found]


def _one_sample(sample: Sample) -> list[Block]:
    d = sample.derivation
    texts, _ = shown_product(sample.values, sample.gradient)
    rows = tuple(
        (factor.partial, in_a_cell(factor), text, factor.meaning)
        for factor, text in zip(sample.factors, texts, strict=True)
    )
    table = Table(("factor", "is", "value", "meaning"), rows, frozenset({2}))
    differences = u_cost_equations(sample)
    found: list[Block] = [Formulas(tuple(differences))] if differences else []
    found += [table, Formulas((gradient_equation(sample),))]
    return found if d.path_count == 1 else [*found, *_of_paths(sample.paths, sample)]


def gradient_equation(sample: Sample) -> Equation:
    """∂C/∂W = 2 × u_cost × … = numbers = product"""
    d = sample.derivation
    texts, result = shown_product(sample.values, sample.gradient)
    first = d.factors[0].partial if d.path_count > 1 else d.factors[0].expansion
    symbols = product(first, *(f.expansion for f in d.factors[1:]))
    return equation(d.partial, symbols, numeric(texts), Number(result))


def u_cost_equations(sample: Sample, of_all: bool = False) -> list[Equation]:
    """u_cost = A1 - y with numbers, for all outputs on paths to the weight, or all of the network, if there are few."""
    chain, numbers = sample.derivation.chain, sample.numbers
    outputs = chain.net.sizes[-1]
    is_own = chain.index.layer == chain.layers and not of_all
    reached = [chain.index.neuron] if is_own else list(range(1, outputs + 1))
    if chain.joined or len(reached) > MOST_OUTPUTS:
        return []
    lines = []
    for j in reached:
        A, y = chain.A_and_y(j)
        pair = [float(numbers.a[-1][sample.place, j - 1]), float(numbers.y[sample.place, j - 1])]
        texts, difference = _difference(pair, float(numbers.dC_da[-1][sample.place, j - 1]))
        lines.append(equation(sy.u_cost(j, outputs), minus(A, y), minus(*sy.numbers(texts)), Number(difference)))
    return lines


def _difference(pair: list[float], slope: float) -> tuple[list[str], str]:
    """A - y with enough digits to give the shown ∂C/∂A, which is A - y or twice that."""
    found = agree(pair, pair[0] - pair[1], subtracted, scale=max(map(abs, pair)))
    for digits in range(DIGITS, 16):
        found = agree(pair, pair[0] - pair[1], subtracted, digits, scale=max(map(abs, pair)))
        times = round(slope / (pair[0] - pair[1])) if pair[0] != pair[1] else 1
        if rounds_to(times * Decimal(found[1]), slope):
            break
    return found


def _of_paths(paths: Paths, sample: Sample) -> list[Block]:
    """Each path's product and share; if there are few paths, also their factors."""
    if len(paths) < paths.total:
        table = _path_table(paths, [shown(path.value) for path in paths])
        found: list[Block] = [prose(f"The strongest of {paths.total:,} paths:"), table]
        if paths.share:
            found.append(prose(f"Together they carry {100 * paths.share:.3g}% of the gradient."))
        return found
    texts, gradient = shown_sum([path.value for path in paths], sample.gradient)
    whole = Formulas((equation(sample.derivation.partial, sy.sum_of(texts), Number(gradient)),))
    lines = [_path_equation(path) for path in paths] if len(paths) <= FEW_PATHS else []
    intro = prose(f"The sum over all {paths.total:,} paths:")
    return [intro, _path_table(paths, texts), whole, *(Formulas((line,)) for line in lines)]


def _path_table(paths: Paths, texts: Sequence[str]) -> Table:
    rows = tuple((" → ".join(path.neurons), text, _percent(path)) for path, text in zip(paths, texts, strict=True))
    return Table(("path", "product", "share"), rows, frozenset({1, 2}))


def _path_equation(path: Path) -> Equation:
    factors, value = shown_product(path.values, path.value)
    return equation(product(*(f.expansion for f in path.factors)), numeric(factors), Number(value))


def _percent(path: Path) -> str:
    if path.share is None:
        return ""
    return f"{100 * path.share:.1f}%" if abs(path.share) < 10 else f"{path.share:.3g} times"


def _batch(v: EvaluationData) -> list[Block]:
    d, samples = v.derivation, v.samples
    few = samples[:_MOST_ROWS]
    header: list[Part] = ["sample", *(f.expansion if len(f.expanded) < 16 else f.partial for f in d.factors), d.partial]
    rows: list[tuple[Part, ...]] = []
    for sample in few:
        texts, gradient = shown_product(sample.values, sample.gradient)
        rows.append((str(sample.place + 1), *texts, gradient))
    found: list[Block] = [Table(tuple(header), tuple(rows), frozenset(range(1, len(header))))]
    if len(few) < len(samples):
        found.append(prose(f"The first {len(few)} of {len(samples):,} samples."))
    return [*found, Formulas((mean_equation(d.partial, [s.gradient for s in samples], v.gradient, len(samples)),))]


def mean_equation(name: Expression, values: list[float], mean: float, count: int) -> Equation:
    """∂C/∂W = 1/N × (g₁ + g₂ + …) = mean, with consistent digits; ``count`` is N."""
    texts, result = agree(
        values, mean, lambda shown_values: added(shown_values) / count, scale=max(map(abs, values), default=0.0)
    )
    summed = sy.sum_of(texts)
    if isinstance(summed, Sum) and count > _MOST_ROWS:
        summed = Sum((*summed.terms[:3], Ellipsis(), summed.terms[-1]))
    average = Quotient(Number("1"), Number(str(count)))
    return equation(name, Product((average, summed)), Number(result))


def numeric(texts: list[str]) -> Expression:
    """A product of numbers, including those that are 1."""
    return Product(sy.numbers(texts))
