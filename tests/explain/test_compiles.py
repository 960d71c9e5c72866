"""The printed LaTeX compiles, if LaTeX is installed."""

import itertools
import shutil
import subprocess

import numpy as np
import pytest

import backpath as bp
from nasty import NASTY

pytestmark = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="no pdflatex here (Debian: apt-get install texlive-latex-base)"
)
NOTES = bp.Network.from_weights([[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]]])


def compiled(tex, folder):
    """What LaTeX says of a document; it must make a page, and nothing may stick out of it."""
    (folder / "page.tex").write_text(tex, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    process = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120, check=False
    )
    assert process.returncode == 0, process.stdout[-2000:]
    assert (folder / "page.pdf").read_bytes().startswith(b"%PDF")
    return process.stdout


@pytest.mark.slow
@pytest.mark.parametrize("label", NASTY)
def test_with_any_label(label, tmp_path):
    compiled(bp.derive(NOTES, "W11_1", labels={"X1": label}).latex(document=True), tmp_path)


def test_a_step_fits_its_pages(tmp_path):
    step = bp.explain_step(NOTES, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    assert "Overfull \\hbox" not in compiled(step.latex(document=True), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(2, 1), (2, 2, 2), (3, 4, 4, 2), (12, 12, 3)])
@pytest.mark.parametrize(
    ("cost", "output"),
    [
        ("squared_error", "tanh"),
        ("half_squared_error", "softmax"),
        ("binary_cross_entropy", "sigmoid"),
        ("categorical_cross_entropy", "softmax"),
        ("huber", "identity"),
        ("absolute_error", "softmax"),
        ("poisson", "exp"),
    ],
)
def test_derivations_fit_their_pages(sizes, cost, output, tmp_path):
    if output == "softmax":
        sizes = (*sizes[:-1], max(2, sizes[-1]))
    hidden = itertools.islice(itertools.cycle(["gelu", "elu", "silu"]), len(sizes) - 2)
    net = bp.Network(sizes, activations=(*hidden, output), seed=5)
    y = np.eye(sizes[-1])[0]
    v = bp.derive(net, "W11_1", cost).evaluate(np.linspace(-1, 1, sizes[0]), y)
    assert "Overfull \\hbox" not in compiled(v.latex(document=True), tmp_path)


def test_a_fragment_fits_into_another_document(tmp_path):
    body = bp.derive(NOTES, "W11_1").latex()
    start = "\\documentclass{article}\\usepackage{amsmath,array}\\begin{document}"
    compiled(f"{start}\n{body}\\end{{document}}\n", tmp_path)


def test_a_report_compiles(tmp_path):
    report = bp.diagnose(NOTES, [0.5, 1], [1], {"W11_1": "0.1", "W12_1": "0.2", "W11_2": "0.3", "W12_2": "0.4"})
    assert not report.correct
    assert "Overfull \\hbox" not in compiled(report.latex(document=True), tmp_path)
    half = {name: NOTES.gradients([0.5, 1], [1])[name] / 2 for name in NOTES.weight_names}
    marked = bp.diagnose(NOTES, [0.5, 1], [1], half).latex(document=True)
    assert r"\boxed" in marked
    assert "Overfull \\hbox" not in compiled(marked, tmp_path)
