"""Threads for one network: how many, and that the numbers are the same whatever their number and company."""

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest

from backpath import InputError, Network, train
from backpath.training import threads
from backpath.training.engines import compiled
from backpath.training.engines.compiled import CompiledEngine
from backpath.training.job import Job, Solver
from backpath.training.native import library
from commands import needs_posix

RNG = np.random.default_rng(7)
WIDE = (96, 130, 70, 3), 300, 150  # sizes, samples, batch: block by block
RAGGED = (40, 120, 9), 1501, 500
LONG = (7, 33, 2), 40_000, 40_000  # in parts


SHAPES = (WIDE, RAGGED, LONG)


def samples(sizes, count, dtype):
    return RNG.uniform(-1, 1, (count, sizes[0])).astype(dtype), RNG.uniform(0, 1, (count, sizes[-1])).astype(dtype)


def bits(result):
    return b"".join(W.tobytes() for W in result.network.weights) + result.history.cost.tobytes()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("sizes", "count", "batch"), SHAPES)
@pytest.mark.parametrize("settings", [{}, {"solver": "adam", "learning_rate": 0.01, "shuffle": True}])
def test_the_same_bits_for_any_number_of_threads(sizes, count, batch, settings, dtype, monkeypatch):
    X, y = samples(sizes, count, dtype)
    net = Network(sizes, seed=0, dtype=dtype)
    monkeypatch.setattr(compiled, "SURELY_SHARED", 0)
    engine = CompiledEngine(Job(net, X, y, "squared_error", Solver("gd", 0.1), batch, threads=2))
    assert engine._pace.together and engine._is_worth_sharing(4)  # so the threads do share these calls
    found = {bits(train(net, X, y, epochs=8, batch_size=batch, threads=n, **settings)) for n in (1, 2, 3, 8)}
    assert len(found) == 1


@pytest.mark.parametrize(("sizes", "count", "batch"), SHAPES)
def test_the_numbers_of_numpy(sizes, count, batch):
    X, y = samples(sizes, count, "float64")
    net = Network(sizes, "tanh", seed=0)
    shared, reference = (train(net, X, y, epochs=4, batch_size=batch, threads=2, engine=e) for e in ("auto", "numpy"))
    for W, expected in zip(shared.network.weights, reference.network.weights, strict=True):
        np.testing.assert_allclose(W, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(shared.history.cost, reference.history.cost, rtol=1e-11)


def test_several_python_threads_at_once():
    sizes, count, batch = RAGGED
    X, y = samples(sizes, count, "float64")
    net, found = Network(sizes, seed=0), [b""] * 4

    def work(k):
        found[k] = bits(train(net, X, y, epochs=10, batch_size=batch, threads=2 + k % 2))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(found) == {bits(train(net, X, y, epochs=10, batch_size=batch, threads=1))}


def _trained(net, X, y, batch):
    return bits(train(net, X, y, epochs=5, batch_size=batch, threads=3))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")  # that is what is tested
def test_a_forked_process_has_its_own_helpers():
    sizes, count, batch = RAGGED
    X, y = samples(sizes, count, "float64")
    net = Network(sizes, seed=0)
    here = _trained(net, X, y, batch)  # the helpers are there now, and will not be in the child
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_trained, (net, X, y, batch)) == here


def test_helpers_are_started_once():
    helpers = threads._Helpers()
    before = set(threading.enumerate())
    for _ in range(5):
        helpers.help(lambda: None, 3)
    started = set(threading.enumerate()) - before
    assert [thread.name for thread in started] == ["backpath"] * 3
    assert all(thread.daemon for thread in started)


