"""Where each kind of change goes, by docs/architecture.md: each is made in a copy of the package, in those files."""

import lzma
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import backpath

PACKAGE = Path(backpath.__file__).parent
ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
if not PAGE.is_file():
    pytest.skip("the documentation is not here", allow_module_level=True)
PLACES = {
    row[0]: sorted(re.findall(r"`([\w/]+\.\w+)`", row[1]))
    for row in re.findall(r"^\| (an? [^|]+?) \| ([^|]+) \|", PAGE.read_text("utf-8"), flags=re.MULTILINE)
}

# change -> file -> (what is there, what takes its place); a file that is not there is written
ADDITIONS = {
    "an activation": {
        "maths/activations.py": (
            "_ROWS = (\n",
            "_ROWS = (\n    Activation('softsign', NOT_COMPILED, lambda u: u / (1 + np.abs(u)),"
            " lambda u: 1 / (1 + np.abs(u)) ** 2),\n",
        ),
        "explain/formulas.py": (
            "ACTIVATION_FORMULAS = _Activations({\n",
            "ACTIVATION_FORMULAS = _Activations({\n"
            "    'softsign': (Quotient(U, Sum((ONE, _call('abs', U)))),"
            " Quotient(ONE, Power(Sum((ONE, _call('abs', U))), TWO))),\n",
        ),
    },
    "a cost": {
        "maths/costs.py": (
            "_ROWS = (\n",
            "_ROWS = (\n    Cost('log_cosh', NOT_COMPILED, lambda u, A, y: np.logaddexp(A - y, y - A) - np.log(2),"
            " lambda u, A, y: np.tanh(A - y)),\n",
        ),
        "explain/formulas.py": (
            "COST_FORMULAS = _Costs({\n",
            "COST_FORMULAS = _Costs({\n"
            "    'log_cosh': CostFormula(of=lambda A, y: _call('ln', _call('cosh', minus(A, y))),"
            " slope=lambda A, y, u_cost: _call('tanh', minus(A, y)),"
            " number=lambda A, y: math.log(math.cosh(A - y))),\n",
        ),
    },
    "a solver": {
        "training/job.py": (
            'LEARNING_RATES = {"gd": 0.5, ',
            'LEARNING_RATES = {"sign": 0.01, "gd": 0.5, ',
        ),
        "training/engines/numpy.py": (
            '{"gd": self._gd, ',
            '{"sign": lambda W, g: [a - self.solver.learning_rate * np.sign(b) for a, b in zip(W, g)], '
            '"gd": self._gd, ',
        ),
    },
    "a mistake": {
        "explain/diagnosis/mistakes.py": ("CODES = {\n", 'CODES = {\n    "cubed": "the gradient is cubed",\n'),
        "explain/diagnosis/catalogue/weight_gradients.py": (
            "def factors(q: Problem) -> Iterator[Mistake]:\n",
            "def factors(q: Problem) -> Iterator[Mistake]:\n"
            "    def cubed(p: Passes, h: Index) -> None:\n        p.G[1][h] = p.G[1][h] ** 3\n\n"
            "    edits = ((Stage.GRADIENTS, cubed),)\n"
            "    yield Mistake('cubed', q.neurons(1), 'the gradients of layer 1 are cubed', edits, None, LOCAL)\n",
        ),
    },
    "a file format of tables": {
        "files/opening.py": (
            "_MARKED = {\n",
            "from backpath.files.pairs_source import pairs_source\n"
            "_MARKED = {\n    b'PAIR': _Format('pairs of numbers', pairs_source),\n",
        ),
        "files/pairs_source.py": (
            "",
            "import json\nimport numpy as np\nfrom backpath.files.typed_source import json_source\n\n\n"
            "def pairs_source(files, dialect, connection, folder):\n"
            "    lines = []\n"
            "    for file, shown in files:\n"
            "        pairs = np.frombuffer(file.read_bytes()[4:], '<f8').reshape(-1, 2).tolist()\n"
            "        new = folder / f'{len(lines)}.jsonl'\n"
            "        new.write_text(''.join(json.dumps({'x': x, 'y': y}) + '\\n' for x, y in pairs))\n"
            "        lines.append((new, shown))\n"
            "    return json_source(lines, dialect, connection, folder)\n",
        ),
    },
    "a compression of tables": {
        "files/unpacking.py": ("_COMPRESSED = {", '_COMPRESSED = {b"\\xfd7zX": __import__("lzma"), '),
    },
    "a command": {
        "cli/__init__.py": ("COMMANDS = {\n", 'COMMANDS = {\n    "hello": "Say hello.",\n'),
        "cli/hello.py": (
            "",
            "import click\n\n\n@click.command()\ndef command():\n    '''Say hello.'''\n    click.echo('hello')\n",
        ),
    },
    "a panel of the page": {
        "explorer/static/index.html": (
            '<div role="tabpanel" id="panel-samples"',
            '<button role="tab" id="tab-hello" aria-controls="panel-hello" type="button">Hello</button>'
            '<div role="tabpanel" id="panel-hello" hidden></div>\n    <div role="tabpanel" id="panel-samples"',
        ),
        "explorer/static/hello.js": (
            "",
            'import { byId } from "./dom.js";\nimport { on } from "./page.js";\n\n'
            'export const startHello = () => on("view", () => byId("panel-hello").replaceChildren("hello"));\n',
        ),
        "explorer/static/later.js": (
            "\nexport function startLater() {\n",
            'import { startHello } from "./hello.js";\n\nexport function startLater() {\n  startHello();\n',
        ),
    },
}
# what uses it, and must print "good"
USES = {
    "an activation": """
net = bp.Network((2, 3, 1), activations=("softsign", "sigmoid"), seed=1)
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
result = bp.train(net, X, y, epochs=50, learning_rate=1)
assert result.history.cost[-1] < result.history.cost[0]
exact = result.network.gradients(X, y)
assert bp.diagnose(result.network, X, y, claimed=exact.layers).correct
text = str(bp.explain_step(net, X, y)) + str(bp.derive(net, "W11_1"))
assert "softsign" in text
bp.save(result.network, "m.safetensors")
assert bp.load("m.safetensors") == result.network
print("good")
""",
    "a cost": """
net = bp.Network((2, 3, 1), activations=("tanh", "identity"), seed=1)
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
result = bp.train(net, X, y, cost="log_cosh", epochs=50, learning_rate=0.5)
assert result.history.cost[-1] < result.history.cost[0]
assert bp.diagnose(net, X, y, claimed=net.gradients(X, y, "log_cosh").layers, cost="log_cosh").correct
assert "cosh" in str(bp.explain_step(net, X, y, cost="log_cosh"))
print("good")
""",
    "a solver": """
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
result = bp.train(bp.Network((2, 2, 1), seed=1), X, y, solver="sign", epochs=1)
moved = [abs(after - before) for after, before in zip(result.network.weights, bp.Network((2, 2, 1), seed=1).weights)]
assert all(abs(step - 0.01).max() < 1e-12 for step in moved), moved
print("good")
""",
    "a mistake": """
net = bp.Network((2, 2, 1), seed=3, init="uniform:-1,1")
X, y = [[0.3, 1], [1, 0.4], [0.2, 0.7]], [0, 1, 1]
first, second = net.gradients(X, y).layers
report = bp.diagnose(net, X, y, claimed=[first**3, second])
assert report.findings[0].mistake == "cubed", report
print("good")
""",
    "a file format of tables": """
import struct
from pathlib import Path
Path("t.pairs").write_bytes(b"PAIR" + b"".join(struct.pack("<2d", k, 3 * k) for k in range(30)))
table = bp.read_table("t.pairs", target="y", standardize=False)
assert table.rows == 30 and table.X.ravel().tolist() == list(range(30)) and table.y[7] == 21
Path("t.csv").write_text("x,y\\n1,2\\n")
try:
    bp.read_table(["t.pairs", "t.csv"], target="y")
except bp.InputError as error:
    assert "some of the files are pairs of numbers" in str(error)
    print("good")
""",
    "a compression of tables": """
table = bp.read_table("t.csv.xz", target="y")
assert table.rows == 20
print("good")
""",
    "a command": """
import subprocess, sys
run = lambda *words: subprocess.run([sys.executable, "-m", "backpath", *words], capture_output=True, text=True).stdout
assert run("hello") == "hello\\n" and "Say hello." in run("--help")
print("good")
""",
    "a panel of the page": """
import re, subprocess, sys, urllib.request
command = [sys.executable, "-m", "backpath", "explore", "--no-browser", "--port", "0"]
with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
    try:
        base = re.search(r"http://[^/]+", server.stdout.readline())[0]
        read = lambda path: urllib.request.urlopen(base + path).read().decode()
        page = read("/")
        assert 'id="panel-hello"' in page and 'id="tab-hello"' in page
        static = re.search(r"/static/\\w+", page)[0]
        assert "startHello" in read(f"{static}/hello.js") and "startHello();" in read(f"{static}/later.js")
    finally:
        server.terminate()
print("good")
""",
}


def test_every_kind_of_change_on_the_page_is_made_here():
    assert PLACES.keys() == ADDITIONS.keys() == USES.keys()


@pytest.mark.slow
@pytest.mark.parametrize("change", ADDITIONS)
def test_a_change_in_the_listed_files_is_enough(tmp_path, change):
    assert sorted(ADDITIONS[change]) == PLACES[change]
    copied = tmp_path / "backpath"
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (old, new) in ADDITIONS[change].items():
        text = (copied / name).read_text("utf-8") if old else ""
        assert old in text
        (copied / name).write_text(text.replace(old, new, 1) if old else new, "utf-8")
    (tmp_path / "t.csv.xz").write_bytes(lzma.compress(b"x,y\n" + b"".join(b"%d,%d\n" % (k, k * k) for k in range(20))))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    code = f"import backpath as bp\nassert bp.__file__.startswith({str(tmp_path)!r})\n{USES[change]}"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert process.stdout == "good\n", process.stderr
