"""The formats: golden files, a second opinion on the MathML, widths, colours, parsers."""

import html.parser
import json
import os
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import latex2mathml.converter
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backpath as bp
import oracles
from backpath.explain import expression as ex
from backpath.explain.document import Formulas
from backpath.explain.printers import latex, mathml, text
from strategies import problems

GOLDEN = Path(__file__).parent / "golden"
NOTES = bp.Network.from_weights([[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]]])
LABELS = {"X1": "petal length", "X2": "a_b & <c>"}


def notes_weight():
    return bp.derive(NOTES, "W11_1", labels=LABELS).evaluate([0.5, 1], [1])


def mazur_weight():
    case = oracles.worked_example("mazur")
    net = bp.Network((2, 2, 2)).replace(case["network"]["weights"])
    return bp.derive(net, "W11_1", cost=case["cost"]).evaluate(case["x"], case["y"])


def xor_step():
    return bp.explain_step(NOTES, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])


def report():
    case = oracles.worked_example("missing_derivative")
    net = bp.Network((2, 2, 1)).replace(case["network"]["weights"])
    return bp.diagnose(net, case["x"], case["y"], case["claimed"]["gradients"])


def deep_weight():
    weights = [
        [[0.5, -0.5, 0.1]] * 3,
        [[0.2, 0.3, -0.4, 0.1], [0.5, 0.1, 0.2, 0.3], [-0.6, 0.1, -0.2, 0.0]],
        [[0.6, -0.1, 0.2, 0.0], [0.3, 0.3, 0.1, 0.2]],
    ]
    net = bp.Network.from_weights(weights, activations=("tanh", "relu", "softmax"))
    return bp.derive(net, "W1~_1", cost="categorical_cross_entropy").evaluate([0.3, 0.7], [0, 1])


EXPLAINED = {"notes": notes_weight, "mazur": mazur_weight, "step": xor_step, "deep": deep_weight, "report": report}
FORMATS = {
    "txt": str,
    "tex": lambda e: e.latex(document=True),
    "mathml": lambda e: e.mathml(),
    "html": lambda e: e.html(),
    "md": lambda e: e.markdown(),
}


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("name", EXPLAINED)
def test_what_is_printed_is_what_was_looked_at(name, ending):
    """Golden files were looked at when they were made; after a wanted change: WRITE_GOLDEN=1, and look again."""
    made, file = FORMATS[ending](EXPLAINED[name]()), GOLDEN / f"{name}.{ending}"
    if "WRITE_GOLDEN" in os.environ:
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8")


class Balanced(html.parser.HTMLParser):
    """Fails on tags that do not match, and remembers what it saw."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= set(attrs)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def parsed(page):
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_page_is_whole_and_needs_nothing_else(name):
    page = EXPLAINED[name]().html()
    found = parsed(page)
    assert page.startswith("<!DOCTYPE html>")
    assert not found.tags & {"script", "link", "img", "iframe", "object", "a"}
    assert not {key for key, _ in found.attributes if key.startswith("on") or key in ("src", "href")}
    assert re.findall(r"url\(|@import|https?://(?!www\.w3\.org/1998/Math/MathML)", page) == []
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


@pytest.mark.parametrize("name", EXPLAINED)
def test_mathml_is_xml_of_mathml_core_elements(name):
    tree = ET.fromstring(EXPLAINED[name]().mathml())
    tags = {element.tag.removeprefix("{http://www.w3.org/1998/Math/MathML}") for element in tree.iter()}
    core = {"math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msub", "msup", "munderover", "mtable", "mtr", "mtd"}
    assert tags <= core
    for element in tree.iter():
        name = element.tag.rpartition("}")[2]
        if name in ("msub", "msup", "mfrac"):
            assert len(element) == 2
        if name == "munderover":
            assert len(element) == 3


def normal(element):
    """The presentation without what does not matter: attributes, frames, rows within rows, how letters are grouped."""
    tag = element.tag.rpartition("}")[2]
    content = "".join(element.text.split()) if element.text else ""
    if tag in ("mi", "mn", "mo", "mtext"):
        content = {"~": "∼", "'": "′", "-": "−", "\N{PRIME}": "′", "⋅": "·"}.get(content, content)
        return [("leaf", letter) for letter in content] if content.isalpha() else [("leaf", content)]
    children = [normal(child) for child in element]
    if tag in ("mrow", "math", "mstyle", "mpadded", "menclose"):
        return [node for child in children for node in child]
    return [(tag, tuple(map(tuple, children)))]


def equations():
    for make in EXPLAINED.values():
        for block in make().document().blocks:
            if isinstance(block, Formulas):
                for equation in block.equations:
                    yield from equation.sides


def test_mathml_is_what_latex2mathml_makes_of_the_latex():
    """Two ways from the same tree: our MathML, and another converter's of our LaTeX."""
    seen = {}
    for side in equations():
        written = latex.formula(side)
        if any(mark in written for mark in (r"\begin", r"\sum", r"\left", "^", "cost_")):
            continue  # set in another structure that looks the same: matrices, sums, tall brackets; cost₁ as cos(t₁)
        seen[written] = side
    assert len(seen) > 100
    for written, side in seen.items():
        theirs = normal(ET.fromstring(latex2mathml.converter.convert(written)))
        ours = normal(ET.fromstring(mathml.math(side)))
        assert strip_primes(ours) == strip_primes(theirs), written


