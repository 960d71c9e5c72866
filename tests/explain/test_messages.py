"""The message of each mistake in the catalogue says what its figures are: another program carries the message out."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backpath.explain.diagnosis.catalogue import every_mistake
from backpath.explain.diagnosis.catalogue.fitted_numbers import families
from backpath.explain.diagnosis.constants import SLOTS, scopes
from backpath.explain.diagnosis.mistakes import Family
from backpath.explain.diagnosis.passes import Passes
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.procedures import by_other_rules, usual, with_scales
from explain.carried_out import programs
from explain.planted import Scene, scene

LISTED = Path(__file__).parent / "golden" / "catalogue.txt"
RANKS = "common", "less common", "rare"
SCENES = [
    scene((2, 3, 2), ("tanh", "sigmoid"), "squared_error", 3, 3),
    scene((3, 3, 3), ("leaky_relu", "identity"), "half_squared_error", 2, 4),
    scene((2, 2, 2, 1), ("sigmoid", "softplus", "sigmoid"), "binary_cross_entropy", 3, 5),
]


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def problem(of: Scene) -> Problem:
    free = [np.ones(W.shape, bool) for W in of.weights]
    return Problem(of.network, of.X, of.y, of.cost, of.learning_rate, free)


@pytest.mark.parametrize("of", SCENES, ids=lambda of: "-".join(map(str, of.network.sizes)))
def test_each_message_can_be_carried_out(of: Scene):
    q = problem(of)
    mistakes = every_mistake(q) + [family.mistake(0.8125) for family in families(q)]
    passes = Passes(q, len(mistakes), [(mistake.edits, np.array([k])) for k, mistake in enumerate(mistakes)])
    wrong = []
    for k, mistake in enumerate(mistakes):
        made = flat(G[k] for G in passes.G[1:])
        expected = [flat(program.run()) for program in programs(of, mistake.message)]
        if expected and not np.isfinite(made).all():  # of no use: A is 0 or 1 in a cross-entropy
            continue
        if not any(np.allclose(made, figures, rtol=1e-9, atol=1e-12) for figures in expected):
            wrong.append(mistake.message)
    print(f"{len(wrong)} of {len(mistakes)} wrong, or not understood:", *wrong, sep="\n")
    assert not wrong


# networks around the limits of the catalogue's kinds
LIMITS = [
    *("7-2-1", "8-2-1", "9-2-1", "2-8-1", "2-9-1", "1-1-8", "1-1-9", "1-8-2", "1-9-2"),
    *("3-10-1", "1-16-1", "1-3-6", "1-5-4", "1-3-7", "4-2-1", "3-2-2", "10-3-5", "10-8-1"),
    *("12-6-1", "5-7-1", "5-10-1", "4-19-1", "4-20-1", "3-24-1", "3-25-1", "1-25-4", "7-11-1"),
]


def fitted(f: Family) -> str:
    """A family of mistakes with a fitted number."""
    numbers = (" ".join(f"{number:.5g}" for number in numbers) for numbers in (f.starts, f.likely))
    starts, likely = numbers
    return (
        f"{f.code}, fitted: {' '.join(f.where)} [{RANKS[f.rank]}], not {f.right:.5g}; from {starts}; likely {likely}; "
        f"touches {' '.join(sorted(f.touches))}"
    )


def conventions(of: Scene) -> list[str]:
    """The constants, the gradients that may have them alone, and the procedures of several updates, with their bits."""
    q = replace(problem(of), updates=True)
    lines = [
        f"  {constant.code}: {constant.words(q)} = {constant.value(q):.5g} [{constant.bits:.1f} bits]"
        for slot in SLOTS
        for constant in slot
    ]
    groups = [(layer, is_bias, False) for layer in q.every for is_bias in (False, True)]
    for scope in scopes(q, groups):
        places = [f"{layer}{'b' * is_bias}" for layer, is_bias, _ in filter(scope.holds, groups)]
        lines.append(f"  {scope.words}: {' '.join(places)} [{scope.bits:.2f} bits]")
    plain = [*usual(q), *by_other_rules(q)]
    for procedure in (*plain, *with_scales(q, plain[0]), *with_scales(q, plain[2])):
        lines.append(f"  {procedure.words}: × {procedure.scale:g}, {len(procedure.steps)} [{procedure.bits:.1f} bits]")
    return lines


def counts(sizes: str, N: int) -> str:
    """How many mistakes of each kind are tried, for targets beyond 0 and 1: common, less common and rare ones."""
    of = scene([*map(int, sizes.split("-"))], ("sigmoid", "tanh"), "squared_error", N, 10)
    found = Counter((m.code, m.rank) for m in every_mistake(problem(replace(of, y=of.y + 1))))
    to_fit = [len(f.starts) + len(f.likely) for f in families(problem(of))]
    kinds = (f"{code} {'/'.join(str(found[code, k]) for k in range(3))}" for code in sorted({c for c, _ in found}))
    return f"{sizes}, N = {N}: {', '.join(kinds)}; {len(to_fit)} numbers to fit from {sum(to_fit)} starts"


def catalogue() -> str:
    """All mistakes that are tried in three small networks, with how usual they are, their number in others, and all
    conventions."""
    lines = []
    for of in (
        scene((1, 2, 3), ("tanh", "softmax"), "categorical_cross_entropy", 2, 7),
        scene((2, 1, 1), ("relu", "sigmoid"), "binary_cross_entropy", 1, 8),
        scene((1, 1, 1, 1), ("sigmoid", "identity", "tanh"), "squared_error", 2, 9),
    ):
        lines += [f"{'-'.join(map(str, of.network.sizes))}, {', '.join(of.activations)}, {of.cost}, N = {len(of.X)}"]
        for m in every_mistake(problem(of)):
            flags = [name for name in ("convention", "is_right", "coupled", "by_sample", "by_size") if getattr(m, name)]
            lines.append(f"  {m.code}: {m.message} [{', '.join([RANKS[m.rank], *flags])}] {' '.join(m.where)}".rstrip())
        lines += [f"  {fitted(family)}" for family in families(replace(problem(of), learning_rate=None), [0.125])]
    lines += conventions(scene((2, 3, 2, 2), ("sigmoid",) * 3, "half_squared_error", 3, 11))
    others = [*(counts(sizes, 1) for sizes in LIMITS), counts("1-2-2", 3), counts("1-2-2", 4)]
    return "\n".join([*lines, *others]) + "\n"


def test_the_catalogue_is_the_one_that_is_listed():
    """No mistake is lost, added or ranked otherwise unnoticed; after a change, write ``catalogue()`` there."""
    assert catalogue().splitlines() == LISTED.read_text("utf-8").splitlines()
