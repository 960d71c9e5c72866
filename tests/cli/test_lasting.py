"""Runs on the command line that end at any moment and go on."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from backpath import Network, train
from backpath.training.run_folder import read_run, states_of
from commands import backpath, done, needs_signals, refused

ROWS = 400
KILLED = 1 if sys.platform == "win32" else -9
SENT = (pytest.mark.slow, needs_signals)


@pytest.fixture
def table(tmp_path):
    rng = random.Random(1)
    lines = ["a,b,y"]
    for _ in range(ROWS):
        a, b = rng.gauss(0, 1), rng.gauss(0, 1)
        lines.append(f"{a:.4f},{b:.4f},{a * b + rng.gauss(0, 0.1):.4f}")
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def begun(*arguments, cwd, until, sent=None):
    """A command that is stopped as soon as ``until`` says so, by a signal, or else killed; its process."""
    command = [sys.executable, "-m", "backpath", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not until():
        time.sleep(0.005)
    process.send_signal(getattr(signal, sent)) if sent else process.kill()
    process.out, process.err = process.communicate(timeout=100)
    return process


def has_states(folder, count=2):
    return lambda: folder.is_dir() and len(states_of(folder)) >= count


TRAIN = ("train", "t.csv", "--target", "y", "--hidden", "8", "--epochs", "400", "--tol", "0", "-q")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (None, KILLED),
        pytest.param("SIGTERM", 143, marks=SENT),
        pytest.param("SIGINT", 130, marks=SENT),
        pytest.param("SIGHUP", 129, marks=SENT),
    ],
)
def test_training_a_table_goes_on_to_the_same_model(table, sent, status):
    done(*TRAIN, "--out", "whole.safetensors", cwd=table)
    at_once = ("--checkpoint", "run", "--every", "20", "--out", "m.safetensors")
    stopped = begun(*TRAIN, *at_once, cwd=table, until=has_states(table / "run"), sent=sent)
    assert stopped.returncode == status, stopped.err
    if sent:
        assert "backpath train --resume run --out m.safetensors" in stopped.err.splitlines()
        assert read_run(table / "run")["state"] == "interrupted"
    elsewhere = table / "elsewhere"
    elsewhere.mkdir()
    done("train", "--resume", "../run", "-q", cwd=elsewhere)
    assert (table / "m.safetensors").read_bytes() == (table / "whole.safetensors").read_bytes()
    assert not list(table.rglob(".backpath-*"))


def test_the_folder_has_the_other_options_and_changes_are_refused(table):
    call = ("train", "xor", "--epochs", "2000", "--seed", "3", "--checkpoint", "run", "--out", "m.safetensors", "-q")
    done(*call, cwd=table)
    done("train", "--resume", "run", "-q", cwd=table)
    assert "leave --hidden, --seed out" in refused("train", "--resume", "run", "--seed", 4, "--hidden", "3", cwd=table)
    assert "epochs was 2000, now 2500" in backpath("train", "--resume", "run", "--epochs", 2500, cwd=table).stderr
    message = refused("train", "xor", "--seed", "4", "--checkpoint", "run", "-q", cwd=table)
    assert message == "run holds another run: seed was 3, now 4; give another folder, or the same call and data"
    assert refused("study", "--resume", "run", cwd=table) == (
        "run holds a run of backpath train, not of backpath study; resume it with backpath train --resume run"
    )
    assert "Missing argument 'SOURCE'" in refused("train", cwd=table)
    assert "give --checkpoint FOLDER too" in refused("train", "xor", "--every", "5", cwd=table)
    assert "nothing does not contain a run" in refused("train", "--resume", "nothing", cwd=table)
    (table / "run" / "run.json").write_bytes((table / "run" / "run.json").read_bytes().replace(b'"xor"', b'"and"'))
    assert "is not what backpath wrote there" in refused("train", "--resume", "run", cwd=table)


@needs_signals
def test_ctrl_c_while_the_command_is_imported_shows_no_traceback(tmp_path):
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = subprocess.run(
        [sys.executable, "-m", "backpath", "train", "xor"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (-signal.SIGINT, "", "")


def test_a_run_that_python_began_goes_on_in_python(tmp_path):
    train(Network((1, 1)), [[0.0], [1.0]], [0, 1], epochs=5, checkpoint=tmp_path / "run")
    assert refused("train", "--resume", "run", cwd=tmp_path) == (
        "run holds a run of train() in Python, not of backpath train; resume it with that call"
    )


def test_a_refused_call_makes_no_folder(table):
    assert "has no column" in refused("train", "t.csv", "--target", "z", "--checkpoint", "run", cwd=table)
    assert "cannot be resumed" in refused("train", "-", "--target", "y", "--checkpoint", "run", cwd=table)
    assert not (table / "run").exists()


def test_a_study_goes_on_to_the_same_rows(tmp_path):
    study = ("study", "xor", "--networks", 3000, "--sweep", "learning-rate=0.1..10:log:4", "--epochs", 4000, "-q")
    done(*study, "--out", "whole.parquet", cwd=tmp_path)
    at_once = ("--checkpoint", "run", "--every", "1", "--out", "s.parquet")
    begun(*study, *at_once, cwd=tmp_path, until=has_states(tmp_path / "run", 3))
    done("study", "--resume", "run", cwd=tmp_path)
    assert (tmp_path / "s.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_runs_are_listed_and_logged(tmp_path):
    done("train", "xor", "--epochs", 300, "--checkpoint", "one", "--log", "log.jsonl", "-q", cwd=tmp_path)
    begun("train", "spiral", "--checkpoint", "two", "--every", "1", cwd=tmp_path, until=has_states(tmp_path / "two"))
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "run.json").write_text("{}")
    one, three, two = json.loads(done("runs", "--json", cwd=tmp_path))
    assert (one["folder"], one["state"], one["epochs"], one["of"]) == ("one", "finished", 300, 300)
    assert (two["state"], three["state"]) == ("stopped", "damaged") and two["epochs"] >= 1
    shown = done("runs", cwd=tmp_path)
    assert "300 of 300" in shown and "stopped" in shown
    (tmp_path / "empty").mkdir()
    assert "no runs in empty" in done("runs", "empty", cwd=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["epochs"] == 300 and lines[-1]["stopped"] == "epochs" and lines[-1]["cost"] == one["cost"]


def test_predictions_that_overflow_are_marked_or_refused(tmp_path):
    rows = "".join(f"{k},{k % 7},{2 * k + k % 7}\n" for k in range(50))
    (tmp_path / "t.csv").write_text(f"a,b,y\n{rows}")
    (tmp_path / "n.csv").write_text("a,b\n1,2\n-1e308,3\n4,5\n")
    train = ("train", "t.csv", "--target", "y", "--hidden", 4, "--activation", "relu", "--epochs", 50, "-q")
    done(*train, cwd=tmp_path)
    first, *rows = done("predict", "t.safetensors", "n.csv", cwd=tmp_path).splitlines()
    assert first == "y,problem" and rows[1] == ",the prediction is not a finite number"
    assert float(rows[0][:-1]) and float(rows[2][:-1])
    message = refused("predict", "t.safetensors", "n.csv", "--strict", cwd=tmp_path)
    assert message == "the prediction is not a finite number in 1 row; correct the cells, or leave --strict out"
    (tmp_path / "n.csv").write_text("a,b\n1,2\n4,5\n")
    assert done("predict", "t.safetensors", "n.csv", cwd=tmp_path).startswith("y\n")
