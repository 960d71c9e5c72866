"""``backpath study`` and ``train --restarts`` as their users meet them, in real processes."""

import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import duckdb
import numpy as np
import pytest

import backpath as bp
from backpath.cli.study.sweep import parse_sweep
from backpath.maths.intervals import wilson_interval
from backpath.population.statistics import plateaus
from commands import backpath, done, needs_posix, refused, started
from terminals import terminal

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
y = np.array([0.0, 1, 1, 0])
SMALL = ["xor", "--networks", 300, "--epochs", 800, "--learning-rate", 2, "--init", "uniform:-1,1"]


def read(path):
    """The columns of a Parquet file, in order."""
    return duckdb.sql(f"SELECT * FROM '{path}'").fetchnumpy()


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def test_a_row_per_network_says_what_train_population_reached(tmp_path):
    out = done("study", *SMALL, "--seed", 3, "--out", "study.parquet", cwd=tmp_path)
    rows = read(tmp_path / "study.parquet")
    start = bp.Population((2, 2, 1), size=300, init="uniform:-1,1", seed=3)
    outcome = bp.train_population(start, X, y, epochs=800, learning_rate=2)
    names = start.weight_names
    expected = ["network", "cost", "epochs", "solved", "solved_after", "diverged", "learning_rate"]
    assert list(rows) == [*expected, *(f"start_{name}" for name in names), *names]
    assert rows["network"].tolist() == list(range(300))
    for name in names:
        assert (rows[f"start_{name}"] == start[name]).all()
        assert (rows[name] == outcome.population[name]).all()
    for name in ("cost", "epochs", "solved", "diverged"):
        assert (rows[name] == getattr(outcome, name)).all()
    assert rows["solved_after"].filled(-1).tolist() == outcome.solved_after.tolist()
    assert set(rows["learning_rate"]) == {2.0}
    assert f"{int(rows['solved'].sum())} of 300 networks" in out
    median = np.median(outcome.solved_after[outcome.solved])
    assert f"median {median:,.0f} epochs" in out
    assert "saved study.parquet" in out
    assert names_in(tmp_path) == ["study.parquet"]


def test_a_row_is_what_the_reference_reaches_from_its_start(tmp_path):
    done("study", *SMALL, "--solver", "adam", "--learning-rate", 0.05, "--out", "a.parquet", cwd=tmp_path)
    rows = read(tmp_path / "a.parquet")
    names = bp.Network((2, 2, 1)).weight_names
    for i in (0, 17, 299):
        net = bp.Network((2, 2, 1)).replace({name: float(rows[f"start_{name}"][i]) for name in names})
        alone = bp.train(net, X, y, epochs=800, learning_rate=0.05, solver="adam", engine="numpy").network
        assert [rows[name][i] for name in names] == pytest.approx([alone[name] for name in names], rel=1e-8)
        assert rows["cost"][i] == pytest.approx(alone.cost(X, y), rel=1e-8)
        assert rows["solved"][i] == bool((np.abs(alone.predict(X).ravel() - y) < 0.4).all())


def test_the_report_fits_a_terminal_and_names_the_plateaus(tmp_path):
    options = ["--networks", 2000, "--epochs", 3000, "--learning-rate", 2, "--init", "uniform:-1,1"]
    out = done("study", "xor", *options, cwd=tmp_path)
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    found = re.findall(r"^  (1/8|1/6) +cost (\S+) +(\S+) networks +(\S+)%$", out, flags=re.MULTILINE)
    assert [name for name, *_ in found] == ["1/8", "1/6"]
    assert [float(cost) for _, cost, *_ in found] == pytest.approx([1 / 8, 1 / 6], rel=0.01)
    solved = int(re.search(r"([\d,]+) of 2,000 networks", out)[1].replace(",", ""))
    assert sum(int(count) for _, _, count, _ in found) > 0.9 * (2000 - solved)
    low, high = re.search(r"95% interval (\S+)% to (\S+)%", out).groups()
    assert (float(low), float(high)) == pytest.approx(100 * np.array(wilson_interval(solved, 2000)), abs=0.051)
    counted = re.findall(r"^  \d\.\d+ (?:to \d\.\d+|or more) +([\d,]+) ", out, flags=re.MULTILINE)
    assert sum(int(count.replace(",", "")) for count in counted) == 2000


