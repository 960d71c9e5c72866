"""The compiled engine against the NumPy engine, which is the reference: the same numbers to the last digits."""

import hashlib
import itertools
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backpath as bp
from backpath.maths.activations import ACTIVATIONS
from backpath.training.engines.compiled import CompiledEngine
from backpath.training.engines.numpy import NumpyEngine
from backpath.training.job import Job, Solver
from backpath.training.native.library import address, kernels
from commands import needs_signals, started
from strategies import HIDDEN, samples

SOLVERS = {  # with rates that no job here is unstable at: chaos would multiply the last digits
    "gd": Solver("gd", 0.05),
    "momentum": Solver("momentum", 0.005),
    "nesterov": Solver("momentum", 0.01, momentum=0.8, nesterov=True),
    "adam": Solver("adam", 0.005, beta_1=0.85, beta_2=0.98, epsilon=1e-6),
}
BATCHES = {"full": {"batch_size": 11}, "mini": {"batch_size": 4}, "online": {"batch_size": 1}}
BATCHES["shuffled"] = {"batch_size": 5, "shuffle": True, "seed": 7}
OUTPUTS = [(name, cost) for name in HIDDEN for cost in ("squared_error", "half_squared_error")]
OUTPUTS += [("softmax", "squared_error"), ("softmax", "half_squared_error")]
OUTPUTS += [(name, cost) for name in ("identity", "softmax", "tanh") for cost in ("huber", "absolute_error")]
OUTPUTS += [("exp", "poisson"), ("exp", "squared_error")]
OUTPUTS += [("sigmoid", "binary_cross_entropy"), ("softmax", "categorical_cross_entropy")]


def make_job(sizes, activations, cost, solver, count, dtype="float64", seed=0, init="uniform:-0.7,0.7", **settings):
    network = bp.Network(sizes, activations=activations, init=init, seed=seed, dtype=dtype)
    X, y = samples(network, cost, count, seed)
    if cost == "absolute_error" or network.activations[-1] == "exp":  # around a kink, and with e^u, it is sooner chaos
        solver = replace(solver, learning_rate=solver.learning_rate / 10)
    return Job(network, X.astype(dtype), y.astype(dtype), cost, solver, **{"batch_size": count, **settings})


def check_same(job, epochs=50):
    """Both engines come to the same weights and costs; relative to the largest weight of the layer."""
    reference, engine = NumpyEngine(job), CompiledEngine(job)
    reference.run(epochs)
    engine.run(epochs)
    near = 1e-12 if job.network.dtype == np.float64 else 1e-4
    if job.cost == "absolute_error":  # its slope is ±1 however small the error, and Adam divides by it
        near *= 10
    assert (engine.overflow, engine.converged) == (reference.overflow, reference.converged)
    np.testing.assert_allclose(engine.costs, reference.costs, rtol=near, atol=near * np.max(reference.costs, initial=0))
    for W, E in zip(engine.weights, reference.weights):
        assert W.dtype == E.dtype
        np.testing.assert_allclose(W, E, rtol=near, atol=near * np.abs(E).max())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [*HIDDEN, "exp"])
def test_every_formula_from_tail_to_tail(name, dtype):
    """σ and σ′ by the kernels' formulas, within a few units in the last place of the table's."""
    edge, tiny = (700, 1e-290) if dtype == "float64" else (80, 1e-30)
    u = np.concatenate([np.linspace(-edge, edge, 2000), np.linspace(-3, 3, 2000), np.logspace(-12, 0, 800)])
    u = np.concatenate([u, -u, [0.0] * 16]).astype(dtype)
    a, d = np.zeros_like(u), u.copy()
    kernels(dtype).activate(ACTIVATIONS[name].code, address(a, dtype, len(u)), address(d, dtype, len(u)), len(u))
    ulps = 6 + (2 * np.square(u, dtype=np.float64) if name == "gelu" else 0)
    for found, expected in zip((a, d), (ACTIVATIONS[name].value(u), ACTIVATIONS[name].derivative(u))):
        unit = np.spacing(np.abs(expected).astype(dtype)).astype(np.float64)
        crossing = np.finfo(dtype).eps if name in ("gelu", "silu") else 0  # where the derivative is next to 0
        assert (np.abs(found.astype(np.float64) - expected) <= ulps * unit + crossing * (np.abs(u) < 2) + tiny).all()


