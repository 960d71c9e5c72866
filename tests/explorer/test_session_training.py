"""Training in a session: the library's numbers, frames as they come, settings changed on the way."""

from __future__ import annotations

import base64
import time

import numpy as np

import backpath as bp
from explorer.talk import Page, network_of

X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]


def test_training_is_the_librarys_training(page):
    page.ok("train", speed="max", epochs=3000)
    stopped = page.event("stopped")
    assert (stopped["why"], stopped["view"]["history"]["epoch"]) == ("epochs", 3000)
    result = bp.train(network_of(page.view), X, Y, epochs=3000, learning_rate=2.0)
    for mine, theirs in zip(network_of(stopped["view"]).weights, result.network.weights):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)  # one of them may have been computed by NumPy
    history = stopped["view"]["history"]
    shown = [result.history.cost[epoch - 1] for epoch in history["epochs"]]
    np.testing.assert_allclose(history["cost"], shown, rtol=1e-9)
    assert len(history["cost"]) <= 2000


def test_frames_arrive_until_a_pause(page):
    page.ok("surface", resolution=16)
    page.ok("train", speed=200)
    frames = [page.event("frame") for _ in range(10)]
    assert [frame["epoch"] for frame in frames] == sorted({frame["epoch"] for frame in frames})
    assert len(frames[-1]["weights"]) == 9
    assert len(base64.b64decode(frames[-1]["surface"]["values"])) == 16 * 16 * 4
    while not 100 < frames[-1]["epochs_per_second"] < 400:  # lower after a pause of the machine
        frames.append(page.event("frame"))
    view = page.ok("pause")
    assert page.event("stopped")["why"] == "paused"
    assert view["running"] is False
    assert page.ok("pause")["weights"] == view["weights"]


def test_the_curve_is_whole_though_frames_are_thinned(page):
    page.ok("train", speed="max", epochs=10_000)
    curve = {}
    while True:
        event = page.read()
        if event.get("event") == "stopped":
            break
        if "costs" in event:
            curve = dict(event["costs"])
        curve |= dict(event.get("new_costs", []))
    history = event["view"]["history"]
    final = dict(zip(history["epochs"], history["cost"]))
    assert len(final) <= 2000
    assert set(curve) <= set(final) or max(curve) < history["epoch"]
    assert all(final[epoch] == cost for epoch, cost in curve.items() if epoch in final)


def test_settings_change_while_it_trains(page):
    page.ok("train", speed="max")
    page.event("frame")
    view = page.ok("set", learning_rate=0.5)
    assert view["running"] is True
    assert view["state"]["learning_rate"] == 0.5
    epoch = page.event("frame")["epoch"]
    assert page.error("set", learning_rate=-1).startswith("learning rate must be a number above 0")
    page.events.clear()
    assert page.event("frame")["epoch"] > epoch  # a refused change leaves it running
    view = page.ok("set", sizes=[2, 4, 1])
    assert (view["running"], view["history"]["epoch"]) == (False, 0)
    assert page.event("stopped")["why"] == "paused"


def test_divergence_is_reported_and_the_last_weights_are_kept(page):
    page.ok("set", activations=["relu", "identity"], learning_rate=50)
    page.ok("train", speed="max")
    stopped = page.event("stopped")
    assert stopped["why"] == "diverged"
    assert stopped["message"].startswith("training diverged in epoch")
    assert all(np.isfinite(weight["value"]) for weight in stopped["view"]["weights"])


def test_scrubbing_and_training_on(page):
    page.ok("train", speed="max", epochs=1000)
    history = page.event("stopped")["view"]["history"]
    middle = history["snapshots"][len(history["snapshots"]) // 2]
    view = page.ok("scrub", epoch=middle)
    assert view["history"]["epoch"] == middle
    assert view["history"]["epochs"] == history["epochs"]  # what came after is still there to see
    expected = bp.train(network_of(page.view), X, Y, epochs=middle or 1, learning_rate=2.0).network
    if middle:
        np.testing.assert_allclose(network_of(view).weights[0], expected.weights[0], rtol=1e-9)
    page.ok("train", speed="max", epochs=10)
    assert page.event("stopped")["view"]["history"]["epoch"] == middle + 10


def test_of_a_wide_network_a_part_is_drawn(page):
    view = page.ok("set", sizes=[2, 64, 64, 1])
    assert (view["drawn"], [len(names) for names in view["layers"]]) == ("part", [2, 12, 12, 1])
    assert view["more"] == [0, 52, 52, 0]
    assert page.ok("derive", weight="W1,1_1")["path_count"] == 64
    assert page.error("check", claimed={"W11_1": "1"}).startswith("the page checks up to 700 weights")


def test_a_deep_network_is_summed_up(page):
    view = page.ok("set", sizes=[2] + [8] * 8 + [1])
    assert (view["drawn"], view["weights"]) == ("summary", [])
    assert [layer["shape"] for layer in view["summary"]] == [[8, 3], *[[8, 9]] * 7, [1, 9]]
    page.ok("train", speed="max")
    assert len(page.event("frame")["summary"]) == 9


def test_a_slow_page_gets_fewer_frames_and_delays_no_other(server):
    """A page that reads nothing while it trains: its answers come all the same, and another page's at once."""
    with Page(server) as slow, Page(server) as quick:
        slow.ok("set", dataset="spiral", sizes=[2, 16, 16, 16, 16, 1])
        slow.ok("surface", resolution=64)
        slow.ok("train", speed="max")
        time.sleep(3)
        began = time.monotonic()
        quick.ok("derive", weight="W11_1")
        assert time.monotonic() - began < 10  # and not once the other one reads
        epoch = slow.ok("pause")["history"]["epoch"]
        frames = [event["epoch"] for event in slow.events if event["event"] == "frame"]
        assert frames[-1] <= epoch
        assert len(frames) < 3 * 40
