"""Plants small faults in the sources, one at a time, and lists those that the room's own tests do not detect.

A fault is one change of one line: another comparison or operator, a number that is 1 larger, `and` for `or`, a `not`
removed, a call without an argument such as axis= or dtype=, a statement left out. Only the tests that run the line are
run, according to coverage.py. A fault that no test detects means that a test is missing, or that the change does not
matter.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import contextlib
import copy
import hashlib
import importlib.util
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

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
FIRST = 30  # tests of one fault that are run first: the most specific ones, and some of the others
LIMIT = 300  # seconds for these, and for the others
NOTHING_RUN = (4, 5)  # pytest's exit statuses for tests that it cannot find
OPTIONS = (
    "-q",
    "--tb=no",
    "-p",
    "no:cacheprovider",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
    "--doctest-modules",
)
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
    """All faults of a file, outside docstrings, annotations, assertions, error messages and code for types."""
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
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "zip":
        return [*node.args]  # strict= is an assertion
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
        case ast.Call(func=func, keywords=keywords) if ast.unparse(func) != "zip":
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
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(_another(value))


def _another(number: float) -> float:
    if isinstance(number, bool):
        return not number
    return number * 100 if isinstance(number, float) and number else number + 1


def covering(tests: list[str], marks: str) -> dict[tuple[str, int], set[str]]:
    """(file, line) -> the tests that run it, kept in build/mutants as long as sources and tests are the same."""
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    for group in _groups(tests):
        for place, names in _kept(group, marks).items():
            found[place] |= names
    return dict(found)


def _groups(tests: list[str]) -> list[list[str]]:
    """The files of tests, one by one, and all modules with examples together."""
    examples = [name for name in tests if name.startswith("src/")]
    files = sorted(file for name in tests if name not in examples for file in _test_files(ROOT / name))
    return [*([str(file.relative_to(ROOT))] for file in files), *([examples] if examples else [])]


def _test_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("test_*.py"))


def _kept(group: list[str], marks: str) -> dict[tuple[str, int], set[str]]:
    helpers = [file for file in (ROOT / "tests").rglob("*.py") if not file.name.startswith("test_")]
    files = sorted({*SOURCE.rglob("*.py"), *helpers, *(ROOT / name for name in group)})
    digest = hashlib.sha256(repr((group, marks)).encode() + b"".join(file.read_bytes() for file in files))
    kept = ROOT / "build" / "mutants" / digest.hexdigest()[:16]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(_measured(group, marks)))
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
            file = str(Path(name).relative_to(SOURCE))
            for line, contexts in data.contexts_by_lineno(name).items():
                found[file, line] |= {context for context in contexts if context}
        return dict(found)


def tests_of(faults: list[Mutant], runs: dict[tuple[str, int], set[str]]) -> list[str]:
    """The tests that run one of the statements; for what runs at import, those that run what it is for."""
    found: set[str] = set()
    for fault in faults:
        file = str(fault.file.relative_to(SOURCE))
        for line in lines_of(fault) or [line for name, line in runs if name == file]:
            found |= runs.get((file, line), set())
    covered = Counter(test for tests in runs.values() for test in tests)
    specific = sorted(found, key=lambda test: (covered[test], test))
    first, others = specific[: FIRST // 2], specific[FIRST // 2 :]
    random.Random(0).shuffle(others)  # tests in one file are similar
    return first + others


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


class Planter:
    """Runs tests with a fault planted in a copy of the sources: in a fork of this process, which has loaded every
    package that the tests need, but no part of backpath."""

    def __init__(self, folder: Path) -> None:
        self._compiled = folder / "compiled"
        self._work = folder / "work"
        shutil.copytree(SOURCE, self._compiled, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(self._compiled, quiet=1)

    def passes(self, file: Path, tests: list[str]) -> bool:
        """Whether the tests pass without a fault, before and after their packages are loaded."""
        names = self._work.with_name("modules")
        if self._status(_unchanged(file), tests, names) != 0:
            return False
        for name in names.read_text().split():
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        return self._status(_unchanged(file), tests) == 0

    def outcome(self, mutant: Mutant, tests: list[str]) -> str:
        """What the tests do with the fault."""
        if not tests:
            return "run by no test of the room"
        status = self._status(mutant, tests[:FIRST])
        if status == 0 and tests[FIRST:]:
            status = self._status(mutant, tests[FIRST:])
        if status in NOTHING_RUN and self._status(_unchanged(mutant.file), tests) in NOTHING_RUN:
            return "its tests cannot be run one by one"
        return {0: "not noticed", None: f"its tests take more than {LIMIT} s"}.get(status, "noticed")

    def _status(self, mutant: Mutant, tests: list[str], modules: Path | None = None) -> int | None:
        """pytest's exit status; None: stopped after the time limit."""
        source = self._work / "src"
        shutil.copytree(self._compiled, source, copy_function=os.link)
        changed = source / mutant.file.relative_to(SOURCE)
        changed.unlink()
        changed.write_text(mutant.applied(), "utf-8")
        Path(importlib.util.cache_from_source(str(changed))).unlink()
        process = multiprocessing.get_context("fork").Process(target=_run_tests, args=(source, tests, modules))
        process.start()
        process.join(LIMIT)
        if process.is_alive():
            process.kill()
            process.join()
        shutil.rmtree(self._work)
        return None if process.exitcode == -signal.SIGKILL else process.exitcode


