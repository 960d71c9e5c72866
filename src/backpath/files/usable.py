"""Decides which columns of a table are used, and whether it can be trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backpath.errors import InputError
from backpath.files.choices import Choices
from backpath.files.column_inputs import CategoryInput
from backpath.files.columns import profiles
from backpath.files.deciding import decide
from backpath.files.decision import Decision
from backpath.files.notices import EMPTY, refuse
from backpath.files.sources import Column, Source
from backpath.files.wording import column_index, counted, quoted

Obstacle = tuple[str, tuple[str, ...]]  # the message, and the options that solve it
_MANY = 10  # repeated names; with at least this many, the line may not be a header


def choose(source: Source, target: str, choices: Choices) -> tuple[Column, list[Column]]:
    """The target and the columns that may be inputs."""
    _refuse_repeated(source, choices)
    names = source.names
    goal = column_index(target, names, source.path, "to predict", "--target")
    roles = (
        ("to take as categories", choices.categorical),
        ("to take as numbers", choices.numeric),
        ("to keep", choices.keep),
    )
    for role, listed in roles:
        for name in listed:
            column_index(name, names, source.path, role)
    left_out = {column_index(name, names, source.path, "to ignore") for name in choices.ignore}
    if goal in left_out:
        raise InputError(f"column {quoted(target)} cannot be both the target and ignored; leave one out")
    inputs = [column for k, column in enumerate(source.columns) if k != goal and k not in left_out]
    if not inputs:
        raise InputError(
            f"{source.path} has no column but the target {quoted(target)}; there must be one to learn from"
        )
    return source.columns[goal], inputs


def _refuse_repeated(source: Source, choices: Choices) -> None:
    """Refuse columns of the same name if the choices mention none of them but the first."""
    mentioned = {*choices.categorical, *choices.numeric, *choices.keep, *choices.ignore}
    unsaid = [name for name in source.repeated if name not in mentioned]
    if unsaid:
        raise InputError(
            f"{source.repeated[unsaid[0]]}; rename one of them, or leave the later one out as {unsaid[0]!r} (--ignore; "
            "--keep-column keeps both)",
            options=tuple(part for name in unsaid for part in ("--ignore", name)) if len(unsaid) < _MANY else (),
        )


def decide_all(source: Source, columns: Sequence[Column], choices: Choices, goal: Column | None) -> list[Decision]:
    """The decision on each column."""
    found = profiles(source, columns)
    if found[0].rows < 2:
        rows = "a header but no rows; add rows below it" if found[0].rows == 0 else "1 row; training needs at least 2"
        raise InputError(f"{source.path} holds {rows}")
    return [decide(source, c, p, choices, is_target=c is goal) for c, p in zip(columns, found, strict=True)]


def check_usable(source: Source, decisions: Sequence[Decision], choices: Choices) -> None:
    """Refuse a table that cannot be trained on, with all reasons at once."""
    *inputs, goal = decisions
    problems = [(d.problem, d.options) for d in decisions if d.problem]
    problems += _of_target(source, goal, choices)
    if choices.missing == "refuse":
        problems += [_of_gaps(source, d) for d in inputs if d.kind is not None and d.missing]
    if not problems and not any(d.kind for d in inputs):
        problems.append(_of_no_inputs(source, inputs))
    refuse(source.path, problems)


def _of_target(source: Source, goal: Decision, choices: Choices) -> Iterator[Obstacle]:
    """Why the target cannot be learned."""
    where = f"{source.path}, column {quoted(goal.name)}"
    if goal.left_out:
        yield f"{where}: {goal.left_out}; there is nothing to learn", ()
    elif isinstance(goal.kind, CategoryInput) and choices.task == "regression":
        _, value = source.first(f"{goal.column.text} IS NOT NULL", goal.column)
        cannot = f"{where}: the target holds text ({quoted(value)}), so the task cannot be regression"
        yield f"{cannot}; leave {choices.task_option} out", ()
    elif goal.kind is not None and goal.profile.low == goal.profile.high and goal.profile.all_numbers:
        yield f"{where}: the target is {goal.profile.low:g} in every row; there is nothing to learn", ()


def _of_no_inputs(source: Source, inputs: Sequence[Decision]) -> Obstacle:
    reasons = "; ".join(f"{d.name!r}: {d.left_out}" for d in inputs)
    options = tuple(part for d in inputs if d.left_out not in EMPTY for part in ("--keep-column", d.name))
    return f"{source.path}: nothing is left to learn from ({reasons})", options


def _of_gaps(source: Source, decision: Decision) -> Obstacle:
    missing = f"{counted(decision.missing, 'cell')} of {decision.profile.rows:,}"
    are = "is" if decision.missing == 1 else "are"
    return (
        f"{source.path}, column {quoted(decision.name)}: {missing} {are} missing; "
        "--missing fill fills them in, drop leaves the rows out",
        ("--missing", "fill"),
    )
