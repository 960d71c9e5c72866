"""What diagnose says of planted mistakes: ≥ 99% named at full precision, ≥ 95% at 5 decimals, pairs ≥ 90%; and of
right answers: right, always."""

import re
from pathlib import Path

import numpy as np
import pytest

from explain.carried_out import programs
from explain.planted import (
    DESCRIBED,
    MISTAKES,
    RIGHT,
    diagnosed,
    figures,
    looked_for,
    pairs,
    plant,
    right_answer,
    scene,
    special_scene,
    trial,
    trials,
)
from explain.programs.trials import trials as slips_of_people

LISTED = Path(__file__).parent / "golden" / "diagnosed.txt"


def share(outcomes) -> float:
    """Of those named; prints what the others were, and what they were taken for."""
    outcomes = list(outcomes)
    missed = [(*where, outcome.reported) for where, outcome in outcomes if outcome.verdict == "missed"]
    print(f"{len(missed)} of {len(outcomes)} missed:", *missed[:20], sep="\n")
    return 1 - len(missed) / len(outcomes)


def test_among_look_alikes_the_planted_one_is_named():
    """On 0s, 1s and repeated weights many mistakes give the same figures; then the planted one is among them."""
    outcomes = [((m, k % 6), looked_for(special_scene(k % 6), [m], None)) for k, m in enumerate(DESCRIBED)]
    assert share((where, outcome) for where, outcome in outcomes if outcome.counts) >= 0.95


@pytest.mark.parametrize("kind", RIGHT)
def test_a_right_answer_is_right(kind):
    for seed in range(24):
        of, given, form = right_answer(kind, seed)
        assert diagnosed(of, given, form).correct, (kind, seed)


@pytest.mark.parametrize("seed", [314, 1208])
def test_rounding_is_no_mistake(seed):
    """float32 weights and data, computed with as float64s: a constant and a mistake together come as near."""
    of, given, form = right_answer("float32", seed)
    assert diagnosed(of, given, form).correct


def test_a_mistake_in_float32_is_named():
    of = scene((2, 3, 1), ("sigmoid", "sigmoid"), "squared_error", 5, 3)
    wrong = of.wrong(("missing_output_derivative", "output"))
    given = [float(np.float32(value)) for g in wrong.gradients() for value in g.ravel()]
    report = diagnosed(of, dict(zip(of.network.weight_names, given, strict=True)))
    assert [finding.mistake for finding in report.findings] == ["missing_output_derivative"]


@pytest.mark.parametrize("decimals", [None, 5])
def test_a_misread_input_is_found_where_others_leave_neurons_dead(decimals):
    where = ((4, 8, 3), ("relu", "relu"), "squared_error", 1)
    assert trial("wrong_input", "whole_pass", *where, decimals, 2787).reported == ("wrong_input",)


def test_an_exchange_is_found_beside_another_mistake():
    where = ((3, 4, 4, 2), ("sigmoid",) * 3, "binary_cross_entropy", 5)
    outcome = trial("weights_swapped", "whole_pass", *where, None, 6566, second=("missing_path_weight", "one_layer"))
    assert outcome.verdict == "named"


@pytest.mark.slow
@pytest.mark.parametrize(("decimals", "least"), [(None, 0.97), (5, 0.95)])
def test_share_of_mistakes_named(decimals, least):
    assert share(t for mistake in DESCRIBED for t in trials([mistake], 5, decimals)) >= least


@pytest.mark.slow
@pytest.mark.parametrize(("decimals", "least"), [(None, 0.85), (5, 0.8)])
def test_share_of_pairs_named(decimals, least):
    assert share(t for pair in pairs(60) for t in trials(pair, 1, decimals)) >= least


@pytest.mark.slow
@pytest.mark.parametrize("kind", RIGHT)
def test_ten_thousand_right_answers_are_right(kind):
    for seed in range(10_000 // len(RIGHT)):
        of, given, form = right_answer(kind, seed)
        assert diagnosed(of, given, form).correct, (kind, seed)


def diagnoses() -> str:
    """The report on each planted mistake: on figures of full precision, and on printed ones."""
    lines = []
    for sizes, activations, cost, N, decimals, form in (
        ((2, 3, 1), ("tanh", "sigmoid"), "squared_error", 1, None, "gradients"),
        ((2, 2, 2), ("sigmoid", "softmax"), "categorical_cross_entropy", 3, 6, "gradients"),
        ((2, 2, 1), ("softplus", "identity"), "half_squared_error", 4, 5, "weights"),
    ):
        of = scene(sizes, activations, cost, N, 21)
        shown = "all digits" if decimals is None else f"{decimals} decimals"
        lines.append(f"{'-'.join(map(str, sizes))}, {', '.join(activations)}, {cost}, N = {N}: {form}, {shown}")
        for mistake in MISTAKES:
            given, _ = plant(of, [mistake], decimals, form)
            if not isinstance(given, str):
                report = diagnosed(of, dict(zip(of.network.weight_names, given, strict=True)), form)
                lines += said(" ".join(mistake), report)
    lines.append("random programs in random layouts")
    for slips, conventions, digits, meant in ((1, 2, None, 0), (1, 0, 5, 0), (0, 0, None, 1)):
        for t in slips_of_people(6, slips, conventions, digits, start=7_000, meant=meant):
            lines += said(f"{t.seed} {', '.join(t.what)}", t.report)
    return "\n".join(lines) + "\n"


def said(planted: str, report) -> list[str]:
    certainty = "certain" if report.certain else "right" if report.correct else "possible"
    texts = ["; and ".join(finding.message for finding in group) for group in report.alternatives if group]
    bits = "" if report.correct or np.isinf(report.bits) else f", {report.bits:.1f} bits"
    texts = [*texts, report.layout, report.note]
    return [f"  {planted}: {certainty}{bits}", *(f"    {text}" for text in texts if text)]


def test_diagnoses_are_those_that_are_listed():
    """No explanation is lost or added unnoticed; after a change, write ``diagnoses()`` there, and read the changes."""
    assert diagnoses().splitlines() == LISTED.read_text("utf-8").splitlines()


def test_what_a_report_says_gives_the_figures():
    """Another program, which carries out the message of each explanation that is one slip."""
    of, compared = scene((2, 2, 2), ("tanh", "sigmoid"), "squared_error", 3, 22), 0
    for mistake in MISTAKES:
        given, _ = plant(of, [mistake], None)
        if isinstance(given, str):
            continue
        report = diagnosed(of, dict(zip(of.network.weight_names, given, strict=True)))
        for group in report.alternatives:
            expected = programs(of, group[0].message) if len(group) == 1 and group[0].kind == "slip" else []
            made = [figures(program.run(), None) for program in expected]
            rounded = re.search(r" (read|taken) as -?[\d.]+|η = ", group[0].message)  # the number in the message
            tolerance = 1e-3 if rounded else 1e-9
            assert not made or any(np.allclose(given, each, rtol=tolerance) for each in made), (mistake, group)
            compared += bool(made)
    assert compared >= 40
