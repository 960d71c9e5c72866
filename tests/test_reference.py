"""The reference of Python: every public name is in it, and its docstring says all that it takes and gives."""

import importlib
import inspect
import re
from pathlib import Path
from typing import Protocol

import pytest

import backpath as bp
from backpath import distributed

validate = pytest.importorskip("numpydoc.validate").validate
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "api.md"
if not PAGE.is_file():
    pytest.skip("the documentation is not here", allow_module_level=True)
LISTED = re.findall(r"auto(?:function|class|exception):: (\S+)", PAGE.read_text("utf-8"))
LEFT_OUT = {
    f"{name}.{member}"
    for name, members in re.findall(r"autoclass:: (\S+)\n   :exclude-members: (.+)", PAGE.read_text("utf-8"))
    for member in members.split(", ")
}
MADE_BY_USERS = {
    "backpath.Network",
    "backpath.Population",
    "backpath.MLPClassifier",
    "backpath.MLPRegressor",
    "backpath.distributed.DaskWorkers",
    "backpath.distributed.DistributedSamples",
    "backpath.files.models.Model",
    "backpath.training.callbacks.JsonLines",
    "backpath.training.callbacks.MLflow",
    "backpath.training.callbacks.TensorBoard",
}
MISTAKES = {
    "GL08": "has no docstring",
    "PR01": "does not document a parameter",
    "PR02": "documents a parameter that is not there",
    "PR07": "does not describe a parameter",
    "RT01": "does not say what it returns",
    "RT03": "does not describe what it returns",
    "SS01": "has no summary",
}


def resolve(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def public_names():
    for name in LISTED:
        yield name
        if inspect.isclass(thing := resolve(name)):
            for member, value in inspect.getmembers(thing):
                function = getattr(value, "__func__", getattr(value, "fget", value))
                if not member.startswith("_") and str(getattr(function, "__module__", "")).startswith("backpath"):
                    yield from {f"{name}.{member}"} - LEFT_OUT


def test_every_public_name_is_in_the_reference():
    assert {name for name in bp.__all__ if name != "__version__"} <= {name.rpartition(".")[2] for name in LISTED}
    of_clusters = {name for name, thing in vars(distributed).items() if callable(thing) and name[0] != "_"}
    assert {f"backpath.distributed.{name}" for name in of_clusters} <= set(LISTED)
    assert len(LISTED) == len(set(LISTED))


@pytest.mark.parametrize("name", list(public_names()))
def test_a_docstring_says_all_that_its_function_takes_and_gives(name):
    found = {code for code, _ in validate(name)["errors"]}
    if inspect.isclass(resolve(name)) if name in LISTED else False:
        if name not in MADE_BY_USERS:  # a result or an error: its attributes are what a user reads
            found -= {"PR01"}
            assert "Attributes\n" in inspect.getdoc(resolve(name)) or {Warning, Protocol} & {*resolve(name).__mro__}
        found -= {"RT01"}
    assert [MISTAKES[code] for code in sorted(found & MISTAKES.keys())] == []
