"""The configuration of Sphinx for the documentation site (scripts/docs)."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.inspect import TypeAliasForwardRef

from backpath import __version__

project = "backpath"
author = "The backpath authors"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_click",
]
exclude_patterns = ["_build"]

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_type_aliases = {name: name for name in ("ArrayLike", "DTypeLike", "Array", "Floats", "NDArray", "PathLike")}
TypeAliasForwardRef.__repr__ = lambda alias: alias.name  # in a union, Sphinx shows this
TypeAliasForwardRef.__getitem__ = lambda alias, of: TypeAliasForwardRef(f"{alias.name}[{of.__name__}]")
autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    "special-members": "__getitem__",
    # scikit-learn's own
    "exclude-members": "set_fit_request, set_partial_fit_request, set_predict_request, set_predict_proba_request, "
    "set_score_request, get_metadata_routing",
}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
strip_signature_backslash = True  # with it, napoleon keeps the last _ of coefs_
default_role = "py:obj"
smartquotes = False  # they would turn --option into a dash
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"backpath {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False

BLANK = "\u00a0"  # for an empty cell
_ROW = re.compile(r"^\s*\|(.*)\|\s*$")


def _tables(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Docstrings have tables with bars, for terminals; Sphinx needs list tables."""
    lines[:] = [line.replace("|A - y|", "abs(A - y)") for line in lines]
    found: list[str] = []
    k = 0
    while k < len(lines):
        rows = []
        while k < len(lines) and (row := _ROW.match(lines[k])):
            indent = lines[k][: len(lines[k]) - len(lines[k].lstrip())]
            rows.append([cell.strip() for cell in row[1].split("|")])
            k += 1
        if len(rows) > 1:
            body = [cells for cells in rows if not all(set(cell) <= set("-:") for cell in cells)]
            width = max(map(len, body))
            found += ["", f"{indent}.. list-table::", f"{indent}   :header-rows: 1", ""]
            for cells in body:
                cells += [""] * (width - len(cells))
                found += [f"{indent}   {'*' if j == 0 else ' '} - {cell or BLANK}" for j, cell in enumerate(cells)]
            found.append("")
        elif rows:
            k -= 1
            rows = []
        if not rows and k < len(lines):
            found.append(lines[k])
            k += 1
    lines[:] = found


def _one_by_one(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Two attributes with one description each get it, as two parameters do."""
    if "Attributes" not in lines:
        return
    begin = lines.index("Attributes") + 2
    end = next((k for k in range(begin, len(lines)) if lines[k].startswith("---")), len(lines) + 1) - 1
    found: list[str] = []
    for entry in re.split(r"\n(?=\S)", "\n".join(lines[begin:end])):
        names, rest = re.fullmatch(r"(.*?)((?: : |\n).*|)", entry, re.DOTALL).groups()
        for one in names.split(", "):
            found += f"{one}{rest}".split("\n")
    lines[begin:end] = found


def _signature(
    app: object, what: str, name: str, thing: object, options: object, signature: str | None, returns: str | None
) -> tuple[str, str | None] | None:
    """Only classes that describe their parameters are made by users; the others show no signature."""
    if not signature:
        return None
    hidden = what in ("class", "exception") and "Parameters\n" not in (inspect.getdoc(thing) or "")
    return "" if hidden else signature.replace("<factory>", "...").replace("[[...], ", "[..., "), returns


def _words(app: object, document: nodes.document) -> None:
    """Dashes between names and descriptions, where Sphinx writes two hyphens; attributes, which it calls variables."""
    for label in list(document.findall(nodes.field_name)):
        if label.astext() == "Variables":
            label[:] = [nodes.Text("Attributes")]
    for text in list(document.findall(nodes.Text)):
        if " -- " in text and not isinstance(text.parent, nodes.literal | nodes.literal_block):
            text.parent.replace(text, nodes.Text(text.replace(" -- ", " – ")))


FAULTS = {
    "&lt;factory&gt;": "a default value that is not Python",
    "~backpath": "the path of a type",
    " -- ": "two hyphens for a dash",
    "Type<span": "a summary that is cut at its colon",
    r"<li><p><strong>[^<]*,[^<]*</strong>(?! \(<em>arrays)": "two names in one entry",
}


def _check(app: object, error: object) -> None:
    page = Path(app.outdir, "reference", "api.html")  # type: ignore[attr-defined] # Sphinx's app
    if error is None and page.is_file():
        html = page.read_text("utf-8")
        faults = [f"{found[0]}: {what}" for fault, what in FAULTS.items() if (found := re.search(fault, html))]
        if faults:
            raise ExtensionError(f"the reference has {'; '.join(faults)}")


def _as_text(app: object, context: object, lines: list[str]) -> None:
    """Help texts of commands are plain text, so stars and bars are escaped; a bar at the start keeps a line."""
    lines[:] = [line if re.match(r"\s*(\.\.|\| )", line) else re.sub(r"(?<!\\)([*|])", r"\\\1", line) for line in lines]


def setup(app: object) -> None:
    app.connect("autodoc-process-docstring", _tables, priority=400)  # type: ignore[attr-defined] # Sphinx's app
    app.connect("autodoc-process-docstring", _one_by_one, priority=450)  # type: ignore[attr-defined] # the same
    app.connect("autodoc-process-signature", _signature)  # type: ignore[attr-defined] # the same
    app.connect("doctree-read", _words)  # type: ignore[attr-defined] # the same
    app.connect("build-finished", _check)  # type: ignore[attr-defined] # the same
    for part in ("description", "options", "arguments"):
        app.connect(f"sphinx-click-process-{part}", _as_text)  # type: ignore[attr-defined] # the same