def test_weights_as_drawn_can_be_measured(tmp_path):
    options = ["--networks", 50_000, "--epochs", 0, "--solved", 0.5, "--init", "uniform:-10,10"]
    out = done("study", "xor", *options, cwd=tmp_path)
    solved = int(re.search(r"([\d,]+) of 50,000 networks", out)[1])
    assert 10 <= solved <= 48  # one in 1,800: 28 are expected, ± 5
    assert f"1 in {50_000 / solved:,.0f}" in out
    assert "plateaus" not in out


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    # R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998),
    # table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_the_published_one(successes, total, low, high):
    assert [round(bound, 4) for bound in wilson_interval(successes, total)] == [low, high]
    mirrored = wilson_interval(total - successes, total)
    assert [round(1 - bound, 4) for bound in reversed(mirrored)] == [low, high]


def test_plateaus_are_found_where_networks_are_stuck_and_nowhere_else():
    rng = np.random.default_rng(0)
    stuck = [0.0625 + rng.exponential(1e-4, 150), 0.3466 + rng.normal(0, 1e-4, 40)]
    spread = rng.uniform(0.01, 0.6, 100)
    found = plateaus(np.concatenate([*stuck, spread, [np.inf, np.nan]]))
    assert [plateau.cost for plateau in found] == pytest.approx([0.0625, 0.3466], rel=0.01)
    assert [plateau.count for plateau in found] == pytest.approx([150, 40], abs=5)
    for k in range(60):
        size = int(rng.integers(0, 3000))
        smooth = [rng.uniform(0, 1, size), rng.lognormal(-3, 0.5, size), rng.normal(0.3, 0.03, size)][k % 3]
        assert plateaus(smooth) == []


def test_a_sweep_trains_the_same_starts_with_each_value(tmp_path):
    sweep = ["--sweep", "learning-rate=0.5..8:log:5", "--out", "curve.parquet", "--picture", "curve.svg"]
    few = ["xor", "--networks", 200, "--epochs", 500, "--init", "uniform:-1,1"]
    out = done("study", *few, *sweep, cwd=tmp_path)
    assert max(map(len, out.splitlines())) <= 80
    rows = read(tmp_path / "curve.parquet")
    assert rows["learning_rate"].tolist() == pytest.approx([0.5, 1, 2, 4, 8], rel=1e-15)
    start = bp.Population((2, 2, 1), size=200, init="uniform:-1,1", seed=0)
    for i, rate in enumerate(rows["learning_rate"]):
        outcome = bp.train_population(start, X, y, epochs=500, learning_rate=float(rate))
        assert rows["solved"][i] == outcome.solved.sum()
        assert rows["share"][i] == rows["solved"][i] / 200
        if outcome.solved.any():
            assert rows["median_epochs"][i] == np.median(outcome.solved_after[outcome.solved])
        else:
            assert rows["median_epochs"].mask[i]
        assert (rows["low"][i], rows["high"][i]) == wilson_interval(int(rows["solved"][i]), 200)
        assert re.search(rf"^ +{rate:.4g} +{100 * rows['share'][i]:.1f}% ", out, flags=re.MULTILINE)
    assert len(set(rows["solved"])) > 2
    assert re.search(r"^  [▁▂▃▄▅▆▇█]{5}   learning rate 0.5 to 8", out, flags=re.MULTILINE)
    assert "<!-- learning rate -->" in (tmp_path / "curve.svg").read_text()


def test_momentum_is_swept_and_what_diverges_is_counted(tmp_path):
    options = ["--solver", "momentum", "--learning-rate", 0.5, "--networks", 100, "--epochs", 300]
    done("study", "xor", *options, "--sweep", "momentum=0..0.9:lin:3", "--out", "m.parquet", cwd=tmp_path)
    rows = read(tmp_path / "m.parquet")
    assert rows["momentum"].tolist() == pytest.approx([0, 0.45, 0.9])
    assert rows["solved"][2] > rows["solved"][0]
    wild = ["sine", "--hidden", "3", "--activation", "identity", "--solver", "gd", "--networks", 20, "--epochs", 2000]
    out = done("study", *wild, "--sweep", "learning-rate=0.01..1000:log:2", "--out", "d.parquet", cwd=tmp_path)
    assert read(tmp_path / "d.parquet")["diverged"].tolist() == [0, 20]
    assert "diverged: 20 of 40 networks" in out
    assert "training diverged" in refused("study", *wild, "--learning-rate", 1000, "--out", "e.parquet", cwd=tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("learning-rate=0.1..10:log:3", [0.1, 1, 10]),
        ("learning-rate=.5..2:lin:4", [0.5, 1, 1.5, 2]),
        ("momentum=0..0.99:lin:2", [0, 0.99]),
        ("learning-rate=1e-3..1e3:log:7", [1e-3, 1e-2, 0.1, 1, 10, 100, 1000]),
    ],
)
def test_a_sweep_reads_as_its_values(text, expected):
    sweep = parse_sweep(text)
    assert sweep.values.tolist() == pytest.approx(expected, rel=1e-14)
    assert (sweep.values[0], sweep.values[-1]) == (expected[0], expected[-1])


