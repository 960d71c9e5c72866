"""Plain data of objects in training, thinned histories, shares of the rate, fingerprints, and chunks of epochs."""

import ctypes
import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from backpath.training import chunks
from backpath.training.fingerprints import as_json, differences, fingerprint
from backpath.training.schedules import share_of_rate
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


@pytest.mark.parametrize("warm_up", [0, 3])
def test_shares_of_the_rate(warm_up):
    epochs = 11
    for k in range(epochs):
        t = (k - warm_up) / (epochs - warm_up)
        expected = {"constant": 1.0, "linear": 1 - t, "cosine": (1 + math.cos(math.pi * t)) / 2}
        for schedule, share in expected.items():
            rising = (k + 1) / (warm_up + 1) if k < warm_up else share
            assert share_of_rate(schedule, k, epochs, warm_up) == pytest.approx(rising)
    assert share_of_rate("linear", 4, 4, 4) == 1.0  # nothing but the warm-up
    assert share_of_rate("cosine", 0, 1) == 1.0


def test_fingerprints_of_arrays():
    a = np.arange(6.0).reshape(2, 3)
    assert fingerprint(a).startswith("2 × 3 float64 with digest ")
    assert fingerprint(a) == fingerprint(np.asfortranarray(a))
    assert fingerprint(a) != fingerprint(a + 1)
    assert fingerprint(np.zeros((0, 2))).startswith("0 × 2 float64 with digest e3b0c44298fc1c14")
    assert as_json((1, 2.5, None, "a", True, np.float64(0.5))) == [1, 2.5, None, "a", True, 0.5]
    assert as_json({1: math.inf}) == {"1": "inf"}
    assert as_json(object()) == "<object object>"


def test_differences_of_settings():
    before = {"l2": 0.5, "free": "x", "epochs": 10, "X": fingerprint(np.zeros(3)), "given": ["l2"]}
    now = before | {"l2": 0.25, "epochs": 20, "X": fingerprint(np.ones(3)), "extra": 1}
    reported = []
    found = differences(before, now, ("epochs",), reported.append)
    assert found == ["other values of X", "extra was not set, now 1", "l2 was 0.5, now 0.25"]
    assert reported == ["epochs was 10, now 20"]
    assert differences(before, before | {"free": "y"}) == ["other values of frozen"]
    assert differences(before, before | {"given": ["tol"]}) == ["given only before: l2; given only now: tol"]
    assert differences(before, before | {"given": ["l2", "tol"]}) == ["given only now: tol"]
    assert len(differences(before, before | {"given": ["tol"], "l2": 0.0})) == 1  # the option is named already


class Clock:
    """An engine of a millisecond per epoch, and its clock."""

    def __init__(self):
        self.now, self.costs, self.asked, self.converged, self.overflow = 0.0, [], [], False, None

    def run(self, epochs):
        self.asked.append(epochs)
        self.costs += [1.0] * epochs
        self.now += 0.001 * epochs


@pytest.fixture
def engine(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(chunks, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def test_a_chunk_takes_a_tenth_of_a_second(engine):
    assert [*chunks.in_chunks(engine, 250)] == [1, 100, 199, 250]
    assert engine.asked == [1, 99, 99, 51]


def test_every_epoch_may_be_a_chunk(engine):
    assert [*chunks.in_chunks(engine, 4, every_epoch=True)] == [1, 2, 3, 4]


def test_chunks_end_where_a_checkpoint_is_due(engine):
    looked = []
    part = SimpleNamespace(most=lambda done: 40 - done % 40, look=looked.append)
    assert [*chunks.in_chunks(engine, 100, part=part)] == [1, 40, 80, 100] == looked


@pytest.mark.parametrize("end", [{"converged": True}, {"overflow": 2}])
def test_chunks_end_with_training(engine, end):
    for done in chunks.in_chunks(engine, 1000):
        if done >= 100:
            vars(engine).update(end)
    assert len(engine.costs) == 100
    assert [*chunks.in_chunks(engine, 1000)] == []


def test_chunks_end_when_it_is_over(engine):
    assert [*chunks.in_chunks(engine, 1000, is_over=lambda: len(engine.costs) > 150)] == [1, 100, 199]