def test_no_thread_to_be_had(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    sizes, count, batch = RAGGED
    X, y = samples(sizes, count, "float64")
    net = Network(sizes, seed=0)
    expected = _trained(net, X, y, batch)
    monkeypatch.setattr(threads, "_helpers", threads._Helpers())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert _trained(net, X, y, batch) == expected


def test_helpers_that_come_late_change_nothing(monkeypatch):
    sizes, count, batch = RAGGED
    X, y = samples(sizes, count, "float64")
    net, late = Network(sizes, seed=0), []
    expected = _trained(net, X, y, batch)
    monkeypatch.setattr(threads._helpers, "help", lambda call, count: late.extend([call] * count))
    assert _trained(net, X, y, batch) == expected
    assert len(late) >= 2
    for call in late:
        call()
    assert _trained(net, X, y, batch) == expected


def test_ctrl_c_between_the_calls_of_the_kernels(monkeypatch):
    sizes, count, batch = RAGGED
    X, y = samples(sizes, count, "float64")
    net = Network(sizes, seed=0)

    def interrupted(call, count):
        raise KeyboardInterrupt

    monkeypatch.setattr(threads._helpers, "help", interrupted)
    result = train(net, X, y, epochs=5, batch_size=batch, threads=2)
    assert result.stopped == "interrupted"
    assert all(np.isfinite(W).all() for W in result.network.weights)


def test_how_many(monkeypatch):
    monkeypatch.delenv("BACKPATH_THREADS", raising=False)
    assert threads.threads_for(None) == threads.available_cores() >= 1
    monkeypatch.setenv("BACKPATH_THREADS", "3")
    assert threads.threads_for(None) == 3
    assert threads.threads_for(5) == 5  # the call's setting comes first
    monkeypatch.setenv("BACKPATH_THREADS", "many")
    with pytest.raises(InputError, match="BACKPATH_THREADS must be a whole number of at least 1, but is 'many'"):
        threads.threads_for(None)


@pytest.mark.parametrize("given", [0, -1, 1.5, True, "2"])
def test_not_a_number_of_threads(given):
    with pytest.raises(InputError, match="threads must be a whole number of at least 1"):
        train(Network((2, 2, 1)), [[0, 1]], [1], threads=given)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no processes to cores")
def test_the_cores_that_a_process_is_bound_to():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert threads.available_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("limit", "cores"), [("max 100000", None), ("200000 100000", 2), ("150000 100000", 2), ("20000 100000", 1)]
)
def test_share_of_a_container(tmp_path, limit, cores):
    write(tmp_path / "cpu.max", limit + "\n")
    assert threads.cpu_quota("0::/\n", tmp_path) == cores


def test_the_smallest_share_of_the_groups_around_counts(tmp_path):
    write(tmp_path / "a/cpu.max", "300000 100000\n")
    write(tmp_path / "a/b/cpu.max", "max 100000\n")
    write(tmp_path / "a/b/c/cpu.max", "400000 100000\n")
    assert threads.cpu_quota("0::/a/b/c\n", tmp_path) == 3
    assert threads.cpu_quota("0::/elsewhere\n", tmp_path) is None


@needs_posix  # a colon in a file's name
def test_the_name_of_a_group_may_contain_a_colon(tmp_path):
    write(tmp_path / "machine:1/cpu.max", "300000 100000\n")
    assert threads.cpu_quota("0::/machine:1\n", tmp_path) == 3


def test_share_of_a_group_of_the_first_version(tmp_path):
    write(tmp_path / "cpu/docker/cpu.cfs_quota_us", "250000\n")
    write(tmp_path / "cpu/docker/cpu.cfs_period_us", "100000\n")
    write(tmp_path / "cpu/cpu.cfs_quota_us", "-1\n")
    write(tmp_path / "cpu/cpu.cfs_period_us", "100000\n")
    memberships = "5:memory:/docker\n4:cpu,cpuacct:/docker\n1:name=systemd:/docker\n0::/\n"
    assert threads.cpu_quota(memberships, tmp_path) == 3


def _asked(_):
    return threads.threads_for(None)


@pytest.mark.parametrize("backend", ["threading", "multiprocessing", "loky"])
def test_workers_of_joblib_do_not_each_take_all_cores(backend, monkeypatch):
    monkeypatch.delenv("BACKPATH_THREADS", raising=False)
    asked = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(_asked)(k) for k in range(2))
    assert all(2 * count <= max(2, threads.available_cores()) for count in asked)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_same_bits_on_every_processor(dtype, monkeypatch):
    """By every build with fused products that this machine's processor can run."""
    levels, found = [level for level in library.X86_64[1:] if level <= library.level()], set()
    work = [
        (Network(sizes, "gelu", seed=0, dtype=dtype), *samples(sizes, count, dtype), batch)
        for sizes, count, batch in SHAPES
    ]
    try:
        for level in levels:
            monkeypatch.setenv("BACKPATH_CPU", level)
            library._loaded.cache_clear()
            found.add(b"".join(bits(train(net, X, y, epochs=3, batch_size=b, threads=2)) for net, X, y, b in work))
    finally:
        library._loaded.cache_clear()
    assert len(found) == min(1, len(levels))


