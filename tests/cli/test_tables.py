"""Real tables on the command line: the second command, look, and predictions row by row."""

import json
import shlex
import subprocess
import sys

import duckdb
import pytest

from commands import backpath, done, refused

CITIES = "id,city,size,price\n" + "".join(
    f"A{k},{('Bern', 'Basel', 'Zug')[k % 3]},{50 + k},{200 + 3 * k}\n" for k in range(40)
)
NEW = "id,city,size\nB1,Bern,50\nB2,Chur,60\nB3,Basel,\nB4,=1+1,big\n"


@pytest.fixture(scope="module")
def cities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cities")
    (folder / "cities.csv").write_text(CITIES)
    (folder / "new.csv").write_text(NEW)
    out = done("train", "cities.csv", "--target", "price", "--epochs", 5, cwd=folder)
    assert "note: left out 'id': a different text in each row (--keep-column keeps it" in out
    return folder


def test_the_second_command_does_what_the_first_one_advises(tmp_path):
    (tmp_path / "a b.csv").write_text(
        "x,c,y\n" + "".join(f"{k},{k if k != 4 else 'many'},{k % 2}\n" for k in range(20))
    )
    first = backpath("train", "a b.csv", "--target", "y", "--epochs", 2, cwd=tmp_path)
    assert first.returncode == 2 and not first.stdout
    said, command = first.stderr.splitlines()
    assert said.startswith("backpath: a b.csv, line 6, column 'c': expected a finite number, but found 'many'")
    assert command == "backpath train 'a b.csv' --target y --epochs 2 --numeric c"
    assert "filled 1 missing cell: 1 of 'c'" in done(*shlex.split(command)[1:], cwd=tmp_path)


def test_all_reasons_are_reported_at_once(tmp_path):
    rows = "".join(f"{k if k != 3 else 'z'},{k if k != 4 else 'many'},3/4/2024,{k}.5\n" for k in range(20))
    (tmp_path / "t.csv").write_text("a,b,c,y\n" + rows.replace("3/4", "5/6", 7))
    said, command = backpath("train", "t.csv", "--target", "y", cwd=tmp_path).stderr.splitlines()
    assert "for 3 reasons: (1) line 5, column 'a'" in said and "(3) column 'c': its dates" in said
    assert command.endswith("--numeric a --numeric b --dates month-first")


def test_look_on_a_terminal_of_80_columns_and_as_json(cities):
    out = done("look", "cities.csv", "--target", "price", cwd=cities)
    assert max(map(len, out.splitlines())) <= 80
    assert "backpath train cities.csv --target price" in out.splitlines()
    found = json.loads(done("look", "cities.csv", "--json", cwd=cities))
    assert [c["use"] for c in found["columns"]] == ["left out", "input", "input", "input"] and found["rows"] == 40


def test_rows_that_are_not_as_in_training(cities):
    process = backpath("predict", "cities.safetensors", "new.csv", "--keep", "id", "--keep", "city", cwd=cities)
    header, *rows = process.stdout.splitlines()
    assert header == "id,city,price,problem" and len(rows) == 4
    assert all(row.split(",")[2] for row in rows[:3])
    assert rows[3] == "B4,'=1+1,,'size': 'big' is not a number"
    assert max(map(len, process.stderr.splitlines())) <= 80
    notes = " ".join(process.stderr.split())
    assert "2 cells of 'city' are not among the categories in training; treated as other" in notes
    assert "filled 1 missing cell as in training: 1 of 'size'" in notes
    assert "1 row of 4 could not be predicted" in notes and process.returncode == 0


def test_rows_that_are_to_be_refused(cities):
    unknown = backpath("predict", "cities.safetensors", "new.csv", "--unknown", "refuse", cwd=cities)
    assert unknown.returncode == 2 and "line 3, column 'city': 'Chur' was not among the categories" in unknown.stderr
    strict = backpath("predict", "cities.safetensors", "new.csv", "--strict", "--out", "no.csv", cwd=cities)
    assert strict.returncode == 2 and "line 5: 'size': 'big' is not a number" in strict.stderr
    assert not (cities / "no.csv").exists()


def test_predictions_as_parquet_json_lines_and_through_pipes(cities):
    for name in ("p.csv", "p.parquet", "p.jsonl"):
        done("predict", "cities.safetensors", "cities.csv", "--keep", "id", "--out", name, cwd=cities)
    expected = duckdb.sql(f"SELECT id, price FROM '{cities}/p.csv'").fetchall()
    assert duckdb.sql(f"SELECT id, price FROM '{cities}/p.parquet'").fetchall() == expected and len(expected) == 40
    assert [
        (row["id"], row["price"]) for row in map(json.loads, (cities / "p.jsonl").read_text().splitlines())
    ] == expected
    command = [sys.executable, "-m", "backpath", "predict", "cities.safetensors", "-", "--keep", "id", "--out", "-"]
    piped = subprocess.run(command, cwd=cities, input=CITIES, capture_output=True, text=True, check=True)
    assert piped.stdout == (cities / "p.csv").read_text()


def test_check_takes_a_row_of_a_models_table_by_its_number_or_its_values(tmp_path):
    rows = [(k, "gas" if k % 2 else "oil", 3 * k + 5 * (k % 2)) for k in range(1, 41)]
    (tmp_path / "t.csv").write_text("size,fuel,price\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    done("train", "t.csv", "--target", "price", "--hidden", "2", "--epochs", "5", "--out", "m", cwd=tmp_path)
    explained = done("explain", "m", "W11_1", "--data", "t.csv", "--row", "3", "--format", "json", cwd=tmp_path)
    gradient = json.loads(explained)["gradient"]
    for factor, status in ((1, 0), (2, 1)):
        claims = {"claimed": {"gradients": {"W11_1": gradient * factor}}}
        (tmp_path / "claims.json").write_text(json.dumps(claims))
        for sample in (("--data", "t.csv", "--row", "3"), ("--x", "size=3,fuel=gas", "--y", "14")):
            found = backpath("check", "claims.json", "--model", "m", *sample, cwd=tmp_path)
            assert found.returncode == status, found.stdout + found.stderr
    assert "give --model too" in refused("check", "claims.json", "--row", "3", cwd=tmp_path)
    (tmp_path / "own.json").write_text(json.dumps(claims | {"x": [[1, 2]]}))
    call = ("check", "own.json", "--model", "m", "--data", "t.csv", "--row", "3")
    assert "both the file and --model define x" in refused(*call, cwd=tmp_path)


def test_an_advised_option_replaces_the_wrong_one(cities):
    process = backpath("train", "cities.csv", "--target", "prise", "--na", "x", cwd=cities)
    assert process.stderr.splitlines()[1] == "backpath train cities.csv --na x --target price"


def test_predictions_are_not_written_to_a_file_of_another_kind(cities):
    for name, said in (("out.xyz", "ends in '.xyz'"), ("out.html", "ends in '.html'"), ("out", "has no ending")):
        assert said in refused("predict", "cities.safetensors", "new.csv", "--out", name, cwd=cities)
    out = done("predict", "cities.safetensors", "new.csv", "--out", "some.csv", cwd=cities)
    assert out.startswith("saved some.csv: 3 predictions of 4 rows")


def test_look_gives_a_refusal_once(tmp_path):
    (tmp_path / "t.csv").write_text("x,c,y\n" + "".join(f"{k},{k if k != 4 else 'many'},{k % 2}\n" for k in range(20)))
    assert done("look", "t.csv", "--target", "y", cwd=tmp_path).count("'many'") == 1
    assert done("look", "t.csv", cwd=tmp_path).count("'many'") == 1
