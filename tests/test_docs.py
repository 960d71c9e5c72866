"""The outputs in the docs are what the commands print."""

import re
import shlex
from pathlib import Path

import pytest

import oracles
from commands import backpath

DOCS = Path(__file__).parents[1] / "docs"
BLOCKS = [
    pytest.param(*block, id=f"{page.stem}: {block[0][:30]}")
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(r"```console\n\$ backpath (.*?)\n(.*?)\n```", page.read_text("utf-8"), flags=re.DOTALL)
]


def test_there_are_outputs():
    assert len(BLOCKS) >= 4


@pytest.mark.parametrize(("command", "printed"), BLOCKS)
def test_an_output_is_real(command, printed):
    process = backpath(*shlex.split(command), cwd=oracles.CASES)
    assert process.returncode == ("Not right" in printed), process.stderr
    assert process.stdout.rstrip("\n") == printed
