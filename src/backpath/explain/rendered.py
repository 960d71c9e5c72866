"""The formats that every explanation has."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

from backpath.explain.document import Document
from backpath.explain.printers import html, latex, markdown, mathml, text


class Rendered(ABC):
    """Something that can be printed: it says what, the printers say how."""

    @abstractmethod
    def document(self) -> Document:
        """What is printed."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """The numbers and names as JSON keeps them (docs/explain.md describes it)."""

    def __str__(self) -> str:
        return text.document(self.document())

    def text(self, colour: bool = False) -> str:
        """Plain text of 80 columns; ``colour`` adds a terminal's codes for bold and dim."""
        return text.document(self.document(), colour)

    def latex(self, document: bool = False) -> str:
        """LaTeX for a document that loads amsmath and array, or with ``document`` a whole one."""
        return latex.document(self.document()) if document else latex.body(self.document())

    def mathml(self) -> str:
        """One MathML element."""
        return mathml.document(self.document())

    def html(self, document: bool = True) -> str:
        """A whole page that needs nothing else; without ``document`` a part to be put into a page."""
        return html.document(self.document()) if document else html.fragment(self.document())

    def markdown(self) -> str:
        """Markdown with formulas between dollar signs."""
        return markdown.document(self.document())

    def json(self) -> str:
        """The same as data."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=1, allow_nan=False)

    def _repr_html_(self) -> str:
        return self.html(document=False)

    def _repr_latex_(self) -> str:
        return latex.notebook(self.document())
