"""Lines above the header, the header itself, and files that are not lines of text."""

import json
import zipfile
from xml.sax.saxutils import escape

import pytest

from backpath.errors import InputError
from backpath.files.tables import read_table

ROWS = [[str(k * 7 % 11), "ab"[k % 2], f"{k * k % 37}.5"] for k in range(20)]
LINES = [["x", "c", "y"], *ROWS]


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, **settings):
        path = tmp_path / "t.csv"
        path.write_text(text, encoding="utf-8")
        return read_table(path, "y", **settings)

    return write_and_read


def joined(mark=",", end="\n", lines=LINES):
    return "".join(mark.join(line) + end for line in lines)


@pytest.mark.parametrize(
    ("above", "said"),
    [
        ("# made by hand\n", "'# made by hand'"),
        ("# made by hand\n# and, by machine\n", "'# made by hand', '# and, by machine'"),
        ("Sales 2024\n", "'Sales 2024'"),
        ("Sales 2024\n\n", "'Sales 2024'"),
        ("Sales 2024,,\n,,\n", "'Sales 2024'"),
        ("# made, by, hand, yes\n\n", "'# made, by, hand, yes'"),
        ("Sales by city, 2024\nTable 3\n\n", "'Sales by city, 2024', 'Table 3'"),
        ("Report,Sales\nDate,2024-05-01\n\n", "'Report,Sales', 'Date,2024-05-01'"),
    ],
)
def test_titles_and_comments_above_the_header_are_left_out_and_reported(read, above, said):
    table = read(above + joined())
    assert [column.name for column in table.columns] == ["x", "c"] and table.rows == 20
    assert table.columns[0].values.tolist() == [float(row[0]) for row in ROWS]
    assert f"left out above the header: {said}" in table.notes


def test_a_wider_header_below_titles_of_several_cells_needs_a_blank_line(read):
    """Without one, the first line may as well be the header of a table with bad rows."""
    with pytest.raises(InputError, match="line 3: expected 2 cells as in the header, but found 3 cells"):
        read("report,sales\nregion,north\n" + joined())


def test_a_bad_cell_below_a_title_is_placed_by_its_line(read):
    lines = [*LINES[:5], ["z", "a", "1.5"], *LINES[6:]]
    with pytest.raises(InputError, match="line 8, column 'x': expected a finite number, but found 'z'"):
        read("Sales 2024\n\n" + joined(lines=lines))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("where", ["rows", "header", "both"])
def test_a_delimiter_at_the_end_of_lines_shifts_nothing(read, mark, where):
    header, *rows = joined(mark).splitlines()
    header += mark * (where != "rows")
    rows = [row + mark * (where != "header") for row in rows]
    table = read("\n".join([header, *rows]) + "\n")
    assert [column.name for column in table.columns] == ["x", "c"]
    assert table.columns[0].values.tolist() == [float(row[0]) for row in ROWS]


def test_columns_with_the_same_name_are_distinguished_by_the_caller(read, tmp_path):
    text = joined().replace("x,c,y", "x,x,y")
    with pytest.raises(InputError, match="columns 1 and 2 are both named 'x'; rename one of them, or leave") as caught:
        read(text)
    assert caught.value.options == ("--ignore", "x (column 2)")
    assert [column.name for column in read(text, ignore=["x (column 2)"]).columns] == ["x"]
    assert [column.name for column in read(text, keep=["x (column 2)"]).columns] == ["x", "x (column 2)"]


@pytest.mark.parametrize("indent", [None, 2])
def test_json_in_one_array(read, indent):
    objects = [{"x": int(x), "c": c, "y": float(y)} for x, c, y in ROWS]
    table = read(json.dumps(objects, indent=indent))
    assert table.rows == 20 and table.columns[0].values.tolist() == [float(row[0]) for row in ROWS]


