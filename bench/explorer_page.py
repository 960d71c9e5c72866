"""How fast the explorer's page loads, and how smoothly it moves, in Chromium with a real server.

    PYTHONPATH=src .venv/bin/python bench/explorer_page.py

``usable`` is the time from the first byte of the page to the picture of the network with its numbers; ``click`` is the
time from a click on a weight to its chain rule, while training; ``frames`` are drawn frames a second, with the decision
surface. Chromium simulates the line of 50 KB/s.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys

from playwright.sync_api import Browser, Page, sync_playwright

VISITS, CLICKS, SLOW_VISITS = 9, 40, 3
SLOW = 50 * 1024  # bytes a second
USABLE = (
    "performance.getEntriesByName('usable')[0].startTime - performance.getEntriesByType('navigation')[0].responseStart"
)
FRAMES = """seconds => new Promise(done => {
  let [frames, last] = [0, ''];
  const start = performance.now();
  const look = () => {
    const now = document.querySelector('#epoch').textContent;
    frames += now !== last;
    last = now;
    if (performance.now() - start < 1000 * seconds) requestAnimationFrame(look);
    else done(frames / seconds);
  };
  look();
})"""
TRAIN = """() => import(document.querySelector('script[src$="connection.js"]').src)
  .then(({ ask }) => ask('train', { speed: 'max' }))"""  # endless, because a solved run would stop
CLICK = """name => new Promise(done => {
  const figure = document.querySelector('#derivation');
  const start = performance.now();
  new MutationObserver((_, watch) => {
    if (!figure.textContent.includes(name + ' =')) return;
    watch.disconnect();
    done(performance.now() - start);
  }).observe(figure, { childList: true, subtree: true });
  const edge = document.querySelector(`[data-weight="${name}"]`);
  const { x, y, width, height } = edge.getBoundingClientRect();
  edge.dispatchEvent(new MouseEvent('click', { clientX: x + width / 2, clientY: y + height / 2, bubbles: true }));
})"""


def opened(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(url)
    page.wait_for_selector("html[data-ready]")
    return page


def usable(browser: Browser, url: str) -> str:
    times = []
    for _ in range(VISITS):
        page = opened(browser, url)
        times.append(page.evaluate(USABLE))
        page.context.close()
    return f"usable: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms of {VISITS} visits"


def on_a_slow_line(browser: Browser, url: str) -> str:
    """The first visit, and the next one with cached files."""
    first, again, words = [], [], []
    for _ in range(SLOW_VISITS):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        line = {"offline": False, "latency": 40, "downloadThroughput": SLOW, "uploadThroughput": SLOW}
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", line)
        for times in (first, again):
            page.goto(url, wait_until="commit")
            page.wait_for_selector("html[data-ready]")
            times.append(page.evaluate("performance.getEntriesByName('usable')[0].startTime"))
            words.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        context.close()
    medians = [statistics.median(times) for times in (words[::2], first, again)]
    return "on a line of 50 KB/s: a word after {:.0f} ms, usable {:.0f} ms, the next time {:.0f} ms".format(*medians)


def moving(browser: Browser, url: str, data: str, hidden: str) -> list[str]:
    """Frames and clicks of one network while it trains at full speed."""
    page = opened(browser, url)
    page.locator("#dataset").select_option(data)
    page.wait_for_timeout(500)
    page.get_by_role("tab", name="Network").click()
    for k, neurons in enumerate(hidden.split("-"), 1):
        if page.get_by_label(f"Neurons of hidden layer {k}").count() == 0:
            page.get_by_role("button", name="Add a hidden layer").click()
        page.get_by_label(f"Neurons of hidden layer {k}").fill(neurons)
        page.get_by_label(f"Neurons of hidden layer {k}").press("Enter")
        page.wait_for_timeout(500)
    page.locator("#speed").select_option("max")
    page.evaluate(TRAIN)
    page.wait_for_timeout(1500)
    frames = page.evaluate(FRAMES, 4)
    names = page.locator("[data-weight]").evaluate_all("edges => edges.map(edge => edge.dataset.weight)")
    clicks = sorted(page.evaluate(CLICK, names[k % len(names)]) for k in range(CLICKS))
    page.context.close()
    median, p95 = statistics.median(clicks), clicks[int(0.95 * CLICKS)]
    return [f"{data} {hidden}: {frames:.0f} frames/s; click to chain rule: median {median:.0f} ms, p95 {p95:.0f} ms"]


def main() -> None:
    command = [sys.executable, "-m", "backpath", "explore", "--no-browser", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
            print(usable(browser, url))
            print(on_a_slow_line(browser, url))
            for data, hidden in (("xor", "2"), ("circle", "8"), ("spiral", "16-16"), ("spiral", "16-16-16-16-16")):
                print(*moving(browser, url, data, hidden), sep="\n", flush=True)
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
