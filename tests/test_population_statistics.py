"""The plateaus of final costs, at the limits of their definition, and the rows of a file."""

import time

import numpy as np
import pytest

import backpath as bp
from backpath.population.rows import network_rows
from backpath.population.statistics import Plateau, Success, plateaus

FEW = np.geomspace(1, 1e4, 90)  # less than one within 2%
MANY = np.geomspace(1, 1e4, 990)  # two within 2%
NEAR = np.linspace(0.05 * 1.05, 0.05 * 1.24, 200)  # 8 of them per 2% of the half around 0.05, but none beside it


@pytest.mark.parametrize(
    ("others", "count", "is_one"),
    [
        (FEW, 6, True),  # none by chance, and 6 standard deviations: 6 √1
        (FEW, 5, False),
        (MANY, 10, True),  # 1% of 1,000
        (MANY, 9, False),
        (np.r_[FEW, np.full(10, 0.05 * 1.03)], 40, True),  # 4 times as many as above it
        (np.r_[FEW, np.full(11, 0.05 * 1.03)], 40, False),
        (NEAR, 26, True),  # 8 by chance, and 6 standard deviations: 8 + 6 √9
        (NEAR, 25, False),
    ],
)
def test_what_a_plateau_is(others, count, is_one):
    found = [plateau for plateau in plateaus(np.r_[others, np.full(count, 0.05)]) if 0.0499 < plateau.cost < 0.0501]
    assert found == ([Plateau(0.05, count)] if is_one else [])


def test_the_fullest_plateaus_come_first_and_solved_or_diverged_networks_are_none():
    costs = np.r_[np.full(20, 0.05), np.full(30, 0.3), np.full(50, 0.0), np.full(50, np.inf), FEW]
    assert plateaus(costs) == [Plateau(0.3, 30), Plateau(0.05, 20)]


@pytest.mark.parametrize(
    ("cost", "name"),
    [
        (1 / 8, "1/8"),
        (0.98 * 1.0205 / 8, "1/8"),
        (0.1276, "0.128"),  # 2.04% above
        (0.1275, "1/8"),
        (3 / 7, "3/7"),
        (1 / 9, "0.111"),
        (1.01, "1.01"),  # a whole number is no fraction
        (1e-4, "0.0001"),
    ],
)
def test_a_plateau_is_named_by_a_simple_fraction(cost, name):
    assert Plateau(cost, 9).name == name


def test_success_counts():
    solved, after = np.array([True, True, True, False]), np.array([100, 300, 350, 120])
    success = Success.of(solved, after, np.array([False, False, False, True]))
    assert (success.networks, success.solved, success.diverged, success.share) == (4, 3, 1, 0.75)
    assert success.median_epochs == 300
    assert (round(success.low, 4), round(success.high, 4)) == (0.3006, 0.9544)  # Wilson's, by hand
    assert np.isnan(Success.of(np.array([False]), np.array([-1])).median_epochs)


def test_the_rows_of_a_file():
    start = bp.Population((2, 2, 1), size=3, seed=1)
    began = time.perf_counter()
    outcome = bp.train_population(start, [[0, 1], [1, 1]], [1, 0], epochs=4, learning_rate=0.5)
    assert 0 < outcome.seconds <= time.perf_counter() - began
    rows = network_rows(start, outcome, 0.5, np.arange(7, 10))
    assert list(rows)[:7] == ["network", "cost", "epochs", "solved", "solved_after", "diverged", "learning_rate"]
    assert rows["network"].tolist() == [7, 8, 9]
    assert rows["learning_rate"].tolist() == [0.5] * 3
    assert rows["epochs"].tolist() == [4] * 3
    for name in start.weight_names:
        assert (rows[f"start_{name}"] == start[name]).all()
        assert (rows[name] == outcome.population[name]).all()
    assert repr(outcome) == (
        f"PopulationOutcome(population={outcome.population!r}, best_index={outcome.best_index}, stopped='epochs', "
        f"seconds={outcome.seconds})"
    )


@pytest.mark.parametrize(("neurons", "fits"), [(499, True), (500, False)])
def test_rows_hold_up_to_2000_weights(neurons, fits):
    """A network 2-n-1 has 4 n + 1."""
    start = bp.Population((2, neurons, 1), size=1)
    outcome = bp.train_population(start, [[0, 1]], [1], epochs=0)
    if fits:
        assert len(network_rows(start, outcome, 1.0, np.arange(1))) == 7 + 2 * 1997
    else:
        with pytest.raises(bp.InputError, match="at most 2,000, but these networks have 2,001"):
            network_rows(start, outcome, 1.0, np.arange(1))
