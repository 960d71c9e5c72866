"""Tables of a classroom, from the upload to a chain rule in their own units."""

from __future__ import annotations

import bz2
import gzip
import json
import re
from importlib.util import find_spec

import duckdb
import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.looking import edge, tab
from explorer.talk import Page
from spreadsheets import as_spreadsheet

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


def upload(page, server, raw, name="t.csv", **query):
    answer = server.post("/data", page.session, raw.encode() if isinstance(raw, str) else raw, name, **query).json()
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
        float(part["text"].split()[1].removesuffix("%")) / 100, 1e-3
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


def as_objects(lines):
    names, *rows = [line.split(",") for line in lines]
    found = [{n: float(c) if c[:1].isdigit() else c for n, c in zip(names, row, strict=True)} for row in rows]
    return "".join(json.dumps(one) + "\n" for one in found).encode()


def by_duckdb(path, text, options):
    path.with_suffix(".csv").write_text(text)
    duckdb.execute(f"COPY (FROM '{path.with_suffix('.csv')}') TO '{path}' ({options})")
    return path.read_bytes()


def test_every_kind_of_file_that_the_command_line_reads(page, server, tmp_path):
    _, wanted = upload(page, server, FLOWERS)
    lines = FLOWERS.splitlines()
    kinds = {
        "t.tsv": FLOWERS.replace(",", "\t").encode(),
        "t.csv.gz": gzip.compress(FLOWERS.encode()),
        "t.csv.bz2": bz2.compress(FLOWERS.encode()),
        "t.csv.zst": by_duckdb(tmp_path / "t.csv.zst", FLOWERS, "FORMAT csv, COMPRESSION zstd"),
        "utf-16.csv": FLOWERS.encode("utf-16"),
        "t.parquet": by_duckdb(tmp_path / "t.parquet", FLOWERS, "FORMAT parquet"),
        "t.jsonl": as_objects(lines),
        "t.jsonl.gz": gzip.compress(as_objects(lines)),
        **({"t.xlsx": as_spreadsheet(lines)} if find_spec("python_calamine") else {}),
        "-": FLOWERS.encode(),  # a name like any other
    }
    for name, raw in kinds.items():
        answer, view = upload(page, server, raw, name)
        assert answer["rows"] == 90 and answer["columns"] == ["petal length", "petal width", "species"], name
        assert view["data"]["cells"] == wanted["data"]["cells"] and view["data"]["targets"] == wanted["data"]["targets"]


@pytest.mark.parametrize(
    ("name", "raw", "line"),
    [
        ("t.parquet", b"PAR1 and no more", "t.parquet cannot be read as Parquet: the file is damaged or truncated"),
        ("t.jsonl", b'{"a": 1, "b": 2}\n{"a": 2 "b"}\n', "t.jsonl, line 2: expected a JSON object for each row"),
        ("t.jsonl", b'{"a": 1, "b": 2}\n[1, 2]\n', "t.jsonl, line 2: expected a JSON object for each row"),
        ("t.json", b'[{"a": 1, "b": 2},\n {"a": 2 "b": 3}]', "t.json, line 2: expected a JSON object for each row"),
        (
            "t.csv.zst",
            b"\x28\xb5\x2f\xfd and no more",
            "t.csv.zst cannot be unpacked: the file is damaged or truncated",
        ),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "t.csv.gz cannot be unpacked: "),
        ("t.xlsx", b"PK\x03\x04 and no more", "t.xlsx is a zip archive, but not a spreadsheet that can be read"),
        ("t.csv.gz", gzip.compress(b"1,2\n" * 2**22, mtime=0) * 40, "t.csv.gz is larger than 512 MiB unpacked"),
    ],
)
def test_a_refusal_is_in_the_pages_words(page, server, name, raw, line):
    answer, _ = upload(page, server, raw, name)
    assert answer["error"].startswith(line)
    assert not re.search(r"duckdb|[A-Z]\w+ Error:|/tmp|\.py\b|--memory", answer["error"], re.IGNORECASE)


GAPS = "size,price\n" + "".join(f"{k},{'' if k in (2, 5) else 10 * k}\n" for k in range(1, 41))


