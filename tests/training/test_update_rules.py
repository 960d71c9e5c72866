"""Each solver's updates over several steps, in both engines, against the published rules with 40 digits."""

import mpmath as mp
import numpy as np
import pytest

import backpath as bp
from backpath.training.engines.compiled import CompiledEngine
from backpath.training.engines.numpy import NumpyEngine
from backpath.training.job import LEARNING_RATES, Job, Solver

X, Y = np.array([[0.5, -1], [1, 2], [-0.3, 0.7]]), np.array([[0.3], [0.9], [-0.5]])
NET = bp.Network((2, 2, 1), activations=("tanh", "identity"), seed=3)
SOLVERS = {
    "gd": Solver("gd", 0.3),
    "momentum": Solver("momentum", 0.2, momentum=0.8),
    "nesterov": Solver("momentum", 0.2, momentum=0.8, nesterov=True),
    "adam": Solver("adam", 0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    "adamw": Solver("adam", 0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3, decay=0.7),
}


def updated(s: Solver, w, g, m, v, t, is_bias):
    """One weight after a step of its rule, as in the papers, and the rule's state."""
    if s.name == "gd":
        return w - s.learning_rate * g, m, v
    if s.name == "momentum":  # Sutskever et al. (2013); Nesterov's in the form that looks ahead from the new weight
        m = s.momentum * m - s.learning_rate * g
        return w + (s.momentum * m - s.learning_rate * g if s.nesterov else m), m, v
    m, v = s.beta_1 * m + (1 - s.beta_1) * g, s.beta_2 * v + (1 - s.beta_2) * g * g  # Kingma and Ba (2014)
    rate = s.learning_rate * mp.sqrt(1 - mp.mpf(s.beta_2) ** t) / (1 - mp.mpf(s.beta_1) ** t)
    decay = 0 if is_bias else s.learning_rate * s.decay * w  # Loshchilov and Hutter (2017)
    return w - decay - rate * m / (mp.sqrt(v) + s.epsilon), m, v


def followed(solver, steps):
    """The weights after these steps, the gradients by differences of the cost in 40 digits."""
    with mp.workdps(40):
        w = [mp.mpf(float(v)) for W in NET.weights for v in W.ravel()]
        m, v = [mp.mpf(0)] * len(w), [mp.mpf(0)] * len(w)

        def cost(w):
            total = mp.mpf(0)
            for (a, b), (y,) in zip(X.tolist(), Y.tolist(), strict=True):
                H = [mp.tanh(w[3 * j] * a + w[3 * j + 1] * b + w[3 * j + 2]) for j in range(2)]
                total += (w[6] * H[0] + w[7] * H[1] + w[8] - y) ** 2
            return total / len(X)

        h = mp.mpf(10) ** -15
        for t in range(1, steps + 1):
            slopes = []
            for k in range(len(w)):
                up, down = list(w), list(w)
                up[k], down[k] = w[k] + h, w[k] - h
                slopes.append((cost(up) - cost(down)) / (2 * h))
            made = [updated(solver, *of, t, k in (2, 5, 8)) for k, of in enumerate(zip(w, slopes, m, v, strict=True))]
            w, m, v = ([one[k] for one in made] for k in range(3))
        return np.array([float(one) for one in w])


@pytest.mark.parametrize("engine", [NumpyEngine, CompiledEngine])
@pytest.mark.parametrize("name", SOLVERS)
def test_several_steps_by_the_published_rule(name, engine):
    job = Job(NET, X, Y, cost="squared_error", solver=SOLVERS[name], batch_size=len(X))
    made = engine(job)
    made.run(6)
    found = np.concatenate([W.ravel() for W in made.weights])
    assert np.allclose(found, followed(SOLVERS[name], 6), rtol=1e-12)


def test_the_default_rates():
    assert LEARNING_RATES == {"gd": 0.5, "momentum": 0.1, "adam": 0.01}
    for name, rate in LEARNING_RATES.items():
        assert Solver.checked(name, None).learning_rate == rate
