"""A random walk over the explorer's page in Chromium: clicks, typing, dragging and keys, for ten minutes.

    PYTHONPATH=src .venv/bin/python bench/explorer_walk.py [SECONDS [SEED]]

There must be no errors on the console and no failed requests, and each reload must restore everything.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections import Counter, deque

from playwright.sync_api import Error, Locator, Page, sync_playwright

SIZES = [(1280, 720), (1366, 768), (1600, 900), (1920, 1080), (360, 740)]
WORDS = ["0.5", "-1,5", "1/3", "abc", "", "1e999", "\N{MINUS SIGN}0.2", "3", "17", "<b>", "0", "1000"]
KEYS = ["Tab", "Enter", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp", "Escape", "p", "F2", "Delete", " ", "Home"]
TABLE = b"size,kind,price\n" + b"".join(b"%d,%s,%d\n" % (k % 9, b"ab"[k % 2 : k % 2 + 1], k * k % 7) for k in range(40))
SEEN = "[data-weight]"
NAME = "e => e.id || e.dataset.weight || e.getAttribute('aria-label') || e.textContent.slice(0, 30)"
WAIT = 1500  # ms for an element to become ready
STATE = """() => [document.querySelector('#epoch').textContent,
  document.querySelector('#dataset').selectedOptions[0]?.text,
  document.querySelector('#learning-rate').value, document.querySelector('#about').textContent,
  [...document.querySelectorAll('[data-weight]')].map(e => e.getAttribute('aria-label')).join()]"""


def some(page: Page, rng: random.Random, selector: str) -> int | None:
    """The place of a random visible element."""
    shown = page.locator(selector).evaluate_all(
        "all => all.map((e, k) => e.checkVisibility() && !e.disabled ? k : -1).filter(k => k >= 0)"
    )
    return rng.choice(shown) if shown else None


def act(page: Page, rng: random.Random, recent: deque[str]) -> str:
    """A random action; ``recent`` gets a line about it."""
    kind = rng.choices(
        ["button", "weight", "neuron", "type", "select", "key", "drag", "point", "check", "table", "slide"],
        [30, 20, 8, 12, 10, 14, 6, 6, 4, 1, 4],
    )[0]
    where = {
        "button": "button, [role=tab], summary",
        "weight": SEEN,
        "neuron": "[data-neuron] .body",
        "type": "input[type=text]:not([readonly])",
        "select": "select",
        "check": "input[type=checkbox]",
    }.get(kind)
    if where:
        place = some(page, rng, where)
        if place is None:
            return "nothing"
        item = page.locator(where).nth(place)
        recent.append(f"{kind} {item.evaluate(NAME)}")
        _on_item(page, rng, kind, item)
        return kind
    recent.append(kind)
    if kind == "key":
        page.keyboard.press(rng.choice(KEYS))
    elif kind == "table":
        page.locator("#csv").set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": TABLE})
    elif kind == "slide":
        page.locator("#scrub").evaluate(
            "(e, share) => { e.value = Math.round(share * e.max); e.dispatchEvent(new Event('input')) }", rng.random()
        )
    else:
        _on_points(page, rng, kind)
    return kind


def _on_item(page: Page, rng: random.Random, kind: str, item: Locator) -> None:
    if kind == "type":
        item.fill(rng.choice(WORDS), timeout=WAIT)
        page.keyboard.press("Enter")
    elif kind == "select":
        values = item.evaluate("e => [...e.options].map(option => option.value)")
        if values:
            item.select_option(rng.choice(values), timeout=WAIT)
    else:
        item.click(force=kind != "button", timeout=WAIT)


def _on_points(page: Page, rng: random.Random, kind: str) -> None:
    box = page.locator("#points").bounding_box()
    if box and box["width"] > 0:
        at = [(box["x"] + rng.random() * box["width"], box["y"] + rng.random() * box["height"]) for _ in range(2)]
        page.mouse.move(*at[0])
        page.mouse.down()
        if kind == "drag":
            page.mouse.move(*at[1], steps=4)
        page.mouse.up()


def settled(page: Page) -> list[str]:
    """The state that a reload must restore, after a pause and a save."""
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(600)  # until a run that was just asked for can be paused
    while page.locator("#pause").is_enabled():
        page.locator("#pause").evaluate("e => e.click()")
        page.wait_for_timeout(300)
    page.wait_for_timeout(1200)
    while page.locator("#upload-state").text_content().startswith("Reading"):
        page.wait_for_timeout(300)
    return page.evaluate(STATE)


def walk(page: Page, seconds: float, rng: random.Random) -> tuple[Counter[str], int, list[str]]:
    done: Counter[str] = Counter()
    lost, reloads, end = list[str](), 0, time.monotonic() + seconds
    recent = deque[str](maxlen=6)
    while time.monotonic() < end:
        try:
            done[act(page, rng, recent)] += 1
        except Error:  # the element has disappeared, or is covered
            done["missed"] += 1
        if rng.random() < 0.01:
            before = settled(page)
            page.reload()
            page.wait_for_selector("html[data-ready]")
            page.wait_for_timeout(400)
            after, reloads = page.evaluate(STATE), reloads + 1
            if after != before:
                lost += [f"after {', '.join(recent)}:"]
                lost += [f"{one} became {other}" for one, other in zip(before, after, strict=True) if one != other]
        if rng.random() < 0.01:
            width, height = rng.choice(SIZES)
            page.set_viewport_size({"width": width, "height": height})
    return done, reloads, lost


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    command = [sys.executable, "-m", "backpath", "explore", "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stderr is not None
    url = server.stdout.readline().strip()
    complaints: list[str] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            context = browser.new_context(viewport={"width": 1280, "height": 720})
            page = context.new_page()
            context.on("page", lambda other: other.close() if other is not page else None)
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(url)
            page.wait_for_selector("html[data-ready]")
            done, reloads, lost = walk(page, seconds, random.Random(seed))
            page.wait_for_timeout(5000)  # until an upload has been read
            browser.close()
    finally:
        server.terminate()
    errors = server.stderr.read()
    print(f"{sum(done.values()):,} actions in {seconds:.0f} s ({dict(done)}), {reloads} reloads")
    print(f"console errors: {len(complaints)}; states lost: {len(lost)}; lines on the server's terminal: {errors!r}")
    for line in [*complaints[:10], *lost[:10]]:
        print(" ", line[:400])
    return bool(complaints or lost or errors)


if __name__ == "__main__":
    sys.exit(main())
