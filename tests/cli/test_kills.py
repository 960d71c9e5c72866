"""SIGKILL at random moments, again and again: every file is whole, and the result has the bits of a run in peace."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backpath.files.checkpoint_format import decode
from commands import done

KILLING = Path(__file__).parents[1] / "killing.py"
KILLS = 200 if os.environ.get("CI") == "true" else 1000  # of all these tests together

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="no fork")]


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 2)).round(4)
    rows = "".join(f"{a},{b},{a * b:.5f}\n" for a, b in X)
    (tmp_path / "t.csv").write_text(f"a,b,y\n{rows}")
    return tmp_path


def killed(share, longest, result, whole, *arguments, cwd):
    """Kill the command that share of all kills, and let it come to its end; its result is always ``whole`` or none."""
    kills = max(1, round(KILLS * share))
    command = [sys.executable, KILLING, kills, 7, longest, result, whole, *arguments]
    run = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=1500, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.split()[0]) == kills
    assert not list(cwd.rglob(".backpath-*"))


SOLVERS = {
    "adam": ("--hidden", 6, "--epochs", 3000, "--tol", 0),
    "lm": ("--solver", "lm", "--hidden", 6, "--epochs", 300, "--validation", 0),
}


@pytest.mark.parametrize("solver", SOLVERS)
def test_training(table, solver):
    train = ("train", "t.csv", "--target", "y", *SOLVERS[solver], "-q")
    done(*train, "--out", "whole.safetensors", cwd=table)
    at_once = ("--checkpoint", "run", "--every", "0.02s", "--out", "m.safetensors")
    killed(0.3, 0.4, "m.safetensors", "whole.safetensors", *train, *at_once, cwd=table)
    for file in (table / "run").glob("*.checkpoint"):
        decode(file)  # whole


def test_a_study(tmp_path):
    study = ("study", "xor", "--networks", 4000, "--epochs", 4000, "-q")
    done(*study, "--out", "whole.parquet", cwd=tmp_path)
    at_once = ("--checkpoint", "run", "--every", "0.02s", "--out", "s.parquet")
    killed(0.2, 0.5, "s.parquet", "whole.parquet", *study, *at_once, cwd=tmp_path)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_predictions(table, form):
    done("train", "t.csv", "--target", "y", "--hidden", 3, "--epochs", 20, "-q", cwd=table)
    lines = (table / "t.csv").read_text().splitlines()
    (table / "long.csv").write_text("\n".join([lines[0], *lines[1:] * 100]) + "\n")
    predict = ("predict", "t.safetensors", "long.csv", "--out")
    done(*predict, f"whole.{form}", cwd=table)
    killed(0.1, 0.4, f"p.{form}", f"whole.{form}", *predict, f"p.{form}", cwd=table)
