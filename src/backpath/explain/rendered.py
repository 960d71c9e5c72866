"""The formats of all explanations."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

from backpath.explain.document import Document
from backpath.explain.printers import html, latex, markdown, mathml, text


class Rendered(ABC):
    """An explanation that can be printed in all formats."""

    @abstractmethod
    def document(self) -> Document:
        """What is printed.

        Returns
        -------
        Document
            A title, then headings, sentences, formulas and tables.
        """

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """The numbers and names as data for JSON (see docs/explain.md)."""

    def __str__(self) -> str:
        return text.document(self.document())

    def text(self, colour: bool = False) -> str:
        """Plain text, 80 columns wide.

        Parameters
        ----------
        colour : bool
            Add a terminal's codes for bold and dim.

        Returns
        -------
        str
            What ``print`` shows.
        """
        return text.document(self.document(), colour)

    def latex(self, document: bool = False) -> str:
        """LaTeX.

        Parameters
        ----------
        document : bool
            A whole document; otherwise a part for one that loads amsmath and array.

        Returns
        -------
        str
            The source.
        """
        return latex.document(self.document()) if document else latex.body(self.document())

    def mathml(self) -> str:
        """MathML.

        Returns
        -------
        str
            One element.
        """
        return mathml.document(self.document())

    def html(self, document: bool = True) -> str:
        """HTML, with MathML for the formulas.

        Parameters
        ----------
        document : bool
            A whole page that needs no other file; otherwise a part to insert into a page.

        Returns
        -------
        str
            The page or the part.
        """
        return html.document(self.document()) if document else html.fragment(self.document())

    def markdown(self) -> str:
        """Markdown with formulas between dollar signs.

        Returns
        -------
        str
            The text.
        """
        return markdown.document(self.document())

    def json(self) -> str:
        """The same as data (see docs/explain.md).

        Returns
        -------
        str
            JSON.
        """
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=1, allow_nan=False)

    def _repr_html_(self) -> str:
        return self.html(document=False)

    def _repr_latex_(self) -> str:
        return latex.notebook(self.document())
