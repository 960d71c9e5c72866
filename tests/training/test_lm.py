"""``train(..., solver="lm")``: Levenberg-Marquardt."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares
from scipy.stats import multivariate_normal

import backpath as bp
import oracles
from backpath.training.bayesian import Bayesian
from backpath.training.engines import normal_equations
from backpath.training.engines.lm import LMEngine, check_lm
from backpath.training.engines.normal_equations import NormalEquations
from backpath.training.job import Job, Solver
from commands import needs_signals
from strategies import HIDDEN, seeds

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), np.array([0.0, 1, 1, 0])


def wave(count=60, outputs=1, noise=0.1):
    """Noisy samples of smooth functions of two inputs."""
    rng = np.random.default_rng(1)
    X = rng.uniform(-1, 1, (count, 2))
    y = np.column_stack([np.sin(3 * X[:, 0] + k) * X[:, 1] for k in range(outputs)])
    return X, y + noise * rng.normal(size=y.shape)


def make_job(network, X, y, **settings):
    settings = {"cost": "squared_error", "solver": Solver.checked("lm", None), "batch_size": len(X)} | settings
    return Job(network, np.asarray(X, network.dtype), np.asarray(y, network.dtype).reshape(len(X), -1), **settings)


def trained(job, epochs):
    engine = LMEngine(job)
    engine.run(epochs)
    return engine


def flat(weights):
    return np.concatenate([np.ravel(W) for W in weights]).astype(float)


def residuals(network, X, y):
    """The residuals e, sample by sample, and their Jacobian as net.gradients has it: ∂(A_k - y_k)² = 2 e ∂A_k."""
    e = (network.predict(X) - y).ravel()
    rows = []
    for x in X:
        for k in range(network.sizes[-1]):
            target = network.predict(x).copy()
            target[k] -= 0.5  # so that ∂C/∂A_k = 1, and 0 for the other outputs
            rows.append(flat(network.gradients(x, target).layers))
    return e, np.array(rows)


@given(seeds, st.sampled_from([*HIDDEN, "softmax"]), st.sampled_from(HIDDEN), st.integers(1, 7), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_jacobian_is_made_of_each_samples_gradients(seed, output, hidden, block, weighted):
    network = bp.Network((3, 4, 2, 3), activations=(hidden, "tanh", output), init="uniform:-1,1", seed=seed)
    rng = np.random.default_rng(seed)
    X, y, share = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.uniform(0, 2, 5)
    e, J = residuals(network, X, y)
    each = np.repeat(share if weighted else np.ones(5), 3)
    job = make_job(network, X, y, sample_weight=share if weighted else None)
    equations = NormalEquations(job, block)
    JJ, Je, E = equations.at(flat(network.weights))
    assert pytest.approx(J.T * each @ J, rel=1e-10, abs=1e-13) == JJ
    assert Je == pytest.approx(J.T * each @ e, rel=1e-10, abs=1e-13)
    assert pytest.approx(float(each @ e**2), rel=1e-12) == E
    assert equations.squared_error(flat(network.weights)) == E


def test_the_jacobian_to_fifty_digits():
    network = bp.Network((1, 1, 1), activations=("tanh", "sigmoid"), seed=4)
    x, y = 0.7, 0.2
    w = [mp.mpf(v) for v in flat(network.weights)]

    def output(*w):
        return oracles._sigmoid(w[2] * mp.tanh(w[0] * mp.mpf(x) + w[1]) + w[3])

    J = [mp.diff(output, w, tuple(int(i == k) for i in range(4))) for k in range(4)]
    JJ, Je, _ = NormalEquations(make_job(network, [[x]], [y])).at(flat(network.weights))
    e = output(*w) - mp.mpf(y)
    assert Je == pytest.approx([float(j * e) for j in J], rel=1e-14)
    assert JJ.ravel() == pytest.approx([float(i * j) for i in J for j in J], rel=1e-14)


@pytest.mark.parametrize("activations", [("tanh", "identity"), ("sigmoid", "sigmoid"), ("softplus", "identity")])
@pytest.mark.parametrize("outputs", [1, 2])
def test_the_minimum_from_a_start_is_minpacks(activations, outputs):
    rng = np.random.default_rng(7)
    weights = [[[2, 0, 1], [0, 2, -1], [-1, 1, 0.5]], [[2, -2, 1, 0], [1, 2, -1, 0.5]][:outputs]]
    teacher = bp.Network.from_weights(weights, activations)
    X = rng.normal(size=(200, 2))
    y = teacher.predict(X) + 0.01 * rng.normal(size=(200, outputs))
    start = teacher.with_weights([W + rng.uniform(-0.5, 0.5, W.shape) for W in teacher.weights])
    ends = np.cumsum([W.size for W in start.weights])[:-1]

    def network(w):
        return start.with_weights([part.reshape(W.shape) for part, W in zip(np.split(w, ends), start.weights)])

    def error(w):
        return (network(w).predict(X) - y).ravel()

    mine = bp.train(start, X, y, solver="lm")
    theirs = least_squares(error, flat(start.weights), method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert mine.stopped == "converged"
    assert mine.network.cost(X, y) == pytest.approx(2 * theirs.cost / len(X), rel=1e-9)
    assert mine.network.predict(X) == pytest.approx(network(theirs.x).predict(X), abs=1e-5)


def test_a_linear_network_ends_at_the_least_squares_solution():
    X, y = wave(outputs=2)
    result = bp.train(bp.Network((2, 2), activation="identity"), X, y, solver="lm")
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[0]
    assert result.network.weights[0] == pytest.approx(solution.T, rel=1e-7)
    assert result.stopped == "converged"
    assert result.epochs < 30


def test_friedmans_function_is_learned_where_gradient_steps_have_hardly_begun():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(500, 5))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    network = bp.Network((5, 10, 1), activations=("tanh", "identity"))
    assert bp.train(network, X, y, solver="lm", epochs=60).network.cost(X, y) < 1e-3
    assert bp.train(network, X, y, solver="adam", epochs=60).network.cost(X, y) > 0.05


def test_classes_by_squared_error_against_one_hot_targets():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 90)
    X = np.array([[0, 2], [2, -1], [-2, -1]])[classes] + 0.3 * rng.normal(size=(90, 2))
    network = bp.Network((2, 4, 3), activations=("tanh", "softmax"))
    result = bp.train(network, X, np.eye(3)[classes], solver="lm", epochs=50)
    assert (result.network.predict(X).argmax(axis=1) == classes).all()


def test_costs_are_those_before_each_step_and_only_fall():
    X, y = wave()
    network = bp.Network((2, 4, 1), activations=("tanh", "identity"), seed=2)
    result = bp.train(network, X, y, solver="lm", epochs=12)
    assert result.history.cost[0] == pytest.approx(network.cost(X, y), rel=1e-12)
    assert (np.diff(result.history.cost) < 0).all()
    eleven = bp.train(network, X, y, solver="lm", epochs=11).network
    assert result.history.cost[11] == pytest.approx(eleven.cost(X, y), rel=1e-12)
    halves = bp.train(network, X, y, solver="lm", epochs=12, cost="half_squared_error")
    assert halves.network == result.network
    assert halves.history.cost == pytest.approx(result.history.cost / 2, rel=1e-12)


def test_the_damping_follows_nielsens_rule():
    """Another implementation, from Nielsen's report, reaches the same cost after each step."""
    X, y = wave(30)
    network = bp.Network((2, 4, 1), activations=("tanh", "identity"), seed=7)
    costs = bp.train(network, X, y, solver="lm", epochs=25).history.cost
    (e, J), growth, dropped = residuals(network, X, y), 2, 0
    damping = 0.1 * (J**2).sum(axis=0).max()
    for cost in costs:
        assert e @ e / len(X) == pytest.approx(cost, rel=1e-7)
        while True:
            h = np.linalg.solve(J.T @ J + damping * np.eye(J.shape[1]), -J.T @ e)
            ends = np.cumsum([W.size for W in network.weights])
            steps = zip(network.weights, np.split(h, ends[:-1]), strict=True)
            trial = network.with_weights([W + step.reshape(W.shape) for W, step in steps])
            after = residuals(trial, X, y)
            gain = (e @ e - after[0] @ after[0]) / (h @ (damping * h - J.T @ e))
            if gain > 0:
                break
            damping, growth, dropped = damping * growth, growth * 2, dropped + 1
        network, (e, J) = trial, after
        damping, growth = damping * max(1 / 3, 1 - (2 * gain - 1) ** 3), 2
    assert dropped >= 3


