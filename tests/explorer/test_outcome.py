"""A run reports its outcome, stops automatically, and offers remedies."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.looking import press
from explorer.talk import network_of

X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
STUCK = "uniform:-1,1"


def test_solved_is_said_and_the_run_stops(page):
    page.ok("train", speed="max", until_solved=True)
    stopped = page.event("stopped")
    assert stopped["why"] == "solved"
    net = network_of(stopped["view"])
    assert np.abs(net.predict(X) - Y).max() < 0.05
    epochs = stopped["view"]["history"]["epoch"]
    assert re.match(rf"Solved after {epochs:,} epochs", stopped["message"])
    assert stopped["tries"] == []


def stuck_seed(page):
    """A start from which the notes' network stays on XOR's plateau, found by training."""
    for seed in range(40):
        page.ok("set", seed=seed, init=STUCK)
        page.ok("train", speed="max", epochs=20_000)
        if 0.12 < page.event("stopped")["view"]["cost"] < 0.2:
            page.ok("reset")
            return seed
    raise AssertionError("every start solves XOR")


def test_a_plateau_is_reported_with_its_reason_and_remedies(page):
    seed = stuck_seed(page)
    page.ok("train", speed="max", until_solved=True)
    stopped = page.event("stopped")
    assert stopped["why"] == "plateau"
    assert stopped["message"].startswith("Paused: the cost has hardly fallen since epoch")
    assert stopped["tries"][0] == {"label": "Continue", "set": {}}
    assert {"label": "Another start", "set": {"seed": seed + 1}} in stopped["tries"]
    assert all(page.ok("set", **one["set"]) for one in stopped["tries"][1:])
    first = stopped["view"]["history"]["epoch"]
    page.ok("set", seed=seed, sizes=[2, 2, 1])
    page.ok("train", speed="max", until_solved=True, epochs=first)
    first = page.event("stopped")["view"]["history"]["epoch"]
    page.ok("train", speed="max", until_solved=True)  # continuing adds as many epochs
    assert page.event("stopped")["view"]["history"]["epoch"] >= 2 * first


@pytest.mark.parametrize(("rate", "seed"), [(0.3, 0), (0.5, 48), (0.5, 70), (0.5, 135)])
def test_the_plateau_at_the_beginning_is_no_end(page, rate, seed):
    """A small rate needs thousands of epochs before the cost falls: it falls a little all the time, and faster."""
    page.ok("set", learning_rate=rate, seed=seed)
    page.ok("train", speed="max", until_solved=True, epochs=200_000)
    assert page.event("stopped")["why"] == "solved"


def test_a_rate_too_large_offers_a_smaller_one(page):
    page.ok("set", activations=["identity", "identity"], cost="squared_error", learning_rate=50)
    page.ok("train", speed="max", until_solved=True)
    stopped = page.event("stopped")
    assert stopped["why"] == "diverged"
    assert stopped["tries"] == [{"label": "Learning rate 5", "set": {"learning_rate": 5.0}, "reset": True}]


@pytest.fixture
def solved(visit):
    """The page after a run that has solved XOR."""
    page = visit()
    page.locator("#speed").select_option("max")
    press(page, "Train")
    expect(page.locator("#outcome")).to_contain_text("Solved after")
    return page


@pytest.mark.browser
def test_the_page_offers_it_with_a_click(solved):
    page = solved
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_disabled()
    press(page, "Reset")
    expect(page.locator("#outcome")).to_be_hidden()
    page.get_by_role("tab", name="Network", exact=True).click()
    for label in ("Activation of hidden layer 1", "Activation of the output layer"):
        page.get_by_label(label).select_option("identity")
    page.locator("#learning-rate").fill("50")
    page.keyboard.press("Tab")
    press(page, "Train")
    expect(page.locator("#outcome")).to_contain_text("training diverged")
    press(page, "Learning rate 5")
    expect(page.locator("#learning-rate")).to_have_value("5")


@pytest.mark.browser
def test_what_is_said_of_a_run_goes_with_it(solved):
    page = solved
    page.locator("#sample").select_option("1")
    page.locator('[data-weight="W11_1"]').click()
    expect(page.locator("#derivation .result")).to_be_visible()
    expect(page.locator("#outcome")).to_be_visible()
    page.get_by_role("tab", name="Network", exact=True).click()
    page.get_by_label("Neurons of hidden layer 1").fill("3")
    page.keyboard.press("Enter")
    expect(page.locator("#epoch")).to_have_text("0")
    expect(page.locator("#outcome")).to_be_hidden()


@pytest.mark.browser
def test_what_is_said_of_a_run_covers_neither_the_picture_nor_the_next_formulas(visit):
    page = visit("", viewport={"width": 1280, "height": 720})
    page.locator("#speed").select_option("max")
    press(page, "Train")
    expect(page.locator("#outcome")).to_contain_text("Solved after")
    below = "Math.round(document.querySelector('#picture').getBoundingClientRect().top)"
    assert page.locator("#outcome").evaluate("e => e.getBoundingClientRect().bottom") <= page.evaluate(below)
    press(page, "Forward")
    expect(page.locator("#now th").first).to_be_visible()
    expect(page.locator("#outcome")).to_be_hidden()
