"""The report of a diagnosis: right, or the mistakes, their places, and their formulas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from backpath.explain.document import Block, Document, Formulas, Table, heading, prose
from backpath.explain.expression import Equation
from backpath.explain.printers import text
from backpath.explain.rendered import Rendered

_LISTED = 12  # the most names in a sentence, and figures in the table


@dataclass(frozen=True)
class Finding:
    """One mistake.

    Attributes
    ----------
    mistake : str
        Its code in the catalogue.
    where : tuple of str
        The neurons or weights that it affects.
    message : str
        The same in a sentence.
    explains : tuple of str
        The weights (or values) whose wrong figures it explains.
    right : Equation | None
        The right formula, with the part marked that the claimed one lacks or has wrong.
    claimed : Equation | None
        The formula that was computed, with its wrong part marked.
    kind : "slip" | "convention" | "note"
        A convention (a sum instead of a mean, the sign, another cost) is a choice; a slip is always wrong; a note is
        about right figures.
    """

    mistake: str
    where: tuple[str, ...]
    message: str
    explains: tuple[str, ...]
    right: Equation | None = field(default=None, repr=False)
    claimed: Equation | None = field(default=None, repr=False)
    kind: str = field(default="slip", repr=False)

    @property
    def formulas(self) -> tuple[str, str] | None:
        """The right formula and the claimed one, as text."""
        if self.right is None or self.claimed is None:
            return None
        return _text(self.right), _text(self.claimed)


@dataclass(frozen=True)
class Claimed:
    """One claimed figure beside the right one.

    Attributes
    ----------
    kind : "gradient" | "weight" | "value"
        The kind of figure.
    name : str
        Of the weight or value.
    figure : str
        As it was given.
    right : str
        The right figure, with as many digits.
    is_right : bool
        Whether it is right to its digits.
    """

    kind: str
    name: str
    figure: str
    right: str
    is_right: bool

    @property
    def label(self) -> str:
        """∂C/∂W11_1 for a gradient, otherwise the name."""
        return f"∂C/∂{self.name}" if self.kind == "gradient" else self.name


class Report(Rendered):
    """The result of checking the figures.

    Attributes
    ----------
    correct : bool
        Whether every figure is right to its given digits.
    findings : tuple of Finding
        The mistakes; if the figures cannot distinguish several explanations, the mistakes of all of them. If the
        figures are right but rounded, a note: ``rounded``.
    alternatives : tuple of tuples of Finding
        Each explains all figures: one if the figures leave no doubt, none if all are right.
    certain : bool
        Whether there is only one explanation, and the figures contain much more information than it needs.
    figures : tuple of Claimed
        Every claimed figure beside the right one.
    bits : float
        The description length of the shortest explanation; 0 if all is right, infinite if there is none.
    note : str
        Further remarks.
    layout : str
        The layout of the figures, if it differs from the notes': "your weights have the bias first".
    place : str
        For a function, the first quantity that is wrong, and the line that computes it, if it can be found.
    """

    def __init__(
        self,
        alternatives: Sequence[tuple[Finding, ...]],
        figures: Sequence[Claimed],
        note: str = "",
        certain: bool = True,
        noted: Sequence[Finding] = (),
    ):
        self.alternatives = tuple(alternatives)
        self.figures = tuple(figures)
        self.note, self.layout, self.place = note, "", ""
        self.correct = not self.alternatives
        distinct = {finding.mistake: finding for group in reversed(self.alternatives) for finding in group}
        order = dict.fromkeys(finding.mistake for group in self.alternatives for finding in group)
        single = self.alternatives[0] if len(self.alternatives) == 1 else tuple(distinct[code] for code in order)
        self.findings: tuple[Finding, ...] = single if self.alternatives else tuple(noted)
        self.bits = math.inf if self.alternatives else 0.0
        self.certain = certain and len(self.alternatives) <= 1

    def __repr__(self) -> str:
        found = "correct" if self.correct else ", ".join(finding.mistake for finding in self.findings)
        return f"Report({found})"

    def document(self) -> Document:
        """What is printed.

        Returns
        -------
        Document
            A title, then headings, sentences, formulas and tables.
        """
        blocks: list[Block] = [prose(self._verdict())]
        if self.layout:
            blocks.append(prose(f"{_sentence(self.layout)}."))
        if self.place:
            blocks.append(prose(f"The first wrong quantity is {self.place}."))
        if self.note:
            blocks.append(prose(self.note))
        for number, group in enumerate(self.alternatives, 1):
            if len(self.alternatives) > 1:
                blocks.append(heading(f"Possibly {number}: {_reported(group)}"))
            blocks += _explained(group)
        if not self.correct:
            blocks += self._figures()
        return Document(("Right" if self.correct else "Not right",), tuple(blocks))

    def _verdict(self) -> str:
        """The result in a sentence or two."""
        count = len(self.figures)
        if self.correct:
            return f"All {count} figures are right." if count > 1 else "The figure is right."
        wrong = sum(not figure.is_right for figure in self.figures)
        start = f"{wrong} of {count} figures {'is' if wrong == 1 else 'are'} not right"
        if count == 1:
            start = "The figure is not right"
        if len(self.alternatives) > 1:
            return f"{start}. {len(self.alternatives)} explanations fit, and these figures cannot distinguish them."
        doubt = (
            "" if self.certain or self.findings[0].mistake == "unknown" else " It fits, but other reasons may fit too."
        )
        return f"{start}: {_reported(self.alternatives[0])}.{doubt}"

    def _figures(self) -> list[Block]:
        rows = [(f.label, f.figure, f.right, "" if f.is_right else "not right") for f in self.figures]
        rows.sort(key=lambda row: row[3] == "")
        found: list[Block] = [
            heading("Figures"),
            Table(("of", "given", "right", ""), tuple(rows[:_LISTED]), frozenset({1, 2})),
        ]
        return found if len(rows) <= _LISTED else [*found, prose(f"{_LISTED} of {len(rows)} figures.")]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data.

        Returns
        -------
        dict
            Ready for JSON (see docs/explain.md).
        """
        return {
            "correct": self.correct,
            "certain": self.certain,
            "note": self.note,
            "layout": self.layout,
            "place": self.place,
            "alternatives": [[_finding_dict(finding) for finding in group] for group in self.alternatives],
            "figures": [
                {"kind": f.kind, "name": f.name, "given": f.figure, "right": f.right, "is_right": f.is_right}
                for f in self.figures
            ],
        }