def strip_primes(nodes):
    """σ′ is σ raised by ′ in ours, and in theirs."""
    flat = []
    for node in nodes:
        if node[0] == "leaf":
            flat.append(node[1])
        else:
            flat += [node[0], "{", *(part for child in node[1] for part in [*strip_primes(child), "|"]), "}"]
    return flat


@given(problems(max_samples=2, max_width=4, max_layers=3))
def test_text_fits_a_terminal(problem):
    net, cost, X, y = problem
    weight = net.weight_names[0]
    for explained in (bp.derive(net, weight, cost), bp.derive(net, weight, cost).evaluate(X[0], y[0])):
        wide = [line for line in str(explained).splitlines() if len(line) > 80]
        assert wide == []


@settings(max_examples=25)
@given(problems(max_samples=2, max_width=4))
def test_every_format_of_everything_is_well_formed(problem):
    net, cost, X, y = problem
    d = bp.derive(net, net.weight_names[-1], cost)
    for explained in (d, d.evaluate(X, y), bp.explain_step(net, X, y, cost)):
        ET.fromstring(explained.mathml())
        parsed(explained.html())
        parsed(explained.html(document=False))
        json.loads(explained.json())
        tex = explained.latex(document=True)
        assert tex.count("{") - tex.count(r"\{") == tex.count("}") - tex.count(r"\}")
        assert re.findall(r"\\begin\{(.*?)\}", tex).sort() == re.findall(r"\\end\{(.*?)\}", tex).sort()
        assert tex.count(r"\left") == tex.count(r"\right") - tex.count(r"\rightarrow")
        assert explained.markdown().count("$$") % 2 == 0


def test_colours_only_on_request():
    v = notes_weight()
    assert "\x1b" not in str(v)
    coloured = v.text(colour=True)
    assert "\x1b[1m1st operand\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\dm", "", coloured) == str(v)


def test_notebooks_get_html_and_latex():
    v = notes_weight()
    assert v._repr_html_().startswith('<div class="backpath">')
    assert "<html" not in v._repr_html_()
    assert v._repr_latex_().startswith(r"$\displaystyle \begin{aligned}")
    assert "petal" not in v._repr_latex_()  # names stand in the text, and this is formulas alone


def test_latex_of_the_notes_chain():
    chain = bp.derive(NOTES, "W11_1").latex()
    assert r"2 \times u_{cost} \times \sigma'(u_{A1}) \times W_{11_2} \times \sigma'(u_{H1}) \times X1" in chain
    assert r"\frac{\partial C}{\partial W_{11_1}}" in chain
    assert r"W_{1\sim_2}" in chain


def test_wide_letters_take_two_columns():
    assert text.text_width("日本") == 4
    assert text.text_width("e\N{COMBINING ACUTE ACCENT}") == 1
    net = bp.Network((2, 2, 1), seed=0)
    table = str(bp.derive(net, "W11_1", labels={"X1": "日本語" * 12, "X2": "x"}))
    assert max(map(text.text_width, table.splitlines())) <= 80


@given(st.text(max_size=60))
def test_any_label_fits_a_terminal(label):
    shown = str(bp.derive(NOTES, "W11_1", labels={"X1": label}))
    assert all(text.text_width(line) <= 80 for line in shown.splitlines())


def test_mathml_without_styles_keeps_everything_else():
    """For a page whose policy forbids inline style; a label that looks like one stays as it is."""
    label = ' style="text-align: right" '
    d = bp.derive(bp.Network((2, 2, 1)), "W11_1", labels={"X1": label})
    plain = mathml.without_styles(d.mathml())
    assert not re.search(r"<[^>]* style=", plain)
    assert 'class="right"' in plain
    kept = ["".join(ET.fromstring(written).itertext()) for written in (plain, d.mathml())]
    assert kept[0] == kept[1]
    assert label in kept[0]


@given(st.lists(st.integers(1, 14), min_size=1, max_size=30), st.booleans(), st.integers(40, 60))
def test_lines_are_filled(lengths, is_long, width):
    """Each line takes as many pieces as fit beside the indent of the lines below, under a short and a long name."""
    name = "n" * (31 if is_long else 3)
    side = ex.Product(tuple(ex.Symbol(k * "a", "a") for k in lengths))
    lines = text.equation_lines(ex.equation(ex.Symbol(name, "n"), side), len(name), width)
    assert max(map(text.text_width, lines)) <= width
    assert " ".join(" ".join(lines).split()) == f"{name} = {text.formula(side)}"
    indent = 4 if is_long else len(name) + 7
    body = lines[1:] if is_long and len(lines) > 1 else lines
    for line, after in pairwise(body):
        content = line.strip() if is_long else line.split("= ")[-1].strip()
        following = " ".join(after.split()[:2])  # × and a factor
        assert len(content) + 1 + len(following) > width - indent
