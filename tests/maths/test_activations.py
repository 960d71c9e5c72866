"""Every activation against the textbook formula at 60 digits, over the whole float range."""

import mpmath as mp
import numpy as np
import pytest

import oracles
from backpath.maths.activations import ACTIVATIONS, activation

EDGES = [0.0, -0.0, 5e-324, -5e-324, 2.3e-308, -2.3e-308, 1e-17, -1e-17, 1.0, -1.0, 19.6, -19.6, 36.7, -36.8, 37.5]
EDGES += [-37.5, 38.6, -38.6, 88.8, -88.8, 350.0, -350.0, 708.3, -708.3, 709.8, -709.8, 744.4, -744.4, 745.2, -745.2]
EDGES += [750.0, -750.0, 1e4, -1e4, 1e154, -1e154, 1.7e308, -1.7e308, -1.2784645427610738, -0.7517915241]
ELEMENTWISE = sorted(set(ACTIVATIONS) - {"softmax"})


def points(count):
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-760, 760, count // 5), rng.normal(0, 3, count // 2), rng.uniform(-1.4, -0.6, count // 5)]
    wide = 10 ** rng.uniform(-300, 300, count // 10) * rng.choice([-1, 1], count // 10)
    return np.concatenate([*parts, wide, EDGES])


def ulp_errors(got, exact):
    """|got - exact| in units in the last place of the exact value."""
    ulp = np.spacing(np.abs(np.array([float(x) for x in exact])))
    return np.array(
        [float(abs(mp.mpf(float(g)) - x) / mp.mpf(float(s))) for g, x, s in zip(got, exact, ulp, strict=True)]
    )


def check_accuracy(name, u):
    row = ACTIVATIONS[name]
    if name == "exp":
        u = np.minimum(u, 709.7)  # beyond, it is infinite
    for function, oracle in zip((row.value, row.derivative), oracles.ACTIVATIONS[name], strict=True):
        got = function(u)
        exact = [oracle(mp.mpf(float(x))) for x in u]
        errors, allowed = ulp_errors(got, exact), np.full(len(u), 4.0)
        if name == "gelu":  # its own bound, as its module says
            allowed = np.where(u < 0, 5 + 2 * np.minimum(u, 0).clip(-40) ** 2, 4.0)
            near_zero = np.array([float(abs(mp.mpf(float(g)) - x)) for g, x in zip(got, exact, strict=True)]) <= 1.2e-16
            errors = np.where(near_zero & (abs(u + 0.75) < 0.2), 0, errors)
        worst = np.argmax(errors / allowed)
        assert errors[worst] <= allowed[worst], f"{name} at {u[worst]!r}: {errors[worst]:.1f} ulp"


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_value_and_derivative_keep_their_digits(name):
    check_accuracy(name, points(1000))


@pytest.mark.slow
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_value_and_derivative_keep_their_digits_over_100_000_points(name):
    check_accuracy(name, points(100_000))


@pytest.mark.parametrize("scale", [1, 30, 700])
def test_softmax_keeps_its_digits(scale):
    for u in np.random.default_rng(1).normal(0, scale, (100, 5)).clip(-700, 700):
        exact = oracles.softmax([mp.mpf(float(x)) for x in u])
        row = ACTIVATIONS["softmax"]
        assert ulp_errors(row.value(u), exact).max() <= 4
        others = [mp.fsum(exact[:j] + exact[j + 1 :]) for j in range(len(exact))]  # 1 - a_j, with its digits
        assert ulp_errors(row.derivative(u), [a * b for a, b in zip(exact, others, strict=True)]).max() <= 6


def test_softmax_chain_is_its_jacobian():
    u, g = np.array([[0.3, -1.0, 2.0]]), np.array([[0.5, -2.0, 1.0]])
    a = [float(x) for x in oracles.softmax([mp.mpf(x) for x in u[0]])]
    jacobian = np.array([[a[j] * ((j == k) - a[k]) for k in range(3)] for j in range(3)])
    assert ACTIVATIONS["softmax"].chain(u, g)[0] == pytest.approx(jacobian @ g[0], rel=1e-14)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_float32_stays_float32(name):
    u = np.array([-90, -1.3, 0, 2, 88 if name == "exp" else 90], dtype=np.float32)
    for function, oracle in zip(
        (ACTIVATIONS[name].value, ACTIVATIONS[name].derivative), oracles.ACTIVATIONS[name], strict=True
    ):
        got = function(u)
        assert got.dtype == np.float32
        assert got == pytest.approx([float(oracle(mp.mpf(float(x)))) for x in u], rel=2e-6, abs=1e-38)


def test_codes_are_distinct():
    assert sorted(row.code for row in ACTIVATIONS.values()) == list(range(len(ACTIVATIONS)))


def test_an_unknown_name_is_answered_with_the_known():
    with pytest.raises(ValueError, match="unknown activation 'swish'; expected one of sigmoid, tanh, relu"):
        activation("swish")


def test_softmax_of_several_samples_is_that_of_each():
    rng = np.random.default_rng(3)
    u, g = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 4, 3))
    row = ACTIVATIONS["softmax"]
    for found, one in (
        (row.value(u), lambda k: row.value(u[k])),
        (row.derivative(u), lambda k: row.derivative(u[k])),
        (row.chain(u, g), lambda k: row.chain(u[k], g[k])),
    ):
        for place in np.ndindex(2, 4):
            np.testing.assert_allclose(found[place], one(place), rtol=1e-15)
