"""Plants small faults in the sources, one at a time, and lists those that the room's own tests do not detect.

A fault is one change of one line: another comparison or operator, a number that is 1 larger, `and` for `or`, a `not`
removed, a call without an argument such as axis= or dtype=, a statement left out. Only the tests that run the line are
run, according to coverage.py. A fault that no test detects means that a test is missing, or that the change does not
matter.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import multiprocessing
import os
import pickle
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
# room -> its sources, and its own tests
ROOMS = {
    "maths": (["maths/**/*.py"], ["tests/maths"]),
    "training": (
        ["training/*.py", "training/engines/numpy.py", "training/engines/dropout.py", "training/engines/lm.py"],
        ["tests/training"],
    ),
    "files": (["files/**/*.py"], ["tests/files"]),
    "explain": (["explain/**/*.py"], ["tests/explain"]),
    "population": (
        ["population/**/*.py"],
        [
            "tests/test_population.py",
            "tests/test_population_statistics.py",
            "tests/training/test_spreading.py",
            "tests/cli/test_study.py",
        ],
    ),
}
EQUIVALENT = ROOT / "tools" / "equivalent_mutants.txt"
MOST = 60  # tests of one fault, the most specific
LIMIT = 200  # seconds for them
NOTHING_RUN = (4, 5)  # pytest's exit statuses for tests that it cannot find
OPTIONS = ("-q", "-p", "no:cacheprovider", "--doctest-modules")
COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.MatMult: ast.Add,
}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
LEFT_OUT = {"axis", "dtype", "keepdims", "strict", "least", "above", "below", "weights", "key", "default"}


@dataclass(frozen=True)
class Mutant:
    """One fault: the text from ``start`` to ``end`` (line, column in bytes) is replaced."""

    file: Path
    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    def applied(self) -> str:
        lines = self.file.read_bytes().splitlines(keepends=True)
        (first, left), (last, right) = self.start, self.end
        before = b"".join(lines[: first - 1]) + lines[first - 1][:left]
        after = lines[last - 1][right:] + b"".join(lines[last:])
        return (before + self.text.encode() + after).decode()

    @property
    def changed(self) -> str:
        """The file and the line after the change, as in ``EQUIVALENT``."""
        line = self.applied().splitlines()[self.start[0] - 1].strip()
        return f"{self.file.relative_to(SOURCE / 'backpath')}: {line}"

    def __str__(self) -> str:
        lines = self.file.read_bytes().splitlines()
        (first, left), (last, right) = self.start, self.end
        old = lines[first - 1][left : right if last == first else None].decode()
        return f"{old}  ->  {self.text}  at line {first} of {self.changed}"


def equivalents() -> set[str]:
    """The changed lines that no test can detect, because no result depends on the change."""
    lines = EQUIVALENT.read_text("utf-8").splitlines()
    return {line.partition("\t")[0] for line in lines if line and not line.startswith("#")}


def mutants(file: Path) -> Iterator[Mutant]:
    """All faults of a file, outside docstrings, annotations, error messages and code for types."""
    tree = ast.parse(file.read_text("utf-8"))
    for node, changed in _changes(tree):
        text = ast.unparse(ast.fix_missing_locations(changed))
        wrapped = text if isinstance(node, ast.stmt) else f"({text})"
        yield Mutant(file, (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset), wrapped)


def _changes(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.expr | ast.stmt):
            yield from ((node, changed) for changed in _faults(node))
        todo += _inside(node)


def _inside(node: ast.AST) -> list[ast.AST]:
    """The children that run, without annotations and types."""
    left_out = {"annotation", "returns", "type_comment", "decorator_list"}
    found: list[ast.AST] = []
    for name, value in ast.iter_fields(node):
        if name not in left_out:
            found += [child for child in (value if isinstance(value, list) else [value]) if isinstance(child, ast.AST)]
    return found


def _with(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def _faults(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.AugAssign() | ast.Break() | ast.Continue() | ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Compare(ops=ops):
            for k, op in enumerate(ops):
                yield _with(node, ops=[*ops[:k], COMPARISONS[type(op)](), *ops[k + 1 :]])
        case ast.Call(keywords=keywords):
            for k, keyword in enumerate(keywords):
                if keyword.arg in LEFT_OUT:
                    yield _with(node, keywords=keywords[:k] + keywords[k + 1 :])
        case _:
            yield from _exchanged(node)


def _exchanged(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(op=op) if type(op) in OPERATORS and not isinstance(node.left, ast.Constant | ast.JoinedStr):
            yield _with(node, op=OPERATORS[type(op)]())
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield _with(node, body=orelse, orelse=body)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value * 100 if isinstance(value, float) and value else value + 1)


def covering(tests: list[str], marks: str) -> dict[tuple[str, int], set[str]]:
    """(file, line) -> the tests that run it; kept in build/mutants while sources and tests are the same."""
    files = sorted([*SOURCE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), Path(__file__)])
    digest = hashlib.sha256(repr((tests, marks)).encode() + b"".join(file.read_bytes() for file in files))
    kept = ROOT / "build" / "mutants" / digest.hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(_measured(tests, marks)))
    return pickle.loads(kept.read_bytes())


def _measured(tests: list[str], marks: str) -> dict[tuple[str, int], set[str]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "settings")
        settings.write_text(
            f"[run]\ndata_file = {folder}/data\ndynamic_context = test_function\nsource = {SOURCE / 'backpath'}\n"
        )
        plugin = Path(folder, "current_test.py")
        plugin.write_text(CURRENT_TEST)
        environment = {**os.environ, "PYTHONPATH": f"{SOURCE}{os.pathsep}{folder}", "MUTANTS_SETTINGS": str(settings)}
        subprocess.run(
            [sys.executable, "-m", "pytest", *OPTIONS, "-p", "current_test", "-m", marks, *tests],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        from coverage import CoverageData

        data = CoverageData(f"{folder}/data")
        data.read()
        found = defaultdict(set)
        for name in data.measured_files():
            for line, contexts in data.contexts_by_lineno(name).items():
                found[name, line] |= {context for context in contexts if context}
        return dict(found)


def tests_of(faults: list[Mutant], runs: dict[tuple[str, int], set[str]]) -> list[str]:
    """The tests that run one of the statements; for what runs at import, those that run what it is for."""
    found: set[str] = set()
    for fault in faults:
        for line in lines_of(fault) or [line for name, line in runs if name == str(fault.file)]:
            found |= runs.get((str(fault.file), line), set())
    covered = Counter(test for tests in runs.values() for test in tests)
    return sorted(found, key=lambda test: (covered[test], test))  # the most specific tests first


def lines_of(fault: Mutant) -> range | None:
    """The lines of the innermost statement with the fault; of the whole function if the fault is in its signature, such
    as a default, which runs at import; None outside functions."""
    line = fault.start[0]
    around = [node for node in statements(fault.file) if node.lineno <= line <= node.end_lineno]
    if not any(isinstance(node, FUNCTION) for node in around):
        return None
    innermost = max(around, key=lambda node: (node.lineno, -node.end_lineno))
    if isinstance(innermost, FUNCTION) or (not hasattr(innermost, "body") and not hasattr(innermost, "cases")):
        return range(innermost.lineno, innermost.end_lineno + 1)
    return range(line, fault.end[0] + 1)  # the head of an if, for, with … or of one of its cases


@cache
def statements(file: Path) -> list[ast.stmt]:
    return [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.stmt)]


# measures each test in a separate context
CURRENT_TEST = """
import os
import coverage
import pytest

