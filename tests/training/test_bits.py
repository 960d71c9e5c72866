"""The kernels' bits depend on neither the processor nor the compiler: every activation, cost and solver, both ways."""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from backpath.training.native import library

ROOT = Path(__file__).parents[2]
SWEEP = """
import hashlib, sys
import numpy as np, backpath as bp
from backpath.maths.activations import ACTIVATIONS
from backpath.maths.costs import COSTS
from backpath.training.native import library
if len(sys.argv) > 1:
    library.FOLDER = sys.argv[1]
digest, rng = hashlib.sha256(), np.random.default_rng(0)
hidden = [row.name for row in ACTIVATIONS.values() if not row.no_derivative and row.jacobian is None]
for k, name in enumerate(hidden):
    for cost in COSTS.values():
        for dtype, batch in (("float64", 4), ("float32", 11), ("float64", 11), ("float32", 3)):
            output = cost.output_activation or ("softmax" if k % 2 else name)
            net = bp.Network((3, 9, 2), activations=[name, output], dtype=dtype, init="uniform:-0.7,0.7")
            X, y = rng.normal(size=(11, 3)), rng.dirichlet((1, 1), 11)
            run = {"solver": ("gd", "momentum", "adam")[k % 3], "learning_rate": 0.003, "cost": cost.name}
            result = bp.train(net, X, y, epochs=30, batch_size=batch, shuffle=k % 2 == 0, engine="compiled", **run)
            many = bp.train_population(bp.Population.of([net, result.network]), X, y, epochs=9, batch_size=batch, **run)
            for array in (*result.network.weights, result.history.cost, many.population.lanes, many.cost):
                digest.update(array.tobytes())
print(digest.hexdigest())
"""


def swept(*arguments, **environment):
    command = [sys.executable, "-W", "ignore", "-c", SWEEP, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment)
    return run.stdout.strip()


@pytest.mark.skipif(library.level() < "x86_64_v4", reason="this processor runs one build with fused products only")
def test_by_every_build_that_this_processor_runs():
    assert swept(BACKPATH_CPU="x86_64_v3") == swept(BACKPATH_CPU="x86_64_v4")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++") or not find_spec("ziglang"), reason="needs g++ and ziglang")
@pytest.mark.skipif(not library.level().startswith("x86_64"), reason="builds for x86-64")
def test_by_every_compiler(tmp_path):
    found = {}
    for name, command in (("gcc", "g++"), ("zig", f"{sys.executable} -m ziglang c++")):
        copy = tmp_path / name
        shutil.copytree(ROOT / "src/backpath/training/native", copy / "src/backpath/training/native")
        shutil.copy(ROOT / "hatch_build.py", copy)
        built = [sys.executable, copy / "hatch_build.py"]
        subprocess.run(built, check=True, capture_output=True, env=os.environ | {"BACKPATH_CXX": command})
        folder = copy / "src/backpath/training/native"
        found[name] = [swept(folder, BACKPATH_CPU=level) for level in library.X86_64[1:] if level <= library.level()]
        for file in folder.glob("kernels-*"):  # what was compared is not the same file
            found.setdefault("files", set()).add(hashlib.sha256(file.read_bytes()).hexdigest())
    assert found["gcc"] == found["zig"] and len(found["files"]) == 6
