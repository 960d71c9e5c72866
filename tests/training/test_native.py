"""The C++ side of the native kernels and the Python side that calls it: the same names, codes and structures."""

import itertools
import re
from pathlib import Path

import pytest

from backpath.maths import activations
from backpath.maths.costs import COSTS
from backpath.training.engines import layout
from backpath.training.native import calls

SOURCES = Path(__file__).parents[2] / "src/backpath/training/native"  # a wheel leaves them out
CODES = (SOURCES / "codes.hpp").read_text()
FORMULAS = (SOURCES / "formulas.hpp").read_text()


def enum(name):
    """The names and codes of an enum of ``codes.hpp``."""
    body = re.search(rf"enum {name} : int64_t {{(.*?)}};", CODES, re.DOTALL)[1]
    return {key.lower(): int(code) for key, code in re.findall(r"(\w+) = (\d+)", body)}


def fields(name):
    """The names and kinds of the fields of a struct of ``codes.hpp``, in order."""
    body = re.search(rf"struct {name} {{(.*?)}};", CODES, re.DOTALL)[1]
    found = []
    for kind, names in re.findall(r"(?:const )?(\w+)(?:<T>)?([^;]+);", body):
        pointer = "*" in names
        found += [(part.strip(" *\n"), "pointer" if pointer else kind) for part in names.split(",")]
    return found


def test_codes_of_activations():
    trainable = {row.name: row.code for row in activations.ACTIVATIONS.values() if not row.no_derivative}
    assert enum("Activation") == trainable


def test_codes_of_costs_and_solvers():
    assert enum("Cost") == {row.name: row.code for row in COSTS.values()}
    assert enum("Solver") == calls.SOLVER_CODES


def test_rows_of_a_population():
    for name in ("Known", "Counted", "Status"):
        assert enum(name) == {key: getattr(calls, key.upper()) for key in enum(name)}


@pytest.mark.parametrize(
    "name", ["Plan", "Settings", "State", "Progress", "Team", "Training", "Population", "Populated", "Each"]
)
def test_structures(name):
    kinds = {"int64_t": calls.c_int64, "double": calls.c_double, "pointer": calls.c_void_p}
    assert [(field, kinds[kind]) for field, kind in fields(name)] == getattr(calls, f"C{name}")._fields_


def test_constants():
    text = "".join(path.read_text() for path in SOURCES.glob("*.hpp"))
    constants = {name: int(value) for name, value in re.findall(r"\b([A-Z_]+) = (\d+)[,;]", text)}
    names = "STEP_BYTES", "TICKET_APART", "STATE_ROWS"
    assert [constants[name] for name in names] == [getattr(calls, name) for name in names]
    assert constants["RANGE"] == layout.UPDATED


def test_columns_of_layers():
    assert fields("Layer") == list(zip(calls.LAYER, itertools.repeat("int64_t")))


def test_constants_of_the_formulas():
    constants = dict(re.findall(r"(\w+) = (-?[\d.e-]+)[,;]", FORMULAS))
    for name in ("LEAKY_SLOPE", "SILU_ZERO", "SILU_ZERO_LOW", "SILU_ZERO_EXP"):
        assert float(constants[name]) == getattr(activations, name)
