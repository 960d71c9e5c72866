"""Odd files on the command line: refused in one line, with a command at most, and nothing is written."""

import pytest

from backpath.cli import main

LINES = "".join(f"{k},{'ab'[k % 2]},{k * k}\n" for k in range(12))
GOOD = "x,c,y\n" + LINES

ODD = {
    "nothing": b"",
    "a line break": b"\n",
    "blanks": b"   \n  \n",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "a byte order mark and a header": b"\xef\xbb\xbfx,c,y\n",
    "half a byte order mark": b"\xef\xbb",
    "a header alone": b"x,c,y\n",
    "a header without its line break": b"x,c,y",
    "one row": b"x,c,y\n1,a,2\n",
    "one column": b"y\n1\n2\n3\n",
    "one column of text": b"y\na\nb\na\n",
    "no column of that name": b"x,c,z\n1,a,2\n2,b,3\n",
    "the name in another case": b"x,c,Y\n1,a,2\n2,b,3\n",
    "two columns of that name": b"x,y,y\n1,a,2\n2,b,3\n",
    "two other columns of one name": b"x,x,y\n1,a,2\n2,b,3\n",
    "a long row": (GOOD + "1,a,2,3\n" + LINES).encode(),
    "a short row": (GOOD + "1,a\n" + LINES).encode(),
    "a quote that is not closed": (GOOD + '1,"a,2\n' + LINES).encode(),
    "a quote within a cell": (GOOD + '1,"a"b,2\n' + LINES).encode(),
    "NUL in a cell": (GOOD + "1,a\0b,2\n" + LINES).encode(),
    "NUL alone": b"\0" * 64,
    "NUL in the header": b"x,c\0,y\n1,a,2\n2,b,3\n",
    "bytes that are no UTF-8": (GOOD + "1,caf\xe9,2\n").encode("cp1252"),
    "UTF-16 without a mark": GOOD.encode("utf-16-le"),
    "half of UTF-16": GOOD.encode("utf-16")[:-1],
    "an emoji among numbers": GOOD.replace("\n3,", "\n🙂,").encode(),
    "a huge number": GOOD.replace("\n3,", "\n1e999,").encode(),
    "an infinite number": GOOD.replace("\n3,", "\ninf,").encode(),
    "a number of a thousand digits": GOOD.replace("\n3,", f"\n{'9' * 1000},").encode(),
    "an underscore in a number": GOOD.replace("\n3,", "\n1_0,").encode(),
    "a hexadecimal number": GOOD.replace("\n3,", "\n0x1F,").encode(),
    "a cell that moves the cursor": GOOD.replace("\n3,", "\n\x1b[2J,").encode(),
    "a right-to-left mark": GOOD.replace("\n3,", "\n\u202e3,").encode(),
    "all the same": b"x,c,y\n1,a,2\n1,a,2\n1,a,2\n",
    "the target the same in every row": b"x,c,y\n1,a,2\n2,b,2\n3,a,2\n",
    "the target missing in every row": b"x,c,y\n1,a,\n2,b,\n3,a,\n",
    "every cell missing": b"x,c,y\n,,\n,,\n,,\n",
    "a target of dates": b"x,c,y\n1,a,2024-01-01\n2,b,2024-01-02\n3,a,2024-01-03\n",
    "a target of names": ("x,c,y\n" + "".join(f"{k},a,name{k}\n" for k in range(30))).encode(),
    "commas that may be either": ("x,c,y\n" + "".join(f'"{k},000",a,{k}\n' for k in range(9))).encode(),
    "dates that may be either": ("x,c,y\n" + "".join(f"{k}/{k}/2024,a,{k}\n" for k in range(1, 9))).encode(),
    "Parquet's first bytes": b"PAR1 and no more",
    "gzip's first bytes": b"\x1f\x8b and no more",
    "bzip2's first bytes": b"BZh9 and no more",
    "a ZIP archive's first bytes": b"PK\x03\x04 and no more",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "a page": b"<!DOCTYPE html><html><body>404</body></html>\n",
    "an object of JSON": b'{"x": 1, "y": 2}\n',
    "JSON that ends early": b'{"x": 1, "y": 2}\n{"x": 2, "y"\n',
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_file_is_refused_in_one_line(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_bytes(ODD[kind])
    monkeypatch.setattr("backpath.cli.signals.listen", lambda: None)  # the test process keeps its own
    monkeypatch.setattr("sys.argv", ["backpath", "train", "t.csv", "--target", "y", "--epochs", "2"])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, ""), err
    said, *commands = err.splitlines()
    assert said.startswith("backpath: ") and len(said) > 20
    assert len(commands) <= 1 and all(command.startswith("backpath train t.csv ") for command in commands)
    assert "an internal error" not in err and "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"] and (tmp_path / "t.csv").read_bytes() == ODD[kind]