@given(st.integers(1, 70))
@settings(max_examples=10, deadline=None)
def test_blocks_of_any_size_give_the_same(block):
    X, y = wave(outputs=2)
    job = make_job(bp.Network((2, 3, 2), activations=("tanh", "identity"), seed=3), X, y)
    whole, parts = LMEngine(job), LMEngine(job, NormalEquations(job, block))
    whole.run(8)
    parts.run(8)
    assert parts.costs == pytest.approx(whole.costs, rel=1e-9)


def test_weighted_samples_count_as_repeated_ones():
    X, y = wave()
    times = np.arange(len(X)) % 4
    network = bp.Network((2, 3, 1), activations=("tanh", "identity"), seed=3)
    for more in ({}, {"l2": 0.1}, {"bayesian": True}, {"cost": "half_squared_error", "l2": 0.1}):
        weighted = trained(make_job(network, X, y, sample_weight=times.astype(float), **more), 15)
        repeated = trained(make_job(network, X.repeat(times, axis=0), y.repeat(times, axis=0), **more), 15)
        assert weighted.costs == pytest.approx(repeated.costs, rel=1e-8)
        assert flat(weighted.weights) == pytest.approx(flat(repeated.weights), rel=1e-5)


@pytest.mark.parametrize("cost", ["squared_error", "half_squared_error"])
def test_with_l2_the_gradient_of_the_whole_cost_vanishes(cost):
    X, y = wave()
    network = bp.Network((2, 3, 1), activations=("tanh", "identity"), seed=3)
    engine = trained(make_job(network, X, y, l2=0.5, cost=cost), 500)
    assert engine.converged
    reached = network.with_weights(engine.weights)
    for gradient, W in zip(reached.gradients(X, y, cost).layers, reached.weights):
        gradient = gradient.copy()
        gradient[:, :-1] += 0.5 / len(X) * W[:, :-1]
        assert np.abs(gradient).max() < 1e-7
    penalty = 0.5 / 2 / len(X) * sum((W[:, :-1] ** 2).sum() for W in reached.weights)
    assert engine.cost == pytest.approx(reached.cost(X, y, cost) + penalty, rel=1e-12)


