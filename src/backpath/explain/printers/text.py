"""Terminal text: formulas in lines, aligned at their =, within 80 columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import chain

from backpath.explain import expression as ex
from backpath.explain.document import Block, Document, Formulas, Heading, Part, Prose, Table

_WIDTH = 80
_INDENT = "  "
_WIDEST_LEFT = 30  # a longer left side has its own line
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_SUPERSCRIPTS = {"2": "²", "3": "³", "T": "ᵀ"}


def formula(e: ex.Expression) -> str:
    """A formula on one line."""
    return " ".join(chunks(e))


def chunks(e: ex.Expression) -> list[str]:
    """A formula in pieces, with possible line breaks between them."""
    match e:
        case ex.Sum():
            return list(chain.from_iterable(_terms(e)))
        case ex.Product(factors, tight):
            texts = [_enclosed(factor) for factor in factors]
            return ["·".join(texts)] if tight else [texts[0], *(f"× {text}" for text in texts[1:])]
        case ex.Call(function, (ex.Sum() as argument,), prime):
            pieces = chunks(argument)
            pieces[0] = f"{function.name}{'′' * prime}({pieces[0]}"
            pieces[-1] += ")"
            return pieces
        case ex.Elementwise(left, right):
            return [_enclosed(left), f"∘ {_enclosed(right)}"]
        case ex.Marked(of):
            return [f"«{formula(of)}»"]
    return [_one_piece(e)]


def _terms(e: ex.Sum) -> list[list[str]]:
    """Each term of a sum in pieces, with its sign."""
    found = [chunks(e.terms[0])]
    for term in e.terms[1:]:
        sign, of = ("−", term.of) if isinstance(term, ex.Negative) else ("+", term)
        first, *rest = chunks(of) if not isinstance(of, ex.Sum) else [_enclosed(of)]
        found.append([f"{sign} {_bare_number(first, of)}", *rest])
    return found


def _one_piece(e: ex.Expression) -> str:
    match e:
        case ex.Symbol(name):
            return name
        case ex.Number(text):
            return text
        case ex.Call(function, arguments, prime):
            return f"{function.name}{'′' * prime}({', '.join(map(formula, arguments))})"
        case ex.Negative(of):
            return f"−{_enclosed(of) if isinstance(of, ex.Sum) else formula(of)}"
        case ex.Quotient(top, bottom):
            return f"{_in_fraction(top)}/{_in_fraction(bottom)}"
        case ex.Power(base, exponent):
            return _enclosed(base, tight=True) + _raised(exponent)
        case ex.Partial(of, by):
            return f"∂{formula(of)}/∂{formula(by)}"
    return _rare(e)


def _in_fraction(e: ex.Expression) -> str:
    return formula(e) if isinstance(e, ex.Power) else _enclosed(e, tight=True)


def _raised(exponent: ex.Expression) -> str:
    raised = formula(exponent)
    plain = isinstance(exponent, ex.Number | ex.Symbol)
    return _SUPERSCRIPTS.get(raised) or (f"^{raised}" if plain else f"^({raised})")


def _rare(e: ex.Expression) -> str:
    match e:
        case ex.Total(index, last, body):
            return f"Σ({index} = 1…{last}) {formula(body)}"
        case ex.Truth(left, relation, right):
            return f"[{formula(left)} {relation} {formula(right)}]"
        case ex.Ellipsis():
            return "…"
        case ex.Matrix(rows):
            return "[" + " ".join(f"[{' '.join(map(formula, row))}]" for row in rows) + "]"
        case ex.Transposed(of):
            return f"{_enclosed(of, tight=True)}ᵀ"
    raise TypeError(f"no text for {type(e).__name__}")


def _bare_number(text: str, of: ex.Expression) -> str:
    return f"({text})" if isinstance(of, ex.Number) and text.startswith("-") else text


def _enclosed(e: ex.Expression, tight: bool = False) -> str:
    """In brackets if it needs them inside a product, or with ``tight`` inside a fraction or a power."""
    text = formula(e)
    if isinstance(e, ex.Symbol):  # subscripts are on the line, so only (u_cost)² needs brackets
        return f"({text})" if tight and text.startswith("u_") else text
    return f"({text})" if ex.needs_brackets(e, tight) or text.startswith("-") else text


def text_width(text: str) -> int:
    """The number of terminal columns of a text."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def filled(pieces: Sequence[str], width: int) -> list[str]:
    """Pieces joined with spaces into lines of limited width."""
    lines = [""]
    for piece in pieces:
        if lines[-1] and text_width(lines[-1]) + 1 + text_width(piece) > width:
            lines.append(piece)
        else:
            lines[-1] += f" {piece}" if lines[-1] else piece
    return lines


