"""Training on the workers of a Dask cluster is training on one machine."""

import contextlib
import dataclasses
import itertools
import os
import signal
import threading
import time

import numpy as np
import pytest

import backpath as bp
from backpath.errors import InputError
from backpath.training.run_folder import states_of
from commands import done, needs_signals, refused

dask, dd = pytest.importorskip("dask"), pytest.importorskip("distributed")

from backpath import distributed  # noqa: E402 - needs the extra
from backpath.cli.cluster import RESTART  # noqa: E402
from backpath.distributed.summing import merged, missing_blocks  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
y = np.column_stack([X[:, 0] * X[:, 1], np.tanh(X[:, 2])])
NET = bp.Network((3, 5, 2), activations=("tanh", "identity"), seed=1)
CUTS = (0, 90, 200, 210, 400)
BLOCKS = [(X[a:b], y[a:b]) for a, b in itertools.pairwise(CUTS)]

CASES = {
    "full batch": {"learning_rate": 0.1, "epochs": 30},
    "adam with l2": {"solver": "adam", "l2": 0.5, "epochs": 30},
    "mini-batches, shuffled": {
        "solver": "momentum",
        "batch_size": 150,
        "shuffle": True,
        "epochs": 8,
        "learning_rate": 0.05,
    },
    "mini-batches in order": {"batch_size": 120, "epochs": 8, "learning_rate": 0.1},
    "frozen": {"frozen": "biases", "epochs": 20},
    "lm": {"solver": "lm", "epochs": 8},
    "lm, frozen": {"solver": "lm", "frozen": ["W11_1"], "l2": 0.1, "epochs": 5},
}


@contextlib.contextmanager
def local(workers, **more):
    """A client of that many workers on this machine."""
    with dask.config.set({"distributed.deploy.lost-worker-timeout": RESTART}):
        cluster = dd.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0", **more)
        try:
            with dd.Client(cluster) as client:
                yield client
        finally:
            with contextlib.suppress(KeyError):  # Dask's error if a worker died while it updated what it knows
                cluster.close()
            cluster.status = dd.Status.closed


@pytest.fixture(scope="module")
def cluster():
    with local(7, processes=False) as client:
        yield client


def laid(client, blocks=BLOCKS):
    return distributed.DistributedSamples(client, client.scatter(blocks, hash=False), tuple)


@pytest.mark.parametrize("name", CASES)
def test_as_on_one_machine(cluster, name):
    here = bp.train(NET, X, y, engine="numpy" if name != "lm" else "auto", **CASES[name])
    there = distributed.train(NET, laid(cluster), **CASES[name])
    for W, E in zip(there.network.weights, here.network.weights):
        assert pytest.approx(E, rel=1e-12, abs=1e-12) == W
    assert there.history.cost == pytest.approx(here.history.cost, rel=1e-12)


def test_the_same_bits_for_any_number_of_workers(cluster):
    workers = sorted(cluster.nthreads())
    for name in ("full batch", "mini-batches, shuffled", "lm"):
        found = []
        for count in (1, 2, 3):
            samples = distributed.DistributedSamples(
                cluster, cluster.scatter(BLOCKS, hash=False), tuple, workers[:count]
            )
            found.append(distributed.train(NET, samples, **CASES[name]).network)
        assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_the_tree_of_sums_is_that_of_the_blocks(count):
    """In whatever order the parts arrive, and whichever are added first."""

    def whole(low, high):  # the sum of a subtree: what is left of the highest power of two is one child
        if high - low == 1:
            return parts[low]
        middle = low + 2 ** ((high - low - 1).bit_length() - 1)
        return whole(low, middle) + whole(middle, high)

    rng = np.random.default_rng(count)
    parts = rng.normal(size=count) * 10.0 ** rng.integers(-8, 8, size=count)
    for _ in range(20):
        nodes = {}
        for some in np.array_split(rng.permutation(count), rng.integers(1, 5)):
            nodes |= merged({(0, int(k)): [parts[k]] for k in some}, count)
            assert set(missing_blocks(nodes, count)) == set(range(count)) - {
                k for level, place in nodes for k in range(place << level, (place + 1) << level)
            }
        assert list(merged(nodes, count).values()) == [[whole(0, count)]]


