"""Whether ``diagnose`` can be believed: no false name for what it cannot know, no right answer called wrong.

CI tries a sample; ``BACKPATH_TRUST=1`` in the environment tries 2,000 wrong programs and 10,000 right answers.
"""

import os
from collections import Counter

import numpy as np
import pytest

import backpath as bp
from explain.unknown_edits import FAMILIES, programs, right_answers

ALL = bool(os.environ.get("BACKPATH_TRUST"))
MOST_FALSE = 0.01
NO_NAME = {"unknown", "scaled"}  # what names nothing: "a constant that nothing explains" is no reason either


def certain_name(report) -> tuple[str, ...]:
    """The mistakes that a report is certain of; () if it isn't certain or names none."""
    names = {finding.mistake for finding in report.findings} - NO_NAME
    return tuple(sorted(names)) if report.certain and not report.correct else ()


def false_names(count):
    found = Counter()
    for program in programs(count):
        s = program.scene
        report = bp.diagnose(s.network, s.X, s.y, program.figures, cost=s.cost)
        assert not report.correct, (program.family, program.seed)
        if name := certain_name(report):
            found[program.family, name] += 1
    return found


def test_every_family_of_edits_gives_programs_that_differ():
    made = list(programs(2 * len(FAMILIES)))
    assert Counter(p.family for p in made) == dict.fromkeys(FAMILIES, 2)
    assert len(FAMILIES) >= 40
    for p in made:
        again = p(p.scene.weights, p.scene.X, p.scene.y)
        given = np.array([float(v) for v in p.figures.values()])
        np.testing.assert_allclose(np.concatenate([g.ravel() for g in again]), given, rtol=1e-3, atol=1e-9)


@pytest.mark.slow
def test_what_cannot_be_known_gets_no_certain_name():
    count = 2000 if ALL else 120
    found = false_names(count)
    assert found.total() <= MOST_FALSE * count, found


@pytest.mark.slow
def test_right_answers_are_never_called_wrong():
    for answer in right_answers(10_000 if ALL else 210):
        s = answer.scene
        report = bp.diagnose(s.network, s.X, s.y, answer.claimed, cost=s.cost)
        assert report.correct, (answer.layout, answer.rounding, s, report.findings)
