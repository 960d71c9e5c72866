"""Runs a backpath command on a pseudo-terminal of 80 columns and draws the final screen as an SVG file.

python bench/terminal_picture.py OUT.svg COMMAND…
"""

from __future__ import annotations

import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

from rich.console import Console
from rich.text import Text

COLUMNS = 80
# rich's own template fetches fonts from the network; this one uses the reader's monospace font
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; \
font-size: {char_height}px; line-height: {line_height}px }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>\
</clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def screen_of(arguments: list[str]) -> str:
    """The command's output on a terminal, with the final state of the progress bar."""
    leader, follower = pty.openpty()
    ioctl(follower, TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "backpath", *arguments]
        process = subprocess.Popen(command, cwd=folder, stdout=follower, stderr=follower, env=environment)
        os.close(follower)
        output = b""
        while True:
            try:
                block = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            output += block
        process.wait()
    os.close(leader)
    lines = []
    for line in output.decode().replace("\r\n", "\n").split("\n"):
        last = re.sub(r"\x1b\[[0-9;?]*[A-HJKhlsu]", "", line.split("\r")[-1])
        lines.append(last)
    return "\n".join(lines)


def main() -> None:
    out, *arguments = sys.argv[1:]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ backpath {' '.join(arguments)}", style="bold"))
    console.print(Text.from_ansi(screen_of(arguments).strip("\n")))
    Path(out).write_text(console.export_svg(title=f"backpath {' '.join(arguments)}", code_format=SVG, unique_id="term"))


if __name__ == "__main__":
    main()
