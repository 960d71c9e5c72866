"""``why_not_learning``: each reason is planted, and is found from the numbers; where there is none, none is named."""

import json
from itertools import pairwise

import numpy as np
import pytest

import backpath as bp
from commands import done

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])


def why(net, X=X, y=Y, rate=2.0, **settings):
    return bp.why_not_learning(net, X, y, learning_rate=rate, **settings)


def found(*arguments, **settings):
    return {f.mistake: f for f in why(*arguments, **settings).findings}


def random(deviation, sizes=(2, 2, 1), seed=0, **kinds):
    rng = np.random.default_rng(seed)
    return bp.Network.from_weights([rng.normal(size=(m, n + 1)) * deviation for n, m in pairwise(sizes)], **kinds)


def test_equal_hidden_neurons():
    reason = found(bp.Network.from_weights([np.full((2, 3), 0.5), np.full((1, 3), 0.5)]))["equal_neurons"]
    assert reason.where == ("H1", "H2")
    assert "H1 and H2 have the same weights" in reason.message
    trained = bp.train(bp.Network.from_weights([np.full((2, 3), 0.5), np.full((1, 3), 0.5)]), X, Y, epochs=50).network
    assert trained["W11_1"] == trained["W21_1"]  # they do stay equal
    assert "equal_neurons" in found(trained)
    apart = bp.Network.from_weights([np.full((2, 3), 0.5), [[0.5, 0.4, 0.5]]])  # W11_2 and W12_2 tell them apart
    assert "equal_neurons" not in found(apart)
    three = bp.Network((2, 4, 1), seed=1).replace({})
    W, V = (np.array(w) for w in three.weights)
    W[2], V[:, 2] = W[0], V[:, 0]
    assert found(three.with_weights([W, V]))["equal_neurons"].where == ("H1", "H3")


def test_weights_that_are_all_0():
    report = why(bp.Network.from_weights([np.zeros((2, 3)), np.zeros((1, 3))]))
    assert report.findings[0].mistake == "zero_weights"
    assert "all weights are 0" in report.findings[0].message
    last = bp.Network((2, 2, 1), seed=0).replace({"W11_2": 0, "W12_2": 0})
    assert "no gradient gets back through them" in found(last)["zero_weights"].message
    assert not last.gradients(X, Y).layers[0].any()
    assert "zero_weights" not in found(
        bp.Network.from_weights([[[0.0, 0, 0]]]), y=X[:, :1]
    )  # for one layer it is a fair start


def test_tiny_weights():
    hidden, output, *_ = why(random(0.01), rate=0.1).findings
    assert (hidden.mistake, hidden.where, output.where) == ("tiny_weights", ("H1", "H2"), ("A1",))
    size = np.sqrt((random(0.01).weights[0][:, :2] ** 2).mean())
    assert f"root mean square is {size:.2g}" in hidden.message
    assert "tiny_weights" not in found(random(0.7), rate=0.1)


def test_dead_relus_and_on_how_many_samples():
    net = bp.Network.from_weights([[[-1, -1, -1.0], [1, 1, 0]], [[1, 1, 0.1]]], activations=["relu", "identity"])
    reason = found(net, rate=0.1)["dead_relu"]
    assert reason.where == ("H1",)
    assert "at most -1 on all 4 samples" in reason.message
    assert not net.gradients(X, Y).layers[0][0].any()


def test_relus_that_few_samples_switch_on():
    x = np.linspace(-1, 1, 20)[:, None]
    net = bp.Network.from_weights([[[1, -0.85], [1, 2.0]], [[1, 0.1, 0]]], activations=["relu", "identity"])
    reason = found(net, X=x, y=x**2, rate=0.1)["relu_mostly_off"]
    assert reason.where == ("H1",)
    assert f"off on {int((x <= 0.85).sum())} of 20 samples" in reason.message
    both = bp.Network.from_weights([[[1, -0.85], [1, -0.8]], [[1, 0.1, 0]]], activations=["relu", "identity"])
    messages = [f.message for f in why(both, X=x, y=x**2).findings if f.mistake == "relu_mostly_off"]
    assert messages[1].startswith(f"on {int((x <= 0.8).sum())} of 20 samples every ReLU of layer 1 is off")
    usual = bp.Network((1, 8, 1), activations=["relu", "identity"], seed=1)
    assert "relu_mostly_off" not in found(usual, X=x, y=x**2)


def test_saturated_neurons_with_their_mean_slope():
    net = bp.Network.from_weights([[[30, 30, 20.0], [1, 1, 0]], [[1, 1, 0.1]]])
    reason = found(net)["saturated"]
    assert reason.where == ("H1",)
    u = X.sum(axis=1) * 30 + 20
    mean = (np.exp(-u) / (1 + np.exp(-u)) ** 2).mean()
    assert f"is {mean:.1e}".replace("e-0", "e-") in reason.message


def test_targets_that_no_output_answers():
    one = found(bp.Network.from_weights([[[0.5, 0]]]), X=[[3.0]], y=[[2.0]])["target_out_of_range"]
    assert one.message.startswith("the target is out of A1's reach: sigmoid gives only values between 0 and 1")
    some = found(bp.Network((2, 2, 1), activation="tanh"), y=3 * Y)["target_out_of_range"]
    assert some.message.startswith("2 of 4 targets are out of A1's reach")
    assert "target_out_of_range" not in found(bp.Network((2, 2, 1)))
    assert "target_out_of_range" not in found(bp.Network((2, 2, 1), activations=["tanh", "identity"]), y=3 * Y)


