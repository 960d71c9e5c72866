"""LaTeX: formulas for amsmath, a part of a document, or a whole document that compiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from backpath.explain import expression as ex
from backpath.explain.document import Document, Formulas, Heading, Part, Prose, Table
from backpath.explain.escape import for_latex
from backpath.explain.printers import text

_LINE = 80  # characters of plain text in a line of the page
_NAMES = {
    "σ": r"\sigma", "δ": r"\delta", "η": r"\eta", "τ": r"\tau", "Φ": r"\Phi", "φ": r"\varphi", "~": r"\sim",
    "max": r"\max", "abs": r"\operatorname{abs}", "sgn": r"\operatorname{sgn}", "min": r"\min", "ln": r"\ln",
    "tanh": r"\tanh", "clip": r"\operatorname{clip}", "huber": r"\operatorname{huber}", "≤": r"\le", "≥": r"\ge",
}  # fmt: skip
_START = r"""\documentclass[a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath}
\usepackage{array}
\usepackage[margin=20mm]{geometry}
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\sloppy
\setcounter{MaxMatrixCols}{64}
\allowdisplaybreaks
\begin{document}
"""


def formula(e: ex.Expression) -> str:
    """A formula in math mode."""
    return " ".join(chunks(e))


def chunks(e: ex.Expression) -> list[str]:
    """A formula in pieces, as in ``text.chunks``."""
    match e:
        case ex.Sum():
            return list(chain.from_iterable(_terms(e)))
        case ex.Product(factors, tight):
            parts = [_enclosed(factor) for factor in factors]
            return [r" \cdot ".join(parts)] if tight else [parts[0], *(rf"\times {part}" for part in parts[1:])]
        case ex.Call(function, (ex.Sum() as argument,), prime):
            pieces = chunks(argument)
            pieces[0] = f"{_name(function.base)}{prime * chr(39)}({pieces[0]}"
            pieces[-1] += ")"
            return pieces
        case ex.Elementwise(left, right):
            return [_enclosed(left), rf"\circ {_enclosed(right)}"]
        case ex.Marked(of):
            return [rf"\boxed{{{formula(of)}}}"]
    return [_one_piece(e)]


def _terms(e: ex.Sum) -> list[list[str]]:
    """Each term of a sum in pieces, with its sign."""
    found = [chunks(e.terms[0])]
    for term in e.terms[1:]:
        sign, of = ("-", term.of) if isinstance(term, ex.Negative) else ("+", term)
        first, *rest = chunks(of) if not isinstance(of, ex.Sum) else [_enclosed(of)]
        bare = f"({first})" if isinstance(of, ex.Number) and first.startswith("-") else first
        found.append([f"{sign} {bare}", *rest])
    return found


def _one_piece(e: ex.Expression) -> str:
    match e:
        case ex.Symbol():
            return _symbol(e)
        case ex.Number(shown):
            mantissa, _, exponent = shown.partition("e")
            return rf"{mantissa} \times 10^{{{exponent}}}" if exponent else mantissa
        case ex.Call(function, arguments, prime):
            return f"{_name(function.base)}{prime * chr(39)}({', '.join(map(formula, arguments))})"
        case ex.Negative(of):
            return f"-{_enclosed(of) if isinstance(of, ex.Sum) else formula(of)}"
        case ex.Quotient(top, bottom):
            return rf"\frac{{{formula(top)}}}{{{formula(bottom)}}}"
        case ex.Power(base, exponent):
            return f"{_enclosed(base, tight=True)}^{{{formula(exponent)}}}"
        case ex.Partial(of, by):
            return rf"\frac{{\partial {formula(of)}}}{{\partial {formula(by)}}}"
    return _rare(e)


def _rare(e: ex.Expression) -> str:
    match e:
        case ex.Total(index, last, body):
            return rf"\sum_{{{index}=1}}^{{{last}}} {formula(body)}"
        case ex.Truth(left, relation, right):
            return f"[{formula(left)} {_name(relation)} {formula(right)}]"
        case ex.Ellipsis():
            return r"\cdots"
        case ex.Matrix(rows):
            lines = (" & ".join(map(formula, row)) for row in rows)
            return r"\begin{bmatrix} " + r" \\ ".join(lines) + r" \end{bmatrix}"
        case ex.Transposed(of):
            return f"{_enclosed(of, tight=True)}^{{T}}"
    raise TypeError(f"no LaTeX for {type(e).__name__}")


def _symbol(symbol: ex.Symbol) -> str:
    base = _name(symbol.base)
    if not symbol.sub:
        return base
    sub = symbol.sub.replace("~", r"\sim")
    last = symbol.subsub if len(symbol.subsub) < 2 else f"{{{symbol.subsub}}}"
    return f"{base}_{{{sub}_{last}}}" if last else f"{base}_{{{sub}}}"


def _name(name: str) -> str:
    return _NAMES.get(name, name)


def _enclosed(e: ex.Expression, tight: bool = False) -> str:
    written = formula(e)
    if not ex.needs_brackets(e, tight):
        return written
    tall = r"\frac" in written or r"\sum" in written
    return rf"\left({written}\right)" if tall else f"({written})"


def equation_lines(e: ex.Equation) -> list[str]:
    """The lines of an equation in an aligned environment."""
    left, *sides = e.sides
    wide = len(text.formula(left)) > _LINE // 2
    if text.fits(e, _LINE):
        return [f"{formula(left)} &= {' = '.join(map(formula, sides))}"]
    lines, head = ([f"& {formula(left)}"], "") if wide else ([], formula(left))
    for side in sides:
        first, *rest = _broken(side)
        lines += [rf"&\quad = {first}" if wide else f"{head} &= {first}", *(rf"&\quad {{}}{part}" for part in rest)]
        head = ""
    return lines


def _broken(e: ex.Expression) -> list[str]:
    """A long formula in several lines, measured by its plain text; each term of a sum of products has its own line."""
    if ex.is_sum_of_products(e) and len(text.formula(e)) > _LINE:
        return [" ".join(term) for term in _terms(e)]
    lines, used = [""], 0
    for piece, plain in zip(chunks(e), text.chunks(e), strict=True):
        if used and used + len(plain) > _LINE:
            lines.append("")
            used = 0
        lines[-1] += f" {piece}" if lines[-1] else piece
        used += len(plain) + 1
    return lines


def aligned(equations: Iterable[ex.Equation], environment: str) -> str:
    lines = " \\\\\n".join(line for e in equations for line in equation_lines(e))
    return f"\\begin{{{environment}}}\n{lines}\n\\end{{{environment}}}"


def inline(parts: Sequence[Part]) -> str:
    return "".join(for_latex(part) if isinstance(part, str) else f"${formula(part)}$" for part in parts)


def body(doc: Document) -> str:
    """The body of a document that loads amsmath and array."""
    lines = [rf"\section*{{{inline(doc.title)}}}"]
    for block in doc.blocks:
        match block:
            case Heading(parts):
                lines.append(rf"\subsection*{{{inline(parts)}}}")
            case Prose(parts):
                lines.append(f"{inline(parts)}\\par")
            case Formulas(equations):
                lines.append(aligned(equations, "align*"))
            case Table():
                lines.append(_table(block))
    return "\n".join(lines) + "\n"


def _table(block: Table) -> str:
    """The column types; long text in the last column gets the rest of the line if the others are narrow."""
    count = len(block.header)
    kinds = ["r" if k in block.right else "l" for k in range(count)]
    if count - 1 not in block.right and count > 1:
        kinds[-1] = r">{\raggedright\arraybackslash}p{0.4\linewidth}"
    rows = [" & ".join(inline((cell,)) for cell in row) for row in (block.header, *block.rows)]
    size = r"\small" if count > 6 else r"\normalsize"
    return (
        f"{{{size}\\renewcommand{{\\arraystretch}}{{1.4}}\n\\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}\n"
        + f"{rows[0]} \\\\ \\hline\n"
        + "\n".join(f"{row} \\\\" for row in rows[1:])
        + "\n\\end{tabular}\\par}"
    )


def document(doc: Document) -> str:
    """A whole document."""
    return f"{_START}{body(doc)}\\end{{document}}\n"


def notebook(doc: Document) -> str:
    """The formulas alone, for notebooks."""
    equations = [e for block in doc.blocks if isinstance(block, Formulas) for e in block.equations]
    return rf"$\displaystyle {aligned(equations, 'aligned')}$"
