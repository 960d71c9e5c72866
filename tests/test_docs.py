"""The outputs in the docs are what the commands print, except for times and the machine's memory."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

import oracles
from commands import backpath

DOCS = Path(__file__).parents[1] / "docs"
BLOCKS = [
    pytest.param(*block, id=f"{page.stem}: {block[0][:40]}")
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(r"```console\n\$ backpath (.*?)\n(.*?)\n```", page.read_text("utf-8"), flags=re.DOTALL)
]


def timeless(text):
    return re.sub(r"machine's .*|\n  [\d,]+ networks/s: .*", "", text)


def test_there_are_outputs():
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize(("command", "printed"), BLOCKS)
def test_an_output_is_real(command, printed, tmp_path):
    shutil.copytree(oracles.CASES, tmp_path, dirs_exist_ok=True)
    process = backpath(*shlex.split(command), cwd=tmp_path)
    assert process.returncode == ("Not right" in printed), process.stderr
    assert timeless(process.stdout.rstrip("\n")) == timeless(printed)