@pytest.mark.parametrize("bayesian", [False, True])
def test_frozen_weights_stay_and_the_others_reach_their_minimum(bayesian):
    X, y = wave()
    network = bp.Network((2, 3, 1), activations=("tanh", "identity"), seed=3)
    frozen = ["W11_1", "W12_2", "W3~_1"]
    result = bp.train(network, X, y, solver="lm", epochs=3000, frozen=frozen, bayesian=bayesian)
    assert [result.network[name] for name in frozen] == [network[name] for name in frozen]
    assert result.stopped == "converged"
    if bayesian:
        assert result.bayesian.parameters == 13 - 3
    else:
        gradient = result.network.gradients(X, y)
        assert max(abs(gradient[name]) for name in network.weight_names if name not in frozen) < 1e-6


def test_bayesian_regularisation_satisfies_mackays_equations():
    X, y = wave(noise=0.3)
    network = bp.Network((2, 6, 1), activations=("tanh", "identity"), seed=3)
    result = bp.train(network, X, y, solver="lm", epochs=3000, bayesian=True)
    assert result.stopped == "converged"
    found = result.bayesian
    e, J = residuals(result.network, X, y)
    w = flat(result.network.weights)
    hessian = 2 * (found.beta * J.T @ J + found.alpha * np.eye(len(w)))
    gamma = len(w) - 2 * found.alpha * np.trace(np.linalg.inv(hessian))  # the form of trainbr
    assert found.gamma == pytest.approx(gamma, rel=1e-5)
    assert 2 * found.alpha * w @ w == pytest.approx(gamma, rel=1e-5)
    assert 2 * found.beta * e @ e == pytest.approx(len(X) - gamma, rel=1e-5)
    assert 2 * found.beta * J.T @ e == pytest.approx(-2 * found.alpha * w, abs=1e-4)
    assert found.parameters == len(w) == 25
    assert 1 / (2 * found.beta) == pytest.approx(0.3**2, rel=0.5)  # the noise that was put in


