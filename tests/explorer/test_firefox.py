"""The page in Firefox, where one is installed: the same story, without a complaint on the console."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

import backpath as bp
from explorer.firefox import Firefox
from explorer.looking import NET, X, Y, link, number
from explorer.talk import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EPOCH = "Number(document.querySelector('#epoch').textContent.replaceAll(',', ''))"
IN_VIEW = """['#picture svg', '#now', '#epoch', '#cost-curve', '#plane'].filter(name => {
  const { top, bottom, width, height } = document.querySelector(name).getBoundingClientRect();
  return !(width > 0 && height > 0 && top >= -1 && bottom <= innerHeight + 1);
})"""


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    path = shutil.which("firefox") or shutil.which("firefox-esr")
    if path is None:
        pytest.skip("no firefox here (Debian: apt-get install firefox-esr): the page is not tested in it")
    browser = Firefox(path, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()
    assert browser.complaints == []


def opened(firefox: Firefox, server: Server) -> None:
    firefox.open("about:blank")
    firefox.open(server.url + link())
    firefox.until("document.documentElement.dataset.ready === 'yes'")
    firefox.until("document.querySelectorAll('[data-weight]').length === 9")


def test_a_weights_chain_rule(firefox, server):
    opened(firefox, server)
    firefox.click('[data-weight="W11_1"]')
    firefox.until("document.querySelectorAll('#derivation > .factors > .factor').length === 5")
    right = bp.derive(NET, "W11_1").evaluate(X, Y)
    shown = firefox.run("document.querySelector('#derivation .result .figure').textContent")
    assert number(shown) == pytest.approx(right.gradient, rel=1e-4)
    assert firefox.run("document.querySelector('#derivation math').namespaceURI").endswith("MathML")


def test_a_step_a_run_and_a_reload(firefox, server):
    opened(firefox, server)
    for name in ("forward", "backward", "update"):
        firefox.click(f"#{name}")
        firefox.until("document.querySelector('#now').textContent.length > 0")
    firefox.until(f"{EPOCH} === 1")
    after = NET.step(X, Y, learning_rate=0.5)
    shown = firefox.run("document.querySelector('[data-weight=\"W11_2\"]').getAttribute('aria-label').split(': ')[1]")
    assert number(shown) == pytest.approx(after["W11_2"], rel=1e-4)
    firefox.click("#train")
    firefox.until(f"{EPOCH} > 100")
    assert firefox.run(IN_VIEW) == []
    firefox.reload()
    firefox.until("document.documentElement.dataset.ready === 'yes'")
    firefox.until(f"{EPOCH} >= 100")
    firefox.click("#pause")
    firefox.until("document.querySelector('#pause').disabled")
    assert firefox.run("document.querySelector('#dataset').value") == "xor"


def test_the_presenters_view(firefox, server):
    opened(firefox, server)
    firefox.click("#network-title")
    firefox.press("p")
    firefox.until("document.documentElement.dataset.presenting !== undefined")
    assert firefox.run("document.documentElement.scrollHeight <= innerHeight")
    firefox.press("p")
    firefox.until("document.documentElement.dataset.presenting === undefined")
