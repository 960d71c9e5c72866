"""Formulas as trees, which derivations contain and printers read.

A tree describes a formula, not its appearance: the same tree becomes terminal text, LaTeX and MathML. Numbers in a tree
are texts, because their digits are chosen once for all printers (see ``digits``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard


@dataclass(frozen=True, slots=True)
class Expression:
    """A node of a formula."""


@dataclass(frozen=True, slots=True)
class Symbol(Expression):
    """A name as typed (``W11_1``), and its typeset parts: base W, subscript 11, and its subscript 1."""

    name: str
    base: str
    sub: str = ""
    subsub: str = ""


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A number as shown: ``0.59327``, ``-1.5e-9``."""

    text: str


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function of an argument: σ(u), with ``prime`` its derivative σ′(u)."""

    function: Symbol
    arguments: tuple[Expression, ...]
    prime: bool = False


@dataclass(frozen=True, slots=True)
class Product(Expression):
    """Factors with × between them, or with ``tight`` a dot, as in 0.05·0.15."""

    factors: tuple[Expression, ...]
    tight: bool = False


@dataclass(frozen=True, slots=True)
class Sum(Expression):
    """Terms with + between them; a ``Negative`` term is subtracted."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negative(Expression):
    """-x"""

    of: Expression


@dataclass(frozen=True, slots=True)
class Quotient(Expression):
    """A fraction."""

    top: Expression
    bottom: Expression


@dataclass(frozen=True, slots=True)
class Power(Expression):
    """base^exponent"""

    base: Expression
    exponent: Expression


@dataclass(frozen=True, slots=True)
class Partial(Expression):
    """∂of/∂by"""

    of: Expression
    by: Expression


@dataclass(frozen=True, slots=True)
class Total(Expression):
    """Σ of ``body`` for ``index`` from 1 to ``last``."""

    index: str
    last: int
    body: Expression


@dataclass(frozen=True, slots=True)
class Truth(Expression):
    """[left relation right]: 1 if it holds, otherwise 0."""

    left: Expression
    relation: str
    right: Expression


@dataclass(frozen=True, slots=True)
class Ellipsis(Expression):
    """… for omitted terms."""


@dataclass(frozen=True, slots=True)
class Matrix(Expression):
    """Rows of expressions."""

    rows: tuple[tuple[Expression, ...], ...]


@dataclass(frozen=True, slots=True)
class Transposed(Expression):
    """The transpose of a matrix."""

    of: Expression


@dataclass(frozen=True, slots=True)
class Elementwise(Expression):
    """Matrices multiplied element by element."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Marked(Expression):
    """A highlighted part: a wrong or missing factor."""

    of: Expression


@dataclass(frozen=True, slots=True)
class Equation:
    """A formula with numbers: sides with = between them.

    Attributes
    ----------
    sides : tuple of Expression
        The sides, as trees.
    """

    sides: tuple[Expression, ...]


def equation(*sides: Expression) -> Equation:
    return Equation(sides)


def minus(left: Expression, right: Expression) -> Sum:
    return Sum((left, Negative(right)))


def product(*factors: Expression) -> Expression:
    """A product with nested products flattened and factors 1 omitted, as in the notes."""
    flat: list[Expression] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Product) and not factor.tight else (factor,)
    kept = tuple(factor for factor in flat if factor != ONE) or (ONE,)
    return kept[0] if len(kept) == 1 else Product(kept)


def total(*terms: Expression) -> Expression:
    """A sum, or its only term."""
    return terms[0] if len(terms) == 1 else Sum(terms)


ONE, TWO = Number("1"), Number("2")


def needs_brackets(e: Expression, tight: bool = False) -> bool:
    """Whether it needs brackets inside a product, or with ``tight`` inside a fraction or under a power."""
    if isinstance(e, Number):
        return e.text.startswith("-") or (tight and "e" in e.text)
    if isinstance(e, Symbol):
        return tight and bool(e.sub)
    loose = isinstance(e, Sum | Negative | Total | Elementwise)
    return loose or (tight and isinstance(e, Product | Quotient | Partial | Power | Matrix))


def is_sum_of_products(e: Expression) -> TypeGuard[Sum]:
    return isinstance(e, Sum) and any(isinstance(term, Product) for term in e.terms)
