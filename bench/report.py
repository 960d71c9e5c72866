"""The page of the results: tables with ratios, contenders, versions and the machine."""

from __future__ import annotations

from collections.abc import Sequence

from bench.measure import Measured, Timing

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
US = "backpath"

HOW = """\
`scripts/bench` measures the rows one after the other. Each time is the median of {rounds} rounds in which all
contenders take turns, ± half the interquartile range. A **bold** number is the time relative to backpath's. A contender
is timed only if it first reaches the same weights as backpath's NumPy engine from the same start, within 1e-9 (float64)
or 1e-3 (float32) of the largest change of a weight.

- The workload: logistic neurons, squared error, gradient descent, batches in a fixed order. (scikit-learn has logistic
  outputs only with its log-loss, so if it is among the contenders, backpath trains with that cost too.)
- backpath is measured through its public functions, `train` and `train_population`, and records the cost of every
  epoch; the peers do not. Each peer is written in several ways, and the fastest one counts: see *All variants* below.
- Each contender runs in its own process, on one core if the row says so.
"""

CPU_TIME = """\
**Other programs were using the machine, so the figures are processor time, summed over all threads.** It does not
include waiting for a core. Caches and memory were shared, however: rows that depend on them take longer than on an idle
machine, and the gain from a second core is not visible.
"""


def duration(seconds: float) -> str:
    """A duration with three digits and a unit."""
    scale, unit = next((u for u in UNITS if seconds >= u[0] * 0.9995), UNITS[-1])
    return f"{three_digits(seconds / scale)} {unit}"


def three_digits(value: float) -> str:
    return f"{value:.{0 if value >= 99.95 else 1 if value >= 9.995 else 2}f}"


def cell(timing: Timing | None, ratio: float | None) -> str:
    if timing is None:
        return "—"
    shown = f"{duration(timing.median)} ±{timing.spread:.0%}"
    return shown if ratio is None else f"**{three_digits(ratio)}×** {shown}"


def table(results: Sequence[Measured]) -> str:
    """A table with a line per row and a column per contender, relative to backpath."""
    names = list(dict.fromkeys([US, *(name for result in results for name in result.best())]))
    lines = ["| work | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for result in results:
        best, ratios = result.best(), result.ratios(US)
        cells = [cell(best.get(name), None if name == US else ratios.get(name)) for name in names]
        lines.append(f"| {result.row.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def every_form(results: Sequence[Measured]) -> str:
    lines = ["| work | contender | variant | median | fastest |", "|---|---|---|---|---|"]
    for result in results:
        lines += [
            f"| {result.row.title} | {t.contender} | {t.form} | {cell(t, None)} | {duration(min(t.times))} |"
            for t in result.timings
        ]
    return "\n".join(lines)


def left_out(results: Sequence[Measured]) -> list[str]:
    """A line per contender and reason."""
    rows: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for name, reason in result.left_out.items():
            rows.setdefault((name, reason), []).append(result.row.key)
    return [f"- {name} ({', '.join(keys)}): {reason}" for (name, reason), keys in rows.items()]


def page(results: Sequence[Measured], facts: Sequence[str], rounds: int, growth: bool, cpu: bool = False) -> str:
    absent = left_out(results)
    parts = [
        "# Benchmarks",
        HOW.format(rounds=rounds).strip(),
        *((CPU_TIME.strip(),) if cpu else ()),
        "![How many times as long as backpath each contender takes](images/benchmarks.svg)",
        table(results),
        "## Measured on",
        "\n".join(f"- {fact}" for fact in facts),
        *(("## Not measured", "\n".join(absent)) if absent else ()),
        *(("## Scaling", GROWTH) if growth else ()),
        "## All variants",
        every_form(results),
    ]
    return "\n\n".join(parts) + "\n"


GROWTH = """\
![Time against epochs, samples, width, depth, networks and cores](images/growth.svg)

Measured by `scripts/bench --growth`."""