measured = coverage.Coverage(config_file=os.environ["MUTANTS_SETTINGS"])
measured._warn_no_data = False
measured.set_option("run:dynamic_context", None)
measured.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    measured.switch_context(item.nodeid)
    return (yield)


def pytest_unconfigure():
    measured.stop()
    measured.save()
"""


def outcome(mutant: Mutant, tests: list[str]) -> str:
    """What the tests do with the fault planted in a copy of the sources."""
    if not tests:
        return "run by no test of the room"
    status = _status(mutant, tests)
    if status in NOTHING_RUN and _status(_unchanged(mutant.file), tests) in NOTHING_RUN:
        return "its tests cannot be run one by one"
    return {0: "not noticed", None: f"its tests take more than {LIMIT} s"}.get(status, "noticed")


def _unchanged(file: Path) -> Mutant:
    return Mutant(file, (1, 0), (1, 0), "")


def _status(mutant: Mutant, tests: list[str]) -> int | None:
    """pytest's exit status; None: stopped after the time limit."""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, "src")
        shutil.copytree(SOURCE, copied, ignore=shutil.ignore_patterns("__pycache__"))
        (copied / mutant.file.relative_to(SOURCE)).write_text(mutant.applied(), "utf-8")
        process = multiprocessing.get_context("fork").Process(target=_run_tests, args=(copied, tests, folder))
        process.start()
        process.join(LIMIT)
        if process.is_alive():
            process.kill()
            process.join()
            return None
        return process.exitcode


def _run_tests(source: Path, tests: list[str], folder: str) -> None:
    """Runs in a separate process that has not loaded any part of backpath."""
    import pytest

    sys.path.insert(0, str(source))
    os.environ["PYTHONPATH"] = str(source)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    os.chdir(ROOT)
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        here = [str(source.parent / test) if test.startswith("src/") else test for test in tests]
        status = pytest.main(["-x", *OPTIONS, "--basetemp", f"{folder}/tmp", *here])
    os._exit(int(status))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("room", choices=ROOMS)
    parser.add_argument("--sample", type=int, default=100, help="faults to plant, drawn at random; 0 for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", default="1/1", help="2/10 plants the second tenth of the sample")
    arguments = parser.parse_args()
    sources, tests = ROOMS[arguments.room]
    files = [file for pattern in sources for file in sorted((SOURCE / "backpath").glob(pattern))]
    known = equivalents()
    every = [mutant for file in files for mutant in mutants(file) if mutant.changed not in known]
    random.Random(arguments.seed).shuffle(every)
    part, parts = map(int, arguments.part.split("/"))
    chosen = every[: arguments.sample or None][part - 1 :: parts]
    print(f"{arguments.room}: {len(chosen)} of {len(every)} faults", flush=True)
    examples = [str(file.relative_to(ROOT)) for file in files]  # in docstrings
    runs = covering([*tests, *examples], "not slow and not browser")
    import numpy as np  # noqa: F401 - loaded once, before the forks

    if outcome(_unchanged(files[0]), tests_of(every, runs)[:MOST]) != "not noticed":
        sys.exit("the tests fail without any fault")
    count: Counter[str] = Counter()
    for mutant in chosen:
        found = outcome(mutant, tests_of([mutant], runs)[:MOST])
        count[found] += 1
        if found != "noticed":
            print(f"{found}: {mutant}", flush=True)
    print(f"{arguments.room}: {count['noticed']} of {count.total()} noticed", dict(count), flush=True)


if __name__ == "__main__":
    main()