@pytest.mark.filterwarnings("ignore:The `Worker.actors` attribute")  # in older versions of Dask
def test_workers_that_ask_others_give_the_same_bits(cluster, monkeypatch):
    blocks = list(zip(np.array_split(X, 11), np.array_split(y, 11)))
    workers, found = sorted(cluster.nthreads()), []
    for followers, count in ((8, 1), (8, 7), (2, 7), (1, 4)):
        monkeypatch.setattr("backpath.distributed.parts.FOLLOWERS", followers)
        scattered = cluster.scatter(blocks, hash=False)
        samples = distributed.DistributedSamples(cluster, scattered, tuple, workers[:count])
        assert len(samples._asked_directly) == min(followers, samples.workers)
        found.append([distributed.train(NET, samples, **case).network for case in CASES.values()])
    assert found[0] == found[1] == found[2] == found[3]


def test_all_workers_are_seen_while_dask_updates_what_it_knows(cluster):
    samples, stop = laid(cluster), threading.Event()

    def update():  # Dask does so every two seconds, without the workers
        while not stop.wait(0.001):
            cluster.loop.add_callback(cluster._update_scheduler_info)

    updates = threading.Thread(target=update)
    updates.start()
    seen = {len(samples._workers()) for _ in range(100)}
    stop.set()
    updates.join()
    assert seen == {7}


@needs_signals
@pytest.mark.slow
def test_a_killed_worker_loses_nothing(tmp_path):
    whole = bp.train(NET, X, y, engine="numpy", epochs=400, learning_rate=0.05)
    with local(2) as client:
        calm = distributed.train(NET, from_files(client, tmp_path), epochs=400, learning_rate=0.05)
        pid = client.run(os.getpid)
        killer = threading.Timer(0.3, lambda: os.kill(next(iter(pid.values())), signal.SIGKILL))
        killer.start()
        samples, seen = from_files(client, tmp_path), []
        there = distributed.train(NET, samples, epochs=400, learning_rate=0.05, callbacks=seen.append)
        killer.join()
    assert there.network == calm.network
    assert there.history.cost == pytest.approx(whole.history.cost, rel=1e-9)


KILLS = 10 if os.environ.get("CI") == "true" else 50


@needs_signals
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Dask, on workers that are gone
def test_workers_killed_at_random_moments_lose_nothing(tmp_path):
    """One or both of them, also while blocks are read and moved."""
    rng, epochs = np.random.default_rng(3), 400
    with local(2) as client:
        samples = from_files(client, tmp_path)
        calm = distributed.train(NET, samples, epochs=epochs, learning_rate=0.05)
        killed, lost = 0, set()

        def wait_for_both():
            while lost & set(client.nthreads()):  # the scheduler has not noticed yet
                time.sleep(0.05)
            client.wait_for_workers(2)

        def kill():
            nonlocal killed
            while killed < KILLS:
                wait_for_both()  # Dask does not replace one that dies while it starts
                time.sleep(0.5 + rng.exponential(1))
                pids = client.run(os.getpid)
                for worker in rng.permutation(sorted(pids))[: 1 + (killed % 5 == 4)].tolist():
                    os.kill(pids[worker], signal.SIGKILL)
                    lost.add(worker)
                    killed += 1

        killer = threading.Thread(target=kill)
        killer.start()
        while killer.is_alive():
            there = distributed.train(NET, samples, epochs=epochs, learning_rate=0.05)
            assert there == dataclasses.replace(calm, seconds=there.seconds)
            samples = from_files(client, tmp_path)
        wait_for_both()  # a cluster cannot be closed while they start
    assert killed >= KILLS


def from_files(client, folder):
    """Blocks that any worker can read again."""
    files = []
    for k, (X, y) in enumerate(BLOCKS):
        np.savez(folder / f"{k}.npz", X=X, y=y)
        files.append(str(folder / f"{k}.npz"))
    return distributed.DistributedSamples(client, files, read_npz)


def read_npz(file):
    found = np.load(file)
    return found["X"], found["y"]


@pytest.mark.slow
def test_a_lost_scheduler_ends_with_a_checkpoint(tmp_path):
    cluster = dd.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0")
    client = dd.Client(cluster)
    samples = from_files(client, tmp_path)

    def lose(done, cost):
        if done >= 10:
            cluster.close()
            time.sleep(0.1)

    with pytest.raises(OSError, match="cluster"):
        distributed.train(NET, samples, epochs=500, checkpoint=tmp_path / "run", every="1h", progress=lose)
    client.close()
    with local(2) as client:
        again = distributed.train(NET, from_files(client, tmp_path), epochs=500, checkpoint=tmp_path / "run")
        calm = distributed.train(NET, from_files(client, tmp_path), epochs=500)
    assert again.network == calm.network and again.epochs == 500


