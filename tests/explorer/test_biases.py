"""The explorer with a network that has no bias neurons."""

import backpath as bp
from backpath.explorer.answers import derivation, neuron
from backpath.explorer.commands import change, open_state
from backpath.explorer.scene import Scene
from backpath.explorer.turns import Run
from backpath.explorer.view import view
from backpath.files.models import Model


def test_bias_neurons_can_be_left_out():
    scene = change(Scene.of_data_set("xor"), {"biases": False})
    assert scene.network == bp.Network((2, 2, 1), activations=scene.settings.activations, biases=False)
    shown = view(scene, False)
    assert [w["name"] for w in shown["weights"]] == list(scene.network.weight_names)
    assert shown["state"]["biases"] is False
    assert open_state(Scene.of_data_set("and"), {"state": shown["state"]}).network == scene.network
    assert change(scene, {"biases": True}).network.biases


def test_it_is_stepped_explained_and_trained():
    scene = change(Scene.of_data_set("xor"), {"biases": False})
    for passing in ("Forward", "Backward", "Update"):
        scene = scene.stepped(passing, "all")
    assert "~" not in "".join(view(scene, False)["step"]["values"])
    assert "~" not in derivation(scene, "W11_1")["formulas"][0]["mathml"]
    asked = neuron(scene, "H1")
    delta = bp.Network.gradients(scene.network.with_zero_biases(), scene.focus.x, scene.focus.y)["W1~_1"]
    assert asked["values"]["delta_H1"]["value"] == delta
    turn = Run(scene).turn(0.01, 3)
    assert turn.network.sizes == (2, 2, 1) and not turn.network.biases


def test_a_model_without_biases_is_shown():
    net = bp.Network((2, 3, 1), biases=False, dtype="float32")
    scene = Scene.of_model(Model(net))
    assert [W.shape for W in scene.network.weights] == [(3, 2), (1, 3)]
    assert not scene.settings.biases
