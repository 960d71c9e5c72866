"""The built-in data sets: their points, by formulas of their own, and how they are learned."""

import numpy as np
import pytest

import backpath as bp
from backpath.training.datasets import DATASETS, dataset

LOGIC = ((2,), "sigmoid", "sigmoid", "squared_error", "gd", 2.0, None, 10_000)
POINTS = ((8,), "tanh", "sigmoid", "binary_cross_entropy", "adam", 0.03, None, 1000)
RECIPES = {
    **dict.fromkeys(
        ("and", "or", "nand", "xor"), ((2,), "sigmoid", "sigmoid", "squared_error", "gd", 2.0, None, 10_000)
    ),
    "circle": POINTS,
    "spiral": ((16, 16), "tanh", "sigmoid", "binary_cross_entropy", "adam", 0.01, None, 2000),
    "sine": ((8,), "tanh", "identity", "squared_error", "adam", 0.02, None, 2000),
}


@pytest.mark.parametrize("name", DATASETS)
def test_what_each_is(name):
    data = dataset(name)
    r = data.recipe
    found = (r.hidden, r.activation, r.output, r.cost, r.solver, r.learning_rate, r.batch_size, r.epochs)
    assert found == RECIPES[name]
    assert data.task == ("regression" if name == "sine" else "binary")
    assert data.is_truth_table == (name in ("and", "or", "nand", "xor"))
    assert len(data.X) == len(data.y) == (4 if data.is_truth_table else 100 if name == "sine" else 200)
    assert data.X.dtype == data.y.dtype == np.float64
    assert (data.X == dataset(name).X).all()  # the same each time


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("and", lambda a, b: a and b),
        ("or", lambda a, b: a or b),
        ("nand", lambda a, b: not (a and b)),
        ("xor", lambda a, b: a != b),
    ],
)
def test_truth_tables(name, rule):
    data = dataset(name)
    assert data.X.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert [bool(y) for (y,) in data.y] == [rule(bool(a), bool(b)) for a, b in data.X]
    assert data.title == f"the truth table of {name.upper()}"


def test_the_circle_is_a_disc_and_a_ring():
    data = dataset("circle")
    radius, angle = np.hypot(*data.X.T), np.arctan2(data.X[:, 1], data.X[:, 0])
    inside = data.y[:, 0] == 1
    assert inside.sum() == 100
    assert 0.4 < radius[inside].max() <= 0.5
    assert radius[inside].min() < 0.1
    assert 0.7 <= radius[~inside].min() < 0.75
    assert 0.95 < radius[~inside].max() <= 1
    for kind in (inside, ~inside):  # all around
        assert (np.histogram(angle[kind], 8, (-np.pi, np.pi))[0] > 4).all()


def test_the_spirals():
    data = dataset("spiral")
    along = np.linspace(0.05, 1, 100)
    for y, half_turn in ((0, 0), (1, np.pi)):
        arm = data.X[data.y[:, 0] == y]
        angle = 3.5 * np.pi * along + half_turn
        noise = arm - along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
        assert noise.std() == pytest.approx(0.01, rel=0.15)
        assert abs(noise.mean()) < 0.003


def test_the_sine():
    data = dataset("sine")
    assert data.X[:, 0].tolist() == np.linspace(-1, 1, 100).tolist()
    assert np.allclose(data.y, np.sin(np.pi * data.X), rtol=0, atol=1e-15)


def test_unknown_names_are_refused():
    with pytest.raises(bp.InputError, match="unknown data set 'xo'; expected one of and, or, nand, xor, circle"):
        dataset("xo")
