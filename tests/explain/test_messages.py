"""The message of each mistake in the catalogue says what its figures are: another program carries the message out."""

import numpy as np
import pytest

from backpath.explain.diagnosis.catalogue import every_mistake
from backpath.explain.diagnosis.passes import Passes
from backpath.explain.diagnosis.problem import Problem
from explain.carried_out import programs
from explain.planted import Scene, scene

SCENES = [
    scene((2, 3, 2), ("tanh", "sigmoid"), "squared_error", 3, 3),
    scene((3, 3, 3), ("leaky_relu", "identity"), "half_squared_error", 2, 4),
    scene((2, 2, 2, 1), ("sigmoid", "softplus", "sigmoid"), "binary_cross_entropy", 3, 5),
]


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


@pytest.mark.parametrize("of", SCENES, ids=lambda of: "-".join(map(str, of.network.sizes)))
def test_each_message_can_be_carried_out(of: Scene):
    q = Problem(of.network, of.X, of.y, of.cost, of.learning_rate, [np.ones(W.shape, bool) for W in of.weights])
    mistakes = every_mistake(q)
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
