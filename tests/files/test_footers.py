"""Footnotes and a row of totals below the rows are left out and reported; rows that only look like them are kept."""

import pytest

from backpath.errors import InputError
from backpath.files.tables import read_table

ROWS = [[f"town {k % 6}", str(k * 7 % 11), f"{k * k % 37}.5"] for k in range(20)]


@pytest.fixture
def read(tmp_path):
    def write_and_read(below, mark=",", encoding="utf-8", **settings):
        path = tmp_path / "t.csv"
        text = "".join(mark.join(row) + "\n" for row in [["city", "x", "y"], *ROWS])
        path.write_bytes((text + below).encode(encoding))
        return read_table(path, "y", encoding=None if encoding == "utf-8" else encoding, **settings)

    return write_and_read


@pytest.mark.parametrize(
    ("below", "said"),
    [
        ("\nSource: the office\n", "below the rows: 'Source: the office'"),
        (
            "\nSource: the office, 2024\n\n* provisional\n",
            "below the rows: 'Source: the office, 2024', '* provisional'",
        ),
        ("# made by hand\n", "below the rows: '# made by hand'"),
        ("\nNotes:,,\nas of May,,", "below the rows: 'Notes:', 'as of May'"),
        ("Total,100,300.5\n", "the last row, 'Total',"),
        (",Grand total,300.5\n\nSource: us\n", "the last row, 'Grand total',"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_footnotes_and_totals_are_left_out_and_reported(read, below, said, encoding):
    table = read(below, encoding=encoding)
    assert table.rows == 20
    assert table.columns[1].values.tolist() == [float(row[1]) for row in ROWS]
    assert sorted(table.columns[0].categories) == [f"town {k}" for k in range(6)]
    assert any(said in note for note in table.notes)


def test_footnotes_below_cells_that_a_semicolon_separates(read):
    assert read("\nSource: the office\nStand: Mai;2024\n", mark=";").rows == 20


@pytest.mark.parametrize(
    ("below", "rows"),
    [
        ("\ntown 1,5,2.5\n", 21),
        ('"town\n\nof ours",5,2.5\n', 21),
        ("Total,1,2.5\nTotal,3,2.5\n", 22),  # as many cities are called
        ("Total,1,2.5\ntown 1,3,2.5\n", 22),
    ],
)
def test_rows_that_only_look_like_a_footer_are_kept(read, below, rows):
    assert read(below).rows == rows


@pytest.mark.parametrize("below", ["town 1,5\n", "\n7,5\n", "\n7\n", "\ntown1,5\n", "town 1\n"])
def test_a_row_that_breaks_off_is_no_footnote(read, below):
    with pytest.raises(InputError, match="expected 3 cells as in the header"):
        read(below)


def test_a_bad_cell_above_footnotes_is_placed_by_its_line(read):
    with pytest.raises(InputError, match="line 22, column 'x': expected a finite number, but found 'many'"):
        read("town 1,many,2.5\n\nSource: the office\n")