@pytest.mark.slow
@pytest.mark.parametrize("command", [["ziglang"], ["clang++"], ["g++"]], ids=" ".join)
def test_the_same_bits_by_every_compiler(command, tmp_path, monkeypatch):
    """As those of the build that is there, on each level of the processor."""
    hatch_build = pytest.importorskip("hatch_build", reason="the build hook is not beside the tests")
    command, here = hatch_build.ZIG if command == ["ziglang"] else command, hatch_build.wanted()
    if not hatch_build.is_usable(command, here.processor):
        pytest.skip(f"{' '.join(command)} is not there, or too old")
    hatch_build.build(tmp_path, command, here)
    work = [
        (Network(sizes, "gelu", seed=0, dtype=dtype), *samples(sizes, count, dtype), count, batch)
        for sizes, count, batch in (*SHAPES, ((8, 16, 1), 100, 32), ((2, 2, 1), 4, 4))
        for dtype in ("float64", "float32")
    ]

    def all_bits():
        library._loaded.cache_clear()
        return b"".join(bits(train(net, X, y, epochs=3, batch_size=b)) for net, X, y, _, b in work)

    try:
        for level in [level for level in library.X86_64[1:] if level <= library.level()]:
            monkeypatch.setenv("BACKPATH_CPU", level)
            expected = all_bits()
            with monkeypatch.context() as other:
                other.setattr(library, "FOLDER", tmp_path)
                assert all_bits() == expected
    finally:
        library._loaded.cache_clear()


def test_a_call_is_done_in_the_way_that_was_sooner_done(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(threads.time, "perf_counter", lambda: now[0])
    pace = threads.Pace(together=True)
    pace.took(0.0005)
    assert pace.together and pace.trial(80) == 0
    now[0] = 100.0
    assert pace.trial(80) == 10 and not pace.together  # 5 ms
    pace.took(0.00025)  # alone: sooner
    assert not pace.together and pace.trial(80) == 0
    now[0] = 200.0
    assert pace.trial(1) == 1 and pace.together
    pace.took(0.0001)
    assert pace.together


def test_threads_are_tried_soon(monkeypatch):
    monkeypatch.setattr(threads.time, "perf_counter", lambda: 0.0)
    pace = threads.Pace(together=False)
    assert pace.trial(80) == 0 and not pace.together
    pace.took(0.001)
    assert pace.trial(80) == 5 and pace.together
    pace.took(0.002)
    assert not pace.together and pace.trial(80) == 0


def test_the_same_bits_with_trials_in_between(monkeypatch):
    monkeypatch.setattr(threads, "TRIAL_EVERY", 0.0)
    monkeypatch.setattr(threads, "TRIAL_EPOCHS", 0)
    sizes, count, batch = RAGGED
    X, y = samples(sizes, count, "float64")
    net = Network(sizes, seed=0)
    for settings in ({}, {"shuffle": True}):
        found = {bits(train(net, X, y, epochs=40, batch_size=batch, threads=n, **settings)) for n in (1, 2)}
        assert len(found) == 1


SHARED_CALLS = """
import numpy as np
import backpath as bp
from backpath.training.native import library

library.FOLDER = {folder!r}
X, y = np.random.default_rng(0).random((2000, 40)), np.zeros((2000, 3))
net = bp.Network((40, 70, 3), seed=0)
for batch in (300, 2000):
    for threads in (2, 3):
        bp.train(net, X, y, epochs=4, batch_size=batch, threads=threads)
bp.predict(net, np.tile(X, (20, 1)), threads=3)
"""


@pytest.mark.slow
def test_the_thread_sanitizer_finds_no_race(tmp_path):
    hatch_build = pytest.importorskip("hatch_build", reason="the build hook is not beside the tests")
    if sys.platform != "linux" or library.why_no_kernels() or library.level() not in library.X86_64[1:]:
        pytest.skip("only tried on Linux with AVX2")
    flags = [flag for flag in hatch_build.FLAGS if flag != "-O3"]
    runtime = subprocess.run(["gcc", "-print-file-name=libtsan.so"], capture_output=True, text=True, check=True)
    if not Path(runtime.stdout.strip()).exists():
        pytest.skip("GCC's thread sanitizer is not there")
    kernels = [hatch_build.SOURCES / "kernels.cpp", "-o", tmp_path / "kernels-x86_64_v3.so"]
    subprocess.run(
        ["g++", *flags, "-O1", "-g1", "-shared", "-march=x86-64-v3", "-fsanitize=thread", *kernels], check=True
    )
    environment = {**os.environ, "LD_PRELOAD": runtime.stdout.strip(), "BACKPATH_CPU": "x86_64_v3"}
    code = SHARED_CALLS.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
