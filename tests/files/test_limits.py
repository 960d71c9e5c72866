"""Each rule for columns begins at its limit: a table on both sides of it."""

import numpy as np
import pytest

from backpath.errors import InputError
from backpath.files.column_inputs import CategoryInput, DateInput, NumberInput
from backpath.files.column_values import Categories, Numbers
from backpath.files.tables import read_table
from backpath.files.training_table import TrainingTable

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.fixture
def table(in_folder):
    def read(cells, target=None, name="c", **settings):
        """A table of that column, and another one that is the target unless the first is."""
        rows = "".join(f"{cell},{k * k}.5\n" for k, cell in enumerate(cells))
        (in_folder / "t.csv").write_text(f"{name},y\n{rows}", encoding="utf-8")
        return read_table("t.csv", target or "y", **settings)

    return read


def words(count, times=1):
    return [f"k{j}x" for j in range(count)] * times


def test_up_to_64_texts_are_an_input_each(table):
    assert len(table(words(64, 3)).preparation.input_labels) == 64
    kind = table([*words(64, 3), *words(65)]).preparation.inputs[0]
    assert kind == CategoryInput("c", tuple(sorted(words(64))), other=True)


def test_a_frequent_text_is_in_a_hundredth_of_the_rows(table):
    cells = ["often"] * 597 + ["rare"] * 2 + words(100, 4) + ["seldom"] * 10
    kinds = table([*cells, "often"]).preparation.inputs[0].categories  # of 1,010 rows
    assert kinds == ("often",)
    kinds = table(cells[10:]).preparation.inputs[0].categories  # of 999
    assert kinds == ("often", "seldom")


@pytest.mark.parametrize(("cells", "used"), [(words(22, 2), True), ([*words(22), *words(21)], False)])
def test_nearly_as_many_texts_as_rows_say_nothing(table, cells, used):
    if used:
        assert len(table(cells).preparation.input_labels) == 22
    else:
        with pytest.raises(InputError, match="'c': nearly as many texts as rows"):
            table(cells)


def test_texts_that_all_occur_twice_are_used(table):
    assert len(table(words(70, 2)).preparation.input_labels) == 65  # one of them is "other"


def test_free_text_has_four_words(table):
    for text, said in (("a b c", "a different text in each row"), ("a b c d", "free text")):
        with pytest.raises(InputError, match=f"'c': {said}"):
            table([f"{text}{j}" for j in range(9)])


def test_two_rows_may_differ_in_their_texts(table):
    assert table(["a", "b"]).preparation.input_labels == ("c = a", "c = b")
    with pytest.raises(InputError, match="a different text in each row"):
        table(["a", "b", "d"])


@pytest.mark.parametrize(
    ("different", "rows", "task"), [(20, 201, "multiclass"), (20, 200, "regression"), (21, 300, "regression")]
)
def test_few_whole_numbers_in_many_rows_are_classes(table, different, rows, task):
    found = table([k % different for k in range(rows)], "c")
    assert found.preparation.target.task == task


@pytest.mark.parametrize(
    ("cells", "fits"),
    [
        (words(20), True),
        (words(21, 2), True),
        ([*words(21), *words(20)], False),
        (words(1000, 2), True),
        (words(1001, 3), False),
    ],
)
def test_a_target_of_too_many_texts_is_no_class(table, cells, fits):
    if fits:
        assert table(cells, "c").target.categories == tuple(sorted(set(cells)))
    else:
        with pytest.raises(
            InputError, match=f"{len(set(cells)):,} different texts in {len(cells):,} rows are too many"
        ):
            table(cells, "c")


@pytest.mark.parametrize(
    ("cells", "number"),
    [
        ([*range(333), 999, 999], "999"),
        ([*range(334), 999, 999], ""),
        ([*range(30), 999], ""),
        ([*range(30), -9, -9], "-9"),
        ([-1, *range(30), -9, -9], ""),
        ([-1, *range(30), 999, 999], ""),
        ([*range(30), 998, 998], ""),
    ],
)  # fmt: skip
def test_a_number_that_stands_out_twice_may_mean_missing(table, cells, number):
    notes = [note for note in table(cells).notes if "--na" in note]
    assert len(notes) == bool(number) and all(f"--na {number} treats it as missing" in note for note in notes)