def fits(e: ex.Equation, width: int) -> bool:
    """Whether an equation fits on one line: it is short, and no side is a matrix."""
    whole = " = ".join(map(formula, e.sides))
    return text_width(whole) <= width and not any(isinstance(side, ex.Matrix) for side in e.sides)


def equation_lines(e: ex.Equation, align: int, width: int = _WIDTH) -> list[str]:
    """An equation on one line if it fits, otherwise one line per side; its first = is at column ``align``."""
    start = formula(e.sides[0])
    head = start + " " * max(0, align - text_width(start))
    if fits(e, width - len(head) + len(start)):
        return [f"{head} = {' = '.join(map(formula, e.sides[1:]))}"]
    if text_width(start) > _WIDEST_LEFT:
        sides = [line for side in e.sides[1:] for line in _hanging(["=", *chunks(side)], width - 2)]
        return [*filled(chunks(e.sides[0]), width), *(f"  {line}" for line in sides)]
    lines, space = [], " " * text_width(head)
    for side in e.sides[1:]:
        first, *rest = _side(side, width - text_width(head) - 5)
        lines += [f"{head} = {first}", *(f"{space}   {part}" for part in rest)]
        head = space
    return lines


def _hanging(pieces: Sequence[str], width: int) -> list[str]:
    first, *rest = filled(pieces, width - 2)
    return [first, *(f"  {part}" for part in rest)]


def _side(e: ex.Expression, width: int) -> list[str]:
    """A side in lines: the rows of a matrix, otherwise as many as it needs."""
    if isinstance(e, ex.Matrix):
        return _matrix_rows(e)
    if ex.is_sum_of_products(e) and text_width(formula(e)) > width:
        return [line for term in _terms(e) for line in _hanging(term, width)]
    return _hanging(chunks(e), width)


def _matrix_rows(matrix: ex.Matrix) -> list[str]:
    cells = [[formula(cell) for cell in row] for row in matrix.rows]
    widths = [max(map(text_width, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(_padded(c, w, True) for c, w in zip(row, widths, strict=True)) for row in cells)
    return [f"[ {line} ]" for line in lines]


def document(doc: Document, colour: bool = False) -> str:
    """A document in plain text; ``colour`` for a terminal."""
    bold, dim, plain = (_BOLD, _DIM, _PLAIN) if colour else ("", "", "")
    title = _line(doc.title)
    lines = [f"{bold}{title}{plain}", "═" * min(text_width(title), _WIDTH)]
    for block in doc.blocks:
        lines.append("")
        if isinstance(block, Heading):
            lines.append(f"{bold}{_line(block.parts)}{plain}")
        elif isinstance(block, Table):
            header, *rows = table(block)
            lines += [f"{dim}{header}{plain}", *rows]
        else:
            lines += _plain_block(block)
    return "\n".join(line.rstrip() for line in lines)


def _plain_block(block: Block) -> list[str]:
    if isinstance(block, Prose):
        return filled(_line(block.parts).split(" "), _WIDTH)
    if not isinstance(block, Formulas):
        raise TypeError(f"no text for {type(block).__name__}")
    starts = [text_width(formula(e.sides[0])) for e in block.equations]
    align = max((start for start in starts if start <= _WIDEST_LEFT), default=0)
    return [_INDENT + line for e in block.equations for line in equation_lines(e, align, _WIDTH - len(_INDENT))]


def _line(parts: Sequence[Part]) -> str:
    return "".join(part if isinstance(part, str) else formula(part) for part in parts)


def table(block: Table) -> list[str]:
    """Aligned columns; text in the last column is wrapped if it does not fit."""
    rows = [[_line((cell,)) for cell in row] for row in (block.header, *block.rows)]
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1
    before = len(_INDENT) + sum(widths[:-1]) + 2 * last
    if last not in block.right:
        widths[last] = max(min(widths[last], _WIDTH - before), 12)
    lines = []
    for row in rows:
        cells = [_padded(c, w, k in block.right) for k, (c, w) in enumerate(zip(row[:-1], widths, strict=False))]
        final = [_padded(row[last], widths[last], True)] if last in block.right else _words(row[last], widths[last])
        lines.append(_INDENT + "  ".join([*cells, final[0]]))
        lines += [" " * before + part for part in final[1:]]
    return lines


def _words(text: str, width: int) -> list[str]:
    """Text in lines; a word that is longer than a line is split."""
    pieces = []
    for word in text.split(" "):
        while text_width(word) > width:
            fitting = next(k for k in range(len(word), 0, -1) if text_width(word[:k]) <= width)
            pieces.append(word[:fitting])
            word = word[fitting:]
        pieces.append(word)
    return filled(pieces, width)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - text_width(text))
    return space + text if right else text + space