def test_a_row_is_found_by_its_number_in_the_table(page, server):
    upload(page, server, GAPS)
    view = page.ok("sample", row=7)
    assert view["sample"]["cells"] == ["7", "70"] and view["sample"]["number"] == 7
    assert view["sample"]["index"] == 4  # rows 2 and 5, without a price, are left out
    assert view["data"]["numbers"][:4] == [1, 3, 4, 6] and page.ok("samples")["numbers"][:4] == [1, 3, 4, 6]
    assert page.error("sample", row=5).startswith("row 5 of t.csv was left out")
    assert page.error("sample", row=41) == "the last row of t.csv is row 40, so there is no row 41"
    assert "must be a whole number" in page.error("sample", row=0)
    before = page.ok("sample", row=33)
    page.ok("hold_out", percent=50)
    found = [page.ok("sample", row=number)["sample"] for number in (3, 33, 40)]
    assert [one["cells"] for one in found] == [["3", "30"], ["33", "330"], ["40", "400"]]
    assert None in [one["index"] for one in found] or len({one["index"] for one in found}) == 3
    assert page.ok("hold_out", percent=0)["data"]["numbers"] == before["data"]["numbers"]
    scene, data = ({"params": {"session": page.session} | more} for more in ({}, {"data": "1"}))
    kept = {"scene": server.get("/kept", **scene).json(), "data": server.get("/kept", **data).json()}
    with Page(server) as other:
        server.post("/kept", other.session, json.dumps(kept).encode())
        assert other.event("view")["view"]["data"]["numbers"] == before["data"]["numbers"]
        assert other.ok("sample", row=40)["sample"]["cells"] == ["40", "400"]
    assert page.ok("set", dataset="xor")["data"]["numbers"] is None
    assert page.ok("sample", row=2)["sample"]["x"] == [0, 1]


def test_a_typed_row_is_read_as_people_write_numbers(page, server):
    """Of each column, by what is shown again: the table's own writing first, where that is one."""
    upload(page, server, "size;price\n" + "".join(f"{k},5;{k}.{k:03},25\n" for k in range(1, 30)))
    for typed, wanted in (
        (["2,5", "3.003"], ["2,5", "3003"]),  # as in the table, which has a decimal comma and points between thousands
        (["1/4", "12"], ["0,25", "12"]),
        (["2.5", "\N{MINUS SIGN}1/2"], ["2,5", "-0,5"]),
    ):
        cells = page.ok("row", cells=typed)["sample"]["cells"]
        assert cells == wanted
        assert page.ok("row", cells=cells)["sample"]["cells"] == wanted
    assert "column 'size' must be a finite number, but is 'abc'" in page.error("row", cells=["abc", "1"])
    upload(page, server, EIGHT)
    typed = ["1,5", "1/3", "\N{MINUS SIGN}0.2", "0", "0", "0", "0", "1e-2", ""]
    cells = page.ok("row", cells=typed)["sample"]["cells"]
    assert [*map(float, cells[:3]), float(cells[7])] == pytest.approx([1.5, 1 / 3, -0.2, 0.01], rel=1e-8)


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
    page.get_by_label("Table file").set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": raw})
    expect(page.locator("#error")).to_contain_text("“encoding” latin-1")
    page.get_by_role("button", name="Read it with encoding: latin-1").click()
    expect(page.locator("#upload-state")).to_contain_text("3 rows", timeout=20_000)
    expect(page.locator("#rows")).to_contain_text("größe")
    edge(page, "W11_1")
    expect(page.locator("#derivation")).to_contain_text("in the table größe = ")
    tab(page, "Data")
    with page.expect_response(lambda response: "/data" in response.url):
        page.get_by_label("Kind of column größe").select_option("categorical")
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
    page.get_by_label("Table file").set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": raw.encode()})
    expect(page.locator("#classes li")).to_have_count(10, timeout=20_000)
    colours = page.locator("#classes svg > *").evaluate_all("all => new Set(all.map(e => e.getAttribute('fill'))).size")
    assert colours == 10
    expect(page.locator("#quality")).to_contain_text("Accuracy")
    expect(page.locator("#by-class tbody tr")).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    names = page.locator(".neuron .name").evaluate_all("all => all.every(e => e.textContent.length <= 22)")
    assert names


@pytest.mark.browser
def test_a_row_by_its_number_and_by_its_values_on_the_page(visit):
    page = visit()
    tab(page, "Data")
    page.get_by_label("Table file").set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": GAPS.encode()})
    expect(page.locator("#upload-state")).to_contain_text("38 rows", timeout=20_000)
    page.get_by_label("Row of the table").fill("7")
    page.get_by_role("button", name="Use it for the step").click()
    expect(page.locator("#sample option:checked")).to_have_text("7: 7 → 70")
    page.locator("#row summary").click()
    expect(page.get_by_label("size", exact=True)).to_have_value("7")
    page.get_by_label("size", exact=True).fill("1/4")
    page.get_by_role("button", name="Use this row for the step").click()
    expect(page.locator("#sample option:checked")).to_have_text("typed: 0.25 → 70")
    edge(page, "W11_1")
    expect(page.locator("#derivation")).to_contain_text("in the table size = 0.25")
    tab(page, "Check")
    expect(page.locator("#check-of")).to_contain_text("the sample 0.25,")
    tab(page, "Data")
    page.get_by_label("Row of the table").fill("5")
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_contain_text("row 5 of t.csv was left out")
