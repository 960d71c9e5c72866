"""Tables of a classroom, from the upload to a chain rule in their own units."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.looking import edge, tab

rng = np.random.default_rng(5)
SPECIES = ["setosa", "versicolor", "virginica"]
FLOWERS = "petal length,petal width,species\n" + "".join(
    f"{1 + 2 * k + rng.normal(0, 0.3):.2f},{0.3 + 0.8 * k + rng.normal(0, 0.1):.2f},{SPECIES[k]}\n"
    for k in range(3)
    for _ in range(30)
)
EIGHT = (
    ",".join(f"x{k}" for k in range(1, 9))
    + ",y\n"
    + "".join(
        ",".join(f"{v:.3f}" for v in row) + f",{50 + 10 * row[0] - 5 * row[3]:.2f}\n"
        for row in rng.normal(size=(60, 8))
    )
)
PEOPLE = "age,town,member,paid\n" + "".join(
    f"{'' if k % 11 == 0 else 20 + k % 40},{['Bern', 'Graz', '', 'Linz'][k % 4]},{'yes' if k % 3 else 'no'},{k % 7}.5\n"
    for k in range(80)
)


def upload(page, server, raw, **query):
    answer = server.post("/data", page.session, raw.encode() if isinstance(raw, str) else raw, "t.csv", **query).json()
    return answer, None if "error" in answer else page.event("view")["view"]


def test_three_classes(page, server):
    answer, view = upload(page, server, FLOWERS)
    assert answer["rows"] == 90
    assert [view["labels"][f"A{k}"] for k in (1, 2, 3)] == SPECIES
    page.ok("set", learning_rate=0.1)
    page.ok("train", speed="max", epochs=200)
    view = page.event("stopped")["view"]
    (part,) = view["quality"]
    names = [(one["name"], one["count"]) for one in part["classes"]]
    assert names == [(name, 30) for name in SPECIES]
    assert sum(one["right"] for one in part["classes"]) / 90 == pytest.approx(
        float(part["text"].split()[1]) / 100, 1e-3
    )
    row = FLOWERS.splitlines()[1 + view["sample"]["index"]].split(",")
    found = page.ok("derive", weight="W12_1")
    assert found["factors"][-1]["meaning"].endswith(f"in the table petal width = {float(row[1]):g}")
    table = page.ok("samples")
    assert [column["title"] for column in table["columns"]][:2] == ["petal length", "petal width"]
    assert table["rows"][0][:2] == [f"{float(cell):g}" for cell in FLOWERS.splitlines()[1].split(",")[:2]]
    assert "setosa" in table["rows"][0]


def test_a_number_to_predict_of_eight_inputs(page, server):
    _, view = upload(page, server, EIGHT)
    assert view["state"]["sizes"] == [8, 8, 1] and view["labels"]["A1"] == "y"
    assert list(map(float, view["data"]["targets"])) == [float(line.split(",")[-1]) for line in EIGHT.splitlines()[1:]]
    page.ok("train", speed="max", epochs=300)
    view = page.event("stopped")["view"]
    assert re.fullmatch(r"usually off by [\d.]+", view["quality"][0]["text"])
    assert float(view["quality"][0]["text"].split()[-1]) < 11  # in units of y, whose deviation that is
    assert page.ok("neuron", name="A1")["units"].startswith("y = ")
    assert page.ok("neuron", name="X3")["units"] == f"x3 = {float(EIGHT.splitlines()[1].split(',')[2]):g}"


def test_text_and_missing_values(page, server):
    _, view = upload(page, server, PEOPLE)
    assert view["data"]["cells"][0] == ["missing", "Bern", "no"]
    assert "filled" in view["data"]["note"].lower()
    _, view = upload(page, server, PEOPLE, missing="drop")
    assert view["data"]["rows"] == sum("" not in line.split(",") for line in PEOPLE.splitlines()[1:])
    answer, _ = upload(page, server, PEOPLE, missing="refuse")
    assert answer["options"] == ["--missing", "fill"] and answer["columns"] == ["age", "town", "member", "paid"]
    _, view = upload(page, server, PEOPLE, ignore="town", target="member")
    assert [column["name"] for column in view["data"]["columns"]] == ["age", "paid", "member"]


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        (b"a;b\n1,5;2\n2,5;4\n", {"delimiter": ";", "decimal": ","}),
        ("größe,b\n1,2\n2,4\n".encode("cp1252"), {"encoding": "cp1252"}),
        (b"1,2\n3,5\n", {"header": "no"}),
        (b"a,b\n1,2\n-99,3\n4,5\n", {"na": "-99"}),
    ],
)
def test_how_a_file_is_read_can_be_chosen(page, server, raw, query):
    _, view = upload(page, server, raw, **query)
    assert view["data"]["rows"] >= 2


def test_rows_held_out_are_not_trained_on(page, server):
    upload(page, server, FLOWERS)
    view = page.ok("hold_out", percent=20)
    assert (view["data"]["rows"], view["data"]["held_out"]) == (72, 20)
    page.ok("train", speed="max", epochs=400)
    view = page.event("stopped")["view"]
    assert [part["count"] for part in view["quality"]] == [72, 18]
    curve = view["history"]["held_out"]
    assert curve and all(0 < epoch <= 400 and cost > 0 for epoch, cost in curve)
    assert page.ok("hold_out", percent=0)["data"]["rows"] == 90
    assert "must be a whole number" in page.error("hold_out", percent=90)


def test_data_stay_in_the_list_and_settings_stay_as_they_were_changed(page, server):
    upload(page, server, FLOWERS)
    page.ok("set", sizes=[2, 5, 3], learning_rate=0.3)
    view = page.ok("set", dataset="xor")
    assert view["own"] == [{"key": "own:0", "name": "t.csv"}]
    assert view["state"]["sizes"] == [2, 5, 1] and view["state"]["learning_rate"] == 0.3
    assert view["state"]["activations"][-1] == "sigmoid"  # three classes' softmax fits no single output
    view = page.ok("set", dataset="own:0")
    assert view["data"]["name"] == "t.csv" and view["state"]["sizes"] == [2, 5, 3]
    view = page.ok("points", X=[[0, 0], [1, 1]], y=[[1, 0, 0], [0, 1, 0]])
    assert [one["name"] for one in view["own"]] == ["t.csv", "points"]
    view = page.ok("points", X=[[0, 0], [1, 0]], y=[[1, 0, 0], [0, 1, 0]])
    assert [one["name"] for one in view["own"]] == ["t.csv", "points"]
    assert "there is no data set" in page.error("set", dataset="own:9")


@pytest.mark.browser
def test_a_refusal_offers_what_would_do(visit):
    page = visit()
    tab(page, "Data")
    raw = "größe,preis\n1,2\n2,4\n3,9\n".encode("cp1252")
    page.get_by_label("CSV file").set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": raw})
    expect(page.locator("#error")).to_contain_text("“encoding” latin-1")
    page.get_by_role("button", name="Read it with encoding: latin-1").click()
    expect(page.locator("#upload-state")).to_contain_text("3 rows", timeout=20_000)
    expect(page.locator("#rows")).to_contain_text("größe")
    edge(page, "W11_1")
    expect(page.locator("#derivation")).to_contain_text("in the table größe = ")
    tab(page, "Data")
    page.get_by_label("größe is taken").select_option("categorical")
    expect(page.locator("#rows")).to_contain_text("preis")
    page.locator("#dataset").select_option("xor")
    expect(page.locator("#message")).to_contain_text("sizes")
    page.locator("#dataset").select_option("own:0")
    expect(page.locator("#about")).not_to_contain_text("2-2-1")


@pytest.mark.browser
def test_accuracy_and_ten_classes_stay_readable(visit):
    raw = "a,b,kind\n" + "".join(f"{k % 10},{k // 10 % 7},the {k % 10}th of ten long kinds\n" for k in range(70))
    page = visit("", viewport={"width": 1366, "height": 768})
    tab(page, "Data")
    page.get_by_label("CSV file").set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": raw.encode()})
    expect(page.locator("#classes li")).to_have_count(10, timeout=20_000)
    colours = page.locator("#classes svg > *").evaluate_all("all => new Set(all.map(e => e.getAttribute('fill'))).size")
    assert colours == 10
    expect(page.locator("#quality")).to_contain_text("Accuracy")
    expect(page.locator("#by-class tbody tr")).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    names = page.locator(".neuron .name").evaluate_all("all => all.every(e => e.textContent.length <= 22)")
    assert names
