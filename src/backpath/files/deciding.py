"""Decides how a column is used: as numbers, categories or dates, or left out, or why it cannot be used."""

from __future__ import annotations

from dataclasses import replace

from backpath.files.choices import Choices
from backpath.files.column_inputs import CategoryInput
from backpath.files.columns import Profile
from backpath.files.decision import Decision
from backpath.files.forms import said_missing
from backpath.files.number_columns import decide_number, forced_numbers
from backpath.files.sources import Column, Source
from backpath.files.text_columns import decide_text
from backpath.files.wording import quoted


def decide(source: Source, column: Column, profile: Profile, choices: Choices, is_target: bool) -> Decision:
    """The decision on a column, from all of its cells."""
    name = column.name
    base = Decision(column, profile, missing=profile.missing)
    if column.problem:
        return replace(
            base,
            problem=f"{source.path}, column {quoted(name)}: {column.problem}; expected numbers or text: convert it, or "
            f"leave it out (--ignore {name!r})",
            options=("--ignore", name),
        )
    if name in choices.numeric:
        return forced_numbers(source, base)
    if profile.present == 0:
        return replace(base, left_out="every cell is missing")
    if name not in choices.categorical and profile.all_numbers:
        decision = decide_number(source, base, choices, is_target)
        if decision is not None:
            return _with_words(source, decision)
    return _with_words(source, decide_text(source, base, choices, is_target))


def _with_words(source: Source, decision: Decision) -> Decision:
    """Adds a note on words among numbers or dates that count as missing."""
    if isinstance(decision.kind, CategoryInput) or not (decision.kind and decision.profile.said_missing):
        return decision
    text = decision.column.text
    found = source.rows(
        f"SELECT trim({text}) AS t, count(*) AS n FROM {{table}} WHERE {said_missing(text)} "
        "GROUP BY t ORDER BY n DESC, t LIMIT 4"
    )
    words = ", ".join(f"{quoted(word)} ({count:,})" for word, count in found)
    return replace(decision, notes=(*decision.notes, f"treated as missing in {decision.name!r}: {words}"))