@pytest.mark.parametrize("number", [-9, -99, -999, -9999, 99, 999, 9999, 99999, 999999, -98, -100, 98, 100, 1000, 9998])
def test_numbers_that_often_mean_missing_are_made_of_nines(table, number):
    noted = any(f"--na {number} treats it as missing" in note for note in table([*range(30), number, number]).notes)
    assert noted == (set(str(abs(number))) == {"9"})


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("rows", [49, 50])
def test_fifty_rows_that_are_counted(in_folder, first, rows):
    lines = "".join(f"{(k * 7) % rows + first},{k % 3},{k % 7}.5\n" for k in range(rows))
    (in_folder / "t.csv").write_text(f"flat,size,y\n{lines}")
    noted = any("as if it counted them" in note for note in read_table("t.csv", "y").notes)
    assert noted == (rows == 50 and first < 2)


@pytest.mark.parametrize(("days", "kind"), [(7, NumberInput), (8, DateInput)])
def test_eight_numbers_that_are_all_dates_are_dates(table, days, kind):
    assert isinstance(table([20240100 + 3 * k + 1 for k in range(days)]).preparation.inputs[0], kind)
    assert isinstance(table([202400 + k + 1 for k in range(days)]).preparation.inputs[0], kind)


@pytest.mark.parametrize(("far", "noted"), [("2024-02-28", False), ("2024-03-03", True)])
def test_a_day_that_is_three_times_as_far_as_the_others_span_may_mean_missing(table, far, noted):
    days = [f"2024-01-{day:02}" for day in range(1, 17)]  # they span 15 days
    for cells in ([*days, far, far], [far, far, *days]):
        assert any("far from all others" in note for note in table(cells).notes) == noted
    assert not any("far from all others" in note for note in table([*days, far]).notes)


def odd(count, times):
    return [f"word {j}" for j in range(count)] * times


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (odd(8, 2), [f"word {j}" for j in range(8)]),
        (odd(9, 2), None),
        (odd(1, 1), None),
        ([*odd(2, 1), "word 1"], None),
    ],
)
def test_up_to_eight_repeated_texts_among_numbers_may_mean_missing(table, texts, options):
    with pytest.raises(InputError) as caught:
        table([*range(100), *texts])
    if options is None:
        assert caught.value.options == ("--numeric", "c")
    else:
        assert caught.value.options == tuple(part for text in options for part in ("--na", text))


@pytest.mark.parametrize(("numbers", "mistakes"), [(8, True), (7, False)])
def test_a_fifth_of_texts_that_differ_are_mistakes(table, numbers, mistakes):
    cells = [*range(4 * numbers), *words(8)]
    if mistakes:
        with pytest.raises(InputError, match=r"expected a finite number, but found 'k0x' \(8 cells of 40\)"):
            table(cells)
    else:
        with pytest.raises(InputError, match="nothing is left"):
            table(cells)


def test_up_to_a_fifth_of_numbers_among_texts_are_mistakes(table):
    texts = ["red", "green", "blue", "grey"]
    with pytest.raises(InputError, match="'7' is a number among text"):
        table([*texts * 5, *"789", "7", "8"])
    assert "'c' mixes 6 numbers with text" in table([*texts * 5, *"789789"]).notes[0]


@pytest.mark.parametrize("middle", [0.0, 1000.0, -1000.0])
def test_a_number_far_from_all_others_is_noted(table, middle):
    near = [middle + k for k in range(-10, 11)]  # nine tenths of them within 9 of the median
    for distance, noted in ((8.5e4, False), (1.1e5, True)):
        for far in (middle + distance, middle - distance):
            assert any("far from all others" in note for note in table([*near, far]).notes) == noted


@pytest.mark.parametrize("gaps", [8, 9])
def test_columns_with_gaps_are_named_up_to_eight(in_folder, gaps):
    names = [f"g{k}" for k in range(gaps)]
    lines = [
        ",".join([*names, "y"]),
        *(",".join([*(str(k * j) for j in range(1, gaps + 1)), f"{k}.5"]) for k in range(4)),
        "," * gaps + "9",
    ]
    (in_folder / "t.csv").write_text("\n".join(lines) + "\n")
    note = next(note for note in read_table("t.csv", "y").notes if "filled" in note)
    assert note.startswith(f"filled {gaps} missing cells: 1 of 'g0' with its median, ")
    assert note.count("with its median") == 8 and (f"… ({gaps} columns in all)" in note) == (gaps == 9)


@pytest.mark.parametrize("repeated", [9, 10])
def test_up_to_nine_repeated_names_are_left_out_by_a_command(in_folder, repeated):
    names = ["a"] * (repeated + 1)
    rows = "".join(",".join(str(k * j) for j in range(repeated + 1)) + f",{k}\n" for k in range(4))
    (in_folder / "t.csv").write_text(",".join([*names, "y"]) + "\n" + rows)
    with pytest.raises(InputError, match="columns 1 and 2 are both named 'a'") as caught:
        read_table("t.csv", "y")
    assert len(caught.value.options) == (18 if repeated == 9 else 0)


