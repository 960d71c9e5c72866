"""One explanation: slips, constants from conventions, and terms added to the gradients."""

from __future__ import annotations

from dataclasses import dataclass

from backpath.explain.diagnosis.added import Addition
from backpath.explain.diagnosis.constants import as_mistake
from backpath.explain.diagnosis.conventions import ScopedConstants
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.passes import Edit
from backpath.explain.diagnosis.problem import Problem


@dataclass(frozen=True, eq=False)
class Explanation:
    """An explanation of all figures.

    Attributes
    ----------
    slips : mistakes in the pass
    constants : constants of the resulting figures
    bits : its description length
    added : a term added to the gradients or weights afterwards (weight decay, a weight that is set)
    after : a change of the gradients before the update: clipped, or scaled to a length
    certain : whether every number in it has an explanation
    is_right : whether it is a right answer to another question: with several updates, or an L2 term
    """

    slips: tuple[Mistake, ...]
    constants: ScopedConstants
    bits: float
    added: Addition | None = None
    after: Mistake | None = None
    certain: bool = True
    is_right: bool = False

    @property
    def edits(self) -> tuple[Edit, ...]:
        return tuple(edit for slip in self.slips for edit in slip.edits)

    def mistakes(self, q: Problem) -> tuple[Mistake, ...]:
        """All of its findings: conventions first."""
        conventions = tuple(as_mistake(q, constant, scope) for constant, scope in self.constants.factors)
        slips = sorted(self.slips, key=lambda slip: not slip.convention)
        others = (self.after, None if self.added is None else self.added.mistake)
        return (*(mistake for mistake in others if mistake is not None), *conventions, *slips)

    def key(self, q: Problem) -> frozenset[tuple[str, ...]]:
        """A key for the text of the report without fitted numbers, because one explanation of each kind is enough."""
        return frozenset((m.code, *m.where, "" if _says_all(m) else m.message) for m in self.mistakes(q))


def _says_all(mistake: Mistake) -> bool:
    """Whether its code and place describe it completely."""
    return mistake.fitted or mistake.code in ("bias_sign", "bias_not_updated")