def test_inputs_that_are_not_scaled():
    net = bp.Network((2, 3, 1), init="uniform:-1,1", seed=0)
    reasons = found(net, X=X * [1, 1000])
    assert found(net, X=[[0, 1000], [1000, 0], [1000, 1000], [500, 800]])["saturated"].where == ("H1", "H2", "H3")
    assert reasons["unscaled_inputs"].where == ("X2",)
    assert "X2 has a root mean square of 707, X1 of 0.707, a ratio of 1000" in reasons["unscaled_inputs"].message
    assert "unscaled_inputs" not in found(net)


@pytest.mark.parametrize("rate", [30.0, 300.0])
def test_a_step_too_large_for_the_curvature(rate):
    net = bp.Network((2, 3, 1), seed=0)
    reason = found(net, rate=rate)["step_too_large"]
    assert "raises the cost from 0.2966" in reason.message
    assert net.step(X, Y, learning_rate=rate).cost(X, Y) > net.cost(X, Y)
    assert "above 2/κ = 20 steps overshoot" in reason.message
    lower, higher = net.step(X, Y, 10).cost(X, Y), net.step(X, Y, 24).cost(X, Y)
    assert lower < net.cost(X, Y) < higher  # 2/κ does lie between


def test_a_step_too_small():
    reason = found(bp.Network((2, 3, 1), seed=0), rate=1e-4)["step_too_small"]
    assert "η = 0.0001" in reason.message
    assert set(found(bp.Network((2, 3, 1), seed=0), rate=1.0)) == {"too_few_epochs"}


@pytest.mark.parametrize(("height", "named"), [(1 / 8, "1/8"), (1 / 6, "1/6"), (1 / 4, "1/4")])
def test_the_plateaus_of_the_exclusive_or(height, named):
    for seed in range(40):
        net = bp.Network((2, 2, 1), seed=seed) if named != "1/4" else random(0.05, seed=seed)
        result = bp.train(net, X, Y, epochs=5000 if named != "1/4" else 5, learning_rate=2)
        if abs(result.network.cost(X, Y) - height) < 0.002:
            assert f"a plateau of these data, at {named} =" in found(result.network)["plateau"].message
            return
    raise AssertionError(f"no start is stuck at {named}")


def test_too_few_epochs():
    net = bp.Network((2, 3, 1), seed=0)
    reason = found(net, rate=1.0)["too_few_epochs"]
    share = 1 - net.step(X, Y, 1.0).cost(X, Y) / net.cost(X, Y)
    assert f"{100 * share:.2g}% with each step" in reason.message


def test_what_has_learned_has_no_reason():
    for seed in range(10):
        result = bp.train(bp.Network((2, 2, 1), seed=seed), X, Y, epochs=5000, learning_rate=2)
        if result.history.cost[-1] < 0.001:
            report = why(result.network)
            assert report.findings == ()
            assert "Nothing in the network" in str(report)


@pytest.mark.parametrize("cost", ["binary_cross_entropy", "half_squared_error", "huber"])
@pytest.mark.parametrize("biases", [True, False])
def test_all_costs_and_networks_without_biases(cost, biases):
    report = why(bp.Network((2, 3, 1), biases=biases), cost=cost)
    assert 0 < report.unlearned < 3
    assert json.loads(report.json())["cost"] == pytest.approx(report.cost)
    assert all(text for text in (report.latex(), report.html(), report.markdown()))


def test_a_diagnosis_of_right_gradients_says_it_too():
    net = bp.Network.from_weights([np.full((2, 3), 0.5), np.full((1, 3), 0.5)])
    g = net.gradients(X, Y)
    report = bp.diagnose(net, X, Y, {name: g[name] for name in net.weight_names})
    assert report.correct
    assert "H1 and H2 have the same weights" in report.note
    fine = bp.Network((2, 2, 1), seed=0)
    g = fine.gradients(X, Y)
    assert bp.diagnose(fine, X, Y, {name: g[name] for name in fine.weight_names}).note == ""


def test_bad_input_is_refused():
    with pytest.raises(bp.InputError, match="must be a number above 0"):
        why(bp.Network((2, 2, 1)), rate=0)
    with pytest.raises(bp.InputError, match="expected 2 numbers"):
        why(bp.Network((2, 2, 1)), X=[[1.0]])


def test_training_with_a_poor_result_reports_why(tmp_path):
    stuck = done("train", "xor", "--seed", "2", "--out", "xor.safetensors", cwd=tmp_path)
    assert "Why: the cost 0.1252 lies on a plateau of these data, at 1/8" in " ".join(stuck.split())
    assert "Why:" not in done("train", "and", "--out", "and.safetensors", cwd=tmp_path)


def test_a_few_dead_neurons_do_not_speak_for_the_network():
    weights = [[[1.0, 1.0, 0.1], [-1.0, -1.0, -0.1], [0.5, -0.3, 0.2]], [[0.3, 0.2, -0.4, 0.1]]]
    some = bp.Network.from_weights(weights, activations=["relu", "identity"])

    def note(net):
        return bp.diagnose(net, X, Y, net.gradients(X, Y).layers).note

    assert note(some).startswith("But not all of its neurons will learn: H2 is dead")
    assert "hardly learn" not in note(some)
    every = some.replace({"W1~_1": -9, "W3~_1": -9})
    assert note(every).startswith("But it will hardly learn: H1, H2 and H3 are dead")
    unused = some.replace({"W11_2": 0, "W13_2": 0})  # the two that live are not heard
    assert note(unused).startswith("But it will hardly learn: H2 is dead")