@pytest.mark.parametrize("lines", [19, 20, 21])
def test_up_to_twenty_lines_of_footnotes_are_left_out(in_folder, lines):
    notes = "".join(f"note {k}\n" for k in range(lines - 1))
    (in_folder / "t.csv").write_text("a,b,y\n" + "".join(f"{k},{k * k},{k % 3}.5\n" for k in range(9)) + "\n" + notes)
    if lines <= 20:
        assert read_table("t.csv", "y").rows == 9
    else:
        with pytest.raises(InputError, match="expected 3 cells as in the header, but found 1 cell"):
            read_table("t.csv", "y")


@pytest.mark.parametrize("lines", [20, 21])
def test_up_to_twenty_lines_above_the_header_are_left_out(in_folder, lines):
    titles = "".join(f"title {k}\n" for k in range(lines - 1)) + "\n"
    (in_folder / "t.csv").write_text(titles + "a,b,y\n" + "".join(f"{k},{k * k},{k % 3}.5\n" for k in range(9)))
    if lines == 20:
        assert read_table("t.csv", "y").rows == 9
    else:
        with pytest.raises(InputError):
            read_table("t.csv", "y")


def test_the_scale_is_of_the_numbers_as_they_are(table):
    found = table(range(9))
    assert found.preparation.inputs[0].mean == 4 and found.preparation.inputs[0].scale == np.std(np.arange(9.0))


@pytest.mark.parametrize(
    ("day", "kind"), [(18991231, NumberInput), (19000101, DateInput), (20991231, DateInput), (21000101, NumberInput)]
)
def test_whole_numbers_are_dates_from_1900_to_2099(table, day, kind):
    days = [day, *range(20240101, 20240109)]
    assert isinstance(table(days).preparation.inputs[0], kind)


@pytest.mark.parametrize(
    ("numbers", "texts", "said"),
    [
        (4, 5, "the target holds text"),
        (5, 5, "the target holds text"),
        (6, 5, "5 cells of 11 cannot be read as a number, such as 'k0x'"),
    ],
)
def test_a_target_of_more_numbers_than_texts_is_one_of_numbers(table, numbers, texts, said):
    with pytest.raises(InputError, match=said):
        table([*(f"{k}.5" for k in range(numbers)), *words(texts)], "c", task="regression")


@pytest.mark.parametrize(("text", "likely"), [("a;b,c,d\n1;2,3,4\n", ","), ("a,b;c;d\n1,2;3;4\n", ";")])
def test_of_two_delimiters_the_one_that_makes_more_columns_is_suggested(in_folder, text, likely):
    (in_folder / "t.csv").write_text(text)
    with pytest.raises(InputError, match="may be separated by") as caught:
        read_table("t.csv", "y")
    assert caught.value.options == ("--delimiter", likely)


def test_the_header_below_a_title_decides_between_delimiters(in_folder):
    (in_folder / "t.csv").write_text("My table\na;x,y\n1;2,3\n2;3,4\n3;5,7\n")
    assert read_table("t.csv", "y", keep=["a;x"]).columns[0].name == "a;x"
    with pytest.raises(InputError, match="may be separated by"):
        read_table("t.csv", "z")


def test_no_more_held_out_rows_than_needed_are_moved_to_training():
    """Row 5 alone has a category, and with it a second number; row 4 also has one."""
    kinds, numbers = np.array([0, 0, 0, 0, 0, 1]), np.array([1.0, 1, 1, 1, 2, 3])
    target = Numbers("y", np.arange(6.0))
    columns = (Categories("kind", kinds, ("often", "rare")), Numbers("a", numbers))
    division = TrainingTable(columns, target, True, ()).divided(np.arange(3), np.array([3, 4, 5]))
    assert (division.rows.tolist(), division.held_out.tolist()) == ([0, 1, 2, 5], [3, 4])
    gaps = np.array([np.nan, 1, 1, np.nan, 2, 3])
    division = TrainingTable((Numbers("a", gaps),), target, True, ()).divided(np.arange(3), np.array([3, 4, 5]))
    assert (division.rows.tolist(), division.held_out.tolist()) == ([0, 1, 2, 4], [3, 5])
    division = TrainingTable((Numbers("a", gaps),), target, True, ()).divided(np.array([0, 3]), np.array([1, 2, 4, 5]))
    assert division.rows.tolist() == [0, 3, 1, 4]
