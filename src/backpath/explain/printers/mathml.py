"""MathML Core, which browsers display without scripts; all text in it is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backpath.explain import expression as ex
from backpath.explain.document import Document, Formulas, Heading, Part, Prose, Table
from backpath.explain.escape import for_markup
from backpath.explain.printers import text
from backpath.explain.symbols import tokens

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_LINE = 80  # characters of plain text in a line of a page
_SIGNS = ("<mo>×</mo>", "<mo>⋅</mo>")  # of products, and of tight ones
_OPERATORS = {"~": '<mo lspace="0" rspace="0">∼</mo>', ",": '<mo lspace="0" rspace="0">,</mo>'}


def formula(e: ex.Expression) -> str:
    """A formula as a row of MathML elements, without the enclosing <math>."""
    match e:
        case ex.Symbol(base=base, sub=sub, subsub=subsub):
            return _symbol(base, sub, subsub)
        case ex.Number(shown):
            return _number(shown)
        case ex.Call(function, arguments, prime):
            return _call(function, arguments, prime)
        case ex.Product(factors, tight):
            return f"<mrow>{_SIGNS[tight].join(map(_enclosed, factors))}</mrow>"
        case ex.Sum(terms):
            return f"<mrow>{formula(terms[0])}{''.join(map(_term, terms[1:]))}</mrow>"
        case ex.Negative(of):
            return f"<mrow><mo>−</mo>{_after_minus(of)}</mrow>"
        case ex.Quotient(top, bottom):
            return f"<mfrac>{_single(formula(top))}{_single(formula(bottom))}</mfrac>"
        case ex.Power(base, exponent):
            return f"<msup>{_enclosed(base, tight=True)}{_single(formula(exponent))}</msup>"
        case ex.Partial(of, by):
            return f"<mfrac><mrow><mo>∂</mo>{formula(of)}</mrow><mrow><mo>∂</mo>{formula(by)}</mrow></mfrac>"
        case _:
            return _rare(e)


def _after_minus(e: ex.Expression) -> str:
    return _enclosed(e) if isinstance(e, ex.Sum) else formula(e)


def _rare(e: ex.Expression) -> str:
    match e:
        case ex.Total(index, last, body):
            below = f"<mrow><mi>{for_markup(index)}</mi><mo>=</mo><mn>1</mn></mrow>"
            return f"<mrow><munderover><mo>∑</mo>{below}<mn>{last}</mn></munderover>{formula(body)}</mrow>"
        case ex.Truth(left, relation, right):
            inside = f"{formula(left)}<mo>{for_markup(relation)}</mo>{formula(right)}"
            return f"<mrow><mo>[</mo>{inside}<mo>]</mo></mrow>"
        case ex.Ellipsis():
            return "<mo>⋯</mo>"
        case ex.Matrix(rows):
            return _matrix(rows)
        case ex.Transposed(of):
            return f"<msup>{_enclosed(of, tight=True)}<mi>T</mi></msup>"
        case ex.Elementwise(left, right):
            return f"<mrow>{_enclosed(left)}<mo>∘</mo>{_enclosed(right)}</mrow>"
        case ex.Marked(of):
            return f'<mrow class="marked" style="border: thin solid; padding: 0.15em">{formula(of)}</mrow>'
    raise TypeError(f"no MathML for {type(e).__name__}")


def _call(function: ex.Symbol, arguments: Sequence[ex.Expression], prime: bool) -> str:
    name = _tokens(function.base)
    head = f"<msup>{name}<mo>′</mo></msup>" if prime else name
    return f"<mrow>{head}{_brackets('<mo>,</mo>'.join(map(formula, arguments)))}</mrow>"


def _matrix(rows: Sequence[Sequence[ex.Expression]]) -> str:
    cells = ("".join(f"<mtd>{formula(cell)}</mtd>" for cell in row) for row in rows)
    inside = "".join(f"<mtr>{row}</mtr>" for row in cells)
    return f'<mrow><mo>[</mo><mtable displaystyle="true">{inside}</mtable><mo>]</mo></mrow>'


def _term(term: ex.Expression) -> str:
    sign, of = ("−", term.of) if isinstance(term, ex.Negative) else ("+", term)
    bracketed = isinstance(of, ex.Sum) or (isinstance(of, ex.Number) and of.text.startswith("-"))
    return f"<mo>{sign}</mo>{_brackets(formula(of)) if bracketed else formula(of)}"


def _symbol(base: str, sub: str, subsub: str) -> str:
    """A subscript belongs to the last letter or number before it: H1₂, W11₁."""
    if subsub:
        return _below(base, _below(sub, _tokens(subsub)))
    return _below(base, _tokens(sub)) if sub else _tokens(base)


def _below(name: str, sub: str) -> str:
    *before, last = map(_token, tokens(name))
    return _single(f"{''.join(before)}<msub>{last}{sub}</msub>")


def _tokens(name: str) -> str:
    return _single("".join(map(_token, tokens(name))))


def _token(token: str) -> str:
    if token in _OPERATORS:
        return _OPERATORS[token]
    return f"<mn>{token}</mn>" if token.isdigit() else f"<mi>{for_markup(token)}</mi>"


def _number(shown: str) -> str:
    mantissa, _, exponent = shown.partition("e")
    written = _signed(mantissa)
    if exponent:
        written += f"<mo>×</mo><msup><mn>10</mn>{_single(_signed(exponent))}</msup>"
    return _single(written)


def _signed(digits: str) -> str:
    return f"<mo>−</mo><mn>{digits[1:]}</mn>" if digits.startswith("-") else f"<mn>{digits}</mn>"


def _single(written: str) -> str:
    """A single element, for msub, msup and mfrac."""
    return written if _is_single(written) else f"<mrow>{written}</mrow>"


def _is_single(written: str) -> bool:
    depth, elements = 0, 0
    for slash in re.findall(r"<(/?)\w", written):
        depth += -1 if slash else 1
        elements += depth == 0
    return elements == 1


def _brackets(inside: str) -> str:
    """Brackets in a separate <mrow>, in which browsers set them without surrounding space."""
    low = "" if any(tall in inside for tall in ("<mfrac", "<munder", "<mtable")) else ' stretchy="false"'
    return f"<mrow><mo{low}>(</mo>{inside}<mo{low}>)</mo></mrow>"


def _enclosed(e: ex.Expression, tight: bool = False) -> str:
    return _brackets(formula(e)) if ex.needs_brackets(e, tight) else formula(e)


def math(e: ex.Expression) -> str:
    """An inline formula."""
    return f'<math xmlns="{NAMESPACE}">{formula(e)}</math>'


def in_a_line(e: ex.Expression) -> str:
    """The same, with derivatives on one line, ∂C/∂W, where many formulas stand close together."""
    factors = e.factors if isinstance(e, ex.Product) and not e.tight else (e,)
    inside = "<mo>×</mo>".join(_derivative_in_a_line(factor) for factor in factors)
    return f'<math xmlns="{NAMESPACE}">{inside}</math>' if len(factors) > 1 or isinstance(e, ex.Partial) else math(e)


def _derivative_in_a_line(e: ex.Expression) -> str:
    if not isinstance(e, ex.Partial):
        return _enclosed(e)
    above, below = f"<mo>∂</mo>{formula(e.of)}", f"<mo>∂</mo>{formula(e.by)}"
    return f'{above}<mo lspace="0" rspace="0">/</mo>{below}'


def equations(block: Formulas) -> str:
    """Equations on separate lines, aligned at their first =; each side of a long equation has its own line."""
    return f'<math xmlns="{NAMESPACE}" display="block"><mtable displaystyle="true">{_rows(block)}</mtable></math>'


def _rows(block: Formulas) -> str:
    rows = []
    for e in block.equations:
        left, *sides = map(formula, e.sides)
        if text.fits(e, _LINE):
            sides = ["<mo>=</mo>".join(sides)]
        for side in sides:
            rows.append(f"<mtr>{_cell(left, 'right')}{_cell(f'<mrow><mo>=</mo>{side}</mrow>', 'left')}</mtr>")
            left = ""
    return "".join(rows)


def _cell(inside: str, align: str) -> str:
    return f'<mtd style="text-align: {align}">{inside}</mtd>'


def _wide(inside: str) -> str:
    return f'<mtr><mtd columnspan="2" style="text-align: left">{inside}</mtd></mtr>'


def without_styles(written: str) -> str:
    """MathML for a page whose policy forbids inline styles; cells have the classes ``left`` and ``right``."""
    return re.sub(r' style="(?:text-align: (\w+)|[^"]*)"', lambda s: f' class="{s[1]}"' if s[1] else "", written)


def document(doc: Document) -> str:
    """A whole document as one <math>, with the sentences as text between the formulas."""
    rows = [_words(doc.title)]
    for block in doc.blocks:
        match block:
            case Heading(parts) | Prose(parts):
                rows.append(_words(parts))
            case Formulas():
                rows.append(_rows(block))
            case Table(header, lines, right):
                inside = "".join(_table_row(row, right) for row in (header, *lines))
                rows.append(_wide(f"<mtable>{inside}</mtable>"))
    inside = "".join(rows)
    return f'<math xmlns="{NAMESPACE}" display="block"><mtable displaystyle="true">{inside}</mtable></math>'


def _words(parts: Sequence[Part]) -> str:
    return _wide(_line(parts))


def _table_row(row: Sequence[Part], right: frozenset[int]) -> str:
    return f"<mtr>{''.join(_cell(_line((c,)), 'right' if k in right else 'left') for k, c in enumerate(row))}</mtr>"


def _line(parts: Sequence[Part]) -> str:
    pieces = (f"<mtext>{for_markup(p)}</mtext>" if isinstance(p, str) else formula(p) for p in parts)
    return f"<mrow>{''.join(pieces)}</mrow>"
