"""All of it on one screen, nothing over another, on a projector too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from explorer.looking import edge, link, press, tab, until

pytestmark = pytest.mark.browser

SCREENS = [(1280, 720), (1366, 768), (1600, 900), (1920, 1080), (360, 740)]
IN_VIEW = """selectors => selectors.filter(selector => {
  const { top, bottom, left, right, width, height } = document.querySelector(selector).getBoundingClientRect();
  return !(width > 0 && height > 0 && top >= -1 && left >= -1 && bottom <= innerHeight + 1 && right <= innerWidth + 1);
})"""
OVER = """() => {
  const seen = [...document.querySelectorAll('#picture text')].filter(text => text.textContent.trim()
    && getComputedStyle(text).visibility === 'visible');
  const boxes = seen.map(text => [text, text.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([one, a], k) => boxes.slice(k + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    const least = Math.min(a.height, b.height);
    if (wide > 2 && high > least / 3) found.push(`${one.textContent} | ${other.textContent}`);
  }));
  return found;
}"""
ON_NEURON = """() => {
  const bodies = [...document.querySelectorAll('#picture .body')].map(body => [body, body.getBoundingClientRect()]);
  const found = [];
  for (const text of document.querySelectorAll('#picture text')) {
    if (!text.textContent.trim() || getComputedStyle(text).visibility !== 'visible') continue;
    const a = text.getBoundingClientRect();
    for (const [body, b] of bodies) {
      if (body.parentNode === text.parentNode && !text.matches('.name, .beside')) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 2 && high > 4) found.push(`${text.textContent} on ${body.parentNode.dataset.neuron}`);
    }
  }
  return found;
}"""
NEEDED = ["#picture", "#picture svg", "#now", "#epoch", "#cost-curve", "#plane"]
WEIGHT_PIXELS = """() => Math.min(...[...document.querySelectorAll('.label .value')].map(text => {
  const svg = text.ownerSVGElement;
  return parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
}))"""


@pytest.fixture(params=SCREENS, ids=lambda size: f"{size[0]}x{size[1]}")
def page(visit, request):
    width, height = request.param
    return visit(link(), viewport={"width": width, "height": height})


def test_all_is_visible_at_once_while_training(page):
    press(page, "Forward")
    press(page, "Backward")
    press(page, "Train")
    until(page, "Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > 100")
    assert page.evaluate(IN_VIEW, NEEDED) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_number_lies_over_another(page):
    assert page.evaluate(OVER) == []
    for name in ("Forward", "Backward", "Update", "Forward", "Backward"):
        press(page, name)
        expect(page.locator(f"#{name.lower()}")).to_be_enabled()
        assert page.evaluate(OVER) == [], name
    if page.locator("#show-names").is_visible():
        page.locator("#show-names").check()
        expect(page.locator(".weight-name").first).to_have_text("W11_1")
        assert page.evaluate(OVER) == [], "names"
    press(page, "Train")
    until(page, "Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > 500")
    press(page, "Pause") if page.locator("#pause").is_enabled() else None
    assert page.evaluate(OVER) == []


TEN = "alcohol content by volume,free sulphur dioxide in mg/l,total acidity in g/dm3,variety\n" + "".join(
    f"{k % 10 + k / 70:.2f},{k // 10 % 7},{k * 7 % 11},{k % 10} of ten kinds with long names\n" for k in range(70)
)
EIGHT = ",".join(f"measurement number {k}" for k in range(1, 9)) + ",price\n"
EIGHT += "".join(",".join(f"{k * j % 17 / 3:.2f}" for j in range(1, 9)) + f",{k % 13 * 1000}.25\n" for k in range(60))


def with_table(page, table):
    tab(page, "Data")
    page.locator("#csv").set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": table.encode()})
    expect(page.locator("#upload-state")).to_contain_text("rows", timeout=20_000)


def with_layers(page, *sizes):
    tab(page, "Network")
    expect(page.get_by_label("Neurons of hidden layer 1")).to_be_visible()  # the layers are there
    for k, size in enumerate(sizes, 1):
        if page.get_by_label(f"Neurons of hidden layer {k}").count() == 0:
            press(page, "Add a hidden layer")
        page.get_by_label(f"Neurons of hidden layer {k}").fill(str(size))
        page.keyboard.press("Enter")
        until(page, f"document.querySelector('#about').textContent.split('-')[{k}] === '{size}'")


NETWORKS = {
    "2-3-1": lambda page: with_layers(page, 3),
    "2-3-3-1": lambda page: with_layers(page, 3, 3),
    "2-17-1": lambda page: with_layers(page, 17),
    "eight long names": lambda page: with_table(page, EIGHT),
    "ten classes": lambda page: with_table(page, TEN),
}


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_larger_networks_are_readable_and_all_is_visible(page, network):
    NETWORKS[network](page)
    if page.locator("#close-sheet").is_visible():
        page.locator("#close-sheet").click()
    for name in ("Forward", "Backward", "Update", "Forward", "Backward"):
        press(page, name)
        expect(page.locator(f"#{name.lower()}")).to_be_enabled()
        assert page.evaluate(OVER) == page.evaluate(ON_NEURON) == [], name
    press(page, "Train")
    until(page, "Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > 30")
    page.evaluate("scrollTo(0, 0)")
    is_higher = (
        network == "2-17-1" and page.viewport_size["width"] == 360
    )  # what is not drawn stands below, by scrolling
    assert page.evaluate(IN_VIEW, [needed for needed in NEEDED if not (is_higher and needed.endswith("svg"))]) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OVER) == page.evaluate(ON_NEURON) == []


def test_classes_stand_beside_their_neurons_with_the_marks_of_their_points(visit):
    page = visit("", viewport={"width": 1280, "height": 720})
    with_table(page, TEN)
    names = page.locator(".beside").all_text_contents()
    assert [name[2:6] for name in names] == [f"{k} of" for k in range(10)]
    fills = page.locator(".beside tspan").evaluate_all("all => all.map(e => getComputedStyle(e).fill)")
    assert len(set(fills)) == 10
    page.get_by_label("Class of the added points").select_option("4")
    press(page, "Add")
    page.locator("#points").click(position={"x": 60, "y": 40})
    tab(page, "Data")
    expect(page.locator("#rows tbody tr")).to_have_count(71)
    assert page.locator("#rows tbody tr").last.locator("td").last.inner_text() == "4 of ten kinds with long names"


def test_numbers_of_a_kind_have_as_many_digits(visit):
    """0.2955 beside 0.060699 would be 0.29550."""
    page = visit(viewport={"width": 1366, "height": 768})
    for name in ("Forward", "Backward"):
        press(page, name)
    expect(page.locator(".second").first).to_contain_text("∂")
    for numbers in (page.locator(".second").all_text_contents(), page.locator(".delta").all_text_contents()):
        digits = [text.split()[-1].lstrip("-0.").replace(".", "") for text in numbers if text]
        assert len(digits) >= 3 and {len(found) for found in digits} == {5}


def test_a_long_number_keeps_the_digits_that_fit(visit):
    page = visit(link(weights=[[[0, 0, 0], [0, 0, 0]], [[0, 0, -0.0312345]]]), viewport={"width": 360, "height": 740})
    press(page, "Forward")
    expect(page.locator('[data-neuron="A1"] .number').first).to_have_text("-0.03123")


def test_numbers_grow_with_the_screen(visit):
    sizes = []
    for width, height in [(1280, 720), (1920, 1080)]:
        page = visit(link(), viewport={"width": width, "height": height})
        sizes.append(page.evaluate(WEIGHT_PIXELS))
    assert sizes[1] >= 18 > sizes[0] > 13


def test_the_presenters_view_is_one_screen_with_large_numbers(visit):
    page = visit(link(), viewport={"width": 1920, "height": 1080})
    edge(page, "W11_1")
    page.locator("#network-title").click()
    before = page.evaluate(WEIGHT_PIXELS)
    page.keyboard.press("p")
    expect(page.locator(".weight-name").first).to_have_text("W11_1")
    until(page, f"({WEIGHT_PIXELS})() > {before + 1}")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    row = page.locator("#derivation .factor").nth(1)
    row.hover()
    expect(page.locator(".pointer.on")).to_have_count(1)
    until(page, "document.querySelector('.pointer').getAnimations({subtree: true}).length === 0")
    pointer = page.locator(".pointer rect").bounding_box()
    for part in (".name", ".body", ".slope"):  # all that is written of the neuron stands within
        inside = page.locator(f'[data-neuron="A1"] {part}').bounding_box()
        assert pointer["x"] < inside["x"] and pointer["y"] < inside["y"], part
        assert pointer["x"] + pointer["width"] > inside["x"] + inside["width"], part
        assert pointer["y"] + pointer["height"] > inside["y"] + inside["height"], part
    assert pointer["width"] < 2 * page.locator('[data-neuron="A1"] .body').bounding_box()["width"]
    page.keyboard.press("p")
    expect(page.locator("header")).to_be_visible()
    assert page.evaluate(WEIGHT_PIXELS) == pytest.approx(before, abs=0.5)
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    expect(page.locator("header")).to_be_visible()


def test_seventeen_neurons_do_not_empty_the_picture(visit):
    page = visit(link())
    tab(page, "Network")
    field = page.get_by_label("Neurons of hidden layer 1")
    field.fill("17")
    field.press("Enter")
    expect(page.locator("#picture .more")).to_have_text("⋯ and 5 more")
    expect(page.locator('[data-neuron="H12"]')).to_have_count(1)
    press(page, "Train")
    until(page, "Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > 50")
    press(page, "Pause")
    press(page, "Forward")
    page.get_by_label("The chain rule of weight").fill("W17,1_1")
    press(page, "Show")
    expect(page.locator("#derivation .weight-form")).to_contain_text("W17,1_1")


def test_print_has_the_picture_and_fits(visit, tmp_path):
    page = visit(link(), viewport={"width": 1366, "height": 768})
    edge(page, "W11_1")
    page.emulate_media(media="print")
    assert page.locator("#picture svg").is_visible()
    assert not page.locator("#train").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert 1 < len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) <= 4


def test_print_is_dark_on_white_in_the_dark_too(visit):
    page = visit(link(), color_scheme="dark")
    light = "e => Math.max(...getComputedStyle(e).color.match(/\\d+/g).map(Number)) > 128"
    assert page.locator("body").evaluate(light)
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("body").evaluate(light)


def test_the_formula_strip_has_all_gradients_of_a_layer_the_last_first(visit):
    page = visit(link())
    press(page, "Forward")
    press(page, "Backward")
    expect(page.locator("#now th")).to_have_text(["Layer 1", "Layer 2"])
    assert page.locator("#now tbody").evaluate_all("all => all.map(e => e.rows.length)") == [6, 3]


def test_a_layers_gradients_are_visible_at_once(visit):
    page = visit(link(), viewport={"width": 1366, "height": 768})
    for name in ("Forward", "Backward"):
        press(page, name)
    expect(page.locator("#now th")).to_have_count(2)
    bottom = page.locator("#now").evaluate("e => e.getBoundingClientRect().bottom")
    assert page.locator("#now tbody").first.evaluate("e => e.getBoundingClientRect().bottom") <= bottom + 3


def test_forced_colours_show_focus_and_choice(visit):
    page = visit(link(), forced_colors="active")
    edge(page, "W11_1")
    tabs = page.locator('[role="tab"][aria-selected="true"]')
    other = page.locator('[role="tab"][aria-selected="false"]').first
    colour = "e => getComputedStyle(e).borderBottomColor"
    assert tabs.evaluate(colour) != other.evaluate(colour)
    page.locator("#undo").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.grip, .body')"):
            break
    page.keyboard.press("ArrowRight")
    focused = "getComputedStyle(document.activeElement).strokeWidth"
    assert page.evaluate("document.activeElement.matches('.body')") and page.evaluate(focused) == "5px"


def test_a_phone_has_a_sheet_and_the_plane_scrolls(visit):
    page = visit(link(), viewport={"width": 360, "height": 740}, has_touch=True)
    assert not page.locator("#panel-derivation").is_visible()
    page.locator('[data-weight="W12_1"]').tap()
    expect(page.locator("#derivation .weight-form")).to_contain_text("W12_1 =")
    box = page.locator("#panel-derivation").bounding_box()
    assert box["y"] + box["height"] <= 740 and box["y"] > 200
    page.get_by_label("Close the panel").tap()
    expect(page.locator("#panel-derivation")).not_to_be_visible()
    assert "pan-y" in page.locator("#points").evaluate("e => getComputedStyle(e).touchAction")


def test_a_screen_reader_hears_once_a_step_and_once_a_run(visit):
    page = visit(link())
    page.evaluate("""() => {
      window.heard = [];
      const live = document.querySelectorAll('[role=status], [role=alert], [aria-live], output');
      for (const place of live) new MutationObserver(() => place.textContent && window.heard.push(place.textContent))
        .observe(place, { childList: true, characterData: true, subtree: true });
    }""")
    press(page, "Forward")
    until(page, "window.heard.length > 0")
    heard = page.evaluate("window.heard.splice(0)")
    assert len(heard) == 1 and heard[0].startswith("Forward, up to C: 0.")
    page.locator("#speed").select_option("1000")
    press(page, "Train")
    until(page, "Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > 500")
    press(page, "Pause")
    until(page, "window.heard.some(text => text.startsWith('Training has stopped'))")
    assert len(page.evaluate("window.heard")) <= 3


def test_a_word_is_shown_while_it_loads(visit, server):
    html = server.http.get(f"{server.base}/").text
    assert "Loading the network" in html


def test_the_page_is_small_enough_for_a_slow_line(server):
    """All that it needs before it can be used, packed, in 3 s at 50 KB/s."""
    html = server.http.get(f"{server.base}/")
    files = set(re.findall(r"/static/\w+/[\w.-]+", html.text))
    size = len(html.content)
    for file in files:
        with server.http.stream("GET", server.base + file, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            size += sum(map(len, answer.iter_raw())) + 500  # with its headers
    assert len(files) > 20
    assert size < 90_000


def test_what_is_not_needed_at_first_comes_later(visit):
    """A tab that is opened before its panel has come is filled when it comes."""
    page = visit()
    loaded = "performance.getEntriesByType('resource').map(({ name, startTime }) => [name.split('/').pop(), startTime])"
    until(page, "document.querySelector('#link') !== null")
    usable = page.evaluate("performance.getEntriesByName('usable')[0].startTime")
    times = dict(page.evaluate(loaded))
    assert all(times[file] >= usable for file in ("check.js", "samples.js", "settings.js", "share.js", "upload.js"))
    assert all(times[file] < usable for file in ("picture.js", "step.js", "derivation.js"))


def test_a_tab_opened_early_is_filled_when_its_panel_has_come(chromium, server):
    context = chromium.new_context()
    page = context.new_page()
    held = []

    def hold(route):
        held.append(route)

    page.route("**/later.js", hold)
    page.goto(server.url)
    page.wait_for_selector("html[data-ready]")
    tab(page, "Share")
    assert page.locator("#panel-share").inner_text() == ""
    press(page, "Forward")
    expect(page.locator('[data-neuron="C"].current')).to_have_count(1)
    while not held:
        page.wait_for_timeout(30)
    held[0].continue_()
    expect(page.get_by_label("Link to this state")).to_have_value(page.url)
    tab(page, "Samples")
    expect(page.locator("#truth-table tbody tr")).to_have_count(4)
    context.close()