def test_bayesian_regularisation_cures_overfitting():
    (X, y), network = wave(40, noise=0.4), bp.Network((2, 12, 1), activations=("tanh", "identity"))
    rng = np.random.default_rng(9)
    X_new = rng.uniform(-1, 1, (1000, 2))
    y_new = np.sin(3 * X_new[:, :1]) * X_new[:, 1:]
    plain = bp.train(network, X, y, solver="lm", epochs=200)
    held = bp.train(network, X, y, solver="lm", epochs=200, bayesian=True)
    assert plain.network.cost(X, y) < held.network.cost(X, y) / 3
    assert held.network.cost(X_new, y_new) < plain.network.cost(X_new, y_new) / 3
    assert plain.bayesian is None
    assert 0 < held.bayesian.gamma < held.bayesian.parameters / 2


def test_the_best_of_several_starts():
    network = bp.Network((2, 2, 1), seed=5)
    result = bp.train(network, *XOR, solver="lm", epochs=100, restarts=8, seed=2)
    starts = [network, *(bp.Population((2, 2, 1), size=8, seed=2)[i] for i in range(1, 8))]
    alone = [bp.train(start, *XOR, solver="lm", epochs=100) for start in starts]
    costs = [one.network.cost(*XOR) for one in alone]
    assert result.restart_costs == pytest.approx(costs, rel=1e-9, abs=1e-30)
    best = alone[int(np.argmin(result.restart_costs))]
    assert result.network == best.network
    assert (result.epochs, result.stopped) == (best.epochs, best.stopped)
    assert (result.network.predict(XOR[0])[:, 0].round() == XOR[1]).all()


def test_starts_that_converge_at_different_times_all_end():
    X, y = wave(20)
    result = bp.train(bp.Network((2, 1, 1), activations=("tanh", "identity")), X, y, solver="lm", restarts=6)
    assert result.stopped == "converged"
    assert result.epochs < 1000


def test_tol_ends_it():
    X, y = wave()
    network = bp.Network((2, 4, 1), activations=("tanh", "identity"), seed=2)
    result = bp.train(network, X, y, solver="lm", tol=1e-3)
    late = np.minimum.accumulate(result.history.cost)
    assert result.stopped == "converged"
    assert late[-11] - late[-1] <= 10 * 1e-3
    assert result.epochs < bp.train(network, X, y, solver="lm").epochs


def test_validation_keeps_the_epoch_that_did_best_on_it():
    X, y = wave(40, noise=0.4)
    network = bp.Network((2, 12, 1), activations=("tanh", "identity"))
    result = bp.train(network, X[:25], y[:25], solver="lm", epochs=60, validation=(X[25:], y[25:]))
    assert result.history.validation_cost.min() == pytest.approx(result.network.cost(X[25:], y[25:]), rel=1e-12)
    assert result.history.validation_cost[-1] > result.history.validation_cost.min()


def test_float32_networks_are_trained_in_float64_and_rounded():
    X, y = wave()
    network = bp.Network((2, 4, 1), activations=("tanh", "identity"), seed=2, dtype="float32")
    X, y = X.astype("float32").astype(float), y.astype("float32").astype(float)
    wide = bp.Network.from_weights([W.astype(float) for W in network.weights], network.activations)
    result = bp.train(network, X, y, solver="lm", epochs=20).network
    assert result.dtype == "float32"
    for W, E in zip(result.weights, bp.train(wide, X, y, solver="lm", epochs=20).network.weights):
        assert (E.astype("float32") == W).all()