def test_lbfgs_is_scipy_s_on_all_samples(cluster):
    optimize = pytest.importorskip("scipy.optimize")
    ends = np.cumsum([W.size for W in NET.weights])[:-1]

    def net(flat):
        return NET.with_weights([W.reshape(old.shape) for W, old in zip(np.split(flat, ends), NET.weights)])

    def objective(flat):
        return net(flat).cost(X, y), np.concatenate([g.ravel() for g in net(flat).gradients(X, y).layers])

    start = np.concatenate([W.ravel() for W in NET.weights])
    here = optimize.minimize(objective, start, method="L-BFGS-B", jac=True, options={"maxiter": 20})
    there = distributed.train(NET, laid(cluster), solver="lbfgs", epochs=20)
    assert np.concatenate([W.ravel() for W in there.network.weights]) == pytest.approx(here.x, rel=1e-9, abs=1e-9)
    assert (there.epochs, there.history.cost[0]) == (20, pytest.approx(NET.cost(X, y), rel=1e-12))
    frozen = distributed.train(NET, laid(cluster), solver="lbfgs", epochs=5, frozen="biases").network
    assert all(np.array_equal(W[:, -1], old[:, -1]) for W, old in zip(frozen.weights, NET.weights))
    with pytest.raises(InputError, match="lbfgs uses all samples"):
        distributed.train(NET, laid(cluster), solver="lbfgs", batch_size=50)
    with pytest.raises(InputError, match="leave learning_rate out"):
        distributed.train(NET, laid(cluster), solver="lbfgs", learning_rate=0.1)


def test_lbfgs_converges_and_resumes(cluster, tmp_path):
    class Stop(BaseException):
        pass

    def stop(done, cost):
        if done >= 7:
            raise Stop

    whole = distributed.train(NET, laid(cluster), solver="lbfgs", epochs=5000)
    assert whole.stopped == "converged" and whole.epochs < 5000
    with pytest.raises(Stop):
        distributed.train(NET, laid(cluster), solver="lbfgs", epochs=5000, checkpoint=tmp_path, every=1, progress=stop)
    again = distributed.train(NET, laid(cluster), solver="lbfgs", epochs=5000, checkpoint=tmp_path)
    assert again.network == whole.network
    assert np.array_equal(again.history.cost, whole.history.cost)


def test_populations_are_spread(cluster, monkeypatch):
    monkeypatch.setattr("backpath.training.engines.slices.LEAST_SECONDS", 0.0)
    population = bp.Population((3, 4, 2), size=100, activation="tanh", seed=1)
    learn = {"epochs": 40, "learning_rate": 0.05, "history_every": 10}
    here = bp.train_population(population, X, y, **learn)
    there = bp.train_population(population, X, y, spread=distributed.DaskWorkers(cluster), **learn)
    assert there == dataclasses.replace(here, seconds=there.seconds)


@needs_signals
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Dask, on workers that are gone
def test_tasks_of_killed_workers_are_done_again(monkeypatch):
    monkeypatch.setattr("backpath.training.engines.slices.LEAST_SECONDS", 0.02)
    population = bp.Population((3, 8, 2), size=400, activation="tanh", seed=1)
    learn = {"epochs": 100, "learning_rate": 0.05}
    here = bp.train_population(population, X, y, **learn)
    with local(2) as client:
        pids, killed = list(client.run(os.getpid).values()), []

        def kill(done, solved):
            if done and pids:
                killed.append(pids.pop())
                os.kill(killed[-1], signal.SIGKILL)

        there = bp.train_population(population, X, y, spread=distributed.DaskWorkers(client), progress=kill, **learn)
    assert len(killed) == 2  # all there were
    assert there == dataclasses.replace(here, seconds=there.seconds)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_lost_scheduler_leaves_the_results_that_came(monkeypatch, tmp_path):
    monkeypatch.setattr("backpath.training.engines.slices.LEAST_SECONDS", 0.02)
    population = bp.Population((3, 8, 2), size=400, activation="tanh", seed=1)
    learn = {"epochs": 100, "learning_rate": 0.05, "checkpoint": tmp_path}
    cluster = dd.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0")
    client = dd.Client(cluster)
    with pytest.raises(ConnectionError, match="connection to the Dask cluster was lost"):
        spread = distributed.DaskWorkers(client)
        bp.train_population(population, X, y, spread=spread, progress=lambda *_: cluster.close(), **learn)
    client.close()
    kept = len(states_of(tmp_path))
    assert kept >= 1
    with local(2) as client:
        there = bp.train_population(population, X, y, spread=distributed.DaskWorkers(client), **learn)
    here = bp.train_population(population, X, y, epochs=100, learning_rate=0.05)
    assert there == dataclasses.replace(here, seconds=there.seconds)


