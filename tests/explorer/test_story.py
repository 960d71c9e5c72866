"""The numbers on the page agree with each other, and say what they are of."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import backpath as bp
from explorer.looking import NET, X, Y, edge, link, number, press, tab, until, weights

pytestmark = pytest.mark.browser
EPOCH = "Number(document.querySelector('#epoch').textContent.replaceAll(',', ''))"


def test_a_slope_is_shown_with_its_number_at_its_neuron(visit):
    page = visit(link())
    press(page, "Forward")
    edge(page, "W11_1")
    rows = page.locator("#derivation > .factors > .factor")
    right = bp.derive(NET, "W11_1").evaluate(X, Y).factors
    rows.nth(1).hover()  # ∂A1/∂u_A1
    slope = page.locator('[data-neuron="A1"] .slope')
    expect(slope).to_have_text(re.compile("σ′"))
    assert number(slope.text_content().partition("=")[2]) == pytest.approx(right[1].value, rel=1e-4)
    rows.nth(3).hover()
    assert number(page.locator('[data-neuron="H1"] .slope').text_content().partition("=")[2]) == pytest.approx(
        right[3].value, rel=1e-4
    )
    expect(slope).to_have_text("")


def test_the_first_factor_lights_the_cost(visit):
    page = visit(link())
    edge(page, "W11_1")
    page.locator("#derivation > .factors > .factor").first.hover()
    expect(page.locator('[data-neuron="C"].lit')).to_have_count(1)


def test_after_the_update_it_is_said_whose_numbers_they_are(visit):
    page = visit(link())
    edge(page, "W11_1")
    for name in ("Forward", "Backward", "Update"):
        press(page, name)
    expect(page.locator("#now")).to_contain_text("belong to the old weights")
    expect(page.locator("#derivation .said")).to_contain_text("With the new weights.")
    assert page.locator("#picture svg.before-update").count() == 1
    after = NET.step(X, Y, learning_rate=0.5)
    right = bp.derive(after, "W11_1").evaluate(X, Y).gradient
    assert number(page.locator("#derivation .result .figure").inner_text()) == pytest.approx(right, rel=1e-4)
    press(page, "Forward")
    expect(page.locator("#derivation .said")).not_to_contain_text("With the new weights.")


def test_all_at_once_shows_every_contribution_and_their_mean(visit):
    page = visit(link())
    page.locator("#sample").select_option("batch")
    edge(page, "W11_1")
    table = page.locator("#derivation .contributions")
    expect(table.locator("tbody tr")).to_have_count(4)
    found = [number(text) for text in table.locator(".number").all_inner_texts()]
    xor = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
    assert found[:4] == pytest.approx([NET.gradients(x, y)["W11_1"] for x, y in xor], rel=1e-3, abs=1e-12)
    assert sum(found[:4]) / 4 == pytest.approx(found[4], rel=1e-3)


def test_with_mixed_activations_each_sigma_is_of_a_layer(visit):
    page = visit(link(activations=["tanh", "sigmoid"]))
    edge(page, "W11_1")
    said = page.locator("#derivation .steps p").all_inner_texts()
    assert said[-2:] == ["σ in layer 1 is tanh:", "σ in layer 2 is sigmoid:"]


def test_one_samples_cost_and_the_mean_are_never_compared(visit):
    page = visit(link())
    press(page, "Forward")
    page.locator("#sample").select_option("batch")
    press(page, "Forward")
    expect(page.locator('[data-neuron="C"] .number').last).not_to_have_text("–")
    assert page.locator('[data-neuron="C"] .was').text_content() == ""
    expect(page.locator("#cost-title")).to_have_text("Mean cost")


def test_while_it_trains_the_numbers_are_of_the_weights_in_the_picture(visit):
    """At one epoch a second, of the sample 1, 1."""
    page = visit(link())
    page.locator("#speed").select_option("1")
    press(page, "Train")
    until(page, f"{EPOCH} >= 2")
    shown = page.evaluate("""() => ({
      weights: [...document.querySelectorAll('#picture .label .value')].map(e => e.textContent),
      A: document.querySelector('[data-neuron="A1"] .number:nth-of-type(2)')?.textContent,
      all: [...document.querySelectorAll('[data-neuron="A1"] .number')].map(e => e.textContent),
      cost: document.querySelector('#cost').textContent,
    })""")
    press(page, "Pause")
    W = [number(text) for text in shown["weights"]]
    net = bp.Network.from_weights([[W[0:3], W[3:6]], [W[6:9]]])
    u, a = sorted(number(text) for text in shown["all"])
    run = net.forward(X)
    assert sorted([run["u_A1"], run["A1"]]) == pytest.approx([u, a], rel=1e-3)
    assert number(shown["cost"]) == pytest.approx(net.cost([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]), rel=1e-3)


def test_at_the_slow_speed_it_flows_forward_and_back(visit):
    page = visit(link())
    page.locator("#speed").select_option("0.25")
    press(page, "Train")
    until(page, "document.querySelectorAll('.pulse.forward').length > 0")
    until(page, "document.querySelectorAll('.pulse.backward').length > 0")
    moved = page.locator(".pulse").first.evaluate("e => getComputedStyle(e).animationName")
    assert moved == "flow"
    press(page, "Pause")
    expect(page.locator(".pulse")).to_have_count(0)
    still = visit(link(), reduced_motion="reduce")
    still.locator("#speed").select_option("0.25")
    press(still, "Train")
    until(still, "document.querySelectorAll('.pulse.forward').length > 0")
    assert still.locator(".pulse").first.evaluate("e => getComputedStyle(e).animationName") == "none"
    press(still, "Pause")


def test_a_pinned_run_stays_beside_the_next_one(visit):
    page = visit(link())
    press(page, "Train")
    until(page, f"{EPOCH} > 300")
    press(page, "Pause")
    press(page, "Pin")
    expect(page.locator("#pins li")).to_contain_text("2-2-1, η 0.5, seed 0")
    tab(page, "Network")
    press(page, "New weights: next seed")
    expect(page.locator("#epoch")).to_have_text("0")
    expect(page.locator("#pins li")).to_have_count(1)
    press(page, "Unpin 2-2-1, η 0.5, seed 0")
    expect(page.locator("#pins li")).to_have_count(0)


def test_maps_in_the_neurons(visit):
    page = visit(link())
    page.locator("#show-maps").check()
    expect(page.locator("#picture image.map")).to_have_count(3)
    before = page.locator('[data-neuron="H1"] image').get_attribute("href")
    assert before.startswith("data:image/png")
    edge(page, "W11_1")
    page.locator("#weight-value").fill("5")
    press(page, "Set")
    until(page, f"document.querySelector('[data-neuron=\"H1\"] image')?.getAttribute('href') !== {before!r}")
    page.locator("#show-maps").uncheck()
    expect(page.locator("#picture image.map")).to_have_count(0)


def test_a_click_in_the_table_of_samples_takes_that_sample(visit):
    page = visit(link())
    edge(page, "W21_1")
    tab(page, "Samples")
    rows = page.locator("#truth-table tbody tr")
    expect(rows).to_have_count(4)
    shares = [number(text) for text in page.locator("#truth-table td:last-child").all_inner_texts()]
    assert sum(shares[:4]) / 4 == pytest.approx(shares[4], rel=1e-3)
    press(page, "Sample 2: use it for the step")
    expect(page.locator("#sample")).to_have_value("1")
    assert weights(page)["W21_1"] == pytest.approx(-0.4)


def test_a_figure_in_a_wrong_form_takes_the_verdict_away(visit):
    page = visit(link())
    tab(page, "Check")
    figure, verdict = page.locator('#claims [name="W11_2"]'), page.locator("#verdict")
    right = f"{NET.gradients(X, Y)['W11_2']:.5f}"
    for typed in (right, right.replace(".", ",")):
        figure.fill(typed)
        press(page, "Check my figures")
        expect(verdict).to_contain_text("The figure is right.")
        figure.fill("abc")
        press(page, "Check my figures")
        expect(page.locator("#error")).to_contain_text("must be a number")
        expect(verdict).to_be_empty()
    figure.fill(right)
    press(page, "Check my figures")
    expect(verdict).to_contain_text("The figure is right.")
    expect(page.locator("#error")).to_be_empty()


@pytest.mark.parametrize(
    ("typed", "value"), [("1,5", 1.5), ("1/3", 1 / 3), ("\N{MINUS SIGN}0.2", -0.2), ("\N{MINUS SIGN}1/4", -0.25)]
)
def test_numbers_are_understood_wherever_they_are_typed(visit, typed, value):
    page = visit(link())
    page.locator('[data-weight="W21_1"]').dblclick()
    page.get_by_label("W21_1, new value").fill(typed)
    page.keyboard.press("Enter")
    expect(page.get_by_label("W21_1, new value")).to_be_hidden()
    assert weights(page)["W21_1"] == pytest.approx(value, rel=1e-4)
    edge(page, "W11_1")
    page.locator("#weight-value").fill(typed)
    press(page, "Set")
    expect(page.locator("#message")).to_contain_text("W11_1 is")
    assert weights(page)["W11_1"] == pytest.approx(value, rel=1e-4)
    page.locator("#learning-rate").fill(typed.lstrip("\N{MINUS SIGN}"))
    page.keyboard.press("Tab")
    until(page, f"Math.abs(Number(document.querySelector('#learning-rate').value) - {abs(value)}) < 1e-9")
    tab(page, "Data")
    page.locator("#row summary").click()
    page.get_by_label("X2", exact=True).fill(typed)
    press(page, "Use this row for the step")
    until(page, f"Math.abs(Number(document.querySelector('[data-neuron=\"X2\"] .only').textContent) - {value}) < 1e-4")
    tab(page, "Network")
    page.locator("#init").fill("normal:" + typed.lstrip("\N{MINUS SIGN}"))
    page.keyboard.press("Tab")
    until(page, f"Math.abs(Number(document.querySelector('#init').value.split(':')[1]) - {abs(value)}) < 1e-9")
