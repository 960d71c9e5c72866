"""What `import backpath` and `backpath --help` load: nothing heavy."""

import subprocess
import sys

import pytest

import backpath as bp

HEAVY = [
    "sklearn",
    "scipy",
    "duckdb",
    "safetensors",
    "rich",
    "starlette",
    "uvicorn",
    "matplotlib",
    "numpy",
]


def loaded(code):
    probe = f"{code}\nimport sys; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()


def test_importing_backpath_loads_only_itself():
    assert loaded("import backpath") == []


def test_a_network_needs_only_numpy():
    assert loaded("import backpath as bp; bp.Network((2, 2, 1)).predict([0, 1])") == ["numpy"]


def test_a_population_needs_only_numpy_until_it_is_trained():
    assert loaded("import backpath as bp; bp.Population((2, 2, 1), size=10)[3]") == ["numpy"]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["study", "--help"], ["explain", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments):
    words = loaded(f"import backpath.cli as c; c.backpath({arguments!r}, standalone_mode=False); print('so far:')")
    assert words[words.index("far:") + 1 :] == []


def test_every_public_name_is_there():
    for name in bp.__all__:
        assert getattr(bp, name) is not None
    assert set(bp.__all__) <= set(dir(bp))
    with pytest.raises(AttributeError, match="module 'backpath' has no attribute 'Netwrok'"):
        bp.Netwrok  # noqa: B018 - reading it is the test


def test_ctrl_c_during_the_first_use_leaves_numpy_whole():
    """NumPy refuses to be imported a second time; so an import that was begun ends before Ctrl-C counts."""
    code = """
import signal, sys
import backpath as bp

class Interrupts:  # while NumPy's modules of C are loaded
    def find_spec(self, name, path=None, target=None):
        if name.endswith("core.overrides"):  # numpy._core, before 2.0 numpy.core
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
try:
    bp.Network
except KeyboardInterrupt:
    print("interrupted")
print(bp.Network((2, 2, 1)).sizes)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("interrupted\n(2, 2, 1)\n", "")
