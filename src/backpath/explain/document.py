"""Documents: headings, sentences, formulas and tables, independent of the format."""

from __future__ import annotations

from dataclasses import dataclass

from backpath.explain.expression import Equation, Expression

Part = str | Expression  # a piece of a sentence or a cell


@dataclass(frozen=True)
class Heading:
    """A heading of a section."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Prose:
    """A sentence or two."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Formulas:
    """Equations on separate lines, aligned at their first =."""

    equations: tuple[Equation, ...]


@dataclass(frozen=True)
class Table:
    """Rows of cells; the columns of ``right`` are numbers."""

    header: tuple[Part, ...]
    rows: tuple[tuple[Part, ...], ...]
    right: frozenset[int] = frozenset()


Block = Heading | Prose | Formulas | Table


@dataclass(frozen=True)
class Document:
    """An explanation as data, which ``text``, ``latex`` and the other formats print.

    Attributes
    ----------
    title : tuple of str and Expression
        The pieces of the title.
    blocks : tuple of Heading, Prose, Formulas and Table
        The content, in order.
    """

    title: tuple[Part, ...]
    blocks: tuple[Block, ...]


def heading(*parts: Part) -> Heading:
    return Heading(parts)


def prose(*parts: Part) -> Prose:
    return Prose(parts)
