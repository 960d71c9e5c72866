"""Names and values from a file in messages: short, on one line, without control characters."""

import pytest

from backpath.errors import InputError
from backpath.files.wording import (
    column_index,
    counted,
    distinguished,
    first_duplicate,
    listed,
    named,
    plain,
    quoted,
    without_controls,
)


def test_lists_are_shortened_from_nine_items_on():
    for shown in (listed, named):
        assert shown("abcdefgh") == "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'"
        assert shown("abcdefghi") == "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' … (9 in all)"
        assert shown(range(2000), 1) == "'0' … (2,000 in all)"
    long = "x" * 50
    assert named([long]) == repr(long) and listed([long]) == repr("x" * 40 + "…")


def test_texts_are_cut_after_forty_characters():
    assert quoted("x" * 40) == repr("x" * 40) and quoted("x" * 41) == repr("x" * 40 + "…")
    assert quoted("a\nb") == r"'a\nb'" and quoted(5) == "'5'"
    assert plain("a\tb") == r"a\tb" and plain("größe") == "größe"
    assert (counted(0, "row"), counted(1, "row"), counted(1000, "row")) == ("0 rows", "1 row", "1,000 rows")


def test_a_terminal_gets_no_controls():
    assert without_controls("a\tb\nc") == "a\tb\nc"
    assert without_controls("\x1b[31mred\x1b[0m\x07") == "\x1b[31mred\x1b[0m\\u0007"
    assert without_controls("\x1b[31mred\x1b[0m", colours=False) == "\\u001b[31mred\\u001b[0m"
    assert without_controls("a\u202eb") == "a\\u202eb"


NAMES = ["Size ", "colour", "price"]


@pytest.mark.parametrize(
    ("name", "meant"), [("size", "Size "), ("color", "colour"), ('"price"', "price"), ("Price", "price")]
)
def test_a_column_that_does_not_exist_has_the_nearest_suggested(name, meant):
    with pytest.raises(InputError) as caught:
        column_index(name, NAMES, "t.csv", "to keep", "--keep")
    assert str(caught.value) == f"t.csv has no column {name!r} to keep; did you mean {meant!r}?"
    assert caught.value.options == ("--keep", meant)


def test_a_column_without_a_near_name_or_without_a_name():
    with pytest.raises(InputError) as caught:
        column_index("weight", NAMES, "t.csv", "to keep", "--keep")
    assert str(caught.value) == "t.csv has no column 'weight' to keep; its columns are 'Size ', 'colour', 'price'"
    assert caught.value.options == ()
    assert [column_index(name, NAMES, "t.csv", "") for name in NAMES] == [0, 1, 2]
    assert column_index("", ["a", "column 1"], "t.csv", "") == 1
    with pytest.raises(InputError, match="has no column ''"):
        column_index("", NAMES, "t.csv", "")


def test_equal_names_are_distinguished():
    names, repeated = distinguished(["a", "b", "a", "c", "a", "b"], "t.csv")
    assert names == ["a", "b", "a (column 3)", "c", "a (column 5)", "b (column 6)"]
    assert repeated == {
        "a (column 3)": "t.csv: columns 1 and 3 are both named 'a'",
        "a (column 5)": "t.csv: columns 1 and 5 are both named 'a'",
        "b (column 6)": "t.csv: columns 2 and 6 are both named 'b'",
    }
    assert first_duplicate(["a", "b", "c", "b", "a"]) == "b" and first_duplicate("abc") is None
