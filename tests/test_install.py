"""What users get: the wheel in an empty environment, where nothing may be written and there is no home."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(hatch_build.__file__).parent
TRAIN = """
import sys
import backpath as bp
from backpath import *
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
result = bp.train(bp.Network((2, 2, 1), seed=0), X, y, epochs=5000, learning_rate=2.0, engine="compiled")
assert result.network.predict(X).round().ravel().tolist() == [0.0, 1.0, 1.0, 0.0]
assert bp.train_population(bp.Population((2, 2, 1), size=50, seed=0), X, y, epochs=10, learning_rate=1.0).cost.shape
assert "W11_1" in str(bp.derive(result.network, "W11_1"))
assert bp.train(bp.Network((1, 2, 1), seed=0), [[0], [1], [2]], [0, 1, 4], epochs=3, solver="lm").epochs
print(*sorted({"sklearn", "scipy", "safetensors"} & set(sys.modules)))
try:
    bp.MLPClassifier
except ImportError as fault:
    print(fault)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An empty environment with the wheel and what it depends on, made unwritable; gives its python."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "environment", with_pip=False)
    python = folder / "environment/bin/python"
    subprocess.run([*pip, "--python", python, "install", "--no-compile", wheel], check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "environment")}))
    for path in [*site.rglob("*"), site]:
        path.chmod(path.stat().st_mode & ~0o222)
    yield python
    for path in [site, *site.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


def run(python, code, **environment):
    """What it prints, in a process that has no home and a working directory that cannot be written."""
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False, env=bare, cwd="/proc")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def files(python):
    return {(path, path.stat().st_mtime_ns) for path in python.parent.parent.rglob("*")}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the environment's python is elsewhere on Windows")
def test_everything_except_the_estimators_works_without_write_access(installed):
    before = files(installed)
    loaded, message = run(installed, TRAIN)
    assert loaded == ""
    assert message == "the estimators need scikit-learn; install it with: pip install 'backpath[sklearn]'"
    assert files(installed) == before  # root may write anywhere


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the environment's python is elsewhere on Windows")
def test_only_what_is_needed_is_installed(installed):
    (names,) = run(
        installed, "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    )
    needed = {"backpath", "numpy", "duckdb", "click", "rich", "threadpoolctl"}
    assert set(names.split()) == needed | {"markdown-it-py", "mdurl", "pygments"}  # those are rich's