def spreadsheet(path, sheets):
    """The least .xlsx file with these sheets, by name; cells of text and of numbers."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/"
    numbers = range(1, len(sheets) + 1)

    def cell(value):
        return (
            f"<c><v>{value}</v></c>"
            if isinstance(value, float)
            else f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        )

    names = "".join(
        f'<sheet name="{name}" sheetId="{k}" r:id="r{k}"/>' for k, name in zip(numbers, sheets, strict=True)
    )
    targets = "".join(f'<Relationship Id="r{k}" Type="{office}/worksheet" Target="sheet{k}.xml"/>' for k in numbers)
    relations = f"{package}relationships"
    book = f'<Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
    kind = '<Default Extension="xml" ContentType="text/xml"/>'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}content-types">{kind}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{relations}">{book}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}">{targets}</Relationships>',
    }
    for k, rows in zip(numbers, sheets.values(), strict=True):
        body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        files[f"xl/sheet{k}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def test_the_first_sheet_that_holds_something_is_read_and_named_where_there_are_several(tmp_path):
    rows = [["x", "c", "y"], *([float(x), c, float(y)] for x, c, y in ROWS)]
    spreadsheet(tmp_path / "one.xlsx", {"Data": [["Sales 2024"], [], *rows]})
    table = read_table(tmp_path / "one.xlsx", "y")
    assert table.rows == 20 and table.columns[0].values.tolist() == [float(row[0]) for row in ROWS]
    large = [["x", "c", "y"], *([2.0**53 * (1 + k / 4), c, float(y)] for k, (_, c, y) in enumerate(ROWS))]
    spreadsheet(tmp_path / "large.xlsx", {"Data": large})  # not whole numbers that float64 cannot hold
    table = read_table(tmp_path / "large.xlsx", "y")
    assert table.columns[0].values.tolist() == [row[0] for row in large[1:]]
    rows[5][0] = "z"
    spreadsheet(tmp_path / "two.xlsx", {"Empty": [], "Data": rows, "Notes": [["so"]]})
    with pytest.raises(InputError, match=r"two.xlsx, sheet 'Data', line 6, column 'x': .* found 'z'"):
        read_table(tmp_path / "two.xlsx", "y")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_cells_in_single_quotes(read, mark):
    lines = [[f"'{name}'" for name in LINES[0]]]
    lines += [[f"'{x}'", f"'it''s{mark} {c}'", f"{y}"] for x, c, y in ROWS]
    table = read(joined(mark, lines=lines))
    assert [column.name for column in table.columns] == ["x", "c"] and table.rows == 20
    assert table.columns[0].values.tolist() == [float(row[0]) for row in ROWS]
    assert table.columns[1].categories == (f"it's{mark} a", f"it's{mark} b")
    assert "cells are quoted with ' instead of \"" in table.notes


@pytest.mark.parametrize("cell", ["'tis", "5'", "rock 'n' roll", "'=1+1"])
def test_an_apostrophe_is_no_quote(read, cell):
    lines = [LINES[0], *([row[0], cell if k % 2 else "b", row[2]] for k, row in enumerate(ROWS))]
    assert read(joined(lines=lines)).columns[1].categories == tuple(sorted([cell, "b"]))


def test_a_single_quote_that_is_not_closed_is_refused_with_its_line(read):
    rows = [[x, f"'{c}'", y] for x, c, y in ROWS * 900]
    rows[-3][1] = "'tis"
    with pytest.raises(InputError, match=r"line \d+: a quote \('\) is opened but not closed"):
        read(joined(lines=[LINES[0], *rows]))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "an Office document",
        ),
        (b"<html><table><tr><th>x</th></tr></table></html>", "an HTML or XML page, not a table"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<Workbook/>', "an HTML or XML page, not a table"),
        (b"%PDF-1.4\n%\xe2\xe3\n", "a PDF document, not a table"),
    ],
)
def test_files_that_are_no_tables_are_named(tmp_path, content, what):
    path = tmp_path / "t.xls"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"t\.xls is (a spreadsheet or )?{what}") as caught:
        read_table(path, "y")
    assert not caught.value.options


def test_an_open_document_spreadsheet(tmp_path):
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )

    def cell(text):
        number = text.replace(".", "").isdigit()
        kind = f'"float" office:value="{text}"' if number else '"string"'
        return f"<table:table-cell office:value-type={kind}><text:p>{text}</text:p></table:table-cell>"

    rows = "".join(f"<table:table-row>{''.join(map(cell, line))}</table:table-row>" for line in LINES)
    sheet = f'<office:spreadsheet><table:table table:name="s">{rows}</table:table></office:spreadsheet>'
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    with zipfile.ZipFile(tmp_path / "t.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{manifest}"/>')
        archive.writestr(
            "content.xml",
            f"<office:document-content {names}><office:body>{sheet}</office:body></office:document-content>",
        )
    table = read_table(tmp_path / "t.ods", "y")
    assert table.rows == 20 and table.columns[0].values.tolist() == [float(row[0]) for row in ROWS]


def test_a_name_that_looks_like_a_repeated_one(read):
    rows = [[str(k), str(k * k % 13), f"{k * 5 % 11}.5", str(k * 3)] for k in range(1, 9)]
    text = joined(lines=[["a", "a", "a (column 2)", "y"], *rows])
    table = read(text, keep=["a (column 2) (column 2)"])
    assert {column.name: column.values.tolist() for column in table.columns} == {
        name: [float(row[place]) for row in rows]
        for place, name in enumerate(("a", "a (column 2) (column 2)", "a (column 2)"))
    }


@pytest.mark.parametrize("characters", [3000, 6000])
def test_a_header_of_more_characters_than_a_sample(read, characters):
    names = [f"{'long ' * (characters // 5)}{k}" for k in range(50)]
    rows = [[str(k * j % 53) for j in range(1, 51)] + [str(k)] for k in range(1, 9)]
    table = read(joined(lines=[[*names, "y"], *rows]))
    assert table.rows == 8 and [column.name for column in table.columns] == names
