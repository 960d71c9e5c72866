"""The architecture: no duplicate names and no cycles; import-linter (scripts/check) checks the layers."""

import ast
import re
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "backpath"
if not SOURCE.is_dir():
    pytest.skip("the sources are not here", allow_module_level=True)
FILES = sorted(SOURCE.rglob("*.py"))


def defined_more_than_once(names_of):
    places = defaultdict(set)
    for file in FILES:
        for name in names_of(file):
            places[name].add(file.relative_to(SOURCE).as_posix())
    return {name: sorted(found) for name, found in places.items() if len(found) > 1}


def classes_and_aliases(file):
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if re.fullmatch(r"[A-Z][A-Za-z]*[a-z][A-Za-z]*", name):
                yield name


def constants(file):
    for node in ast.parse(file.read_text("utf-8")).body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        for target in targets:
            for name in getattr(target, "elts", [target]):
                if isinstance(name, ast.Name) and re.fullmatch(r"[A-Z][A-Z0-9_]+", name.id):
                    yield name.id


def test_no_two_constants_have_the_same_name():
    """Those of one module only begin with an underscore."""
    assert len(set(constants(SOURCE / "files" / "forms.py"))) > 5
    assert defined_more_than_once(constants) == {}


def test_no_two_classes_or_types_have_the_same_name():
    assert defined_more_than_once(classes_and_aliases) == {}


def test_no_two_files_have_the_same_name():
    """The rooms of the commands are laid out alike: each has a ``command.py``, an ``options.py`` …"""

    def name_of(file):
        is_of_command = file.parent.parent == SOURCE / "cli"
        return [] if file.name == "__init__.py" or is_of_command else [file.name]

    assert defined_more_than_once(name_of) == {}


def test_the_pages_modules_import_each_other_without_circles():
    modules = sorted((SOURCE / "explorer" / "static").glob("*.js"))
    imports = {file.name: set(re.findall(r'from "\./([\w-]+\.js)"', file.read_text("utf-8"))) for file in modules}
    assert sum(map(len, imports.values())) > len(modules)
    TopologicalSorter(imports).prepare()  # CycleError names the circle


def test_the_picture_of_the_house_is_as_the_imports_are():
    root = SOURCE.parents[1]
    tools = pytest.importorskip("tools.house")
    assert (root / "docs" / "images" / "house.svg").read_text("utf-8") == tools.picture(), "run python -m tools.house"
