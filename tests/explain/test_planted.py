"""What diagnose says of planted mistakes: ≥ 99 % named at full precision, ≥ 95 % at 5 decimals, pairs ≥ 90 %; and of
right answers: right, always."""

import pytest

from explain.planted import (
    DESCRIBED,
    RIGHT,
    diagnosed,
    looked_for,
    pairs,
    right_answer,
    special_scene,
    trials,
)


def share(outcomes) -> float:
    """Of those named; prints what the others were, and what they were taken for."""
    outcomes = list(outcomes)
    missed = [(*where, outcome.reported) for where, outcome in outcomes if outcome.verdict == "missed"]
    print(f"{len(missed)} of {len(outcomes)} missed:", *missed[:20], sep="\n")
    return 1 - len(missed) / len(outcomes)


@pytest.mark.parametrize(("decimals", "least"), [(None, 0.97), (5, 0.93)])
def test_planted_mistakes_are_named(decimals, least):
    """A few of each; the shares that count are the slow tests'."""
    assert share(t for mistake in DESCRIBED for t in trials([mistake], 1, decimals)) >= least


def test_among_look_alikes_the_planted_one_is_named():
    """On 0s, 1s and repeated weights many mistakes give the same figures; then the planted one is among them."""
    outcomes = [((m, k % 6), looked_for(special_scene(k % 6), [m], None)) for k, m in enumerate(DESCRIBED)]
    assert share((where, outcome) for where, outcome in outcomes if outcome.counts) >= 0.95


@pytest.mark.parametrize("kind", RIGHT)
def test_a_right_answer_is_right(kind):
    for seed in range(24):
        of, given, form = right_answer(kind, seed)
        assert diagnosed(of, given, form).correct, (kind, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("decimals", "least"), [(None, 0.99), (5, 0.95)])
def test_share_of_mistakes_named(decimals, least):
    assert share(t for mistake in DESCRIBED for t in trials([mistake], 10, decimals)) >= least


@pytest.mark.slow
@pytest.mark.parametrize("decimals", [None, 5])
def test_share_of_pairs_named(decimals):
    assert share(t for pair in pairs(120) for t in trials(pair, 1, decimals)) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("kind", RIGHT)
def test_ten_thousand_right_answers_are_right(kind):
    for seed in range(10_000 // len(RIGHT)):
        of, given, form = right_answer(kind, seed)
        assert diagnosed(of, given, form).correct, (kind, seed)
