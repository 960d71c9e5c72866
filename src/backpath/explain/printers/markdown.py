"""Markdown with formulas between dollar signs, for GitHub, Jupyter and most site builders."""

from __future__ import annotations

from collections.abc import Sequence

from backpath.explain.document import Document, Formulas, Heading, Part, Prose, Table
from backpath.explain.escape import for_markdown
from backpath.explain.printers import latex


def inline(parts: Sequence[Part]) -> str:
    return "".join(for_markdown(part) if isinstance(part, str) else f"${latex.formula(part)}$" for part in parts)


def document(doc: Document) -> str:
    """A document in Markdown."""
    lines = [f"# {inline(doc.title)}"]
    for block in doc.blocks:
        match block:
            case Heading(parts):
                lines.append(f"## {inline(parts)}")
            case Prose(parts):
                lines.append(inline(parts))
            case Formulas(equations):
                lines.append(f"$$\n{latex.aligned(equations, 'aligned')}\n$$")
            case Table():
                lines.append(_table(block))
    return "\n\n".join(lines) + "\n"


def _table(block: Table) -> str:
    rule = ("---:" if k in block.right else "---" for k in range(len(block.header)))
    rows = [" | ".join(inline((cell,)) for cell in row) for row in (block.header, *block.rows)]
    return "\n".join(f"| {row} |" for row in (rows[0], " | ".join(rule), *rows[1:]))
