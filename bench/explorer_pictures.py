"""Takes the pictures of the explorer for the docs: docs/images/explorer-*.png.

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
    """A step taken by hand, a weight looked at, one of its factors pointed at."""
    for name in ("Forward", "Backward"):
        page.get_by_role("button", name=name, exact=True).click()
    page.locator('[data-weight="W11_1"]').click()
    page.locator("#derivation .factor").nth(2).hover()
    page.wait_for_timeout(500)


def training(page: Page) -> None:
    """Two spirals, learned."""
    page.locator("#dataset").select_option("spiral")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_timeout(9000)
    page.locator('[data-weight="W11_1"]').click()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Forward", exact=True).click()
    page.wait_for_timeout(500)


PICTURES = {
    "step": (1280, 800, "light", step),
    "training": (1600, 900, "dark", training),
    "phone": (360, 800, "light", step),
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
