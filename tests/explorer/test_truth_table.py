"""The table of all samples: each neuron's answer, the cost, and each sample's share of a gradient."""

from __future__ import annotations

import decimal
import re
from decimal import Decimal

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.looking import NET, gradient, link, press, tab
from explorer.talk import network_of

X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def column(table, title):
    place = [c["title"] for c in table["columns"]].index(title)
    return [float(row[place]) for row in table["rows"]], float(table["mean"][place] or "nan")


def test_a_row_per_sample_with_its_share(page):
    net = network_of(page.view)
    table = page.ok("samples", weight="W21_1")
    assert [c["title"] for c in table["columns"]] == ["X1", "X2", "H1", "H2", "A1", "y", "C", "∂C/∂W21_1"]
    run = net.forward(X)
    for name in ("H1", "H2", "A1"):
        np.testing.assert_allclose(column(table, name)[0], run[name], rtol=5e-3)
    costs, mean = column(table, "C")
    np.testing.assert_allclose(costs, [net.cost(x, [y]) for x, y in zip(X, Y)], rtol=5e-3)
    assert mean == pytest.approx(net.cost(X, Y), rel=1e-3)
    shares, mean = column(table, "∂C/∂W21_1")
    np.testing.assert_allclose(shares, [net.gradients(x, [y])["W21_1"] for x, y in zip(X, Y)], rtol=1e-3, atol=1e-12)
    assert mean == pytest.approx(net.gradients(X, Y)["W21_1"], rel=1e-3)


@pytest.mark.parametrize("weight", NET.weight_names)
def test_the_shares_as_shown_have_the_mean_as_shown(page, weight):
    """With pencil and paper: added up and divided by four they are the batch's gradient at its digits."""
    table = page.ok("samples", weight=weight)
    texts, mean = [row[-1] for row in table["rows"]], table["mean"][-1]
    with decimal.localcontext(prec=60):
        total = sum(map(Decimal, texts)) / 4
        assert total.quantize(Decimal(mean)) == Decimal(mean)


def test_a_larger_table_has_pages(page, server):
    rows = "".join(f"{k},{k % 7},{'yn'[k % 2]}\n" for k in range(60))
    server.post("/data", page.session, f"a,b,y\n{rows}".encode())
    page.event("view")
    table = page.ok("samples", first=25, weight="W1~_2")
    assert (table["first"], len(table["rows"]), table["all"]) == (25, 25, 60)
    assert len(page.ok("samples", first=50)["rows"]) == 10
    assert "must be a whole number from 0 to 59" in page.error("samples", first=60)
    assert "no weight 'W99_9'" in page.error("samples", weight="W99_9")


@pytest.mark.browser
def test_a_click_on_a_row_is_the_steps_sample(visit):
    page = visit(link())
    tab(page, "Samples")
    rows = page.locator("#truth-table tbody tr")
    expect(rows).to_have_count(4)
    page.locator('[data-weight="W12_1"]').click()
    expect(page.locator("#truth-table thead th").last).to_have_text("∂C/∂W12_1")
    share = float(rows.nth(1).locator("td").last.inner_text())
    page.get_by_role("button", name=re.compile("Sample 2:")).click()
    expect(page.locator("#sample")).to_have_value("1")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    tab(page, "Chain rule")
    assert gradient(page) == pytest.approx(share, rel=1e-3)
    tab(page, "Samples")
    press(page, "Train")
    before = page.locator("#truth-table tfoot td").last.inner_text()
    expect(page.locator("#truth-table tfoot td").last).not_to_have_text(before)
    press(page, "Pause")
