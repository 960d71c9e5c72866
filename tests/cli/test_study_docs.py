"""The outputs in docs/study.md are what the commands print, but for the times and the machine's memory."""

import re
import shlex
from pathlib import Path

import pytest

from commands import done

PAGE = Path(__file__).parents[2] / "docs" / "study.md"
BLOCKS = re.findall(r"```console\n\$ backpath (.*?)\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def timeless(text):
    return re.sub(r"machine's .*|\n  [\d,]+ networks/s: .*", "", text)


def test_there_are_outputs():
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize(("command", "printed"), BLOCKS, ids=[command[:60] for command, _ in BLOCKS])
def test_an_output_is_real(command, printed, tmp_path):
    assert timeless(done(*shlex.split(command), cwd=tmp_path).rstrip("\n")) == timeless(printed)