def test_settings_reach_the_networks(tmp_path):
    options = ["--networks", 20, "--epochs", 5, "--hidden", "3,2", "--activation", "tanh", "--dtype", "float32"]
    out = done("study", "and", *options, "--threads", 1, "--batch-size", 2, "--out", "and.parquet", cwd=tmp_path)
    rows = read(tmp_path / "and.parquet")
    start = bp.Population((2, 3, 2, 1), activations=("tanh", "tanh", "sigmoid"), size=20, seed=0, dtype="float32")
    settings = {"epochs": 5, "learning_rate": 2, "batch_size": 2, "shuffle": True}
    outcome = bp.train_population(start, X, [0, 0, 0, 1], **settings)
    assert rows["W11_2"].dtype == np.float32
    assert (rows["W11_2"] == outcome.population["W11_2"]).all()
    assert "20 networks 2-3-2-1, tanh then sigmoid" in out
    assert "batches of 2" in out


@pytest.mark.parametrize("name", ["or", "nand", "circle", "spiral", "sine"])
def test_every_built_in_set_can_be_studied(name, tmp_path):
    out = done("study", name, "--networks", 20, "--epochs", 3, cwd=tmp_path)
    assert "of 20 networks" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_picture_is_the_same_on_every_run(suffix, tmp_path):
    files = []
    for name in ("a", "b"):
        done("study", *SMALL, "--epochs", 3000, "--picture", f"{name}.{suffix}", cwd=tmp_path)
        files.append((tmp_path / f"{name}.{suffix}").read_bytes())
    assert files[0] == files[1]
    if suffix == "svg":
        assert ET.fromstring(files[0]).tag == "{http://www.w3.org/2000/svg}svg"
        for text in (b"final cost", b"epochs", b"1/8", b"xor: 300 networks 2-2-1"):
            assert b"<!-- " + text + b" -->" in files[0]
    else:
        assert files[0].startswith(b"\x89PNG\r\n")


