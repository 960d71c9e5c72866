"""The page in a real browser: what a learner sees, clicks and types."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

import backpath as bp
from explorer.looking import (
    NET,
    SOLVED,
    WEIGHTS,
    X,
    Y,
    cost,
    edge,
    factors,
    gradient,
    link,
    neuron,
    number,
    press,
    tab,
    train_until,
    weights,
)

pytestmark = pytest.mark.browser


def test_the_xor_story_by_clicks_alone(visit):
    """From the load of the page to a network that has learned XOR, and back to before."""
    page = visit()
    at_first = cost(page)
    for name in ("Forward", "Backward", "Update"):
        press(page, name)
    expect(page.locator("#epoch")).to_have_text("1")
    train_until(page, SOLVED)
    assert cost(page) < 0.005 < at_first
    for place, answer in enumerate((0, 1, 1, 0)):
        page.locator("#sample").select_option(str(place))
        output = page.locator('[data-neuron="A1"] .body')
        expect(output).not_to_have_attribute("aria-label", re.compile("σ"))  # of the sample before
        press(page, "Forward")
        expect(output).to_have_attribute("aria-label", re.compile("σ"))
        assert round(neuron(page, "A1")["σ(u)"]) == answer
    press(page, "Reset")
    expect(page.locator("#epoch")).to_have_text("0")
    assert cost(page) == at_first


@pytest.mark.parametrize("weight", ["W11_1", "W1~_1", "W22_1", "W12_2"])
def test_the_derivation_has_the_numbers_of_derive(visit, weight):
    page = visit(link())
    edge(page, weight)
    right = bp.derive(NET, weight).evaluate(X, Y)
    assert gradient(page) == pytest.approx(right.gradient, rel=1e-4)
    shown = factors(page)
    assert shown == pytest.approx([factor.value for factor in right.factors], rel=1e-4)
    meanings = page.locator("#derivation > .factors .meaning").all_inner_texts()
    assert meanings == [factor.meaning for factor in right.factors]
    steps = page.locator("#derivation .steps math")
    assert steps.count() > 3
    assert steps.first.evaluate("math => math.namespaceURI") == "http://www.w3.org/1998/Math/MathML"


def test_every_weight_can_be_clicked_in_its_middle(visit):
    """Also where edges cross, and where a number lies over an edge."""
    page = visit(link())
    for name in NET.weight_names:
        edge(page, name)
        assert gradient(page) == pytest.approx(bp.derive(NET, name).evaluate(X, Y).gradient, rel=1e-4)


@pytest.mark.parametrize("data", ["circle", "spiral"])
def test_no_weight_covers_the_middle_of_another(visit, data):
    page = visit(viewport={"width": 1280, "height": 900})
    page.locator("#dataset").select_option(data)
    expect(page.locator("#about")).to_contain_text({"circle": "2-8-1", "spiral": "2-16-16-1"}[data])
    covered = page.locator("[data-weight]").evaluate_all(
        """grips => grips.filter(grip => {
          grip.scrollIntoView({ block: "center" });
          const { x, y, width, height } = grip.getBoundingClientRect();
          return document.elementFromPoint(x + width / 2, y + height / 2) !== grip;
        }).map(grip => grip.dataset.weight)"""
    )
    assert covered == []


def test_a_factor_and_its_place_light_each_other(visit):
    page = visit(link())
    edge(page, "W11_1")
    page.locator("#derivation .factor").nth(2).hover()  # ∂u_A1/∂H1 = W11_2
    expect(page.locator('[data-weight="W11_2"]')).to_have_class(re.compile(r"\blit\b"))
    page.locator('[data-neuron="X1"]').hover()
    expect(page.locator("#derivation .factor.lit")).to_have_count(1)
    expect(page.locator("#derivation .factor.lit .meaning")).to_have_text("the input X1")


def test_a_neuron_shows_its_formula(visit):
    page = visit(link())
    page.locator('[data-neuron="H2"]').click()
    expect(page.locator("#derivation h2")).to_have_text("Neuron H2")
    figures = page.locator("#derivation .values .figure").all_inner_texts()
    run = NET.forward(X)
    assert [number(text) for text in figures][:2] == pytest.approx([run["u_H2"], run["H2"]], rel=1e-4)
    assert page.locator("#derivation math").count() >= 3


def test_a_step_neuron_by_neuron(visit):
    """Numbers appear one after the other, and Undo takes them back."""
    page = visit(link())
    run, grad, after = NET.forward(X), NET.gradients(X, Y), NET.step(X, Y, learning_rate=0.5)
    page.locator("#unit").select_option("neuron")
    press(page, "Forward")
    expect(page.locator('[data-neuron="H1"].current')).to_have_count(1)
    assert neuron(page, "H1") == pytest.approx({"u": run["u_H1"], "σ(u)": run["H1"]}, rel=1e-4)
    assert neuron(page, "H2") == {}
    press(page, "Forward")
    expect(page.locator('[data-neuron="H2"].current')).to_have_count(1)
    press(page, "Undo")
    expect(page.locator('[data-neuron="H1"].current')).to_have_count(1)
    assert neuron(page, "H2") == {}
    page.locator("#unit").select_option("all")
    press(page, "Forward")
    expect(page.locator('[data-neuron="C"] .body')).to_have_attribute("aria-label", re.compile(r"\d"))
    press(page, "Backward")
    seconds = page.locator(".label .second")
    expect(seconds.first).to_have_text(re.compile("∂"))
    shown = [number(text.removeprefix("∂ ")) for text in seconds.all_text_contents()]
    assert shown == pytest.approx([grad[name] for name in NET.weight_names], rel=1e-4)
    press(page, "Update")
    expect(seconds.first).to_have_text("was 0.1")
    assert weights(page) == pytest.approx({name: after[name] for name in NET.weight_names}, rel=1e-4)


def test_a_pass_too_early_is_refused_in_words(visit):
    page = visit(link())
    press(page, "Update")
    expect(page.locator("#error")).to_contain_text("Forward")
    press(page, "Forward")
    expect(page.locator("#error")).to_be_empty()


def test_editing_a_weight(visit):
    """In the picture, and beside its chain rule; what is no number is refused, and nothing changes."""
    page = visit(link())
    page.locator('[data-weight="W21_1"]').dblclick()
    field = page.get_by_label("W21_1, new value")
    expect(field).to_be_focused()
    field.fill("many")
    field.press("Enter")
    expect(page.locator("#error")).to_contain_text("many")
    field.fill("2.5")
    field.press("Enter")
    expect(field).to_be_hidden()
    expect(page.locator('[data-weight="W21_1"]')).to_have_attribute("aria-label", re.compile(r"2\.5"))
    edge(page, "W11_2")
    page.locator("#weight-value").fill("-1")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator('[data-weight="W11_2"]')).to_have_attribute("aria-label", re.compile(r": -1"))
    changed = NET.replace({"W21_1": 2.5, "W11_2": -1})
    edge(page, "W21_1")
    assert gradient(page) == pytest.approx(bp.derive(changed, "W21_1").evaluate(X, Y).gradient, rel=1e-4)


GOOD = "petal length,<script>alert(1)</script>,species\n" + "".join(
    f"{k % 10 / 10},{k % 7 / 7},{'setosa' if k % 10 < 5 else 'virginica'}\n" for k in range(40)
)


def test_uploading_a_table(visit, tmp_path):
    """Names of columns are text, whatever they hold; another column can be predicted."""
    file = tmp_path / "flowers.csv"
    file.write_text(GOOD, encoding="utf-8")
    page = visit()
    tab(page, "Data")
    page.get_by_label("Table file").set_input_files(file)
    expect(page.locator("#upload-state")).to_contain_text("40 rows")
    expect(page.locator("#rows thead")).to_contain_text("<script>alert(1)</script>")
    assert page.locator("main script").count() == 0
    expect(page.locator('[data-neuron="X1"] title')).to_have_text("X1: petal length")
    before = cost(page)
    train_until(page, f"parseFloat(document.querySelector('#cost-figure').textContent) < {before / 2}")
    page.get_by_label("Column to predict").select_option("petal length")
    expect(page.locator("#upload-state")).to_contain_text("petal length")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n3,nan\n", ["the target is 2 in every row"]),
        ("a,b\n1,2\n3\n", ["line 3"]),
        ("", []),
    ],
)
def test_a_bad_table_is_refused_in_one_line(visit, tmp_path, content, said):
    file = tmp_path / "bad.csv"
    file.write_text(content, encoding="utf-8")
    page = visit(link())
    tab(page, "Data")
    page.get_by_label("Table file").set_input_files(file)
    expect(page.locator("#error")).to_contain_text("bad.csv")
    for words in said:
        expect(page.locator("#error")).to_contain_text(words)
    expect(page.locator("#dataset")).to_have_value("xor")
    assert len(weights(page)) == len(NET.weight_names)


def test_check_my_gradient(visit):
    """A missing σ′ of the hidden neurons is reported; right figures are right."""
    page = visit(link())
    tab(page, "Check")
    run, grad = NET.forward(X), NET.gradients(X, Y)
    forgotten = {"W11_1": run["H1"] * (1 - run["H1"]), "W21_1": run["H2"] * (1 - run["H2"])}
    for name in ("W11_1", "W21_1", "W11_2"):
        page.locator(f'#claims [name="{name}"]').fill(f"{grad[name] / forgotten.get(name, 1):.5f}")
    press(page, "Check my figures")
    expect(page.locator("#verdict")).to_contain_text("σ′(u) is missing at H1, H2")
    expect(page.locator("#verdict math").first).to_be_visible()
    for name in forgotten:
        page.locator(f'#claims [name="{name}"]').fill(f"{grad[name]:.5f}")
    press(page, "Check my figures")
    expect(page.locator("#verdict")).to_contain_text("All 3 figures are right.")


def test_back_in_time(visit):
    page = visit(link(learning_rate=3))  # without a long plateau
    at_first = weights(page)
    train_until(page, SOLVED)
    assert weights(page) != at_first
    page.locator("#scrub").focus()
    page.keyboard.press("Home")
    expect(page.locator("#epoch")).to_have_text("0")
    assert weights(page) == pytest.approx(at_first)


def test_points_are_drawn_and_dragged(visit):
    page = visit(link())
    expect(page.locator("#sample")).to_have_value("3")
    page.locator("#points").scroll_into_view_if_needed()
    box = page.locator("#points").bounding_box()
    margin = 36 if min(box["width"], box["height"]) >= 190 else 20
    wide, high = ((box[side] - 2 * margin) / 1.3 for side in ("width", "height"))  # 0 and 1 lie 0.15 from the rims

    def at(x1, x2):
        return box["x"] + margin + wide * (0.15 + x1), box["y"] + margin + high * (1.15 - x2)

    page.mouse.click(*at(0, 1))
    expect(page.locator("#sample")).to_have_value("1")  # picked
    page.mouse.move(*at(1, 1))
    page.mouse.down()
    page.mouse.move(*at(0.8, 0.9), steps=4)
    page.mouse.up()
    expect(page.locator("#dataset")).to_have_value("own:0")
    press(page, "Add 1")
    page.mouse.click(*at(0.5, 0.5))
    expect(page.locator("#points")).to_have_attribute("aria-label", re.compile("5"))
    tab(page, "Data")
    rows = [[number(cell) for cell in row.split("\t")] for row in page.locator("#rows tbody tr").all_inner_texts()]
    assert rows[3] == pytest.approx([0.8, 0.9, 0], abs=0.03)
    assert rows[4] == pytest.approx([0.5, 0.5, 1], abs=0.03)


def test_a_reload_and_a_link_bring_everything_back(visit):
    page = visit(link())
    edge(page, "W11_1")
    page.locator("#weight-value").fill("0.25")
    page.locator("#weight-value").press("Enter")
    expect(page.locator('[data-weight="W11_1"]')).to_have_attribute("aria-label", re.compile("0.25"))
    right = bp.derive(NET.replace({"W11_1": 0.25}), "W11_1").evaluate(X, Y).gradient
    expect(page.locator("#derivation .result .figure")).to_have_text(f"{right:.5g}")
    seen = weights(page), gradient(page)
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.wait_for_selector("#derivation .result")
    assert (weights(page), gradient(page)) == seen
    other = visit(page.evaluate("location.hash"), viewport={"width": 1600, "height": 900})
    other.wait_for_selector("#derivation .result")
    assert (weights(other), gradient(other)) == seen


def test_a_broken_link_is_said_to_be_broken(visit):
    page = visit("#s=eyJzdGF0ZSI6")
    expect(page.locator("#error")).to_contain_text("The link cannot be read")
    expect(page.locator("#dataset")).to_have_value("xor")


def test_the_picture_and_the_model_are_saved_and_opened(visit, tmp_path):
    page = visit(link())
    tab(page, "Share")
    with page.expect_download() as saved:
        press(page, "Save as SVG")
    drawn = saved.value.path().read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    for text in ("H1", "A1", "0.7", "-0.8"):
        assert f">{text}<" in drawn
    with page.expect_download() as saved:
        press(page, "Save as PNG")
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save this network").click()
    saved.value.save_as(tmp_path / "mine.safetensors")
    assert bp.load(tmp_path / "mine.safetensors").weights[0].tolist() == WEIGHTS[0]
    other = visit()
    tab(other, "Share")
    other.get_by_label("Open a model file").set_input_files(tmp_path / "mine.safetensors")
    expect(other.locator('[data-weight="W11_1"]')).to_have_attribute("aria-label", re.compile(r": 0\.1$"))


def test_the_step_as_a_page_to_print(visit):
    page = visit(link())
    tab(page, "Share")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="This step as a printable page").click()
    expect(opened.value.locator("h1")).to_have_text("One step of gradient descent")


def test_one_input_shows_the_fitted_curve(visit):
    page = visit()
    page.locator("#dataset").select_option("sine")
    expect(page.locator('[data-neuron="H8"]')).to_have_count(1)
    train_until(page, "parseFloat(document.querySelector('#cost-figure').textContent) < 0.02")
    expect(page.get_by_role("button", name="Add points")).to_be_visible()


def test_a_network_too_large_to_draw_is_shown_in_figures(visit):
    page = visit()
    tab(page, "Network")
    field = page.get_by_label("Neurons of hidden layer 1")
    field.fill("64")
    field.press("Enter")
    expect(page.locator("#picture .more")).to_have_text("⋯ and 52 more")
    page.get_by_label("The chain rule of weight").fill("w1∼_2 ")  # as the page writes a bias weight
    press(page, "Show")
    expect(page.locator("#derivation .weight-form")).to_contain_text("W1~_2 =")
    page.get_by_label("The chain rule of weight").fill("W12,1_1")
    press(page, "Show")
    expect(page.locator("#derivation .weight-form")).to_contain_text("W12,1_1 =")
    assert len(factors(page)) == 5
    field = page.get_by_label("Neurons of hidden layer 1")
    tab(page, "Network")
    field.fill("many")
    field.press("Enter")
    expect(page.locator("#error")).to_contain_text("many")
    expect(field).to_have_value("64")
    for more in range(7):
        press(page, "Add a hidden layer")
        expect(page.locator("#layers li")).to_have_count(more + 3)
    expect(page.locator("#summary li")).to_have_count(9)


def test_a_field_shows_the_setting_although_it_has_the_focus(visit):
    page = visit()
    page.locator("#learning-rate").fill("1/4")
    page.keyboard.press("Enter")
    expect(page.locator("#learning-rate")).to_have_value("0.25")
    page.locator("#solver").select_option("adam")  # which leaves the focus where it is
    page.evaluate("document.activeElement.blur()")
    expect(page.locator("#learning-rate")).to_have_value("0.01")
    page.locator("#learning-rate").fill("none")
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_contain_text("learning")
    expect(page.locator("#learning-rate")).to_have_value("0.01")
