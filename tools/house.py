"""Draws the rooms of the package and their imports: docs/images/house.svg."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "backpath"
PICTURE = ROOT / "docs" / "images" / "house.svg"
WIDTH, HEIGHT, GAP, FLOOR, MARGIN = 220, 52, 30, 124, 24
STYLE = """
  text { font: 15px system-ui, sans-serif; fill: #1b1b1f; text-anchor: middle }
  .soft { font-size: 11.5px; fill: #5f5f68 }
  rect { fill: #eef2fb; stroke: #4666b0; stroke-width: 1.4; rx: 7 }
  path { fill: none; stroke: #7d8db5; stroke-width: 1.3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ececf1 } .soft { fill: #a3a3ad } rect { fill: #1d2436; stroke: #8aa6ea } path { stroke: #6f7ea6 }
  }
"""
WORDS = {
    "cli": "the commands",
    "explorer": "the web page and its server",
    "distributed": "one network, many machines",
    "estimators": "scikit-learn's interface",
    "population": "many networks at once",
    "tabular": "the model of a table",
    "training": "solvers, engines, kernels",
    "explain": "derivations and diagnosis",
    "files": "tables, models, examples",
    "maths": "the notes as code",
    "errors": "what can go wrong",
    "interrupts": "Ctrl-C at a safe moment",
    "version": "which release this is",
}


def floors() -> list[list[str]]:
    """The rooms from top to bottom, as the layers of import-linter have them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = next(c["layers"] for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return [[room.strip().removeprefix("backpath.") for room in layer.split("|")] for layer in layers]


def imports() -> set[tuple[str, str]]:
    """(room, imported room) for every import, also inside functions and for types only."""
    found = set()
    for file in SOURCE.rglob("*.py"):
        room = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            found |= {(room, name.split(".")[1]) for name in _imported(node) if name.startswith("backpath.")}
    return {(one, other) for one, other in found if other not in ("", one) and not one.startswith("__")}


def _imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports; a dot follows the module that it imports names from."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module)):
            return [f"{module}."]
    return []


def picture() -> str:
    rows = floors()
    whole = max(len(row) for row in rows) * (WIDTH + GAP) - GAP + 2 * MARGIN
    places = {}
    for level, row in enumerate(rows):
        start = (whole - len(row) * (WIDTH + GAP) + GAP) / 2
        for k, room in enumerate(row):
            places[room] = (start + k * (WIDTH + GAP), MARGIN + level * FLOOR)
    height = len(rows) * FLOOR - (FLOOR - HEIGHT) + 2 * MARGIN
    above = _above(imports())
    lines = [f'<path d="{_arrow(places[one], places[other])}"/>' for one, other in sorted(above) if one in places]
    for room, (x, y) in places.items():
        lines.append(f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}"/>')
        lines.append(f'<text x="{x + WIDTH / 2:g}" y="{y + 22:g}">{room}</text>')
        lines.append(f'<text class="soft" x="{x + WIDTH / 2:g}" y="{y + 40:g}">{WORDS[room]}</text>')
    body = "\n".join(lines)
    title = "The rooms of backpath, each above those that it imports"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole:g} {height:g}" role="img">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n{body}\n</svg>\n"
    )


def _above(every: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The arrows without those that follow from others: a room that is imported through another one needs no arrow."""
    below: dict[str, set[str]] = {}
    for one, other in every:
        below.setdefault(one, set()).add(other)
    return {
        (one, other)
        for one, other in every
        if not any(other in below.get(between, ()) for between in below[one] - {other})
    }


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x, y), (to_x, to_y) = (start[0] + WIDTH / 2, start[1] + HEIGHT), (end[0] + WIDTH / 2, end[1])
    middle = (y + to_y) / 2
    head = f"M{to_x - 4:g},{to_y - 7:g} L{to_x:g},{to_y:g} L{to_x + 4:g},{to_y - 7:g}"
    return f"M{x:g},{y:g} C{x:g},{middle:g} {to_x:g},{middle:g} {to_x:g},{to_y:g} {head}"


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