@pytest.mark.parametrize(("output", "cost"), OUTPUTS)
def test_every_activation_and_cost(output, cost):
    hidden = output if output not in ("softmax", "exp") else "tanh"
    for dtype, (solver, batch) in itertools.product(
        ("float64", "float32"), (("gd", "full"), ("adam", "mini"), ("momentum", "online"), ("nesterov", "shuffled"))
    ):
        check_same(make_job((3, 5, 2), (hidden, output), cost, SOLVERS[solver], 11, dtype, **BATCHES[batch]))


@pytest.mark.slow
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("output", "cost"), OUTPUTS)
def test_every_activation_cost_solver_and_batch(output, cost, solver, batch):
    for hidden, dtype in itertools.product(HIDDEN, ("float64", "float32")):
        check_same(make_job((3, 9, 2), (hidden, output), cost, SOLVERS[solver], 11, dtype, **BATCHES[batch]))


@pytest.mark.parametrize("count", [1, 3, 4, 5, 255, 257])
@pytest.mark.parametrize("sizes", [(2, 2, 1), (1, 1), (7, 1, 3), (9, 16, 8), (3, 70, 2)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_number_of_samples_and_neurons(sizes, count, dtype):
    activations = ["tanh"] * (len(sizes) - 2) + ["sigmoid"]
    for batch_size in {min(count, size) for size in (1, 4, 32, 257)}:
        epochs = 50 if batch_size > 1 else 5
        check_same(
            make_job(sizes, activations, "squared_error", SOLVERS["gd"], count, dtype, batch_size=batch_size), epochs
        )


@st.composite
def jobs(draw):
    sizes = draw(st.lists(st.integers(1, 70), min_size=2, max_size=7))
    output, cost = draw(st.sampled_from(OUTPUTS))
    if output == "softmax":
        sizes[-1] = max(2, sizes[-1])
    activations = [draw(st.sampled_from(HIDDEN)) for _ in sizes[2:]] + [output]
    count = draw(st.sampled_from([1, 3, 7, 32, 255, 257]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    solver = SOLVERS[draw(st.sampled_from(sorted(SOLVERS)))]
    return make_job(
        sizes,
        activations,
        cost,
        Solver(solver.name, solver.learning_rate / 10, nesterov=solver.nesterov),
        count,
        seed=draw(st.integers(0, 1000)),
        init="glorot_uniform",
        batch_size=draw(st.integers(max(1, count // 9), count)),
        shuffle=draw(st.booleans()),
        l2=draw(st.sampled_from([0.0, 0.01])),
        sample_weight=rng.uniform(0.5, 2, count) if draw(st.booleans()) else None,
    )


@pytest.mark.slow
@given(jobs())
@settings(max_examples=150, deadline=None)
def test_any_network_and_settings(job):
    check_same(job)


def test_sample_weights_decay_and_frozen_weights():
    rng = np.random.default_rng(0)
    for solver, batch in itertools.product(SOLVERS, BATCHES):
        job = make_job(
            (3, 8, 2),
            ("tanh", "softmax"),
            "categorical_cross_entropy",
            SOLVERS[solver],
            11,
            free=[rng.random((8, 4)) < 0.7, rng.random((2, 9)) < 0.7],
            l2=0.1,
            sample_weight=rng.uniform(0.1, 3, 11),
            **BATCHES[batch],
        )
        check_same(job)
        engine = CompiledEngine(job)
        engine.run(3)
        for W, before, free in zip(engine.weights, job.network.weights, job.free):
            assert (W[~free] == before[~free]).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_clipped_gradients_averaged_costs_and_batches_without_weight(dtype):
    weights = np.array([1, 2, 3, 0, 0, 0, 0, 0, 0.5, 1, 1], dtype)  # of batches of 4 the second has none
    for solver, batch, cost in itertools.product(SOLVERS, BATCHES, ("half_squared_error", "huber")):
        job = make_job((3, 9, 2), ("tanh", "identity"), cost, SOLVERS[solver], 11, dtype, **BATCHES[batch])
        check_same(replace(job, clip_norm=0.2, averaged=True, sample_weight=weights, l2=0.1))


@pytest.mark.parametrize("settings", [{}, {"l2": 0.3}, {"l2": 0.3, "clip_norm": 0.02}, {"clip_norm": 0.02}])
@pytest.mark.parametrize("solver", [*SOLVERS.values(), replace(SOLVERS["adam"], decay=0.5)], ids=[*SOLVERS, "adamw"])
@pytest.mark.parametrize("batch_size", [150, 200, 400])  # block by block; in two and in four parts, and what is left
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_batches_in_parts(dtype, batch_size, solver, settings):
    job = make_job((7, 40, 3), "tanh", "squared_error", solver, 430, dtype, batch_size=batch_size, **settings)
    assert CompiledEngine(job).layout.plan.parts == {150: 1, 200: 2, 400: 4}[batch_size]
    check_same(job, epochs=5)


@pytest.mark.parametrize("kind", [NumpyEngine, CompiledEngine])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_run_goes_on_from_the_memory_of_another(kind, solver):
    job = make_job((3, 9, 2), ("tanh", "sigmoid"), "squared_error", SOLVERS[solver], 11, batch_size=4, tol=1e-4)
    whole, first = kind(job), kind(job)
    whole.run(20)
    first.run(12)
    second = kind(replace(job, network=job.network.with_weights(first.weights), solver_state=first.solver_state))
    second.run(8)
    assert [*first.costs, *second.costs] == list(whole.costs)
    assert all((W == E).all() for W, E in zip(second.weights, whole.weights))
    assert (second.solver_state.updates, second.solver_state.waited) == (
        whole.solver_state.updates,
        whole.solver_state.waited,
    )


def test_a_changed_learning_rate_counts_from_then_on():
    job = make_job((3, 9, 2), ("tanh", "sigmoid"), "squared_error", SOLVERS["adam"], 11, tol=1e-3, batch_size=4)
    job = replace(job, shuffle=True)
    reference, engine = NumpyEngine(job), CompiledEngine(job)
    for one in (reference, engine):
        one.run(5000)
        assert one.converged
        one.change_rate(0.0005)
        assert not one.converged
        one.run(5000)
    assert len(engine.costs) == len(reference.costs)
    np.testing.assert_allclose(engine.costs, reference.costs, rtol=1e-10)


@pytest.mark.parametrize("batch", BATCHES)
def test_tol_stops_at_the_same_epoch(batch):
    job = make_job((2, 3, 1), ("tanh", "sigmoid"), "squared_error", SOLVERS["gd"], 11, tol=1e-5, **BATCHES[batch])
    reference, engine = NumpyEngine(job), CompiledEngine(job)
    reference.run(20_000)
    for epochs in (1, 8, 20_000):  # in chunks, as the loop does
        engine.run(epochs)
    assert reference.converged
    assert engine.converged
    assert len(engine.costs) == len(reference.costs) < 20_000


@pytest.mark.parametrize(
    ("sizes", "activations", "learning_rate", "batch_size"),
    [
        ((1, 1), "identity", 10.0, None),
        ((1, 4, 1), ["identity", "identity"], 0.3, 1),
        ((1, 6, 9, 1), ["relu", "identity", "identity"], 0.5, 4),
    ],
)
def test_divergence_is_found_at_the_same_epoch_and_keeps_the_same_weights(
    sizes, activations, learning_rate, batch_size
):
    X, y = np.arange(1.0, 10)[:, None], np.arange(9.0)
    errors = []
    for engine in ("numpy", "compiled"):
        net = bp.Network(sizes, activations=activations, seed=1)
        with pytest.raises(bp.DivergenceError) as caught:
            bp.train(net, X, y, epochs=2000, learning_rate=learning_rate, batch_size=batch_size, engine=engine)
        errors.append(caught.value)
    reference, found = errors
    assert (found.epoch, found.layer) == (reference.epoch, reference.layer)
    assert (found.cost is None) == (reference.cost is None)
    assert found.cost is None or found.cost == pytest.approx(reference.cost, rel=1e-6)
    for W, E in zip(found.network.weights, reference.network.weights):
        assert np.isfinite(W).all()
        assert pytest.approx(E, rel=1e-6) == W


def test_data_that_is_not_finite_is_refused():
    with pytest.raises(bp.InputError, match="X must be finite"):
        bp.train(bp.Network((2, 2, 1)), [[0, float("nan")]], [1], engine="compiled")


INTERRUPTED = """
import numpy as np, backpath as bp
def report(epoch, cost):
    if epoch > 20: print("running", flush=True)
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
result = bp.train(bp.Network((2, 2, 1)), X, y, epochs=10**9, engine="compiled", progress=report)
finite = all(np.isfinite(W).all() for W in result.network.weights)
again = bp.train(bp.Network((2, 2, 1)), X, y, epochs=result.epochs, engine="compiled")
print(result.stopped, result.epochs == len(result.history.cost) > 0, finite, again.network == result.network)
"""


@needs_signals
def test_ctrl_c_returns_what_was_reached():
    with started([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "running"
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=120)
    assert out.splitlines()[-1] == "interrupted True True True"
    assert process.returncode == 0


BITS = """
import hashlib, numpy as np, backpath as bp
rng = np.random.default_rng(0)
digest = hashlib.sha256()
for sizes, batch_size, dtype in (((2, 2, 1), 4, "float64"), ((20, 40, 3), 32, "float32"), ((20, 9, 3), 257, "float64")):
    X, y = rng.normal(size=(257, sizes[0])), rng.uniform(size=(257, sizes[-1]))
    net = bp.Network(sizes, activations=["tanh"] * (len(sizes) - 2) + ["sigmoid"], dtype=dtype)
    result = bp.train(net, X, y, epochs=20, batch_size=batch_size, shuffle=True, solver="adam", engine="compiled")
    for array in (*result.network.weights, result.history.cost):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""


def test_the_same_bits_on_every_run_and_for_any_number_of_threads():
    found = set()
    for threads in ("1", "2", "8"):
        names = ("BACKPATH_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        run = subprocess.run([sys.executable, "-c", BITS], capture_output=True, text=True, check=True, env=environment)
        found.add(run.stdout)
    assert len(found) == 1


def test_the_same_bits_ten_times():
    job = make_job(
        (5, 20, 3), ("tanh", "softmax"), "categorical_cross_entropy", SOLVERS["momentum"], 100, batch_size=32
    )
    found = set()
    for _ in range(10):
        engine = CompiledEngine(job)
        engine.run(20)
        found.add(hashlib.sha256(b"".join(W.tobytes() for W in engine.weights)).hexdigest())
    assert len(found) == 1


@pytest.mark.parametrize("engine", [NumpyEngine, CompiledEngine])
@pytest.mark.parametrize("solver", SOLVERS)
def test_costs_that_are_forgotten_change_nothing_else(engine, solver):
    job = make_job((3, 4, 1), "tanh", "squared_error", SOLVERS[solver], 11, batch_size=4, shuffle=True)
    one, other = engine(job), engine(job)
    one.run(300)
    costs = []
    for _ in range(3):
        other.run(100)
        costs += list(other.costs)
        other.forget_costs()
        assert len(other.costs) == 0
    assert costs == list(one.costs)
    assert all((W == V).all() for W, V in zip(one.weights, other.weights))


def test_in_pieces_or_at_once_are_the_same_bits():
    job = make_job((5, 20, 3), ("tanh", "sigmoid"), "squared_error", SOLVERS["adam"], 31, batch_size=8, shuffle=True)
    whole, pieces = CompiledEngine(job), CompiledEngine(job)
    whole.run(13)
    for epochs in (1, 2, 3, 7):
        pieces.run(epochs)
    assert (np.array(whole.costs) == np.array(pieces.costs)).all()
    assert all((W == E).all() for W, E in zip(whole.weights, pieces.weights))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_notes_network_has_the_bits_of_any_narrow_one(activation, dtype):
    """A third hidden neuron that stays without weights changes no other bit, but takes the kernel of any network."""
    notes = make_job((2, 2, 1), activation, "squared_error", SOLVERS["gd"], 4, dtype)
    first, last = notes.network.weights
    larger = [np.vstack([first, np.zeros(3, dtype)]), np.insert(last, 2, 0, axis=1)]
    wide = bp.Network.from_weights(larger, activation, dtype)
    free = [np.repeat([[True], [True], [False]], 3, axis=1), np.array([[True, True, False, True]])]
    three = replace(notes, network=wide, free=free)
    one, other = CompiledEngine(notes), CompiledEngine(three)
    one.run(500)
    other.run(500)
    assert (np.array(one.costs) == np.array(other.costs)).all()
    assert (other.weights[0][:2] == one.weights[0]).all()
