"""``why_not_learning``: each reason is planted, and is found from the numbers; where there is none, none is named."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import backpath as bp
import oracles
from backpath.explain.learning.of_step import too_few_epochs
from backpath.explain.learning.situation import Situation
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
    assert f"σ′ is only {mean:.1e} (".replace("e-0", "e-") in reason.message


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
    assert "so steps with η above 2/κ = 20 overshoot" in reason.message
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


@pytest.mark.parametrize(("share", "is_falling"), [(2e-6, True), (5e-7, False)])
def test_a_cost_that_falls_by_less_than_a_millionth_does_not_fall(share, is_falling):
    net = bp.Network((2, 3, 1), seed=0)
    by_rate = sum(float((g * g).sum()) for g in net.gradients(X, Y).layers) / net.cost(X, Y)
    situation = Situation.of(net, X, Y, "squared_error", share / by_rate)
    assert bool(list(too_few_epochs(situation))) == is_falling


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
    assert "Why: the cost of 0.1252 is on a plateau of these data, at 1/8" in " ".join(stuck.split())
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


def one_neuron(u, activation="sigmoid"):
    """A network without a hidden layer whose net input is u on the samples 0."""
    return bp.Network.from_weights([[[1.0, u]]], activations=activation)


@pytest.mark.parametrize(("activation", "steepest"), [("sigmoid", 0.25), ("tanh", 1.0)])
def test_saturated_is_a_slope_below_a_twentieth_of_the_steepest(activation, steepest):
    u = {"sigmoid": lambda s: np.arccosh(0.5 / s - 1), "tanh": lambda s: np.arccosh(1 / np.sqrt(s))}[activation]
    for share, is_flat in ((0.051, False), (0.049, True)):  # σ′(u) = share × steepest
        hidden = bp.Network.from_weights([[[1, u(share * steepest)]], [[1, 0]]], activations=[activation, "identity"])
        assert ("saturated" in found(hidden, X=[[0.0], [0.0]], y=[[9.0], [5.0]])) == is_flat
    reason = found(hidden, X=[[0.0], [0.0]], y=[[9.0], [5.0]])["saturated"]
    assert f"σ′ is only {share * steepest:.2g} (it can be up to {steepest:g})" in reason.message


def test_outputs_are_saturated_only_where_the_targets_are_not():
    net, x = one_neuron(-8), [[0.0], [16.0]]  # the outputs are about 0 and 1
    assert "saturated" not in found(net, X=x, y=[[0], [1]])
    assert found(net, X=x, y=[[1], [0]])["saturated"].where == ("A1",)
    assert "saturated" not in found(net, X=x, y=[[1], [0]], cost="binary_cross_entropy")


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [
        ("sigmoid", 0, 1),
        ("tanh", -1, 1),
        ("relu", 0, None),
        ("softplus", 0, None),
        ("exp", 0, None),
        ("elu", -1, None),
        ("silu", -0.278, None),
        ("gelu", -0.169, None),
    ],
)
def test_the_range_of_each_output(activation, low, high):
    values = (
        bp.Network((1, 1), activation).replace({"W11_1": 1, "W1~_1": 0}).predict(np.linspace(-20, 20, 4001)[:, None])
    )
    assert values.min() >= low - 1e-3  # an independent look at the range
    for y, is_outside in ((low, False), (low - 0.002, True), (1.0, False), (1.002, high is not None)):
        reason = found(one_neuron(0, activation), X=[[0.0]], y=[[y]]).get("target_out_of_range")
        assert (reason is not None) == is_outside, y
        if reason:
            assert (f"between {low} and {high}" if high else "values of at least ") in reason.message


def test_targets_out_of_range_are_counted_for_each_output():
    net = bp.Network((1, 2), "tanh", seed=0)
    messages = [f.message for f in why(net, X=[[0.0], [1], [2]], y=[[0, 2], [0, -3], [0, 1]]).findings]
    assert any("2 of 3 targets are out of A2's reach" in m and "the targets go from -3 to 2" in m for m in messages)
    assert not any("A1's reach" in m for m in messages)
    assert (
        "1 of 3 targets is out"
        in found(net, X=[[0.0], [1], [2]], y=[[0, 2], [0, 0], [0, 1]])["target_out_of_range"].message
    )


@pytest.mark.parametrize(
    ("X", "where"),
    [
        ([[9.9, 9.9], [-9.9, 9.9]], None),
        ([[10.1, 9.9], [-10.1, 9.9]], ("X1",)),
        ([[10.1, 10.2], [-10.1, 10.2]], ("X1", "X2")),
        ([[1, 0.034], [-1, 0.034]], None),
        ([[1, 0.033], [-1, 0.033]], ("X1", "X2")),
        ([[1, 0], [-1, 0]], None),
    ],
)
def test_unscaled_is_ten_or_a_ratio_of_thirty(X, where):
    reason = found(bp.Network((2, 2, 1), seed=0), X=X, y=[[0], [1]]).get("unscaled_inputs")
    assert (reason and reason.where) == where
    if where == ("X1", "X2") and X[0][1] < 1:
        assert "X1 has a root mean square of 1, X2 of 0.033, a ratio of 30" in reason.message


@pytest.mark.parametrize(("share", "is_tiny"), [(0.099, True), (0.101, False)])
def test_tiny_is_a_tenth_of_glorots_deviation(share, is_tiny):
    usual = np.sqrt(2 / (2 + 2))
    net = bp.Network.from_weights(
        [np.array([[1, -1, 0], [-1, 1, 0.5]]) * [1, 1, 1 / (share * usual)] * share * usual, [[1, -1, 0]]]
    )
    reason = found(net, X=0.5 * X, rate=0.1).get("tiny_weights")
    assert (reason is not None) == is_tiny
    if reason:
        assert f"root mean square is {share * usual:.2g}, but {usual:.2g} is usual at the start" in reason.message


@pytest.mark.parametrize(("off", "is_named"), [(15, False), (16, True)])
def test_mostly_off_is_more_than_three_quarters(off, is_named):
    x = np.arange(20.0)[:, None]
    net = bp.Network.from_weights([[[1, 0.5 - off], [1, 1]], [[1, 1, 0]]], activations=["relu", "identity"])
    reason = found(net, X=x, y=x**2).get("relu_mostly_off")
    assert (reason is not None) == is_named
    if reason:
        assert reason.where == ("H1",)
        assert f"H1 is off on {off} of 20 samples" in reason.message


def test_several_dead_neurons_and_one_sample():
    net = bp.Network.from_weights([[[1, -2], [1, -3], [1, 1]], [[1, 1, 1, 0]]], activations=["relu", "identity"])
    several = found(net, X=[[0.5], [1.0]], y=[[3.0], [9.0]])["dead_relu"]
    assert several.where == ("H1", "H2")
    assert several.message.startswith("H1 and H2 are dead: their net input is at most -1 on all 2 samples")
    one = found(net.replace({"W2~_1": 1}), X=[[0.5]], y=[[3.0]])["dead_relu"]
    assert one.message.startswith("H1 is dead: its net input is at most -1.5 on the sample, so σ′ is 0")


@pytest.mark.parametrize(
    ("count", "named"),
    [(2, "H1 and H2 have"), (8, "H1, H2, H3, H4, H5, H6, H7 and H8 have"), (10, "H6, H7, H8 and 2 more have")],
)
def test_many_neurons_are_not_all_named(count, named):
    net = bp.Network.from_weights([np.full((count, 3), 0.5), np.full((1, count + 1), 0.5)])
    assert named in found(net)["equal_neurons"].message


def test_of_many_samples_five_thousand_are_used():
    x = np.linspace(-1, 1, 6000)[:, None]
    net = bp.Network.from_weights([[[1, -1.5], [1, 1]], [[1, 1, 0]]], activations=["relu", "identity"])
    reason = found(net, X=x, y=x)["dead_relu"]
    assert "at most -0.5 on all 5,000 samples" in reason.message  # both ends are among them


def test_weights_of_one_layer_are_all_0():
    first = found(bp.Network((2, 2, 1), seed=0).replace(dict.fromkeys(("W11_1", "W12_1", "W21_1", "W22_1"), 0)))[
        "zero_weights"
    ]
    assert first.where == ("H1", "H2")
    assert "the weights of layer 1 are all 0, so its neurons do not see the inputs" in first.message
    last = found(bp.Network((2, 2, 1), seed=0).replace({"W11_2": 0, "W12_2": 0}))["zero_weights"]
    assert last.where == ("A1",)
    assert "the weights into layer 2 are all 0" in last.message


@pytest.mark.parametrize(
    ("count", "named"),
    [(6, "1, 2, 3, 4, 5, 6 get"), (7, "1, 2, 3, 4, 5, 6 and 1 more get"), (9, "1, 2, 3, 4, 5, 6 and 3 more get")],
)
def test_the_samples_of_a_plateau(count, named):
    """Samples with one answer, the mean of their targets, beside two that are answered well."""
    x = np.concatenate([np.arange(count) / count, [50, 51]])[:, None]
    y = np.concatenate([np.arange(count) % 2, [3.0, 3.0]])[:, None]
    mean = y[:count].mean()
    net = bp.Network.from_weights([[[1000, -10_000]], [[3 - mean, mean]]], activations=["sigmoid", "identity"])
    reason = found(net, X=x, y=y, rate=1e-9)["plateau"]
    assert f"samples {named} the same output {mean:.3g}" in reason.message
    assert f"the cost of {net.cost(x, y):.4g} is on a plateau" in reason.message


def test_the_shares_of_a_step_that_is_too_small():
    net = bp.Network((2, 3, 1), seed=0)
    cost, after, further = (net.step(X, Y, rate).cost(X, Y) for rate in (1e-12, 1e-4, 1e-2))
    message = found(net, rate=1e-4)["step_too_small"].message
    one, hundred = (f"{float(f'{100 * (cost - c) / cost:.2g}'):g}" for c in (after, further))
    assert f"lowers the cost of {cost:.4g} by only {one}%" in message.replace("e-05", "e-5")
    assert f"a hundred times that rate by {hundred}%" in message
    assert "step_too_small" not in found(net, rate=0.05)


def test_without_a_rate_the_curvature_gives_one():
    codes = {f.mistake for f in why(bp.Network((2, 3, 1), seed=0), rate=None).findings}
    assert not codes & {"step_too_large", "step_too_small", "too_few_epochs"}
    stuck = bp.Network.from_weights([[[0, 0, 0.0], [0, 0, 0]], [[0.5, -0.5, 0]]], activations=["tanh", "sigmoid"])
    assert "plateau" in {f.mistake for f in why(stuck, rate=None).findings}


def test_equal_targets_are_learned_only_exactly():
    right = bp.Network.from_weights([[[0.0, 0, 0.5]]], activations="identity")
    assert why(right, y=0 * Y + 0.5).unlearned == 0
    assert why(right, y=0 * Y + 0.25).unlearned == 1
    assert why(right, y=Y).unlearned == 1  # the best constant


def test_the_docs_list_every_reason():
    page = (oracles.CASES.parents[1] / "docs" / "diagnose.md").read_text("utf-8")
    table = page.partition("| code | what is found |")[2].partition("##")[0]
    sources = Path(bp.explain.learning.__file__).parent.glob("*.py")
    made = {code for source in sources for code in re.findall(r'Reason\(\s*"(\w+)"', source.read_text("utf-8"))}
    assert made == set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
