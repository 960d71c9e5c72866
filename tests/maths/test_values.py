"""What never changes compares, hashes, copies and pickles by what it holds, and stays frozen."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import backpath as bp
from backpath.maths.values import Value

NET = bp.Network((2, 2, 1))
OTHER = NET.replace({"W11_1": 0.25})
MADE = {
    "forward pass": lambda net: net.forward([1, 1]),
    "gradients": lambda net: net.gradients([1, 1], [1]),
    "derivation": lambda net: bp.derive(net, "W11_2") if net is NET else bp.derive(net, "W12_2"),
    "evaluation": lambda net: bp.derive(net, "W11_2").evaluate([1, 1], [1]),
    "sample": lambda net: bp.derive(net, "W11_2").evaluate([1, 1], [1]).samples[0],
    "step": lambda net: bp.explain_step(net, [1, 1], [1], frozen=["W11_1"]),
    "history": lambda net: bp.train(net, [[1, 1]], [1], epochs=3).history,
    "population": lambda net: bp.Population.of([net, NET]),
}


@pytest.mark.parametrize("name", MADE)
def test_equal_parts_make_equal_things(name):
    made, again, other = MADE[name](NET), MADE[name](NET), MADE[name](OTHER)
    assert made == again and hash(made) == hash(again)
    assert made not in (other, 3)
    for same in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert same == made and hash(same) == hash(made)


@dataclass(frozen=True, eq=False)
class Holder(Value):
    part: object


def test_arrays_equal_only_arrays_of_their_type_and_shape():
    array = np.array([1.0, np.nan])
    for other in ([1.0, np.nan], array.astype(np.float32), array[None], np.array([1.0, 2.0]), None, 1.0):
        assert Holder(array) != Holder(other) and Holder(other) != Holder(array)
    assert Holder(array) == Holder(array.copy()) and hash(Holder(array)) == hash(Holder(array.copy()))
    assert Holder((1, 2)) != Holder(3) and Holder(3) != Holder((1, 2)) and Holder((1, 2)) != Holder((1, 2, 3))
    assert Holder(np.array([0.0])) == Holder(np.array([-0.0]))
    assert hash(Holder(np.array([0.0]))) == hash(Holder(np.array([-0.0])))


def test_a_result_compares_and_pickles():
    made = bp.train(NET, [[1, 1]], [1], epochs=3)
    same = pickle.loads(pickle.dumps(made))
    assert same == made and hash(same) == hash(made)
    assert made != bp.train(NET, [[1, 1]], [0], epochs=3)


def test_what_is_frozen_stays_frozen():
    population = bp.Population((2, 2, 1), size=3)
    for other in (pickle.loads(pickle.dumps(population)), copy.deepcopy(population)):
        assert not other.lanes.flags.writeable and not other.weights[0].flags.writeable
    gradients = pickle.loads(pickle.dumps(NET.gradients([1, 1], [1])))
    assert not gradients.layers[0].flags.writeable


MASKED = np.ma.masked_array([[1.0, 2.0, 3.0]], [[True, False, False]])
WEIGHTS = {
    "masked": ([MASKED], "layer 1's weights must be a plain array, but are masked"),
    "complex": ([[[1j, 2, 3]]], "layer 1's weights must be rows of numbers"),
    "text": ([[["a", "2", "3"]]], "layer 1's weights must be"),
    "dates": ([np.array([["2020-01-01"] * 3], "M8[D]")], "layer 1's weights must be rows of numbers"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_are_no_plain_numbers_are_refused(name):
    weights, message = WEIGHTS[name]
    with pytest.raises(bp.InputError, match=message):
        bp.Network.from_weights(weights)
    with pytest.raises(bp.InputError, match=message):
        bp.Population.from_weights([np.ma.stack(weights) if name == "masked" else np.array(weights)])


def test_masked_samples_are_refused():
    with pytest.raises(bp.InputError, match="X must be a plain array, but is masked"):
        NET.predict(MASKED[:, :2])


def test_long_names_are_refused_in_a_short_line():
    for call in (
        lambda: NET["W" + "1" * 5000 + ",1_1"],
        lambda: NET["W11_" + "1" * 5000],
        lambda: NET.forward([1, 1])["H" + "1" * 5000],
        lambda: bp.Network((2, 1), "x" * 10**6),
        lambda: bp.Network((2, 1), "x y\n" * 10**6),
    ):
        with pytest.raises(bp.InputError) as caught:
            call()
        assert len(str(caught.value)) <= 21_000 and "\n" not in str(caught.value)


RATES = [3, 2**64, True + 2, np.int64(3), np.float32(0.5), np.array(3), np.array(0.5)]


@pytest.mark.parametrize("rate", RATES, ids=repr)
def test_any_finite_number_is_a_learning_rate(rate):
    claimed = {"W11_1": 0.3, "W11_2": 0.1}
    report = bp.diagnose(NET, [[1, 1]], [1], claimed_weights=claimed, learning_rate=rate)
    assert not report.correct
    assert NET.step([1, 1], [1], learning_rate=rate) == NET.step([1, 1], [1], learning_rate=float(rate))


@pytest.mark.parametrize("rate", [0, -1, np.inf, np.nan, True, "1", 1j, [1], np.ones(1), 10**400, None], ids=str)
def test_what_is_no_rate_is_refused(rate):
    with pytest.raises(bp.InputError, match="learning_rate must be a number above 0, but is"):
        NET.step([1, 1], [1], learning_rate=rate)


def test_settings_of_a_wrong_kind_are_refused():
    with pytest.raises(bp.InputError, match="unknown init 'nonsense'"):
        bp.train(NET, [[1, 1]], [1], epochs=1, init="nonsense", restarts=1)
    with pytest.raises(bp.InputError, match="shuffle must be True or False, but is 'no'"):
        bp.train(NET, [[1, 1]], [1], epochs=1, shuffle="no")
