"""The kernels' cache on disk: what is in its way must never stop a run, and a changed source never run old code.

Tried with a kernel of one line, each time in a process of its own; once, slowly, with the real ones.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNEL = """
from backpath.training.kernel_cache import compiled

def double(x):
    return x * 2

double_compiled = compiled(double)
"""

RUN = """
import formulas
print(formulas.double_compiled(21.0), sum(formulas.double_compiled.stats.cache_hits.values()))
"""


@pytest.fixture
def house(tmp_path):
    """A folder with the kernel's source, and an environment whose home is another one."""
    source, home = tmp_path / "source", tmp_path / "home"
    source.mkdir()
    home.mkdir()
    (source / "formulas.py").write_text(KERNEL)
    environment = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    environment |= {"PYTHONPATH": str(source), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    return source, home, environment


def run(environment, code=RUN):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def kept(folder):
    return sorted(path.suffix for path in Path(folder).rglob("*.nb?"))


def test_compiled_once_then_found(house):
    source, home, environment = house
    assert run(environment) == ["42.0", "0"]
    assert run(environment) == ["42.0", "1"]
    assert kept(source / "__pycache__") == [".nbc", ".nbi"]
    assert kept(home) == []


def test_a_changed_source_of_the_same_size_and_time_is_compiled_anew(house):
    source, _, environment = house
    file = source / "formulas.py"
    run(environment)
    before = file.stat()
    file.write_text(KERNEL.replace("x * 2", "x * 3"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert run(environment) == ["63.0", "0"]
    assert run(environment) == ["63.0", "1"]


def test_a_changed_helper_in_the_same_file_is_compiled_anew(house):
    source, _, environment = house
    code = KERNEL.replace(
        "def double", "from numba import njit\n\n@njit\ndef helper(x):\n    return x * 2\n\ndef double"
    )
    code = code.replace("    return x * 2\n\ndouble_", "    return helper(x)\n\ndouble_")
    (source / "formulas.py").write_text(code)
    assert run(environment) == ["42.0", "0"]
    (source / "formulas.py").write_text(code.replace("x * 2", "x * 4"))
    assert run(environment) == ["84.0", "0"]


def test_where_the_package_cannot_be_written_the_users_cache_folder_is_used(house):
    source, home, environment = house
    (source / "__pycache__").write_text("in the way, even for an administrator")
    assert run(environment) == ["42.0", "0"]
    assert run(environment) == ["42.0", "1"]
    assert kept(home / ".cache" / "backpath") == [".nbc", ".nbi"]


def test_a_cache_folder_of_ones_own(house, tmp_path):
    source, _, environment = house
    environment["NUMBA_CACHE_DIR"] = str(tmp_path / "mine")
    assert [run(environment), run(environment)] == [["42.0", "0"], ["42.0", "1"]]
    assert kept(tmp_path / "mine") == [".nbc", ".nbi"]
    assert kept(source) == []


@pytest.mark.parametrize("home", ["/proc/nowhere", "/dev/null", ""])
def test_where_nothing_can_be_written_it_is_compiled_in_memory(house, home):
    source, _, environment = house
    (source / "__pycache__").write_text("in the way")
    environment["HOME"] = environment["XDG_CACHE_HOME"] = home
    if not home:
        environment["XDG_CACHE_HOME"] = "/proc/nowhere"
    environment["NUMBA_CACHE_DIR"] = "/proc/nowhere"
    for _ in range(2):
        assert run(environment) == ["42.0", "0"]


def test_without_a_home_at_all(house):
    source, _, environment = house
    (source / "__pycache__").write_text("in the way")
    del environment["HOME"]
    nobody = "import pwd, os\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid\n"
    assert run(environment, nobody + RUN) == ["42.0", "0"]
    assert not Path("~").exists()


@pytest.mark.parametrize("damage", [b"", b"garbage"])
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_a_damaged_cache_is_made_anew(house, suffix, damage):
    source, _, environment = house
    run(environment)
    (file,) = (source / "__pycache__").glob(f"*{suffix}")
    file.write_bytes(damage)
    assert run(environment) == ["42.0", "0"]
    assert run(environment) == ["42.0", "1"]


def test_a_folder_where_a_file_should_be(house):
    source, _, environment = house
    run(environment)
    (file,) = (source / "__pycache__").glob("*.nbi")
    file.unlink()
    file.mkdir()
    for _ in range(2):
        assert run(environment) == ["42.0", "0"]


FIRST = """
import backpath as bp
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
result = bp.train(bp.Network((2, 2, 1)), X, y, epochs=100, engine="compiled", progress={progress})
print(result.epochs)
"""


@pytest.mark.slow
def test_the_first_compile_is_told_and_kept(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def train(progress):
        code = FIRST.format(progress=progress)
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)

    first, second = train(True), train(True)
    assert first.stderr.startswith("compiling the kernels, once on this machine … ")
    assert first.stderr.endswith(" s\n")
    assert first.stderr.count("compiling") == 1
    assert second.stderr == ""
    assert first.stdout == second.stdout == "100\n"
