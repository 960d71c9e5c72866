"""``backpath train``, ``predict`` and ``show`` as a newcomer meets them, in real processes on real files."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import backpath as bp
from backpath.files.models import Model
from commands import backpath, done, needs_signals, refused, started
from memory import measure
from terminals import terminal


def write_csv(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def flowers(tmp_path):
    """Iris as a CSV file with its species by name."""
    data = datasets.load_iris()
    rows = [[*x, data.target_names[t]] for x, t in zip(data.data.tolist(), data.target)]
    write_csv(tmp_path / "iris.csv", [*data.feature_names, "species"], rows)
    return tmp_path


def test_xor_is_learned_shown_and_saved(tmp_path):
    out = done("train", "xor", cwd=tmp_path)
    network = bp.load_model(tmp_path / "xor.safetensors").network
    for name in network.weight_names:
        assert f"{name}  {network[name]:8.4f}".replace(" ", "") in out.replace(" ", "")
    table = [
        line.split()
        for line in out.splitlines()
        if line.split()[:2] in (["0", "0"], ["0", "1"], ["1", "0"], ["1", "1"])
    ]
    assert [row[2] for row in table] == ["0", "1", "1", "0"]
    assert [round(float(row[3])) for row in table] == [0, 1, 1, 0]
    assert [row[4] for row in table] == ["0", "1", "1", "0"]
    assert "saved xor.safetensors" in out
    assert "backpath show xor.safetensors" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out  # no colours in a pipe


def test_what_it_suggests_next_works(tmp_path):
    out = done("train", "xor", "--epochs", 500, cwd=tmp_path)
    suggestions = out.split("try next\n")[1].splitlines()
    assert suggestions
    for line in suggestions:
        program, *arguments = line.split()
        assert program == "backpath"
        if arguments[0] != "explore":  # a server, which its own tests start
            done(*arguments, cwd=tmp_path)


@pytest.mark.parametrize("name", ["and", "or", "nand", "circle", "spiral", "sine"])
def test_every_built_in_set_is_learned_with_its_own_settings(name, tmp_path):
    out = done("train", name, cwd=tmp_path)
    assert "accuracy 100.0%" in out or "R² 0.99" in out or "R² 1.0" in out


def test_settings_change_the_network_and_the_training(tmp_path):
    options = ["--hidden", "3,2", "--activation", "tanh", "--epochs", 7, "--seed", 5, "--dtype", "float32"]
    done("train", "xor", *options, "--frozen", "biases", "--out", "a.safetensors", cwd=tmp_path)
    network = bp.load_model(tmp_path / "a.safetensors").network
    start = bp.Network((2, 3, 2, 1), activations=("tanh", "tanh", "sigmoid"), seed=5, dtype="float32")
    assert (network.sizes, network.activations, network.dtype) == (start.sizes, start.activations, np.float32)
    for W, S in zip(network.weights, start.weights):
        assert (W[:, -1] == S[:, -1]).all()
        assert (W[:, :-1] != S[:, :-1]).all()


def test_a_table_is_trained_measured_and_predicted(flowers):
    out = done("train", "iris.csv", "--target", "species", cwd=flowers)
    assert "on all 150 rows, each held out once (5 parts)" in out
    accuracy, linear = re.search(r"accuracy +([\d.]+)% +([\d.]+)% +33.3%", out).groups()
    assert float(accuracy) > 93 and float(linear) > 93
    assert "petal length (cm): number, mean" in out
    shown = done("show", "iris.safetensors", cwd=flowers)
    assert "networks side by side" in shown
    assert "one of 'setosa', 'versicolor', 'virginica'" in shown
    assert "each held out once (5 parts)" in shown
    assert float(re.search(r"accuracy +([\d.]+)%", shown)[1]) == float(accuracy)
    done("predict", "iris.safetensors", "iris.csv", "--out", "p.csv", cwd=flowers)
    predictions, truth = read_csv(flowers / "p.csv"), read_csv(flowers / "iris.csv")
    right = [p["species"] == t["species"] for p, t in zip(predictions, truth, strict=True)]
    assert np.mean(right) > 0.93
    shares = [float(predictions[0][f"probability of {name}"]) for name in ("setosa", "versicolor", "virginica")]
    assert sum(shares) == pytest.approx(1, abs=1e-12)
    printed = done("predict", "iris.safetensors", "iris.csv", cwd=flowers)
    assert printed == (flowers / "p.csv").read_text()


def test_levenberg_marquardt_on_a_table_of_numbers_and_one_of_classes(flowers):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (150, 2))
    rows = np.column_stack([X, np.sin(3 * X[:, 0]) * X[:, 1] + 0.05 * rng.normal(size=150)])
    write_csv(flowers / "wave.csv", ["a", "b", "y"], rows.tolist())
    out = done("train", "wave.csv", "--target", "y", "--solver", "lm", "--bayesian", cwd=flowers)
    assert "squared_error, lm (Levenberg-Marquardt)" in out
    assert float(re.search(r"R² +([\d.]+)", out)[1]) > 0.95
    gamma = float(re.search(r"the data determine ([\d.]+) of 65 weights", out)[1])
    assert 5 < gamma < 65
    assert re.search(rf"effective parameters +{gamma}\n", done("show", "wave.safetensors", cwd=flowers))
    out = done("train", "iris.csv", "--target", "species", "--solver", "lm", "--hidden", "3", cwd=flowers)
    assert "squared_error, lm" in out  # the task's own cost is a cross-entropy
    assert float(re.search(r" accuracy +([\d.]+)%", out)[1]) > 85


def test_columns_are_matched_by_name_whatever_their_order(flowers):
    done("train", "iris.csv", "--target", "species", "--epochs", 20, cwd=flowers)
    rows = read_csv(flowers / "iris.csv")
    header = [*reversed(rows[0]), "note"]
    write_csv(flowers / "turned.csv", header, [[row.get(name, "?") for name in header] for row in rows])
    first = done("predict", "iris.safetensors", "iris.csv", cwd=flowers)
    assert done("predict", "iris.safetensors", "turned.csv", cwd=flowers) == first


def test_one_column_is_no_columns(tmp_path):
    write_csv(tmp_path / "t.csv", ["a", "y"], [[1, 2.5], [2, 3.5]])
    assert "t.csv: 2 rows, 1 column -> y (a number)\n" in done(
        "train", "t.csv", "--target", "y", "--epochs", 1, cwd=tmp_path
    )


def test_the_same_call_gives_the_same_file(flowers):
    files = []
    for name in ("a", "b"):
        done("train", "iris.csv", "--target", "species", "--epochs", 5, "--out", f"{name}.safetensors", cwd=flowers)
        files.append((flowers / f"{name}.safetensors").read_bytes())
    assert files[0] == files[1]


def test_a_network_saved_from_python_predicts_by_the_names_of_the_notes(tmp_path):
    net = bp.Network((2, 3, 2), seed=1)
    bp.save(net, tmp_path / "net.safetensors")
    write_csv(tmp_path / "x.csv", ["X2", "X1"], [[1, 0], [0.5, 2]])
    rows = [line.split(",") for line in done("predict", "net.safetensors", "x.csv", cwd=tmp_path).splitlines()]
    assert rows[0] == ["A1", "A2"]
    expected = bp.predict(net, [[0, 1], [2, 0.5]])
    assert [[float(cell) for cell in row] for row in rows[1:]] == expected.tolist()


SETS = ["iris", "wine", "breast_cancer", "digits", "diabetes"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_held_out_quality_equals_that_of_scikit_learns_mlp_of_the_same_size(name, tmp_path):
    data = getattr(datasets, f"load_{name}")()
    regression = name == "diabetes"
    header = [*data.feature_names, "the target"]
    ours, theirs = [], []
    for split in range(5):
        order = np.random.default_rng(split).permutation(len(data.data))
        test, rows = order[: len(order) // 5], order[len(order) // 5 :]
        label = (lambda t: t) if regression else (lambda t: f"class {t}")
        for file, chosen in (("rows", rows), ("new", test)):
            table = [[*data.data[k].tolist(), label(data.target[k])] for k in chosen]
            write_csv(tmp_path / f"{file}.csv", header, table)
        done("train", "rows.csv", "--target", "the target", "--hidden", "16", cwd=tmp_path)
        done("predict", "rows.safetensors", "new.csv", "--out", "p.csv", cwd=tmp_path)
        found = [row["the target"] for row in read_csv(tmp_path / "p.csv")]
        scaler, y = StandardScaler().fit(data.data[rows]), data.target
        kind = MLPRegressor if regression else MLPClassifier
        peer = kind(hidden_layer_sizes=(16,), max_iter=1000, random_state=split)
        mean, scale = (y[rows].mean(), y[rows].std()) if regression else (0, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # at most a sign that it could do a little better
            peer.fit(scaler.transform(data.data[rows]), (y[rows] - mean) / scale if regression else y[rows])
        predicted = peer.predict(scaler.transform(data.data[test])) * scale + mean
        if regression:
            spread = ((y[test] - y[test].mean()) ** 2).sum()
            ours.append(1 - ((np.array(found, float) - y[test]) ** 2).sum() / spread)
            theirs.append(1 - ((predicted - y[test]) ** 2).sum() / spread)
        else:
            ours.append(np.mean([f == f"class {t}" for f, t in zip(found, y[test], strict=True)]))
            theirs.append((predicted == y[test]).mean())
    print(f"{name}: {np.mean(ours):.4f}, scikit-learn {np.mean(theirs):.4f}")
    assert np.mean(ours) >= np.mean(theirs) - 0.02, (ours, theirs)


COMMAND = """
import backpath.cli
backpath.cli.backpath(sys.argv[1:], standalone_mode=False)
outcome = None
"""


@pytest.mark.slow
def test_a_million_rows_train_and_are_predicted_within_four_times_their_numeric_size(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows, columns = 1_000_000, 14
    header = ",".join([*(f"x{i}" for i in range(1, columns)), "y"])
    numbers = np.random.default_rng(0).normal(size=(rows, columns))
    np.savetxt("big.csv", numbers, delimiter=",", header=header, comments="", fmt="%.17g")
    del numbers
    imports = "import duckdb, rich.progress, backpath.cli.train.run, backpath.training.engines.compiled"
    for call in (["train", "big.csv", "--target", "y", "--epochs", 1], ["predict", "big.safetensors", "big.csv"]):
        out = ["--out", "p.csv"] if call[0] == "predict" else []
        taken, _, _ = measure(imports, COMMAND, *call, *out)
        print(call[0], taken / (rows * columns * 8))
        assert taken <= 4 * rows * columns * 8, (call, taken)


REFUSED = [
    (["train", "nope"], "there is no file nope and no built-in data set of that name (and, or, nand"),
    (["train", "iris.csv"], "give the column to predict with --target COLUMN"),
    (["train", "iris.csv", "--target", "specis"], "did you mean 'species'"),
    (["train", "iris.csv", "--target", "species", "--hidden", "0"], "--hidden takes whole numbers of at least 1"),
    (["train", "iris.csv", "--target", "species", "--hidden", "1000000000"], "training it needs"),
    (["train", "iris.csv", "--target", "species", "--hidden", "a"], "--hidden takes whole numbers of at least 1"),
    (["train", "iris.csv", "--target", "species", "--learning-rate", "0"], "--learning-rate must be a number above 0"),
    (["train", "iris.csv", "--target", "species", "--learning-rate", "-1"], "--learning-rate must be a number above 0"),
    (["train", "iris.csv", "--target", "species", "--learning-rate", "1e300"], "training diverged"),
    (["train", "iris.csv", "--target", "species", "--epochs", "0"], "--epochs must be a whole number of at least 1"),
    (
        ["train", "iris.csv", "--target", "species", "--validation", "1"],
        "--validation must be a share from 0 to less than 1",
    ),
    (["train", "iris.csv", "--target", "species", "--cost", "binary_cross_entropy"], "needs sigmoid outputs"),
    (["train", "iris.csv", "--target", "species", "--task", "regression"], "cannot be regression"),
    (["train", "iris.csv", "--target", "species", "--delimiter", ";"], "--delimiter"),
    (["train", "iris.csv", "--target", "species", "--out", "."], "it is a folder"),
    (["train", "iris.csv", "--target", "species", "--out", "no/where.safetensors"], "its folder does not exist"),
    (["train", "xor", "--target", "y"], "--target is for tables, but xor is a built-in data set"),
    (["train", "xor", "--learning-rate", "1e300"], "training got stuck in epoch"),
    (["train", "xor", "--learning-rate", "1000"], "training got stuck in epoch"),
    (["train", "xor", "--seed", "-1"], "--seed must be a whole number of at least 0"),
    (["train", "xor", "--validation", "0.5"], "--validation is for tables, but xor is a built-in data set"),
    (["train", "xor", "--encoding", "utf-16"], "--encoding is for tables"),
    (["train", "xor", "--frozen", "W9~_9"], "has no weight 'W9~_9'"),
    (["train", "xor", "--epochs", "many"], "'many' is not a valid integer"),
    (["train", "xor", "--epochs", "1" * 5000], "1… is not a valid integer"),
    (["train", "xor", "--nonsense"], "No such option"),
    (["train", "xor", "--solver", "sgd"], "unknown --solver 'sgd'; expected one of gd, momentum, adam, lm"),
    (
        ["train", "iris.csv", "--target", "species", "--solver", "sgd"],
        "unknown --solver 'sgd'; expected one of gd, momentum",
    ),
    (["train", "xor", "--solver", "lm", "--learning-rate", "1"], "leave --learning-rate out"),
    (["train", "xor", "--solver", "lm", "--batch-size", "2"], "lm uses all samples in every step"),
    (["train", "xor", "--bayesian"], "--bayesian is for --solver lm"),
    (
        ["train", "iris.csv", "--target", "species", "--solver", "lm", "--cost", "categorical_cross_entropy"],
        "lm minimises squared errors",
    ),
    (["study", "xor", "--solver", "lm"], "with lm, train them one by one"),
    (["train", "xor", "--activation", "step"], "cannot be trained: step"),
    (["predict", "iris.csv", "iris.csv"], "iris.csv is not a model that can be used: it is text, not a model"),
    (["predict", "nope.safetensors", "iris.csv"], "nope.safetensors"),
    (["show", "."], "folder"),
    (["train"], "Missing argument 'SOURCE'"),
    (["trian", "xor"], "No such command 'trian'"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(a)[:60] for a, _ in REFUSED])
def test_bad_calls_end_in_one_plain_line_and_change_nothing(arguments, message, flowers):
    assert message in refused(*arguments, cwd=flowers)


def test_predict_refuses_what_the_model_does_not_know(flowers):
    done("train", "iris.csv", "--target", "species", "--epochs", 2, cwd=flowers)
    rows = read_csv(flowers / "iris.csv")
    write_csv(flowers / "less.csv", list(rows[0])[1:], [list(row.values())[1:] for row in rows])
    assert "'sepal length (cm)'" in refused("predict", "iris.safetensors", "less.csv", cwd=flowers)


def test_ctrl_c_keeps_what_was_reached(tmp_path):
    leader, follower = terminal()  # a terminal, for the progress bar
    command = [sys.executable, "-m", "backpath", "train", "xor", "--epochs", "100000000"]
    with started(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=follower, text=True) as process:
        os.close(follower)
        seen = b""
        while b"epochs/s" not in seen:
            seen += os.read(leader, 4096)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out = ""
        while process.poll() is None:
            try:
                os.read(leader, 4096)
            except OSError:
                break
        out, _ = process.communicate(timeout=30)
    os.close(leader)
    assert process.returncode == 130
    assert re.search(rb"cost \d", seen) and b"nan" not in seen  # no cost is shown before there is one
    assert "interrupted after" in out
    assert bp.load_model(tmp_path / "xor.safetensors").record["stopped"] == "interrupted"


@needs_signals
@pytest.mark.parametrize(("sent", "status"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_request_to_stop_keeps_what_was_reached(tmp_path, sent, status):
    command = [sys.executable, "-m", "backpath", "train", "xor", "--epochs", "1000000000"]
    with started(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()
        time.sleep(1)
        process.send_signal(getattr(signal, sent))
        out, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (status, "")
    assert "interrupted after" in out  # only a terminal has no reader after a hang-up
    assert bp.load_model(tmp_path / "xor.safetensors").record["stopped"] == "interrupted"


@needs_signals
def test_nohup_ignores_the_hang_up(tmp_path):
    command = ["nohup", sys.executable, "-m", "backpath", "train", "xor", "--epochs", "20000000"]
    with started(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
    assert process.returncode == 0


@needs_signals
def test_ctrl_c_before_the_first_epoch_ends_leaves_the_old_model(tmp_path):
    rows = np.random.default_rng(0).normal(size=(60_000, 3)).tolist()
    write_csv(tmp_path / "t.csv", ["a", "b", "y"], rows)
    (tmp_path / "t.safetensors").write_bytes(b"as it was")
    command = [sys.executable, "-m", "backpath", "train", "t.csv", "--target", "y", "--batch-size", "1"]
    command += ["--hidden", "64,64", "--engine", "numpy"]
    with started(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()  # its title: the table has been read
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert (process.returncode, error.strip()) == (130, "backpath: interrupted")
    assert (tmp_path / "t.safetensors").read_bytes() == b"as it was"


def test_names_from_files_cannot_drive_the_terminal(tmp_path):
    record = {"source": "\x1b[2Jevil\nline", "\x1b[31mkey": 1, "quality": {"held-out": 0.93}}
    bp.save(Model(bp.Network((2, 2, 1)), None, record), tmp_path / "m.safetensors")
    shown = done("show", "m.safetensors", cwd=tmp_path)
    assert "\x1b" not in shown
    assert "0.93" in shown


def test_a_pipe_that_cannot_show_sigma_gets_a_question_mark(tmp_path):
    command = [sys.executable, "-m", "backpath", "train", "xor", "--epochs", "100"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=True)
    assert "cost" in run.stdout


def test_without_a_command_the_help_is_shown(tmp_path):
    process = backpath(cwd=tmp_path)
    assert process.returncode == 2
    assert "Commands:\n  train " in process.stderr


def test_help_lists_the_commands(tmp_path):
    out = done("--help", cwd=tmp_path)
    for name in ("train", "predict", "runs", "show"):
        assert name in out
    assert "Usage: backpath train [OPTIONS] [SOURCE]" in done("train", "--help", cwd=tmp_path).replace("python -m ", "")


def test_names_that_other_libraries_use_are_understood_and_said(tmp_path):
    short = ("train", "xor", "--epochs", 1)
    done(*short, "--cost", "squared_error", "--activation", "sigmoid", "--out", "ours.safetensors", cwd=tmp_path)
    other = backpath(*short, "--cost", "mse", "--activation", "logistic", "--out", "b.safetensors", cwd=tmp_path)
    assert other.returncode == 0
    assert "'mse' is read as squared_error." in other.stderr
    assert "'logistic' is read as sigmoid." in other.stderr
    ours, theirs = bp.load(tmp_path / "ours.safetensors"), bp.load(tmp_path / "b.safetensors")
    assert all((W == V).all() for W, V in zip(ours.weights, theirs.weights))
