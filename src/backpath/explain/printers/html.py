"""HTML: a self-contained page without scripts, for light and dark themes and for print."""

from __future__ import annotations

from collections.abc import Sequence

from backpath.explain.document import Document, Formulas, Heading, Part, Prose, Table
from backpath.explain.escape import for_markup
from backpath.explain.printers import mathml, text

_STYLE = """
.backpath { color-scheme: light dark; --ink: #1c2126; --soft: #5b6670; --line: #d5dbe1; --paper: #ffffff;
  --mark: #fff0b3;
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .backpath { --ink: #e8ebee; --soft: #9aa6b1; --line: #3a434c;
  --paper: #15191d; --mark: #54460f; } }
.backpath h1 { font-size: 1.5rem; margin: 0 0 1rem; }
.backpath h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
.backpath p { margin: .5rem 0; max-width: 70ch; overflow-wrap: anywhere; }
.backpath .formulas { overflow-x: auto; overflow-y: hidden; padding: .25rem 0; }
.backpath .formulas math { margin: 0; width: max-content; }
.backpath .formulas mtd { padding: .35em .2em; }
.backpath .marked { background: var(--mark); }
.backpath .scroll { overflow-x: auto; }
.backpath table { border-collapse: collapse; margin: .5rem 0; }
.backpath th, .backpath td { text-align: left; padding: .35rem 1.25rem .35rem 0; border-bottom: 1px solid var(--line); }
.backpath td { overflow-wrap: break-word; }
.backpath td math { math-style: normal; }
.backpath th { white-space: nowrap; color: var(--soft); font-weight: 500; }
.backpath .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media print { .backpath { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; font-size: 11px; }
  .backpath .formulas, .backpath .scroll { overflow: visible; } .backpath h2 { break-after: avoid; }
  .backpath tr { break-inside: avoid; } }
""".strip()
_PAGE_STYLE = """
body { margin: 0; background: var(--paper); }
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
@page { margin: 15mm; }
@media print { main { padding: 0; } }
""".strip()


def inline(parts: Sequence[Part]) -> str:
    return "".join(for_markup(part) if isinstance(part, str) else mathml.math(part) for part in parts)


def fragment(doc: Document) -> str:
    """A document as a part of a page."""
    return f'<div class="backpath"><style>{_STYLE}</style>{content(doc)}</div>'


def document(doc: Document) -> str:
    """A document as a whole page."""
    title = for_markup("".join(part if isinstance(part, str) else text.formula(part) for part in doc.title))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{_STYLE}
{_PAGE_STYLE}
</style>
</head>
<body class="backpath">
<main>
{content(doc)}
</main>
</body>
</html>
"""


def content(doc: Document) -> str:
    """The content of a document without its style."""
    lines = [f"<h1>{inline(doc.title)}</h1>"]
    for block in doc.blocks:
        match block:
            case Heading(parts):
                lines.append(f"<h2>{inline(parts)}</h2>")
            case Prose(parts):
                lines.append(f"<p>{inline(parts)}</p>")
            case Formulas():
                lines.append(f'<div class="formulas">{mathml.equations(block)}</div>')
            case Table():
                lines.append(_table(block))
    return "\n".join(lines)


def _table(block: Table) -> str:
    def row(cells: Sequence[Part], tag: str) -> str:
        opened = (f'<{tag} class="number">' if k in block.right else f"<{tag}>" for k in range(len(cells)))
        written = (f"{start}{inline((cell,))}</{tag}>" for start, cell in zip(opened, cells, strict=True))
        return f"<tr>{''.join(written)}</tr>"

    rows = "\n".join(row(cells, "td") for cells in block.rows)
    return f'<div class="scroll"><table><thead>{row(block.header, "th")}</thead><tbody>\n{rows}\n</tbody></table></div>'