def _unchanged(file: Path) -> Mutant:
    return Mutant(file, (1, 0), (1, 0), "")


def _run_tests(source: Path, tests: list[str], modules: Path | None) -> None:
    """Runs in a separate process that has not loaded any part of backpath."""
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
        options = ("-x", *OPTIONS, "--basetemp", str(source.parent / "tmp"))
        status = pytest.main([*options, *here], plugins=[FirstExample()])
    if modules:
        modules.write_text("\n".join(name for name, module in list(sys.modules.items()) if _is_installed(module)))
    os._exit(int(status))


class FirstExample:
    """A plugin of pytest: hypothesis stops at the first example that fails, and looks for no simpler one."""

    def pytest_sessionstart(self) -> None:
        from hypothesis import Phase, settings

        settings.register_profile("mutants", settings.default, phases=(Phase.explicit, Phase.generate), database=None)
        settings.load_profile("mutants")


def _is_installed(module: object) -> bool:
    return "site-packages" in str(getattr(module, "__file__", None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("room", choices=ROOMS)
    parser.add_argument("--sample", type=int, default=100, help="faults to plant, drawn at random; 0 for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", default="1/1", help="2/10 plants the second tenth of the sample")
    parser.add_argument("--skip", type=int, default=0, help="first faults to leave out: those of an earlier run")
    parser.add_argument("--again", type=Path, help="a file with this tool's output: plants the faults in it")
    arguments = parser.parse_args()
    sources, tests = ROOMS[arguments.room]
    files = [file for pattern in sources for file in sorted((SOURCE / "backpath").glob(pattern))]
    every = _possible(files)
    chosen = _chosen(every, arguments)
    print(f"{arguments.room}: {len(chosen)} of {len(every)} faults", flush=True)
    examples = [str(file.relative_to(ROOT)) for file in files]  # in docstrings
    runs = covering([*tests, *examples], "not slow and not browser")
    count: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        planter = Planter(Path(folder))
        if not planter.passes(files[0], tests_of(every, runs)[:FIRST]):
            sys.exit("the tests fail without any fault")
        for mutant in chosen:
            found = planter.outcome(mutant, tests_of([mutant], runs))
            count[found] += 1
            if found != "noticed":
                print(f"{found}: {mutant}", flush=True)
            if count.total() % 10 == 0:
                print(f"{count['noticed']} of {count.total()} so far", flush=True)
    print(f"{arguments.room}: {count['noticed']} of {count.total()} noticed", dict(count), flush=True)


def _possible(files: list[Path]) -> list[Mutant]:
    known = equivalents()
    return [mutant for file in files for mutant in mutants(file) if mutant.changed not in known]


def _chosen(every: list[Mutant], arguments: argparse.Namespace) -> list[Mutant]:
    if arguments.again:
        log = arguments.again.read_text("utf-8").splitlines()
        return [mutant for mutant in every if any(line.endswith(f" of {mutant.changed}") for line in log)]
    drawn = every.copy()
    random.Random(arguments.seed).shuffle(drawn)
    part, parts = map(int, arguments.part.split("/"))
    return drawn[: arguments.sample or None][arguments.skip :][part - 1 :: parts]


if __name__ == "__main__":
    main()