def test_without_matplotlib_a_plain_line_says_how_to_get_it(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None; sys.argv = ['backpath', 'study', 'xor', '--picture', 'a.svg']; "
        "import backpath.cli; backpath.cli.main()"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == ("backpath: --picture needs matplotlib; install it with: pip install 'backpath[plot]'\n")


REFUSED = [
    (["nope"], "study takes a built-in data set (and, or, nand, xor, circle, spiral, sine), but got 'nope'"),
    (["flowers.csv"], "for a table use train_population in Python"),
    (["xor", "--networks", "0"], "--networks must be a whole number of at least 1, but is 0"),
    (["xor", "--networks", "many"], "'many' is not a valid integer"),
    (["xor", "--networks", "10000000000000"], "10,000,000,000,000 networks 2-2-1 needs 2,458,691.6 GiB"),
    (["xor", "--networks", "9" + "0" * 18], "needs more than 10¹² GiB, and this machine has"),
    (["xor", "--networks", "1" + "0" * 40], "--networks must be a whole number of at least 1 and at most 2⁶³ - 1"),
    (["xor", "--hidden", "1000000000"], "networks 2-1000000000-1 needs"),
    (["xor", "--epochs", "-1"], "--epochs must be a whole number of at least 0, but is -1"),
    (["xor", "--learning-rate", "0"], "--learning-rate must be a number above 0"),
    (["xor", "--learning-rate", "nan"], "--learning-rate must be a number above 0"),
    (["xor", "--solver", "sgd"], "unknown --solver 'sgd'"),
    (["xor", "--momentum", "0.5"], "momentum is for --solver momentum, but the solver is gd"),
    (["xor", "--solver", "momentum", "--momentum", "1"], "--momentum must be a number of at least 0 and below 1"),
    (["xor", "--sweep", "learning-rate"], "--sweep takes NAME=LOW..HIGH:SPACING:COUNT"),
    (["xor", "--sweep", "learning-rate=0.1..10"], "--sweep takes NAME=LOW..HIGH:SPACING:COUNT"),
    (["xor", "--sweep", "learning-rate=0.1..10:log"], "--sweep takes NAME=LOW..HIGH:SPACING:COUNT"),
    (["xor", "--sweep", "learning-rate=0.1..10:log:5:6"], "--sweep takes NAME=LOW..HIGH:SPACING:COUNT"),
    (["xor", "--sweep", "learning-rate=0.1..10:cubic:5"], "--sweep takes NAME=LOW..HIGH:SPACING:COUNT"),
    (["xor", "--sweep", "learning-rate=a..b:log:5"], "--sweep takes NAME=LOW..HIGH:SPACING:COUNT"),
    (["xor", "--sweep", "seed=1..10:lin:10"], "--sweep varies learning-rate or momentum"),
    (["xor", "--sweep", "learning-rate=10..0.1:log:5"], "--sweep needs two finite numbers, the lower first"),
    (["xor", "--sweep", "learning-rate=1..inf:lin:5"], "--sweep needs two finite numbers, the lower first"),
    (["xor", "--sweep", "learning-rate=0..1:log:5"], "--sweep with log spacing needs numbers above 0"),
    (["xor", "--sweep", "learning-rate=0..1:lin:5"], "--learning-rate must be a number above 0"),
    (["xor", "--sweep", "learning-rate=1..2:lin:1"], "--sweep takes 2 to 1,000 values"),
    (["xor", "--sweep", "learning-rate=1..2:lin:5", "--learning-rate", "2"], "leave --learning-rate out"),
    (["xor", "--sweep", "momentum=0..0.9:lin:5"], "momentum is for --solver momentum"),
    (
        ["xor", "--sweep", "momentum=0..1:lin:5", "--solver", "momentum"],
        "--momentum must be a number of at least 0 and below 1",
    ),
    (["xor", "--sweep", "learning-rate=1..2:lin:5", "--epochs", "0"], "--epochs is 0; set it to at least 1"),
    (["xor", "--solved", "0"], "--solved must be a number above 0"),
    (["xor", "--threads", "0"], "--threads must be a whole number of at least 1"),
    (["xor", "--init", "zeros"], "unknown --init 'zeros'"),
    (["xor", "--seed", "-1"], "--seed must be a whole number of at least 0"),
    (["xor", "--activation", "step"], "cannot be trained: step"),
    (["xor", "--out", "study.csv"], "--out takes a file that ends in .parquet, but got 'study.csv'"),
    (["xor", "--out", "no/study.parquet"], "its folder does not exist"),
    (["xor", "--hidden", "600", "--out", "a.parquet"], "at most 2,000, but these networks have 2,401"),
    (["xor", "--picture", "study.gif"], "--picture takes a file that ends in .svg, .png, .pdf"),
    (["xor", "--picture", "no/study.svg"], "its folder does not exist"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(a)[:60] for a, _ in REFUSED])
def test_bad_calls_end_in_one_plain_line_and_change_nothing(arguments, message, tmp_path):
    (tmp_path / "flowers.csv").write_text("a,y\n1,2\n")
    assert message in refused("study", *arguments, cwd=tmp_path)


def interrupted(arguments, cwd, enough):
    """``backpath study ARGUMENTS``, interrupted once its progress bar shows what ``enough`` matches."""
    leader, follower = terminal()
    command = [sys.executable, "-m", "backpath", "study", *map(str, arguments)]
    with started(command, cwd=cwd, stdout=subprocess.PIPE, stderr=follower, text=True) as process:
        os.close(follower)
        seen, deadline = "", time.monotonic() + 100
        while not re.search(enough, seen) and time.monotonic() < deadline:
            seen += os.read(leader, 4096).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        while True:
            try:
                seen += os.read(leader, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                break
        out, _ = process.communicate(timeout=60)
    os.close(leader)
    return process.returncode, out, seen


def test_ctrl_c_reports_and_writes_the_networks_that_were_done(tmp_path):
    options = ["--networks", 100_000, "--epochs", 5000, "--out", "part.parquet", "--picture", "part.svg"]
    status, out, _ = interrupted(["xor", *options], tmp_path, r"([2-9]\d\d|[1-3],\d\d\d)/5,000")
    assert status == 130
    done = int(re.search(r"interrupted: ([\d,]+) of 100,000 networks finished", out)[1].replace(",", ""))
    rows = read(tmp_path / "part.parquet")
    assert 0 < done < 100_000
    assert len(rows["network"]) == done
    assert set(rows["epochs"]) == {5000}
    start = bp.Population((2, 2, 1), size=100_000, seed=0)
    assert (rows["start_W2~_1"] == start["W2~_1"][rows["network"]]).all()
    assert f"{rows['solved'].sum():,} of {done:,} networks" in out
    assert (tmp_path / "part.svg").exists()


def test_ctrl_c_in_a_sweep_keeps_the_values_that_were_done(tmp_path):
    options = ["--networks", 20_000, "--epochs", 500, "--sweep", "learning-rate=1..4:lin:200", "--out", "c.parquet"]
    status, out, _ = interrupted(["xor", *options], tmp_path, r"([5-9]\d|\d\d\d),\d\d\d/4,000,000")
    assert status == 130
    assert re.search(r"interrupted: \d+ of 200 values finished", out)
    rows = read(tmp_path / "c.parquet")
    assert 2 <= len(rows["solved"]) < 200
    assert set(rows["networks"]) == {20_000}


def test_ctrl_c_before_any_network_is_done_writes_nothing(tmp_path):
    options = ["--networks", 100, "--epochs", 2_000_000_000, "--out", "none.parquet"]
    status, out, seen = interrupted(["xor", *options], tmp_path, r"epochs/s")
    assert status == 130
    assert seen.rstrip().endswith("backpath: interrupted")
    assert "solved" not in out
    assert names_in(tmp_path) == []


def test_a_full_disk_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource", reason="only Unix limits the size of files")
    (tmp_path / "a.parquet").write_bytes(b"as it was")
    command = [sys.executable, "-m", "backpath", "study", *map(str, SMALL), "--out", "a.parquet"]
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))  # noqa: E731 - as short as it is
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=limit)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert "a fault of backpath" not in run.stderr
    assert (tmp_path / "a.parquet").read_bytes() == b"as it was"
    assert names_in(tmp_path) == ["a.parquet"]


