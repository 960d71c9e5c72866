"""The page by keyboard, on a phone, in the dark, and for a screen reader."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from explorer.looking import SOLVED, at_speed, edge, gradient, link, press, tab, until, weights

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
TABS = ("Chain rule", "Samples", "Data", "Network", "Check", "Share")


def to(page: Page, wanted: str, key: str = "Tab") -> None:
    """Press Tab until the focus is on what a selector names."""
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{key} does not lead to {wanted}")


def focused(page: Page) -> str:
    """The weight or neuron that has the focus."""
    return page.evaluate(
        "(e => e.dataset.weight ?? e.closest('[data-neuron]')?.dataset.neuron)(document.activeElement)"
    )


def test_everything_by_keyboard(visit):
    """Look at a weight, change it, take a step, train and pause, open a tab; the mouse is not there."""
    page = visit(link())
    to(page, "#forward")
    page.keyboard.press("Enter")
    expect(page.locator('[data-neuron="C"].current')).to_have_count(1)
    to(page, "[data-weight]")
    assert focused(page) == "W11_1"
    for key, place in [
        ("ArrowDown", "W12_1"),
        ("ArrowRight", "H1"),
        ("ArrowRight", "W11_2"),
        ("ArrowRight", "A1"),
        ("ArrowRight", "C"),
        ("Home", "X1"),
        ("ArrowDown", "X2"),
        ("ArrowRight", "W12_1"),
        ("ArrowUp", "W11_1"),
    ]:
        page.keyboard.press(key)
        assert focused(page) == place
    page.keyboard.press("Enter")
    expect(page.locator("#derivation .result")).to_be_visible()
    page.keyboard.press("F2")
    page.keyboard.type("0.75")
    page.keyboard.press("Enter")
    expect(page.locator('[data-weight="W11_1"]')).to_have_attribute("aria-label", re.compile("0.75"))
    expect(page.locator('[data-weight="W11_1"]')).to_be_focused()
    page.locator("#speed").select_option("100")
    to(page, "#train")
    page.keyboard.press("Enter")
    until(page, "Number(document.querySelector('#epoch').textContent) > 20")
    to(page, "#pause")
    page.keyboard.press("Enter")
    expect(page.locator("#train")).to_be_focused()
    to(page, '[role="tab"]')
    page.keyboard.press("ArrowRight")
    expect(page.locator("#panel-samples")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#panel-data")).to_be_visible()
    to(page, "#points")
    page.keyboard.down("Shift")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.up("Shift")
    expect(page.locator("#dataset")).to_have_value("own:0")
    page.keyboard.press("Delete")
    expect(page.locator("#points")).to_have_attribute("aria-label", re.compile("3"))


def test_the_focus_is_seen(visit):
    page = visit(link())
    to(page, "[data-weight]")
    assert page.evaluate("getComputedStyle(document.activeElement).strokeWidth") == "3px"
    to(page, "#undo", "Shift+Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(visit, scheme):
    page = visit(link(), viewport=PHONE, color_scheme=scheme)

    def is_narrow():
        return page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    edge(page, "W11_1")
    gradient(page)
    for name in TABS:
        tab(page, name)
        assert is_narrow(), name
    for name in ("spiral", "sine", "xor"):
        page.locator("#dataset").select_option(name)
        expect(page.locator("#about")).to_contain_text({"spiral": "2-16-16-1", "sine": "1-8-1", "xor": "2-2-1"}[name])
        assert is_narrow(), name


@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_nothing_jumps_while_training(visit, width):
    page = visit(link(learning_rate=3), viewport={"width": width, "height": 1000})  # without a long plateau
    edge(page, "W11_1")
    expect(page.locator("#derivation .steps math").first).to_be_visible()
    page.evaluate("document.fonts.ready.then(() => true)")
    every = "[...document.querySelectorAll('button, select, canvas, h2')]"
    seen = f"{every}.filter(e => e.offsetParent && !e.closest('#outcome'))"
    places = f"{seen}.map(e => e.getBoundingClientRect().y + scrollY)"
    at_speed(page, "max")
    before = page.evaluate(places)
    press(page, "Train")
    until(page, SOLVED)
    assert page.evaluate(places) == before


@pytest.mark.parametrize("width", [1100, 1280])
def test_a_long_gradient_does_not_move_the_weights_field_down(visit, width):
    page = visit(link(), viewport={"width": width, "height": 1000})
    edge(page, "W11_1")
    field = page.locator("#derivation .weight-form input")
    expect(field).to_be_visible()
    places = set()
    for shown in ("0.05", "-0.00049968", "-0.000049968"):
        page.locator("#derivation .result .figure").evaluate("(figure, shown) => (figure.textContent = shown)", shown)
        box = field.bounding_box()
        places.add((box["y"], box["height"]))
        assert box["width"] > 40  # room for a number
    assert len(places) == 1


def test_reduced_motion_moves_nothing_by_itself(visit):
    page = visit(link(), reduced_motion="reduce")
    assert page.locator(".edge").first.evaluate("edge => getComputedStyle(edge).transitionDuration") == "0s"
    still = visit(link(), reduced_motion="no-preference")
    assert still.locator(".edge").first.evaluate("edge => getComputedStyle(edge).transitionDuration") != "0s"


def serious(page: Page, axe: str) -> list[str]:
    """What axe-core finds serious or critical."""
    page.evaluate(axe)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations)")
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, axe, scheme):
    page = visit("", color_scheme=scheme, viewport={"width": 1280, "height": 900})
    assert serious(page, axe) == []
    edge(page, "W11_1")
    for name in ("Forward", "Backward", "Update"):
        press(page, name)
    expect(page.locator("#epoch")).to_have_text("1")
    for name in TABS:
        tab(page, name)
        assert serious(page, axe) == [], name
    page.locator("#dataset").select_option("spiral")
    expect(page.locator("#about")).to_contain_text("16")
    assert serious(page, axe) == []
    page.set_viewport_size(PHONE)
    assert serious(page, axe) == []


def test_every_control_has_a_name(visit):
    page = visit(link())
    assert page.locator("[data-weight]").count() == 9
    for name in ("Forward", "Backward", "Update", "Train", "Pause", "Reset", "Undo"):
        expect(page.get_by_role("button", name=name)).to_have_count(1)  # alone, also where a part of a name is enough
    names = page.locator("#picture [role=button]").evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
    assert all(names)
    assert len(set(names)) == len(names) == 9 + 5 + 2 + 1
    assert "weight W1∼_1 from the bias neuron to H1: 0.3" in names
    assert weights(page)["W11_1"] == pytest.approx(0.1)