@pytest.mark.filterwarnings("ignore")  # of few iterations
def test_cross_validation_is_spread_by_joblib(cluster):
    joblib, selection = pytest.importorskip("joblib"), pytest.importorskip("sklearn.model_selection")
    model = bp.MLPRegressor(hidden_layer_sizes=(4,), solver="lm", max_iter=20, random_state=0)
    here = selection.cross_val_score(model, X, y[:, 0], cv=5)
    with joblib.parallel_config("dask", client=cluster):
        there = selection.cross_val_score(model, X, y[:, 0], cv=5)
    assert np.array_equal(there, here)


def test_collections_and_files(cluster, tmp_path):
    da = pytest.importorskip("dask.array")
    chunks = tuple(np.diff(CUTS).tolist())
    arrays = distributed.from_collections(cluster, da.from_array(X, (chunks, 3)), da.from_array(y, (chunks, 2)))
    assert (len(arrays), arrays.inputs, arrays.outputs) == (400, 3, 2)
    same = distributed.train(NET, laid(cluster), epochs=5).network
    assert distributed.train(NET, arrays, epochs=5).network == same


def test_what_makes_no_sense_is_refused(cluster):
    with pytest.raises(InputError, match="samples must be DistributedSamples"):
        distributed.train(NET, (X, y))
    with pytest.raises(InputError, match="there are no blocks"):
        distributed.DistributedSamples(cluster, [], tuple)
    with pytest.raises(InputError, match="the blocks must have the same columns"):
        laid(cluster, [(X, y), (X[:, :2], y)])
    bad = [(X, y), (np.where(X > 2, np.nan, X), y)]
    with pytest.raises(InputError, match="block 2 of the samples: X must be"):
        distributed.train(NET, laid(cluster, bad))


@pytest.mark.slow
def test_the_command_line_gives_the_same_model(tmp_path):
    rows = "".join(f"{a:.4f},{b:.4f},{c:.4f}\n" for a, b, c in X)
    (tmp_path / "t.csv").write_text(f"a,b,y\n{rows}")
    train = ("train", "t.csv", "--target", "y", "--epochs", 40, "-q", "--out")
    done(*train, "here.safetensors", cwd=tmp_path)
    done(*train, "there.safetensors", "--dask", "local:2", cwd=tmp_path)
    assert (tmp_path / "there.safetensors").read_bytes() == (tmp_path / "here.safetensors").read_bytes()
    assert "--dask takes local, local:WORKERS or a" in refused(*train, "m", "--dask", "nonsense", cwd=tmp_path)
    folds = ("train", "t.csv", "--target", "y", "--hidden", 3, "--epochs", 40, "--cv", 3, "-q", "--out")
    done(*folds, "here.safetensors", cwd=tmp_path)
    done(*folds, "there.safetensors", "--dask", "local:2", cwd=tmp_path)
    assert (tmp_path / "there.safetensors").read_bytes() == (tmp_path / "here.safetensors").read_bytes()
    message = refused(*train, "m", "--dask", "tcp://127.0.0.1:9", cwd=tmp_path)
    assert message.startswith("no Dask scheduler answers at 'tcp://127.0.0.1:9'")


@pytest.mark.slow
def test_a_study_spread_over_workers_gives_the_same_rows(tmp_path):
    study = ("study", "xor", "--networks", 400, "--epochs", 1000, "-q", "--out")
    done(*study, "here.parquet", cwd=tmp_path)
    done(*study, "there.parquet", "--dask", "local:2", "--checkpoint", "run", cwd=tmp_path)
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    (tmp_path / "there.parquet").unlink()
    done("study", "--resume", "run", cwd=tmp_path)  # the folder knows the cluster, too
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    message = refused(*study, "m.parquet", "--checkpoint", "run", cwd=tmp_path)
    assert "holds another run: dask was True, now not set" in message
