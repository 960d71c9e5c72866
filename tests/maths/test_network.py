"""What a user does with a Network: make it, read it, replace a weight, get a clear error."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given

import backpath as bp
from backpath.maths.initialisations import INITIALISATIONS
from backpath.maths.network import Network
from backpath.maths.other_names import activation_called, cost_called
from strategies import networks, seeds

NOTES = [[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]]]
XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float), np.array([0.0, 1, 1, 0])


@pytest.fixture
def net():
    return Network.from_weights(NOTES)


def test_names_read_the_notes_rows(net):
    assert [net[name] for name in net.weight_names] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert net["W2,1_1"] == net["W21_1"] == 0.4


def test_forward_by_hand(net):
    run = net.forward([0, 1])
    u_H1, u_H2 = 0.3 + 0.2, 0.6 + 0.5
    H1, H2 = 1 / (1 + np.exp(-u_H1)), 1 / (1 + np.exp(-u_H2))
    u_A1 = 0.9 + 0.7 * H1 + 0.8 * H2
    assert (run["X1"], run["X2"], run["u_H1"]) == (0, 1, 0.5)
    assert [run["H1"], run["H2"], run["u_A1"]] == pytest.approx([H1, H2, u_A1], rel=1e-15)
    assert run.output == pytest.approx([1 / (1 + np.exp(-u_A1))], rel=1e-15)


def test_shapes_of_single_inputs_and_batches(net):
    assert net.predict([0, 1]).shape == (1,)
    assert net.predict([[0, 1]]).shape == (1, 1)
    assert net.forward(XOR[0])["H1"].shape == (4,)


def test_a_long_batch_is_predicted_as_its_samples_are(net):
    X = np.random.default_rng(0).normal(size=(25_000, 2))
    assert net.predict(X) == pytest.approx(net.forward(X).output, rel=1e-15)


def test_a_network_never_changes(net):
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0][0, 0] = 1
    with pytest.raises(AttributeError):
        net.sizes = (1, 1)
    given_arrays = [np.array(W) for W in NOTES]
    made = Network.from_weights(given_arrays)
    given_arrays[0][0, 0] = 99
    assert made["W11_1"] == 0.1
    assert net.replace({"W11_1": 5})["W11_1"] == 5
    assert net["W11_1"] == 0.1
    assert net.step(*XOR) is not net


@given(networks(dtypes=("float32", "float64")))
def test_pickles_and_copies_are_equal_and_read_only(drawn):
    net, _ = drawn
    for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert other == net
        assert hash(other) == hash(net)
        assert not any(W.flags.writeable for W in other.weights)


@given(networks(), seeds)
def test_the_seed_decides_the_weights(drawn, seed):
    net, _ = drawn
    again = [Network(net.sizes, activations=net.activations, seed=seed) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] != Network(net.sizes, activations=net.activations, seed=seed + 1)


SPREADS = {
    "glorot_uniform": np.sqrt(2 / 300),
    "glorot_normal": np.sqrt(2 / 300),
    "he_uniform": np.sqrt(2 / 200),
    "he_normal": np.sqrt(2 / 200),
    "lecun_normal": np.sqrt(1 / 200),
    "uniform:-2,4": np.sqrt(3),
    "normal:0.5": 0.5,
}


@pytest.mark.parametrize("init", [*INITIALISATIONS, "uniform:-2,4", "normal:0.5"])
def test_initialisations_have_their_documented_spread(init):
    weights = Network((200, 100), init=init, seed=1).weights[0]
    assert weights.std() == pytest.approx(SPREADS[init], rel=0.03)
    assert weights.mean() == pytest.approx(1 if init == "uniform:-2,4" else 0, abs=0.05 * SPREADS[init])


def test_thresholded_shows_the_truth_table_of_xor_on_threshold_logic_units():
    units = Network.from_weights([[[20, 20, -10], [-20, -20, 30]], [[20, 20, -30]]]).thresholded()
    assert units.activations == ("step", "step")
    assert units.predict(XOR[0]).ravel().tolist() == [0, 1, 1, 0]
    assert units.forward([0, 0])["u_H1"] == -10


@pytest.mark.parametrize("call", ["gradients", "step"])
def test_threshold_logic_units_are_not_trained(net, call):
    with pytest.raises(bp.InputError, match=r"layer 1 cannot be trained: step .*train with sigmoid.*thresholded\(\)"):
        getattr(net.thresholded(), call)(*XOR)
    with pytest.raises(bp.InputError, match="layer 1 cannot be trained"):
        bp.train(net.thresholded(), *XOR)


def test_equal_networks_hash_alike(net):
    zero, minus = net.replace({"W11_1": 0.0}), net.replace({"W11_1": -0.0})
    assert zero == minus
    assert hash(zero) == hash(minus)


def test_a_forward_pass_keeps_its_inputs(net):
    X = np.array([[0.0, 1.0], [1.0, 1.0]])
    run = net.forward(X)
    X[:] = 9
    assert run["X1"].tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        run.output[0] = 1


def test_frozen_weights_stay(net):
    stepped = net.step(*XOR, frozen=("W11_1", "biases"))
    moved = {name for name in net.weight_names if stepped[name] != net[name]}
    assert moved == {"W12_1", "W21_1", "W22_1", "W11_2", "W12_2"}


def test_cost_is_averaged_over_samples_and_summed_over_outputs():
    net = Network.from_weights([[[0, 1.0], [0, 2.0]]], activations="identity")
    assert net.cost([[0], [0]], [[0, 0], [3, 3]]) == ((1 + 4) + (4 + 1)) / 2
    assert net.cost([[0], [0]], [[0, 0], [3, 3]], "half_squared_error") == ((1 + 4) + (4 + 1)) / 4


BAD = [
    (lambda n: Network((2, 0, 1)), r"sizes must be at least two .* each at least 1, but are \(2, 0, 1\)"),
    (lambda n: Network((2,)), r"at least two numbers \(inputs, …, outputs\)"),
    (lambda n: Network((2, 2.5, 1)), r"sizes must be whole numbers, as in \(2, 2, 1\)"),
    (lambda n: Network("ab"), "sizes must be whole numbers"),
    (lambda n: Network((2, 10**9, 1)), r"has 4,000,000,001 weights; training it needs \d+ GiB, and this machine has"),
    (lambda n: Network((10**8, 10**7, 1)), "has more than 10¹⁵ weights"),
    (lambda n: Network((10**8, 10**7 - 1, 1)), r"has 999,999,919,999,999 weights"),
    (lambda n: Network((2, 10**400, 1)), "has more than 10¹⁵ weights"),
    (lambda n: Network((2, -(10**5000), 1)), "but are a number of over 4,300 digits"),
    (lambda n: Network((2, 2, 1), biases="no"), "biases must be True or False, but is 'no'"),
    (lambda n: Network((2, 2, 1), seed=-1), "seed must be a whole number of at least 0, but is -1"),
    (lambda n: Network((2, 2, 1), seed="x"), "seed must be a whole number"),
    (lambda n: Network((2, 2, 1), activation=5), "activations must be a name, or one per layer, but are 5"),
    (lambda n: Network((2, 2, 1), dtype="x"), "dtype must be float64 or float32, but is 'x'"),
    (lambda n: Network((2, 2, 1), init="uniform:-1e308,1e308"), "unknown init"),
    (lambda n: Network((2, 2, 1), init=["a"]), "unknown init"),
    (lambda n: Network((2, 2, 1), init="normal:1e300", dtype="float32"), "layer 1's weights must be finite"),
    (lambda n: Network.from_weights(None), "weights must hold an array per layer, but are of type NoneType"),
    (lambda n: Network.from_weights([[[1, 10**400]]]), "layer 1's weights must be rows of numbers"),
    (lambda n: n.replace(None), "replace takes weights by name"),
    (lambda n: n.replace({"W11_1": 10**400}), "W11_1 must be a finite number"),
    (lambda n: n.step([[0, 1]], [1], learning_rate=10**400), "learning_rate must be a number above 0"),
    (lambda n: n.step([[0, 1]], [1], frozen=5), "frozen must be weight names, or 'biases', but is 5"),
    (lambda n: n["W١١_1"], "has no weight"),
    (lambda n: Network((2, 2, 1), "swish"), "unknown activation 'swish'"),
    (lambda n: Network((2, 2, 1), activations=["tanh"]), "there must be 2 activations, one per layer"),
    (lambda n: Network((2, 2, 1), "softmax"), "softmax is for an output layer of at least 2 neurons"),
    (lambda n: Network((2, 3, 2), ("softmax", "sigmoid")), "at least 2 neurons, but layer 1 is softmax"),
    (lambda n: Network((2, 3, 1), ("tanh", "softmax")), "at least 2 neurons, but layer 2 is softmax"),
    (lambda n: Network((2, 2, 1), init="magic"), "unknown init 'magic'; expected one of glorot_uniform"),
    (lambda n: Network((2, 2, 1), init="uniform:1,-1"), "unknown init"),
    (lambda n: Network((2, 2, 1), dtype="int8"), "dtype must be float64 or float32, but is 'int8'"),
    (lambda n: Network.from_weights([]), "weights must hold an array per layer"),
    (lambda n: Network.from_weights([[[1, 2], [3]]]), "layer 1's weights must be rows of numbers of equal length"),
    (
        lambda n: Network.from_weights([[1, 2]]),
        r"must have shape \(neurons, inputs\), but have shape \(2,\)",
    ),
    (
        lambda n: Network.from_weights([[1, 2]], biases=True),
        r"shape \(neurons, inputs \+ 1\), bias last, but have shape \(2,\)",
    ),
    (lambda n: Network.from_weights([np.zeros((0, 3))]), r"must have shape .*, but have shape \(0, 3\)"),
    (lambda n: Network.from_weights([np.zeros((2, 1))]), r"must have shape .*, but have shape \(2, 1\)"),
    (lambda n: Network.from_weights([np.zeros((2, 0))], biases=False), r"\(neurons, inputs\), but have shape \(2, 0\)"),
    (lambda n: Network.from_weights([[[1, np.nan]]]), "layer 1's weights must be finite, but contain nan"),
    (lambda n: Network.from_weights([[[1, 2]], [[1, 2, 3]]]), "layer 2's weights must have 2 columns"),
    (lambda n: n["W31_1"], "the network 2-2-1 has no weight 'W31_1'; did you mean W21_1"),
    (lambda n: n[3], "has no weight 3"),
    (lambda n: n.replace({"W11_1": "x"}), "W11_1 must be a finite number, but is 'x'"),
    (lambda n: n.replace({"W11_1": 1e999}), "W11_1 must be a finite number, but is inf"),
    (lambda n: n.predict([1, 2, 3]), r"expected 2 numbers for one input, or a batch .*, but X has 3 numbers"),
    (lambda n: n.predict([[1], [2]]), "X has 1 numbers in a row"),
    (lambda n: n.predict([[1, 2], [3]]), "X must be numbers in rows of equal length"),
    (lambda n: n.predict(["a", "b"]), "X must be numbers"),
    (lambda n: n.predict([[0, 1], [2, np.inf]]), "X must be finite in float64, but contains inf in row 1, column 1"),
    (lambda n: n.predict(np.zeros((0, 2))), "X must hold at least one sample"),
    (lambda n: n.cost([[0, 1]], [1, 2]), r"y must have shape \(1, 1\) to fit X and the network's outputs"),
    (lambda n: n.cost([[0, 1]], [1], "hinge"), "unknown cost 'hinge'; expected one of squared_error"),
    (lambda n: n.cost([[0, 1]], [2], "binary_cross_entropy"), "targets from 0 to 1, but y is 2 in row 0, column 0"),
    (lambda n: n.cost([[0, 1]], [1], "categorical_cross_entropy"), "needs softmax outputs, but the output layer is"),
    (lambda n: n.step([[0, 1]], [1], learning_rate=0), "learning_rate must be a number above 0, but is 0"),
    (lambda n: n.step([[0, 1]], [1], frozen="W9~_9"), "has no weight 'W9~_9'"),
    (lambda n: n.forward([0, 1])["H3"], "the network 2-2-1 has no neuron 'H3'; its neurons are X1…X2, H1…H2, A1…A1"),
    (lambda n: Network((2, 1), "tanh").thresholded(), "only sigmoid neurons can become threshold logic units"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[str(k) for k in range(len(BAD))])
def test_bad_input_gets_one_plain_line(net, call, message):
    with pytest.raises(bp.InputError, match=message) as caught:
        call(net)
    assert "\n" not in str(caught.value)


def test_softmax_targets_must_be_one_hot():
    net = Network((2, 3), "softmax")
    with pytest.raises(bp.InputError, match=r"targets that sum to 1 \(one-hot\), but row 0 of y sums to 2"):
        net.cost([[0, 1]], [[1, 1, 0]], "categorical_cross_entropy")


def test_a_step_that_overflows_keeps_the_last_finite_network(net):
    huge = net.replace({"W11_2": 1e300})
    linear = Network.from_weights(huge.weights, "identity")
    with pytest.raises(bp.DivergenceError, match=r"a weight of layer 1 stopped.*no finite cost") as caught:
        linear.step([1e10, 1e10], [0], learning_rate=1e30)
    assert caught.value.network == linear
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), bp.DivergenceError)


def test_only_printed_weights_have_a_last_digit():
    net = Network.from_weights([[["0.10", 0.2, "3"]], [[0.5, 0.25]]])
    assert [unit.tolist() for unit in net.printed] == [[[0.01, 0.0, 1.0]], [[0.0, 0.0]]]


def test_at_most_three_weights_are_suggested(net):
    with pytest.raises(bp.InputError) as caught:
        net["W11"]
    assert str(caught.value).partition("did you mean ")[2].count("W") == 3


OTHER_LIBRARIES = {  # the names in their documentation
    cost_called: {
        "mean_squared_error": "squared_error",  # Keras
        "BCEWithLogitsLoss": "binary_cross_entropy",  # PyTorch
        "log_loss": "binary_cross_entropy",  # scikit-learn
        "SmoothL1Loss": "huber",  # PyTorch
        "huber": "huber",
        "Half Squared Error": "half_squared_error",
        "half_squared_error": "half_squared_error",
        "no such cost": "no such cost",
    },
    activation_called: {
        "logsig": "sigmoid",  # MATLAB
        "expit": "sigmoid",  # SciPy
        "purelin": "identity",  # MATLAB
        "tanh": "tanh",
        "no such activation": "no such activation",
    },
}


@pytest.mark.parametrize("called", OTHER_LIBRARIES)
def test_other_libraries_names(called):
    arguments = ["sigmoid"] if called is cost_called else []
    assert {name: called(name, *arguments) for name in OTHER_LIBRARIES[called]} == OTHER_LIBRARIES[called]


def test_parts_of_a_larger_array_become_weights_with_an_address_like_others():
    """OpenBLAS 0.3.23, of NumPy 1.26, rounds products with other ones differently."""
    net = bp.Network((2, 3, 1), seed=0)
    flat = np.concatenate([W.ravel() for W in net.weights])
    for begin in (0, 1):  # one of the layers is not at a multiple of 16 bytes, in turn
        moved = np.empty(len(flat) + 1)[begin : begin + len(flat)]
        moved[:] = flat
        found = net.with_finite([moved[:9].reshape(3, 3), moved[9:].reshape(1, 4)])
        assert found == net
        assert all(W.ctypes.data % 16 == 0 and W.flags.c_contiguous for W in found.weights)
