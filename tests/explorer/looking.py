"""What a visitor sees and does on the page, by the names that are on it."""

from __future__ import annotations

import base64
import json
import re
import time
from contextlib import suppress
from typing import Any

from playwright.sync_api import Error, Page, expect

import backpath as bp

WEIGHTS = [[[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]], [[0.7, -0.8, 0.9]]]
NET = bp.Network.from_weights(WEIGHTS)
X, Y = [1, 1], [0]  # the sample that ``link`` chooses


def link(**changes: Any) -> str:
    """A link to the notes' network with the weights above, on XOR's last sample."""
    state = {"sizes": [2, 2, 1], "dataset": "xor", "sample": 3, "weights": WEIGHTS, "learning_rate": 0.5} | changes
    text = json.dumps({"state": state, "chosen": None})
    return "#s=" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def edge(page: Page, name: str) -> None:
    """Click a weight and wait for its chain rule."""
    page.locator(f'[data-weight="{name}"]').click()
    expect(page.locator("#derivation .weight-form")).to_contain_text(f"{name} =")


def gradient(page: Page) -> float:
    return number(page.locator("#derivation .result .figure").inner_text())


def factors(page: Page) -> list[float]:
    return [number(text) for text in page.locator("#derivation > .factors > .factor > .figure").all_inner_texts()]


def number(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


def neuron(page: Page, name: str) -> dict[str, float]:
    """The numbers that a neuron shows, by their names: u, σ, ∂C/∂u."""
    label = page.locator(f'[data-neuron="{name}"] [role=button]').get_attribute("aria-label") or ""
    return {key: number(value) for key, value in re.findall(r"(u|σ\(u\)|∂C/∂u) (\S+?)(?:,|$)", label)}


def weights(page: Page) -> dict[str, float]:
    """Every weight as the picture shows it."""
    labels = page.locator("[data-weight]").evaluate_all(
        "edges => edges.map(edge => [edge.dataset.weight, edge.getAttribute('aria-label').split(': ')[1]])"
    )
    return {name: number(value) for name, value in labels}


def cost(page: Page) -> float:
    return number(page.locator("#cost-figure").inner_text())


def until(page: Page, condition: str, seconds: float = 60) -> None:
    """Wait until an expression holds in the page; Playwright's own waiting evaluates text, which the page forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"still not: {condition}"
        page.wait_for_timeout(30)


def at_speed(page: Page, speed: str) -> None:
    """Choose the speed, which a phone folds away."""
    if page.locator("#close-sheet").is_visible():
        page.locator("#close-sheet").click()
    fold = page.locator("#how-fast summary")
    folded = fold.is_visible() and not page.locator("#speed").is_visible()
    if folded:
        fold.click()
    page.locator("#speed").select_option(speed)
    if folded:
        fold.click()


def train_until(page: Page, condition: str) -> None:
    """Train until an expression of the page's holds, then pause."""
    at_speed(page, "max")
    press(page, "Train")
    until(page, condition)
    stop(page)


def stop(page: Page) -> None:
    """Pause the run, unless it has stopped automatically."""
    pause = page.get_by_role("button", name="Pause", exact=True)
    with suppress(Error):  # the click waits for a run that is starting; one that has ended cannot be paused
        pause.click(timeout=2000)
    expect(pause).to_be_disabled()


SOLVED = "parseFloat(document.querySelector('#cost-figure').textContent) < 0.005"
