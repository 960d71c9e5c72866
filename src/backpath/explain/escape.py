"""Makes text from outside safe for each format; no other module does.

Only names of columns and categories come from outside. They are made printable when they enter, so that none of their
control or direction characters reaches a terminal; each format then escapes its special characters.
"""

from __future__ import annotations

import html
import re

from backpath.files.wording import plain

printable = plain

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",  # no ligatures such as -- and !`
    "?": r"{?}",
    "!": r"{!}",
    ",": r"{,}",
    "[": r"{[}",
    "]": r"{]}",
    "…": r"\dots{}",
    "×": r"\ensuremath{\times}",
    "·": r"\ensuremath{\cdot}",
    "σ": r"\ensuremath{\sigma}",
    "δ": r"\ensuremath{\delta}",
    "η": r"\ensuremath{\eta}",
    "Σ": r"\ensuremath{\Sigma}",
    "Φ": r"\ensuremath{\Phi}",
    "φ": r"\ensuremath{\varphi}",
    "→": r"\ensuremath{\to}",
    "∂": r"\ensuremath{\partial}",
    "′": r"\ensuremath{'}",
    "−": r"\ensuremath{-}",
    "≤": r"\ensuremath{\le}",
    "≥": r"\ensuremath{\ge}",
    "∘": r"\ensuremath{\circ}",
    "ᵀ": r"\textsuperscript{T}",
}


def for_markup(text: str) -> str:
    """Text for HTML and MathML, between tags or in a quoted attribute.

    >>> for_markup("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    return html.escape(text, quote=True)


def for_latex(text: str) -> str:
    """Text outside formulas for LaTeX; characters that pdfLaTeX cannot print become their codes.

    >>> print(for_latex("50% of $x_1$ 😀"))
    50\\% of \\$x\\_1\\$ [U+1F600]
    """
    return "".join(map(_latex_character, text))


def _latex_character(character: str) -> str:
    if character in _LATEX:
        return _LATEX[character]
    if character.isascii() or (character.isalpha() and character <= "ÿ"):
        return character
    return f"[U+{ord(character):04X}]"


def for_markdown(text: str) -> str:
    """Text for Markdown, in a paragraph or in a table's cell.

    >>> print(for_markdown("a*b | <i> $5"))
    a\\*b \\| &lt;i&gt; &#36;5
    """
    marked = re.sub(r"[\\`*_\[\]|~^]", r"\\\g<0>", text)
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "@": "&#64;"}
    safe = "".join(entities.get(character, character) for character in marked)
    return re.sub(r":(?=\S)", "&#58;", safe).replace("www.", "www&#46;")  # addresses must not become links
