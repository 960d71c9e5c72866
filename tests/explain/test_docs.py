"""The outputs in docs/explain.md are what the commands print."""

import re
import shlex
from pathlib import Path

import pytest

import oracles
from commands import done

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
BLOCKS = re.findall(r"```console\n\$ backpath (.*?)\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_there_are_outputs():
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize(("command", "printed"), BLOCKS, ids=[command[:30] for command, _ in BLOCKS])
def test_an_output_is_real(command, printed):
    assert done(*shlex.split(command), cwd=oracles.CASES).rstrip("\n") == printed
