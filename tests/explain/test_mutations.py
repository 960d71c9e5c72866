"""The planted mistakes are mistakes, and without one the mistaken backprop is right."""

import numpy as np
import pytest

from explain.planted import MISTAKES, SAME, SIZES, scene, settings

ENOUGH = range(96)  # settings: all sizes and batches with most activations


@pytest.mark.parametrize("seed", ENOUGH)
def test_without_a_mistake_it_is_right(seed):
    of = scene(*settings(seed), seed)
    right = of.network.gradients(of.X, of.y, cost=of.cost)
    for mine, layer in zip(of.gradients(), right.layers, strict=True):
        np.testing.assert_allclose(mine, layer, rtol=0, atol=1e-12 * max(1, np.abs(layer).max()))


@pytest.mark.parametrize(("code", "variant"), MISTAKES)
def test_a_mistake_changes_the_gradient(code, variant):
    """In most of the networks where it can be made; an activation may hide it (σ′ = 1, or no hidden neuron active)."""
    changed = []
    for seed in ENOUGH:
        of = scene(*settings(seed), seed)
        wrong, right = of.gradients((code, variant)), of.gradients()
        if wrong is not None:
            assert [g.shape for g in wrong] == [g.shape for g in right]
            changed.append(any(np.abs(w - r).max() > SAME * np.abs(r).max() for w, r in zip(wrong, right)))
    assert len(changed) >= 8
    assert np.mean(changed) > 0.5


def test_every_code_can_be_planted_in_every_size_where_it_has_a_meaning():
    elsewhere = {"transposed_weights", "output_average", "softmax_diagonal", "missing_path"}  # not with one output
    for sizes in SIZES:
        seeds = [seed for seed in ENOUGH if settings(seed)[0] == sizes]
        scenes = [scene(*settings(seed), seed) for seed in seeds]
        planted = {code for code, name in MISTAKES if any(of.gradients((code, name)) for of in scenes)}
        assert planted >= {code for code, _ in MISTAKES} - elsewhere


def test_two_mistakes_meet():
    """Weights already updated are updated with the other mistake's gradient, not with the right one."""
    of = scene((2, 2, 1), ("sigmoid", "sigmoid"), "squared_error", 5, 1)
    [_, right] = of.gradients()
    [hidden, output] = of.gradients(("cost_convention", "half_or_not"), ("updated_weights_used", "all"))
    np.testing.assert_allclose(output, right / 2)
    H = 1 / (1 + np.exp(-(of.X @ of.weights[0][:, :-1].T + of.weights[0][:, -1])))
    A = 1 / (1 + np.exp(-(H @ of.weights[1][:, :-1].T + of.weights[1][:, -1])))
    delta = (A - of.y) * A * (1 - A)
    updated = of.weights[1] - of.learning_rate * output
    expected = (delta * updated[:, :-1] * H * (1 - H)).T @ np.hstack([of.X, np.ones((5, 1))]) / 5
    np.testing.assert_allclose(hidden, expected, rtol=1e-12)
