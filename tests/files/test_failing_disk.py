"""A disk that fails at the n-th write, fsync, rename or link: every file is the old one or the new one, whole."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import backpath as bp
from backpath.files.checkpoint_format import decode
from backpath.training.run_folder import read_run, states_of
from commands import done

SOURCE = Path(__file__).parents[1] / "failing.c"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
MOST = 60  # calls of a kind in a command, at most

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux" or not COMPILER, reason="needs Linux and a C compiler"),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    made = tmp_path_factory.mktemp("failing") / "failing.so"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", made, SOURCE, "-ldl"], check=True)
    return made


def failing(library, call, at, error, *arguments, cwd):
    """The command on a disk that fails so."""
    env = {**os.environ, "LD_PRELOAD": str(library), "FAIL": call, "FAIL_AT": str(at), "FAIL_ERRNO": str(error)}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-m", "backpath", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False)


COMMANDS = {
    "train": (("train", "xor", "--epochs", 300, "-q", "--out", "m.safetensors"), "m.safetensors"),
    "train in a run": (
        ("train", "xor", "--epochs", 300, "-q", "--out", "m.safetensors", "--checkpoint", "run", "--every", 100),
        "m.safetensors",
    ),
    "predict": (("predict", "xor.safetensors", "x.csv", "--out", "p.csv"), "p.csv"),
    "predict to Parquet": (("predict", "xor.safetensors", "x.csv", "--out", "p.parquet"), "p.parquet"),
    "study": (("study", "xor", "--networks", 50, "--epochs", 100, "-q", "--out", "s.parquet"), "s.parquet"),
}
FAILURES = [("write", errno.ENOSPC), ("fsync", errno.EIO), ("rename", errno.EACCES), ("link", errno.ENOSPC)]


@pytest.mark.parametrize(("call", "error"), FAILURES, ids=str)
@pytest.mark.parametrize("name", COMMANDS)
def test_files_are_old_or_new(tmp_path, library, name, call, error):
    arguments, result = COMMANDS[name]
    done("train", "xor", "--epochs", 20, "-q", cwd=tmp_path)
    (tmp_path / "x.csv").write_text("X1,X2\n0,1\n1,1\n")
    done(*(argument if argument != result else f"new-{result}" for argument in arguments), cwd=tmp_path)
    new = (tmp_path / f"new-{result}").read_bytes()
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    for at in range(1, MOST):
        (tmp_path / result).write_bytes(b"the old one")
        process = failing(library, call, at, error, *arguments, cwd=tmp_path)
        assert "Traceback" not in process.stderr
        content = (tmp_path / result).read_bytes()
        if process.returncode == 0:
            assert content == new
        else:
            said = [
                line
                for line in process.stderr.splitlines()
                if not line.startswith(("note: ", "backpath train --resume"))
            ]
            assert process.returncode in (1, 2) and len(said) == 1 and said[0].startswith("backpath: "), process.stderr
            assert content in (b"the old one", new)
        for file in (tmp_path / "run").glob("*.checkpoint"):
            decode(file)  # whole
        assert not list(tmp_path.rglob(".backpath-*"))
        if (tmp_path / "run" / "run.json").exists():
            read_run(tmp_path / "run")
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        if process.returncode == 0 and not process.stderr:
            break  # it comes to fewer calls
    else:
        pytest.fail(f"still failing at call {at}")


def test_training_goes_on_while_the_disk_is_full(tmp_path, library):
    """Only the checkpoints fail: they are missed, and said to be; the result is there."""
    run = ("train", "xor", "--epochs", 300, "-q", "--checkpoint", "run", "--every", 50)
    for at in range(1, MOST):
        process = failing(library, "fsync", at, errno.ENOSPC, *run, "--out", f"{at}.safetensors", cwd=tmp_path)
        if "no checkpoint of epoch" in process.stderr:
            break
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
    assert "No space left on device" in process.stderr and "the previous one is kept" in process.stderr
    done(*run, "--out", "m.safetensors", cwd=tmp_path)
    assert states_of(tmp_path / "run")
    assert bp.load(tmp_path / "m.safetensors").sizes == (2, 2, 1)
