"""Takes the screenshots of the explorer: docs/images/explorer-*.png.

PYTHONPATH=src .venv/bin/python bench/explorer_pictures.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"


def opened(browser: Browser, url: str, width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("html[data-ready]")
    return page


def step(page: Page) -> None:
    """A step by hand, with a selected weight and one of its factors highlighted."""
    for name in ("Forward", "Backward"):
        page.get_by_role("button", name=name, exact=True).click()
    page.locator('[data-weight="W11_1"]').click()
    page.locator("#derivation .factor").nth(2).hover()
    page.wait_for_timeout(500)


def training(page: Page) -> None:
    """Two spirals after training."""
    page.locator("#dataset").select_option("spiral")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_timeout(6000)
    page.locator('[data-weight="W11_1"]').click()
    pause(page)
    page.get_by_role("button", name="Forward", exact=True).click()
    page.wait_for_timeout(500)


def pause(page: Page) -> None:
    """Stop the run, unless it has stopped automatically."""
    if page.locator("#pause").is_enabled():
        page.get_by_role("button", name="Pause", exact=True).click()


def samples(page: Page) -> None:
    """XOR after training, with maps in the neurons, each sample's gradient, and a pinned run."""
    for seed in (2, 1):
        page.get_by_role("tab", name="Network").click()
        page.locator("#seed").fill(str(seed))
        page.locator("#seed").press("Enter")
        page.wait_for_timeout(300)
        page.get_by_role("button", name="Train", exact=True).click()
        page.wait_for_timeout(2500)
        pause(page)
        if seed == 2:
            page.get_by_role("button", name="Pin", exact=True).click()
    page.locator("#show-maps").check()
    page.locator('[data-weight="W21_1"]').click()
    page.get_by_role("tab", name="Samples").click()
    page.get_by_role("button", name="Forward", exact=True).click()
    page.wait_for_timeout(5000)  # until the messages have disappeared


def presenting(page: Page) -> None:
    """The presenter's view with its pointer on a factor."""
    step(page)
    page.locator("#network-title").click()
    page.keyboard.press("p")
    page.locator("#derivation .factor").nth(1).hover()
    page.wait_for_timeout(600)


def sheet(page: Page) -> None:
    """A phone with a weight's chain rule over the lower half."""
    for name in ("Forward", "Backward"):
        page.get_by_role("button", name=name, exact=True).click()
    page.locator('[data-weight="W11_1"]').click()
    page.wait_for_timeout(500)


PICTURES = {
    "step": (1366, 768, "light", step),
    "training": (1600, 900, "dark", training),
    "samples": (1600, 900, "light", samples),
    "presenting": (1600, 900, "light", presenting),
    "phone": (360, 740, "light", sheet),
}


def main() -> None:
    command = [sys.executable, "-m", "backpath", "explore", "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            for name, (width, height, scheme, act) in PICTURES.items():
                page = opened(browser, url, width, height, scheme)
                act(page)
                page.evaluate("scrollTo(0, 0)")
                page.screenshot(path=IMAGES / f"explorer-{name}.png")
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
