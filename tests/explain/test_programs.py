"""Random slips at random uses, written without the search's tables: which of them ``diagnose`` names at their place.

The shares that count are those of ``scripts/confusion`` (docs/diagnosis-figures.md); here a sample keeps them so.
"""

import numpy as np
import pytest

import backpath as bp
from explain.programs.program import Impossible
from explain.programs.slips import CONVENTIONS, MEANT, SLIPS
from explain.programs.trials import PRINTED, fresh, made, trials


@pytest.mark.parametrize("seed", range(60))
def test_without_a_slip_the_program_is_right(seed):
    program = fresh(seed)
    net = bp.Network.from_weights(program.weights, activations=program.activations)
    right = net.gradients(program.X, program.y, cost=program.cost)
    for mine, layer in zip(program.gradients(), right.layers, strict=True):
        np.testing.assert_allclose(mine, layer, rtol=0, atol=1e-11 * max(1, np.abs(layer).max()))


@pytest.mark.parametrize("name", [*SLIPS, *CONVENTIONS, *MEANT])
def test_a_slip_changes_the_gradient(name):
    changed = []
    for seed in range(60):
        try:
            wrong, _ = made(seed, [name])
        except Impossible:
            continue
        found, right = wrong.gradients(), fresh(seed).gradients()
        assert [g.shape for g in found] == [g.shape for g in right]
        changed.append(any(np.abs(w - r).max() > 1e-9 * np.abs(r).max() for w, r in zip(found, right)))
    assert len(changed) >= 3
    assert np.mean(changed) > 0.5


def share(found) -> float:
    found = list(found)
    missed = [(t.seed, t.what, t.program.sizes, t.program.activations, t.program.cost) for t in found if not t.named]
    print(f"{len(missed)} of {len(found)} missed:", *missed, sep="\n")
    return 1 - len(missed) / len(found)


def test_most_slips_are_named_at_their_place():
    assert share(trials(24, slips=1, conventions=0, digits=None)) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slips", "conventions", "digits", "count", "least"),
    [
        (1, 0, None, 60, 0.97),
        (1, 0, 5, 60, 0.92),
        (1, 0, PRINTED, 60, 0.92),
        (1, 3, None, 40, 0.95),
        (2, 0, None, 40, 0.85),
    ],
)
def test_share_of_slips_named(slips, conventions, digits, count, least):
    assert share(trials(count, slips, conventions, digits, start=50_000)) >= least


def test_possible_intentions_are_reported():
    assert share(trials(20, slips=0, conventions=0, digits=None, meant=1)) >= 0.9