def _text(line: Equation) -> str:
    return " = ".join(map(text.formula, line.sides))


def _reported(group: Sequence[Finding]) -> str:
    """An explanation's slips, or its conventions if it has no slip."""
    slips = [finding.message for finding in group if finding.kind != "convention"]
    return "; and ".join(slips or [finding.message for finding in group])


def _explained(group: Sequence[Finding]) -> list[Block]:
    """The conventions in one line, then each slip with its formulas; without slips, the conventions with theirs."""
    slips = [finding for finding in group if finding.kind != "convention"]
    conventions = [finding.message for finding in group if finding.kind == "convention"]
    found: list[Block] = []
    if conventions and slips:
        found.append(prose(f"Also, by convention: {'; '.join(conventions)}."))
    findings = slips or group
    for finding in findings:
        if len(findings) > 1:
            found.append(prose(f"{_sentence(finding.message)}."))
        found += _formulas(finding)
    return found


def _formulas(finding: Finding) -> list[Block]:
    found: list[Block] = []
    if finding.right:
        found += [prose("Right:"), Formulas((finding.right,))]
    if finding.right and finding.claimed:
        found += [prose("Yours:"), Formulas((finding.claimed,))]
    elif finding.right:
        found.append(prose(f"Yours differs in the marked part: {finding.message}."))
    if finding.explains:
        names = ", ".join(finding.explains[:_LISTED])
        more = f" and {len(finding.explains) - _LISTED} more" if len(finding.explains) > _LISTED else ""
        found.append(
            prose(f"It explains {names}{more}." if finding.mistake != "unknown" else f"Unexplained: {names}{more}.")
        )
    return found


def _sentence(message: str) -> str:
    """With a capital letter, unless it begins with a symbol."""
    return message[0].upper() + message[1:] if message[0].isascii() else message


def _finding_dict(finding: Finding) -> dict[str, Any]:
    right, claimed = finding.formulas or (None, None)
    return {
        "mistake": finding.mistake,
        "where": list(finding.where),
        "message": finding.message,
        "explains": list(finding.explains),
        "right": right,
        "claimed": claimed,
    }
