"""The command line's own cluster, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from commands import needs_signals

pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")


@needs_signals
@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])  # just begun, or all of them there
def test_ctrl_c_at_the_start_of_a_cluster_is_one_line(tmp_path, workers):
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{k},{k * k}\n" for k in range(60)))
    call = ["train", "t.csv", "--target", "y", "--hidden", "300", "--epochs", "20000000", "--tol", "0"]
    call += ["--dask", "local:2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "backpath", *call],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )

    def begun():
        found = 0
        for child in psutil.Process(process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it has ended, such as `uname`
                found += "spawn_main" in " ".join(child.cmdline())
        return found

    while process.poll() is None and begun() < workers:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert (process.returncode, errors.split("\n")[-2]) == (130, "backpath: interrupted")
    assert "Traceback" not in errors and "leaked" not in errors
