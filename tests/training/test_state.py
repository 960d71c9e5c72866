"""Plain data of objects in training, and thinned histories."""

import ctypes
from dataclasses import dataclass

import numpy as np
import pytest

from backpath.training.state import Stateful, put_back, taken, thinned, with_gaps


@pytest.mark.parametrize(
    ("count", "longest", "every"), [(0, 4, 1), (3, 4, 1), (4, 4, 1), (5, 4, 2), (8, 4, 2), (9, 4, 4), (17, 4, 8)]
)
def test_a_history_keeps_every_second_fourth_or_eighth_and_the_last(count, longest, every):
    numbers = np.arange(count) + 0.5
    kept = thinned(numbers, longest)
    assert (kept["count"], kept["every"]) == (count, every)
    again = with_gaps(kept)
    saved = [k for k in range(count) if k % every == 0 or k == count - 1]
    assert np.flatnonzero(~np.isnan(again)).tolist() == saved
    assert again[saved].tolist() == numbers[saved].tolist()


class Pair(ctypes.Structure):
    _fields_ = (("a", ctypes.c_int), ("b", ctypes.c_double))


@dataclass
class Setting:
    name: str
    weight: np.ndarray


class Thing(Stateful):
    _given = ("kind",)

    def __init__(self, kind, seed=0):
        self.kind, self.numbers = kind, np.arange(3.0)
        self.rng, self.old_rng = np.random.default_rng(seed), np.random.RandomState(seed)
        self.costs, self.parts, self.pair = [0.5, 0.25], [np.zeros(2), None], Pair(1, 2.5)
        self.inner, self.count, self.text = None, np.int64(7), "x"


def test_the_state_is_everything_but_what_is_given():
    thing, other = Thing("first"), Thing("second", seed=9)
    thing.rng.random(5), thing.old_rng.random_sample(3)
    thing.costs.append(0.125)
    thing.pair.b = -1.0
    thing.inner = None
    state = thing.state()
    thing.numbers += 100  # the state is a copy
    other.restore(state)
    assert other.kind == "second"
    assert other.numbers.tolist() == [0, 1, 2]
    assert other.costs == [0.5, 0.25, 0.125]
    assert (other.pair.a, other.pair.b) == (1, -1.0)
    assert other.rng.random() == thing.rng.random()
    assert other.old_rng.random_sample() == thing.old_rng.random_sample()
    assert (other.count, other.text, other.inner) == (7, "x", None)
    assert type(state["count"]) is int
    assert state["pair"] == {"a": 1, "b": -1.0}


def test_a_state_of_another_kind_is_refused():
    state = Thing("first").state()
    with pytest.raises(ValueError, match=r"Thing has .*'text'\], not "):
        Thing("second").restore({k: v for k, v in state.items() if k != "text"})
    for numbers in (np.zeros(4), np.zeros(3, "float32"), [0.0, 0, 0]):
        with pytest.raises(ValueError, match="an array has another type or shape"):
            Thing("second").restore(state | {"numbers": numbers})
    with pytest.raises(ValueError, match="a list has another length"):
        put_back([np.zeros(2)], [np.zeros(2), np.zeros(2)])


def test_values_as_plain_data():
    found = taken(Setting("a", np.ones(2)))
    assert found["name"] == "a"
    assert found["weight"].tolist() == [1, 1]
    assert taken((1, 2)) == [1, 2]
    assert taken([]) == []
    assert put_back([], [1, 2]) == [1, 2]
    assert put_back(3, 4) == 4