def test_the_same_bits_on_every_run_and_for_any_number_of_threads():
    code = (
        "import hashlib, numpy as np, backpath as bp\n"
        "X = np.random.default_rng(0).normal(size=(1500, 12)); y = np.sin(X.sum(axis=1))\n"
        "net = bp.train(bp.Network((12, 12, 1), 'tanh'), X, y, solver='lm', epochs=6, bayesian=True).network\n"
        "print(hashlib.sha256(b''.join(W.tobytes() for W in net.weights)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env=os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads),
        ).stdout
        for threads in ("1", "2", "4", "4")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("scale", "large"),
    [((1e200, 1), "inputs"), ((1, 1e160), "target"), ((1e300, 1e300), "inputs and the target")],
    ids=str,
)
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "identity"])
def test_data_too_large_to_train_on_is_no_success(scale, large, activation):
    X, y = wave()
    network = bp.Network((2, 4, 1), activations=(activation, "identity"), seed=2)
    with pytest.raises(bp.DivergenceError, match=f"standardise the {large}, or start elsewhere$") as caught:
        bp.train(network, X * scale[0], y * scale[1], solver="lm")
    assert caught.value.network == network


def test_a_saturated_network_is_no_success_and_a_finished_one_is():
    X, y = wave()
    saturated = bp.Network((2, 4, 1), init="uniform:-5000,5000", seed=2)
    with pytest.raises(bp.DivergenceError, match="no step can be computed"):
        bp.train(saturated, X, y, solver="lm")
    good = bp.train(bp.Network((2, 3, 1), activations=("tanh", "identity"), seed=3), X, y, solver="lm").network
    again = bp.train(good, X, y, solver="lm")
    assert again.stopped == "converged"
    assert again.network.cost(X, y) == pytest.approx(good.cost(X, y), rel=1e-6)
    from_nothing = bp.Network((2, 3, 1), activations=("tanh", "identity"), init="uniform:-1,1", seed=3)
    from_nothing = from_nothing.with_weights([from_nothing.weights[0], np.zeros((1, 4))])
    assert bp.train(from_nothing, X, y, solver="lm").network.cost(X, y) < 0.02  # W2 = 0 hides layer 1, at first only


