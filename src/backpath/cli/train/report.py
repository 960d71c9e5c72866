"""The report of ``backpath train`` and ``show`` on a model's training and quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backpath.cli.describe import (
    cost_curve,
    describe_bayesian,
    describe_network,
    describe_restarts,
    describe_training,
    stopped_early,
    table,
)
from backpath.cli.terminal import folded
from backpath.files.wording import counted, plain, quoted
from backpath.tabular.candidates import LINEAR
from backpath.tabular.fit_table import Fit
from backpath.tabular.measures import ClassMeasures, Measures, NumberMeasures
from backpath.tabular.verdict import Verdict
from backpath.training import TrainingResult

_BAR = 20
_SHOWN = 10  # columns by importance, and classes by recall


def cost_section(result: TrainingResult) -> str:
    lines = [cost_curve(result.history.cost, result.seconds)]
    if result.stopped == "interrupted" or result.history.validation_cost is None:
        lines.append(stopped_early(result))
    if result.restart_costs is not None:
        lines.append(describe_restarts(result.restart_costs))
    if result.bayesian is not None:
        lines.append(describe_bayesian(result.bayesian))
    return "\n".join(line for line in lines if line)


def fit_section(fit: Fit) -> str:
    """The chosen network, and the number of candidates."""
    settings = fit.settings
    if settings.solver == LINEAR:
        how = f"{settings.cost}, solved, decay {settings.decay:g}"
    else:
        how = describe_training(settings.cost, settings.solver, settings.learning_rate, settings.batch_size)
        how += f", decay {settings.decay:g}" * bool(settings.decay)
    lines = [describe_network(fit.network), how]
    if fit.members > 1:
        lines.append(
            f"{fit.members} networks side by side, each trained on {fit.members - 1}/{fit.members} of the rows "
            "until it no longer improved on the remaining rows"
        )
    if len(fit.compared) > 1:
        lines.append(f"the best of {len(fit.compared)} kinds of network, judged on rows that they were not trained on")
    return "\n".join(folded(line, "  ") for line in lines)


def loss_named(verdict: Verdict) -> str:
    return "the log loss" if verdict.classes else f"the RMSE of {quoted(verdict.unit)}"


def describe_verdict(verdict: Verdict) -> str:
    """The quality of a model, in a table and in sentences."""
    parts = [folded(_rows_judged(verdict), "  "), table(_measures(verdict))]
    if isinstance(verdict.model, ClassMeasures):
        parts += _classes(verdict, verdict.model)
    parts += [folded(sentence, "  ") for sentence in verdict.said()]
    return "\n".join(part for part in parts if part)


def _rows_judged(verdict: Verdict) -> str:
    of = "all" if verdict.rows == verdict.of else f"{verdict.rows:,} of"
    return {
        "held-out": f"on {verdict.rows:,} rows held out",
        "cross-validation": f"on {of} {verdict.of:,} rows, each held out once ({counted(verdict.parts, 'part')})",
        "training": f"on the {verdict.rows:,} rows that it was trained on",
    }[verdict.on]


def _measures(verdict: Verdict) -> list[list[str]]:
    """The rows of the table: each measure of the model, the linear model and the baseline."""
    always = f"always {verdict.baseline_name}" if len(verdict.baseline_name) <= 16 else "always the same"
    columns = [verdict.model, verdict.linear, verdict.baseline]
    first, *others = [
        [label, *("" if one is None else shown(one) for one in columns)] for label, shown in _ROWS[type(verdict.model)]
    ]
    spans = []
    if len(verdict.scores) > 1:
        spans.append(["  by part", _span(verdict, min(verdict.scores), max(verdict.scores)), "", ""])
    if verdict.interval is not None:
        spans.append(["  95% interval", _span(verdict, *verdict.interval), "", ""])
    return [["", "this model", "linear model", always], first, *spans, *others]


def _span(verdict: Verdict, low: float, high: float) -> str:
    is_share = isinstance(verdict.model, ClassMeasures)
    return f"{low:.1%} to {high:.1%}" if is_share else f"{low:.3f} to {high:.3f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _number(value: float | None, digits: int = 4) -> str:
    """
    >>> _number(0.123456), _number(151203.4)
    ('0.1235', '151,203')
    """
    if value is None:
        return ""
    return f"{value:,.0f}" if 10**digits <= abs(value) < 1e12 else f"{value:.{digits}g}"


_ROWS: dict[type[Measures], tuple[tuple[str, Callable[[Any], str]], ...]] = {
    ClassMeasures: (
        ("accuracy", lambda m: _percent(m.accuracy)),
        ("balanced accuracy", lambda m: _percent(m.balanced_accuracy)),
        ("AUC", lambda m: "" if m.auc is None else f"{m.auc:.3f}"),
        ("log loss", lambda m: _number(m.log_loss)),
    ),
    NumberMeasures: (
        ("R²", lambda m: "" if m.r2 is None else f"{m.r2:.3f}"),
        ("RMSE", lambda m: _number(m.rmse)),
        ("MAE", lambda m: _number(m.mae)),
    ),
}


def _classes(verdict: Verdict, model: ClassMeasures) -> list[str]:
    """The confusion matrix if it fits, otherwise the recall of the classes."""
    names = [plain(name)[:12] for name in verdict.classes]
    recall = [_percent(share) for share in model.recall]
    if verdict.confusion is not None:
        rows = [["true \\ predicted", *names, "recall"]]
        rows += [
            [name, *map(str, counts), share]
            for name, counts, share in zip(names, verdict.confusion, recall, strict=True)
        ]
        drawn = table(rows)
        if max(map(len, drawn.splitlines())) < 80:
            return [drawn]
    worst = sorted(zip(model.recall, verdict.classes, strict=True), key=lambda pair: 2 if pair[0] is None else pair[0])
    shown = ", ".join(f"{quoted(name)} {_percent(share)}" for share, name in worst[:_SHOWN] if share is not None)
    return [folded(f"recall by class, the worst first: {shown}", "  ")]


def describe_importance(importance: Mapping[str, float], unit: str) -> str:
    """The columns, the most important first, with bars."""
    most = max([*importance.values(), 0.0])
    rows = [
        [plain(name)[:40], _number(value, 3), "█" * max(0, round(_BAR * value / most)) if most > 0 else ""]
        for name, value in sorted(importance.items(), key=lambda pair: -pair[1])[:_SHOWN]
    ]
    more = len(importance) - _SHOWN
    lines = [folded(f"how much {unit} rises when a column's cells are shuffled", "  "), table(rows, left=(0, 2))]
    return "\n".join(lines + ([f"  … {more} more, each less"] if more > 0 else []))