@needs_posix
def test_any_folder_takes_the_file(tmp_path):
    folder = tmp_path / "it's [a] *folder* ☃"
    folder.mkdir()
    done("study", *SMALL, "--out", folder / "a.parquet", cwd=tmp_path)
    (folder / "a.parquet").rename(tmp_path / "a.parquet")
    assert len(read(tmp_path / "a.parquet")["network"]) == 300
    assert names_in(folder) == []


def test_restarts_return_the_best_start_and_say_so(tmp_path):
    options = ["--init", "uniform:-1,1", "--epochs", 3000, "--out", "r.safetensors"]
    stuck = next(
        seed
        for seed in range(50)
        if bp.train(
            bp.Network((2, 2, 1), init="uniform:-1,1", seed=seed), X, y, epochs=3000, learning_rate=2
        ).network.cost(X, y)
        > 0.1
    )
    assert "--restarts 16" in done("train", "xor", *options, "--seed", stuck, cwd=tmp_path)
    out = done("train", "xor", *options, "--seed", stuck, "--restarts", 16, cwd=tmp_path)
    saved = bp.load_model(tmp_path / "r.safetensors")
    net = bp.Network((2, 2, 1), init="uniform:-1,1", seed=stuck)
    best = bp.train(net, X, y, epochs=3000, learning_rate=2, restarts=16, seed=stuck, init="uniform:-1,1")
    assert saved.network == best.network
    assert saved.network.cost(X, y) < 0.01
    assert saved.record["restarts"] == 16
    assert f"the best of 16 starts, with costs from {best.restart_costs.min():.3g} to" in out
    assert max(map(len, out.splitlines())) <= 80


def test_restarts_are_for_built_in_data_sets(tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i},{i % 3}\n" for i in range(60)))
    call = ["train", "t.csv", "--target", "y", "--restarts", 4, "--epochs", 3]
    assert "--restarts is for a built-in data set" in refused(*call, cwd=tmp_path)
    assert "the best of 4 starts" in done("train", "xor", "--restarts", 4, "--epochs", 3, cwd=tmp_path)
    assert backpath("train", "xor", "--restarts", 0, cwd=tmp_path).returncode == 2