def test_diverging_starts_do_not_count():
    X, y = wave()
    network = bp.Network((2, 4, 1), init="uniform:-5000,5000", seed=2)
    result = bp.train(network, X, (y > 0).astype(float), solver="lm", epochs=50, restarts=4)
    assert np.isinf(result.restart_costs).tolist() == [True, False, False, False]
    with pytest.raises(bp.DivergenceError):
        bp.train(network, X * 1e300, y * 1e300, solver="lm", epochs=50, restarts=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0.1}, "lm chooses its step lengths; leave learning_rate out"),
        ({"batch_size": 3}, "lm uses all samples in every step; leave batch_size and shuffle out"),
        ({"shuffle": True}, "lm uses all samples in every step"),
        ({"cost": "binary_cross_entropy"}, "for classes against one-hot targets: cost must be squared_error or"),
        ({"engine": "compiled"}, "lm has no compiled kernels"),
        ({"bayesian": True, "solver": "adam"}, "bayesian is for solver='lm', but the solver is 'adam'"),
        ({"validation": XOR, "restarts": 3}, "restarts are compared by their training cost"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(bp.InputError, match=message):
        bp.train(bp.Network((2, 2, 1)), *XOR, **{"solver": "lm"} | settings)


def test_more_weights_than_memory_has_room_for_are_refused_before_anything_starts(monkeypatch):
    network = bp.Network((2000, 50, 1))
    monkeypatch.setattr(normal_equations, "machine_memory", lambda: 16 * 2**30)
    message = r"solves for 100,101 weights at once, with matrices of 100,101 × 100,101: it needs 373.3 GiB, .* has 16.0"
    with pytest.raises(bp.InputError, match=message):
        bp.train(network, np.zeros((3, 2000)), [0, 1, 0], solver="lm")
    few = [name for name in network.weight_names if not name.endswith("_2")]
    assert bp.train(network, np.ones((3, 2000)), [0, 1, 0], solver="lm", epochs=1, frozen=few).epochs == 1


def test_bayesian_regularisation_takes_no_l2():
    with pytest.raises(bp.InputError, match="leave l2 out"):
        check_lm(make_job(bp.Network((2, 2, 1)), *XOR, bayesian=True, l2=0.1), "auto")


def test_more_restarts_than_memory_has_room_for_are_refused():
    with pytest.raises(bp.InputError, match="restarts with the costs of 1,000 epochs each need"):
        bp.train(bp.Network((2, 2, 1)), *XOR, solver="lm", restarts=10**9)


def test_a_population_has_no_lm():
    with pytest.raises(bp.InputError, match="side by side with gd, momentum, adam; with lm, train them one by one"):
        bp.train_population(bp.Population((2, 2, 1), size=3), *XOR, solver="lm")


def test_memory_is_bounded_by_the_weights_not_the_samples():
    job = make_job(bp.Network((2, 3, 1)), np.zeros((200_000, 2)), np.zeros(200_000))
    assert NormalEquations(job)._room.nbytes <= 8 * 13 * normal_equations.LEAST_ROWS
    assert NormalEquations(replace(job, network=bp.Network((2, 600, 1))))._room.nbytes <= 8 * 2401**2


@needs_signals
def test_an_interrupt_gives_what_was_reached():
    code = (
        "import numpy as np, backpath as bp, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "X = np.random.default_rng(0).normal(size=(3000, 10)); y = X[:, 0] * X[:, 1]\n"
        "say = lambda done, cost: print('going', flush=True)\n"
        "net = bp.Network((10, 20, 1), activations=('tanh', 'identity'))\n"
        "result = bp.train(net, X, y, solver='lm', epochs=10**6, progress=say, restarts=RESTARTS)\n"
        "assert result.network.cost(X, y) < net.cost(X, y)\n"
        "print(result.stopped)"
    )
    for restarts in ("1", "3"):
        process = subprocess.Popen(
            [sys.executable, "-c", code.replace("RESTARTS", restarts)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0].split()[-1] == "interrupted"
        assert process.returncode == 0


def test_the_evidence_of_a_linear_network_is_the_normal_densitys():
    """There y is normal with the covariance I/(2β) + Φ Φᵀ/(2α), and Laplace's integral exact."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = X @ [1.0, -0.5] + 0.3 * rng.normal(size=30)
    net = bp.Network((2, 1), activation="identity", seed=0)
    found = bp.train(net, X, y, solver="lm", bayesian=True, epochs=200).bayesian
    inputs = np.column_stack([X, np.ones(30)])
    covariance = np.eye(30) / (2 * found.beta) + inputs @ inputs.T / (2 * found.alpha)
    assert found.evidence == pytest.approx(multivariate_normal(np.zeros(30), covariance).logpdf(y), rel=1e-6)


def test_a_network_that_answers_zero_has_some_evidence():
    net = bp.Network.from_weights([[[1e-9, 1e-9]]], "identity")
    found = bp.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 0.0], solver="lm", bayesian=True, epochs=5)
    assert not np.isnan(found.bayesian.evidence)


def test_bayesian_restarts_keep_the_highest_evidence():
    rng = np.random.default_rng(3)
    X = rng.uniform(-1, 1, (60, 2))
    y = np.sin(3 * X[:, 0]) + 0.3 * rng.normal(size=60)
    net = bp.Network((2, 4, 1), activations=("tanh", "identity"), seed=0)
    settings = {"solver": "lm", "bayesian": True, "epochs": 40}
    several = bp.train(net, X, y, restarts=4, **settings)
    assert several.bayesian.evidence >= bp.train(net, X, y, **settings).bayesian.evidence


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 1.0), (1.0, 0.0)])
def test_without_a_prior_or_without_noise_there_is_no_evidence(alpha, beta):
    found = Bayesian(alpha, beta, 1.0, 3)._evidence(np.ones(3), 5.0, 1.0, np.ones(3))
    assert found == -np.inf
